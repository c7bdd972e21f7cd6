"""What EC2, IAM and Elastic Load Balancing say of a Spot Instance, and its On-Demand twin launched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Dial, Refuse
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Gone, Impossible, Sighting
from functions.spot_fallback.instances import LATE, tags_of
from functions.spot_fallback.launch import request
from functions.spot_fallback.observation import InstanceSeen
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.reading import LEVER_TAG

LEVER = "spot-fallback"
FROM_TEMPLATE = ("aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version")
"""Tags that EC2 gives an instance launched from a launch template (EC2 user guide, "Launch EC2
instances using a launch template")."""
SHORT = frozenset(
    {"InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet", "Unsupported"}
)
QUOTAS = frozenset({"InstanceLimitExceeded", "VcpuLimitExceeded"})
"""Codes of EC2 API reference, "Error codes for the Amazon EC2 API"."""

IDS_IN_A_FILTER = 200
"""Limit of a filter's values (EC2 API reference, "List and filter using the CLI and API")."""

logger = Logger(child=True)


class Instances:
    """client: gives the boto3 client of a service; IAM's and ELB's are seldom needed.

    Lives for one invocation.
    """

    irreversible = (
        "the On-Demand Instance that was launched does the work by now; terminate it when it is no "
        "longer needed"
    )

    def __init__(self, client: Callable[[str], Any], rates: RateCard) -> None:
        self._client = client
        self._ec2 = client("ec2")
        self._rates = rates
        self._launched: dict[str, Mapping[str, Any]] = {}

    def tagged(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the instances that have the lever's tag, whatever its value; a call for 200."""
        found: set[str] = set()
        for start in range(0, len(ids), IDS_IN_A_FILTER):
            answer = self._ec2.describe_instances(
                Filters=[
                    {"Name": "instance-id", "Values": list(ids[start : start + IDS_IN_A_FILTER])},
                    {"Name": "tag-key", "Values": [LEVER_TAG]},
                ]
            )
            found |= {each["InstanceId"] for each in _instances(answer)}
        return frozenset(found)

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the instance's own tag lets us go. Raises Gone."""
        return of_tag(tags_of(self._describe(_id(target))), LEVER)

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> InstanceSeen:
        """causes: `warned` with the time of the first warning. Raises Gone."""
        id = _id(target)
        description = self._describe(id)
        twin = self._twin(id)
        warned = causes.get("warned")
        since = datetime.fromisoformat(warned["at"]) if warned else None
        groups = self._registrations(description, twin)
        version = _version(description)
        template = self._template(version) if version and twin is None else None
        return InstanceSeen(
            arn=target,
            now=now,
            description=description,
            persistent=twin is None and self._is_persistent(description),
            template=template,
            template_version=version,
            role=self._role(description, template) if twin is None else "",
            twin=twin,
            target_groups=_of(description, groups),
            twin_in=_of(twin, groups) if twin else (),
            warned=since,
            group=self._group(id, since - LATE) if since and twin is None else "",
            rates=self._rates.of([description["InstanceType"]], now),
        )

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        """Launch the twin, or register it. Raises Busy, Impossible and ClientError.

        EC2 itself is the lock: under one client token it launches one instance (EC2 API developer
        guide, "Ensuring idempotency in Amazon EC2 API requests"); a registration repeated changes
        nothing. The token names the market, as one used for another market is refused
        (github.com/runs-on/runs-on/issues/251).
        """
        if not seen["twin"]:
            return self._launch(_id(target), write)
        missing = [each for each in write["registered"] if each not in seen["registered"]]
        self._register(missing)
        return None

    def sweep(self, now: datetime) -> list[Sighting]:
        """Nothing: a lost warning leaves an instance that is gone two minutes later, and before
        that nothing tells it from any other."""
        return []

    # the instance

    def _describe(self, id: str) -> Mapping[str, Any]:
        """One instance, ended ones too for about an hour. Raises Gone."""
        try:
            answer = self._ec2.describe_instances(InstanceIds=[id])
        except ClientError as error:
            if _code(error) == "InvalidInstanceID.NotFound":
                raise Gone(f"EC2 does not know {id} any more") from error
            raise
        found = _instances(answer)
        if not found:
            raise Gone(f"EC2 does not know {id} any more")
        return found[0]

    def _twin(self, id: str) -> Mapping[str, Any] | None:
        """The instance launched under our token; DescribeInstances may be late to know it (EC2
        API developer guide, "Eventual consistency")."""
        answer = self._ec2.describe_instances(
            Filters=[{"Name": "client-token", "Values": [_token(id)]}]
        )
        return next(iter(_instances(answer)), self._launched.get(id))

    def _is_persistent(self, description: Mapping[str, Any]) -> bool:
        asked = description.get("SpotInstanceRequestId")
        if not asked:
            return False
        try:
            answer = self._ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[asked])
        except ClientError as error:
            if _code(error) == "InvalidSpotInstanceRequestID.NotFound":
                return False  # it is forgotten, so it asks for nothing any more
            raise
        return any(each["Type"] == "persistent" for each in answer["SpotInstanceRequests"])

    def _group(self, id: str, since: datetime) -> str:
        """The group that launched it or let go of it since then, as its scaling activities tell:
        they come newest first (Auto Scaling API reference, DescribeScalingActivities). Whether its
        tag stays on a detached instance is not documented."""
        pages = self._client("autoscaling").get_paginator("describe_scaling_activities").paginate()
        for each in (each for page in pages for each in page["Activities"]):
            if each["StartTime"] < since:
                break
            if id in each["Description"]:
                return str(each["AutoScalingGroupName"])
        return ""

    def _template(self, version: Mapping[str, str]) -> Mapping[str, Any] | None:
        try:
            answer = self._ec2.describe_launch_template_versions(
                LaunchTemplateId=version["LaunchTemplateId"], Versions=[version["Version"]]
            )
        except ClientError as error:
            if _code(error).startswith("InvalidLaunchTemplateId."):
                return None
            raise
        found: list[Mapping[str, Any]] = answer["LaunchTemplateVersions"]
        return found[0]["LaunchTemplateData"] if found else None

    def _role(self, description: Mapping[str, Any], template: Mapping[str, Any] | None) -> str:
        """ARN of the role that the twin would be given, in the instance's profile or, where it has
        none, in the template's."""
        profile = description.get("IamInstanceProfile") or (template or {}).get(
            "IamInstanceProfile"
        )
        if not profile:
            return ""
        name = profile["Arn"].rsplit("/", 1)[-1] if "Arn" in profile else profile["Name"]
        try:
            answer = self._client("iam").get_instance_profile(InstanceProfileName=name)
        except ClientError as error:
            if _code(error) == "NoSuchEntity":
                return f"instance-profile/{name}"  # no role: what it may hold soon is not known
            raise
        roles = answer["InstanceProfile"]["Roles"]
        return str(roles[0]["Arn"]) if roles else ""

    # its target groups

    def _registrations(
        self, description: Mapping[str, Any], twin: Mapping[str, Any] | None
    ) -> Sequence[Mapping[str, Any]]:
        """All targets of the target groups that an instance of its VPC may be in.

        A group does not say where a target is registered, only what it holds, so each is asked. No
        launch waits for that: without a twin, a failure is left to the next look.
        """
        vpc = (twin or description).get("VpcId")
        if not vpc:
            return ()
        try:
            return self._targets(vpc)
        except (BotoCoreError, ClientError) as error:
            if twin is not None:
                raise
            logger.warning("target groups unknown for now", error=str(error))
            return ()

    def _targets(self, vpc: str) -> list[Mapping[str, Any]]:
        elb = self._client("elbv2")
        pages = elb.get_paginator("describe_target_groups").paginate()
        arns = [
            each["TargetGroupArn"]
            for page in pages
            for each in page["TargetGroups"]
            if each.get("VpcId") == vpc and each.get("TargetType") in ("instance", "ip")
        ]
        found: list[Mapping[str, Any]] = []
        for arn in arns:
            try:
                answer = elb.describe_target_health(TargetGroupArn=arn)
            except ClientError as error:
                if _code(error) == "TargetGroupNotFound":
                    continue  # deleted meanwhile
                raise
            found += [
                {
                    "TargetGroupArn": arn,
                    "Port": each["Target"]["Port"],
                    "Id": each["Target"]["Id"],
                }
                for each in answer["TargetHealthDescriptions"]
            ]
        return found

    # act

    def _launch(self, id: str, write: Dial) -> Dial:
        template = self._template(write["version"])
        if template is None:
            raise Impossible(
                "template-gone",
                f"the launch template of {id} does not exist any more",
                ("Launch it by hand",),
            )
        asked = request(write["version"], template, write["like"], _token(id))
        try:
            answer = self._ec2.run_instances(**asked)
        except ClientError as error:
            said = f"the twin of {id}, an On-Demand {write['like']['InstanceType']}: {error}"
            if _code(error) in SHORT:
                raise Busy(f"EC2 has no capacity for {said}", "on-demand-short") from error
            if _code(error) in QUOTAS:
                raise Busy(f"the quota leaves no room for {said}", "quota") from error
            raise
        [twin] = answer["Instances"]
        self._launched[id] = twin
        return {**write, "id": twin["InstanceId"]}

    def _register(self, targets: Sequence[Mapping[str, Any]]) -> None:
        """Each group by itself: one that refuses does not keep the twin out of the others."""
        refused: list[ClientError] = []
        for arn in dict.fromkeys(each["TargetGroupArn"] for each in targets):
            mine = [
                {"Id": each["Id"], "Port": each["Port"]}
                for each in targets
                if each["TargetGroupArn"] == arn
            ]
            try:
                self._client("elbv2").register_targets(TargetGroupArn=arn, Targets=mine)
            except ClientError as error:
                if _code(error) == "TargetGroupNotFound":
                    continue  # deleted meanwhile: there is nothing to be in
                refused.append(error)
        if refused and all("not in a running state" in str(each) for each in refused):
            raise Busy(f"ELB does not see it run yet: {refused[0]}") from refused[0]
        if refused:
            raise refused[0]


def _id(target: str) -> str:
    return target.rsplit("/", 1)[-1]


def _token(id: str) -> str:
    return f"{id}-on-demand"


def _version(description: Mapping[str, Any]) -> dict[str, str]:
    tags = tags_of(description)
    id, version = (tags.get(key, "") for key in FROM_TEMPLATE)
    return {"LaunchTemplateId": id, "Version": version} if id and version else {}


def _of(
    description: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The targets that are the instance, by ID or by one of its addresses."""
    own = {description["InstanceId"], description.get("PrivateIpAddress")}
    for interface in description.get("NetworkInterfaces", ()):
        own |= {each["PrivateIpAddress"] for each in interface.get("PrivateIpAddresses", ())}
    mine = [each for each in targets if each["Id"] in own]
    return tuple(sorted(mine, key=lambda each: (each["TargetGroupArn"], each["Port"], each["Id"])))


def _instances(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for group in answer["Reservations"] for each in group["Instances"]]


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
