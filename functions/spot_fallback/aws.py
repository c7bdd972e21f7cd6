"""What AWS says of an Auto Scaling group that Spot is taken from, and the two calls that help it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from functions.core.decision import Dial, Refuse
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Changed, Gone, Sighting
from functions.spot_fallback.capacity import taken_back
from functions.spot_fallback.failures import market_in
from functions.spot_fallback.observation import GroupSeen, LaunchFailure, Market, Member
from functions.spot_fallback.profiles import Template, Templates, specifications
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.reading import LEVER_TAG

LEVER = "spot-fallback"
OPTED_IN = ["observe", "approve", "act"]
INSTANCES_A_CALL = 50
"""Limit of DescribeAutoScalingInstances (API reference)."""
DETACHED_A_CALL = 19
"""Limit of DetachInstances' InstanceIds (API reference; its text says 20)."""
DETACH_TRIES = 3
BUSY = 5
"""Seconds until a group that is busy is tried again; the notice of a warned instance runs."""
NOT_THERE = ("is not in InService", "is not part of")
"""In the refusals of DetachInstances (github.com/reproio/ecs_deploy/issues/47 and pull/56)."""
MARKS = [
    "marked-for-termination",
    "instance-terminated-no-capacity",
    "instance-terminated-by-experiment",
]
"""What the Spot request of an instance that still runs has as its status once EC2 has warned it: one
that will be terminated takes the end's code at once, and so it does under an experiment of AWS FIS.
A group's are never stopped (EC2 user guide, "State changes for a Spot request")."""
IDS_IN_A_FILTER = 200
"""Limit of a filter's values (EC2 API reference, "List and filter using the CLI and API")."""
UNDER_WAY = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})
"""Statuses of an instance refresh that has not ended (botocore service model, InstanceRefresh)."""
LATE, LONG_PAST = timedelta(minutes=5), timedelta(minutes=20)
"""From its warning on, when an instance should be gone, and until when it is looked for."""
MANAGERS = {
    "eks:cluster-name": "Amazon EKS",
    "eks:nodegroup-name": "Amazon EKS",
    "AmazonECSManaged": "Amazon ECS",
}
"""Tags that the services put on groups that are theirs (EKS user guide, "Managed node groups"; ECS
developer guide, "Amazon ECS clusters", capacity providers)."""


class Groups:
    """client: gives a boto3 client by name. Lives for one invocation: templates are read once."""

    irreversible = ""

    def __init__(self, client: Callable[[str], Any], rates: RateCard) -> None:
        self._autoscaling = client("autoscaling")
        self._ec2 = client("ec2")
        self._rates = rates
        self._looked_up: dict[str, dict[str, Any]] = {}
        self._templates = Templates(self._ec2, client("iam"))

    # where to look

    def names_of(self, instances: Sequence[str]) -> Mapping[str, str]:
        """The group of each instance that is in one; a call for every 50."""
        found = {}
        for start in range(0, len(instances), INSTANCES_A_CALL):
            ids = list(instances[start : start + INSTANCES_A_CALL])
            answer = self._autoscaling.describe_auto_scaling_instances(InstanceIds=ids)
            for each in answer["AutoScalingInstances"]:
                found[each["InstanceId"]] = each["AutoScalingGroupName"]
        return found

    def names_tagged(self) -> frozenset[str]:
        """Every group that has the lever's tag, whatever its value."""
        pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": "tag-key", "Values": [LEVER_TAG]}], IncludeInstances=False
        )
        return frozenset(
            group["AutoScalingGroupName"] for page in pages for group in page["AutoScalingGroups"]
        )

    def sweep(self, now: datetime) -> list[Sighting]:
        """Opted-in groups with a policy that have fewer healthy instances than they are to have."""
        pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": f"tag:{LEVER_TAG}", "Values": OPTED_IN}]
        )
        note = {"at": now.isoformat()}
        return [
            Sighting(_open_arn(group["AutoScalingGroupARN"]), "short", note)
            for page in pages
            for group in page["AutoScalingGroups"]
            if "MixedInstancesPolicy" in group and not group.get("Status") and _is_short(group)
        ]

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the group's tag lets us go. Raises Gone.

        What is read serves the observation of the same look as well, once.
        """
        self._looked_up.pop(target, None)
        group = self._looked_up[target] = self._describe(_name(target))
        return of_tag({tag["Key"]: tag["Value"] for tag in group["Tags"]}, LEVER)

    # what there is

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> GroupSeen:
        """The group as AWS describes it. Raises Gone.

        Calls: DescribeAutoScalingGroups unless `opt_in` just made it, DescribeInstances (a page for 1000), DescribeScaling-
        Activities, DescribeInstanceRefreshes, DescribeSpotInstanceRequests (one for 200
        on Spot); once an invocation DescribeLaunchTemplateVersions for each of its templates
        and GetInstanceProfile for each profile in them; while warned instances should be gone,
        DescribeInstances for those.
        """
        name = _name(target)
        group = self._looked_up.pop(target, None) or self._describe(name)
        policy = group.get("MixedInstancesPolicy", {})
        template = policy.get("LaunchTemplate", {})
        overrides = template.get("Overrides", [])
        templates = self._templates.of(specifications(template))
        types = _types(overrides, templates)
        members = self._members(name, group["Instances"])
        warned = {**self._marked(members), **_when("warned", causes)}
        at_risk = _when("at-risk", causes)
        tags = {tag["Key"] for tag in group["Tags"]}
        distribution = taken_back(policy.get("InstancesDistribution", {})) if policy else {}
        return GroupSeen(
            arn=target,
            name=name,
            now=now,
            desired=group["DesiredCapacity"],
            max_size=group["MaxSize"],
            distribution=distribution,
            template=template,
            members=members,
            warned=warned,
            at_risk=at_risk,
            failures=self._failures(name),
            rebalances=group.get("CapacityRebalance", False),
            managed_by=next((who for tag, who in MANAGERS.items() if tag in tags), ""),
            weighted=any("WeightedCapacity" in each for each in overrides)
            or group.get("DesiredCapacityType", "units") != "units",
            refreshing=self._refreshing(name),
            suspended=tuple(each["ProcessName"] for each in group["SuspendedProcesses"]),
            roles=tuple(sorted({role for each in templates for role in each.roles})),
            types=types,
            zones=tuple(group["AvailabilityZones"]),
            orphans=self._orphans(warned, members, now),
            rates=self._rates.of([*types, *(each.instance_type for each in members)], now),
        )

    def _describe(self, name: str) -> dict[str, Any]:
        """Raises Gone, for a group that is being deleted as well."""
        found = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[name], IncludeInstances=True
        )
        for group in found["AutoScalingGroups"]:
            if not group.get("Status"):
                described: dict[str, Any] = group
                return described
        raise Gone(f"Auto Scaling group {name} does not exist any more")

    def _members(self, name: str, instances: Sequence[Mapping[str, Any]]) -> tuple[Member, ...]:
        """The group's instances; only EC2 knows their market, by the tag that a group gives them
        (EC2 Auto Scaling user guide, "Tag Auto Scaling groups and instances")."""
        known: dict[str, Mapping[str, Any]] = {}
        if instances:
            mine = [{"Name": "tag:aws:autoscaling:groupName", "Values": [name]}]
            known = {each["InstanceId"]: each for each in self._instances(mine)}
        return tuple(
            Member(
                id=each["InstanceId"],
                market=_market_of(known.get(each["InstanceId"])),
                instance_type=each.get("InstanceType", ""),
                zone=each["AvailabilityZone"],
                state=each["LifecycleState"],
                healthy=each["HealthStatus"].lower() == "healthy",
                launched=known.get(each["InstanceId"], {}).get("LaunchTime"),
                protected=each["ProtectedFromScaleIn"],
                running=known.get(each["InstanceId"], {}).get("State", {}).get("Name")
                in ("pending", "running"),
            )
            for each in instances
        )

    def _instances(self, filters: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        pages = self._ec2.get_paginator("describe_instances").paginate(
            Filters=filters, PaginationConfig={"PageSize": 1000}
        )
        for page in pages:
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]

    def _marked(self, members: Sequence[Member]) -> dict[str, datetime]:
        """Members that EC2 has warned, whether or not we were told of it yet, and since when.

        A storm's warnings come in many batches; a look that knows of all needs no second update.
        """
        spot = [each.id for each in members if each.market == "spot" and each.running]
        found: dict[str, datetime] = {}
        for start in range(0, len(spot), IDS_IN_A_FILTER):
            answer = self._ec2.describe_spot_instance_requests(
                Filters=[
                    {"Name": "status-code", "Values": MARKS},
                    {"Name": "instance-id", "Values": spot[start : start + IDS_IN_A_FILTER]},
                ]
            )
            for each in answer["SpotInstanceRequests"]:
                found[each["InstanceId"]] = each["Status"]["UpdateTime"]
        return found

    def _failures(self, name: str) -> tuple[LaunchFailure, ...]:
        """Of the last 100 activities those that failed to launch; the text alone names a market."""
        answer = self._autoscaling.describe_scaling_activities(
            AutoScalingGroupName=name, MaxRecords=100
        )
        return tuple(
            LaunchFailure(
                at=each.get("EndTime", each["StartTime"]),
                market=market_in(text := each.get("StatusMessage", "no reason given")),
                zone=_zone(each.get("Details", "")),
                text=text,
            )
            for each in answer["Activities"]
            if each["StatusCode"] == "Failed" and each["Description"].startswith("Launching")
        )

    def _refreshing(self, name: str) -> bool:
        answer = self._autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=name, MaxRecords=1
        )
        return any(each["Status"] in UNDER_WAY for each in answer["InstanceRefreshes"])

    def _orphans(
        self, warned: Mapping[str, datetime], members: Sequence[Member], now: datetime
    ) -> tuple[str, ...]:
        here = {each.id for each in members}
        late = [id for id, at in warned.items() if id not in here and LATE <= now - at <= LONG_PAST]
        found: list[str] = []
        for start in range(0, len(late), IDS_IN_A_FILTER):
            ids = late[start : start + IDS_IN_A_FILTER]
            asked = [
                {"Name": "instance-id", "Values": ids},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
            found += [each["InstanceId"] for each in self._instances(asked)]
        return tuple(sorted(found))

    # what is done

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        """Set the distribution, then let go at once of what is leaving. Raises Busy, Changed, Gone.

        The group must not find its division changed while warned instances still count in it, nor
        long for Spot before it is told that On-Demand will do: hence this order, and no pause.
        Of what was let go of, the dial as written holds the number: records keep fifty of it.
        """
        name = _name(target)
        group = self._describe(name)
        policy = group.get("MixedInstancesPolicy", {})
        stands = taken_back(policy.get("InstancesDistribution", {})) if policy else {}
        if stands != seen["distribution"]:
            raise Changed({"distribution": stands})
        if stands != write["distribution"]:
            self._update(name, policy["LaunchTemplate"], write["distribution"])
        leaving = write.get("leaving", ())
        self._let_go(name, group, leaving)
        detached = {"detached": len(leaving)} if leaving else {}
        return {"distribution": write["distribution"], **detached}

    def _update(
        self, name: str, template: Mapping[str, Any], distribution: Mapping[str, Any]
    ) -> None:
        """The whole policy goes back: what an update does not say may take its default."""
        try:
            self._autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=name,
                MixedInstancesPolicy={
                    "LaunchTemplate": _by_id(template),
                    "InstancesDistribution": dict(distribution),
                },
            )
        except ClientError as error:
            raise _read(error, name) from error

    def _let_go(self, name: str, group: Mapping[str, Any], leaving: Sequence[str]) -> None:
        """Detach what is in service. One that went by itself since keeps the others of its call, so
        the group is read again."""
        for _ in range(DETACH_TRIES):
            there = {
                each["InstanceId"]
                for each in group["Instances"]
                if each["LifecycleState"] == "InService"
            }
            if self._detach(name, [id for id in leaving if id in there]):
                return
            group = self._describe(name)
        reason = f"instances leave {name} by themselves faster than it lets go of them"
        raise Busy(reason, again=BUSY)

    def _detach(self, name: str, instances: Sequence[str]) -> bool:
        """Whether all of them could be detached."""
        for start in range(0, len(instances), DETACHED_A_CALL):
            try:
                self._autoscaling.detach_instances(
                    AutoScalingGroupName=name,
                    InstanceIds=list(instances[start : start + DETACHED_A_CALL]),
                    ShouldDecrementDesiredCapacity=False,
                )
            except ClientError as error:
                if any(text in str(error) for text in NOT_THERE):
                    return False
                raise _read(error, name) from error
        return True


def _read(error: ClientError, name: str) -> Exception:
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in ("ScalingActivityInProgress", "ResourceContention"):
        return Busy(f"{name}: {text}", again=BUSY)
    if "name not found" in text:
        return Gone(f"Auto Scaling group {name} does not exist any more")
    return error


def _name(target: str) -> str:
    return target.rsplit("autoScalingGroupName/", 1)[-1]


def _open_arn(arn: str) -> str:
    """The ARN without the ID in it, which no event tells."""
    return re.sub(r":autoScalingGroup:[^:]*:", ":autoScalingGroup:*:", arn)


def _is_short(group: Mapping[str, Any]) -> bool:
    serving = [
        each
        for each in group["Instances"]
        if each["LifecycleState"] == "InService" and each["HealthStatus"].lower() == "healthy"
    ]
    return len(serving) < int(group["DesiredCapacity"])


def _by_id(template: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's templates as an update takes them: by ID or by name, not by both (botocore service
    model, `LaunchTemplateSpecification`)."""

    def named(holder: Mapping[str, Any]) -> dict[str, Any]:
        if "LaunchTemplateSpecification" not in holder:
            return dict(holder)
        specification = dict(holder["LaunchTemplateSpecification"])
        if "LaunchTemplateId" in specification:
            specification.pop("LaunchTemplateName", None)
        return {**holder, "LaunchTemplateSpecification": specification}

    overrides = [named(each) for each in template.get("Overrides", ())]
    return {**named(template), "Overrides": overrides}


def _types(
    overrides: Iterable[Mapping[str, Any]], templates: Iterable[Template]
) -> tuple[str, ...]:
    listed = [each["InstanceType"] for each in overrides if "InstanceType" in each]
    own = [each.instance_type for each in templates if each.instance_type]
    return tuple(dict.fromkeys(listed or own))


def _market_of(instance: Mapping[str, Any] | None) -> Market | None:
    """None of one that EC2 does not list yet, or no longer."""
    if instance is None:
        return None
    return "spot" if instance.get("InstanceLifecycle") == "spot" else "on-demand"


def _zone(details: str) -> str:
    found = re.search(r'"Availability Zone":\s*"([^"]*)"', details)
    return found[1] if found else ""


def _when(kind: str, causes: Mapping[str, Mapping[str, Any]]) -> dict[str, datetime]:
    """Since when each instance that causes of this kind name is what they say."""
    return {
        cause.removeprefix(f"{kind} "): datetime.fromisoformat(note["at"])
        for cause, note in causes.items()
        if cause.startswith(f"{kind} ")
    }
