"""Auto Scaling groups and the instances in them, as Describe calls show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from moto.ec2.models.instances import Instance

from local.cloud.autoscaling.policy import Policy, target
from local.cloud.ec2.catalogue import MARKETS, Market

State = Literal["Pending", "InService", "Terminating"]
Reason = Literal["distribution", "refresh", "at-risk"]


@dataclass(eq=False)
class Member:
    """An instance of a group. `template` is the version it was launched from; `leaving` why
    another takes its place, while it still serves."""

    instance: Instance
    market: Market
    template: Mapping[str, str]
    protected: bool
    launched: float
    state: State = "Pending"
    health: str = "Healthy"
    leaving: Reason | None = None

    @property
    def zone(self) -> str:
        return str(self.instance.availability_zone)

    def shown(self) -> dict[str, Any]:
        """The instance in DescribeAutoScalingGroups."""
        return {
            "InstanceId": self.instance.id,
            "InstanceType": self.instance.instance_type,
            "AvailabilityZone": self.zone,
            "LifecycleState": self.state,
            "HealthStatus": self.health,
            "LaunchTemplate": self.template,
            "ProtectedFromScaleIn": self.protected,
        }


@dataclass(eq=False)
class Refresh:
    """An instance refresh: `waiting` are the instances still to be replaced."""

    id: str
    group_name: str
    preferences: Mapping[str, Any]
    started: float
    waiting: list[Member]
    total: int
    status: Literal["InProgress", "Successful"] = "InProgress"
    ended: float | None = None


@dataclass(eq=False)
class Group:
    """An Auto Scaling group. `places` has the subnet for each of its zones; `settings` is what is
    shown as it was given; `causes` tells what changed the desired capacity since the last launch
    or termination; `wakes` when the group looks at itself next, `patient_until` when it may try
    again to launch what it could not, `divides_from` when it begins to make what runs follow a
    changed division."""

    name: str
    arn: str
    created: float
    min_size: int
    max_size: int
    desired: int
    template: Mapping[str, str] | None
    policy: Policy | None
    places: Mapping[str, str]
    subnets: str
    settings: dict[str, Any]
    tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    deleting: bool = False
    wakes: float | None = None
    patient_until: float = 0.0
    divides_from: float = 0.0

    def staying(self) -> list[Member]:
        """The instances that count as capacity: here, and no other takes their place."""
        return [each for each in self.members if each.state != "Terminating" and not each.leaving]

    def leaving(self) -> list[Member]:
        """The instances that serve until another has taken their place."""
        return [each for each in self.members if each.state != "Terminating" and each.leaving]

    def lacks(self, plain: Market) -> dict[Market, int]:
        """How many instances of each market are missing; below zero are too many. `plain` is the
        market of a group without a policy."""
        staying = self.staying()
        missing: dict[Market, int] = {}
        for market in MARKETS:
            if self.policy is not None:
                wanted = target(self.policy, self.desired, market)
            else:
                wanted = self.desired if market == plain else 0
            missing[market] = wanted - sum(1 for each in staying if each.market == market)
        return missing

    @property
    def choices(self) -> Sequence[tuple[Mapping[str, str], Mapping[str, str]]]:
        """What can be launched, best first: each a launch template and what overrides it."""
        if self.policy is None:
            assert self.template is not None
            return [(self.template, {})]
        template = self.policy["LaunchTemplate"]
        whole = template["LaunchTemplateSpecification"]
        found = []
        nothing: Mapping[str, Any] = {}
        for override in template["Overrides"] or (nothing,):
            changes = dict(override)
            found.append((changes.pop("LaunchTemplateSpecification", whole), changes))
        return found

    @property
    def refresh(self) -> Refresh | None:
        """The instance refresh that is under way."""
        for each in self.refreshes:
            if each.status == "InProgress":
                return each
        return None

    def shown(self, instances: bool) -> dict[str, Any]:
        """The group in DescribeAutoScalingGroups, with its instances or without."""
        described = {
            "AutoScalingGroupName": self.name,
            "AutoScalingGroupARN": self.arn,
            "MinSize": self.min_size,
            "MaxSize": self.max_size,
            "DesiredCapacity": self.desired,
            "AvailabilityZones": sorted(self.places),
            "LoadBalancerNames": [],
            "TargetGroupARNs": [],
            "CreatedTime": moment(self.created),
            "SuspendedProcesses": [],
            "VPCZoneIdentifier": self.subnets,
            "EnabledMetrics": [],
            "Tags": [self.tags[key] for key in sorted(self.tags)],
            "TrafficSources": [],
            **self.settings,
        }
        if instances:
            described["Instances"] = [each.shown() for each in self.members]
        if self.template is not None:
            described["LaunchTemplate"] = self.template
        if self.policy is not None:
            described["MixedInstancesPolicy"] = self.policy
        if self.deleting:
            described["Status"] = "Delete in progress"
        return described


def moment(seconds: float) -> datetime:
    """A time as answers show it."""
    return datetime.fromtimestamp(seconds, UTC)
