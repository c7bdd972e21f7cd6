"""What EC2, IAM and Elastic Load Balancing say of a Spot Instance, and its On-Demand twin launched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Dial, Refuse
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Gone, Impossible, Sighting
from functions.spot_fallback.instances import LATE, NOTICE, tags_of
from functions.spot_fallback.launch import request
from functions.spot_fallback.observation import InstanceSeen
from functions.spot_fallback.profiles import roles_of
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.reading import LEVER_TAG
from functions.spot_fallback.target_groups import TargetGroups, registered

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

NO_LAUNCH_YET = timedelta(seconds=30)
"""How long after the warning a look without a twin is taken to be the first, which launches it."""
SOON, LATER = 10, 60
"""Seconds until a launch is tried again that EC2 had no capacity or the quota no room for."""

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
        self._target_groups = TargetGroups(client)
        self._launched: dict[str, Mapping[str, Any]] = {}
        self._described: dict[str, Mapping[str, Any]] = {}
        self._seen: dict[str, tuple[Mapping[str, Any], datetime | None]] = {}
        self._templates: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._roles: dict[str, tuple[str, ...]] = {}
        self._now = datetime.min

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
        id = _id(target)
        self._described[id] = self._describe(id)  # for the observation that follows at once
        return of_tag(tags_of(self._described[id]), LEVER)

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> InstanceSeen:
        """causes: `warned` with the time of the first warning. Raises Gone.

        Calls: DescribeInstances, once more where no `opt_in` was right before; without a twin
        DescribeSpotInstanceRequests and DescribeScalingActivities, and once an invocation
        DescribeLaunchTemplateVersions for each template and GetInstanceProfile for each profile.
        """
        id = _id(target)
        description = self._described.pop(id, None) or self._describe(id)
        twin = self._twin(id)
        warned = causes.get("warned")
        since = datetime.fromisoformat(warned["at"]) if warned else None
        self._now, self._seen[id] = now, (description, since)
        groups = self._registrations(description, twin, now - since if since else timedelta())
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
            target_groups=registered(description, groups),
            twin_in=registered(twin, groups) if twin else (),
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
        self._target_groups.register(missing)
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
        """A version never changes, so it is kept."""
        known = version["LaunchTemplateId"], version["Version"]
        if known in self._templates:
            return self._templates[known]
        try:
            answer = self._ec2.describe_launch_template_versions(
                LaunchTemplateId=version["LaunchTemplateId"], Versions=[version["Version"]]
            )
        except ClientError as error:
            if _code(error).startswith("InvalidLaunchTemplateId."):
                return None
            raise
        for each in answer["LaunchTemplateVersions"]:
            self._templates[known] = each["LaunchTemplateData"]
        return self._templates.get(known)

    def _role(self, description: Mapping[str, Any], template: Mapping[str, Any] | None) -> str:
        """ARN of the role that the twin would be given, in the instance's profile or, where it has
        none, in the template's."""
        profile = description.get("IamInstanceProfile") or (template or {}).get(
            "IamInstanceProfile"
        )
        if not profile:
            return ""
        name = profile["Arn"].rsplit("/", 1)[-1] if "Arn" in profile else profile["Name"]
        if name not in self._roles:
            self._roles[name] = roles_of(self._client("iam"), name)
        return next(iter(self._roles[name]), "")

    # where it serves

    def _registrations(
        self, description: Mapping[str, Any], twin: Mapping[str, Any] | None, ago: timedelta
    ) -> Sequence[Mapping[str, Any]]:
        """What the target groups of its VPC hold, where that is of use now. ago: since the warning.

        They are many calls, and no launch waits for them: the launch is the first look's, and what
        is read right after it is noted with it. A look that comes later without a twin is one of a
        launch that is not allowed or not possible yet, so it is to be known before the instance is
        gone; a failure is left to the next look. Beside a twin they are read once that runs.
        """
        vpc = (twin or description).get("VpcId")
        if not vpc:
            return ()
        if twin is not None:
            running = twin["State"]["Name"] == "running"
            return self._target_groups.of(vpc, self._now) if running else ()
        return self._read_if_possible(vpc) if ago >= NO_LAUNCH_YET else ()

    def _read_if_possible(self, vpc: str) -> Sequence[Mapping[str, Any]]:
        try:
            return self._target_groups.of(vpc, self._now)
        except (BotoCoreError, ClientError) as error:
            logger.warning("target groups unknown for now", error=str(error))
            return ()

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
                short = f"EC2 has no capacity for {said}"
                raise Busy(short, "on-demand-short", self._next_try(id)) from error
            if _code(error) in QUOTAS:
                raise Busy(f"the quota leaves no room for {said}", "quota", LATER) from error
            raise
        [twin] = answer["Instances"]
        self._launched[id] = twin
        return {**write, "id": twin["InstanceId"], "serves": self._serves(id)}

    def _next_try(self, id: str) -> int:
        """Others are taken in the same minutes, and the capacity of one that ends may be had."""
        _, since = self._seen.get(id, ({}, None))
        return SOON if since and self._now - since <= NOTICE else LATER

    def _serves(self, id: str) -> list[Mapping[str, Any]]:
        """Where the instance serves: a target group may forget it before its twin runs."""
        description, _ = self._seen.get(id, ({}, None))
        vpc = description.get("VpcId")
        return list(registered(description, self._read_if_possible(vpc))) if vpc else []


def _id(target: str) -> str:
    return target.rsplit("/", 1)[-1]


def _token(id: str) -> str:
    return f"{id}-on-demand"


def _version(description: Mapping[str, Any]) -> dict[str, str]:
    tags = tags_of(description)
    id, version = (tags.get(key, "") for key in FROM_TEMPLATE)
    return {"LaunchTemplateId": id, "Version": version} if id and version else {}


def _instances(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for group in answer["Reservations"] for each in group["Instances"]]


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
