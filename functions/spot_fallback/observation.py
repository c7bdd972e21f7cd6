"""What a look at a group, a training job or an instance finds. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from functions.core.decision import Dial, Refuse

Market = Literal["spot", "on-demand"]


@dataclass(frozen=True)
class Rates:
    """Dollars an hour of one instance type; None where nobody told the price."""

    on_demand: float | None = None
    spot: float | None = None


@dataclass(frozen=True)
class Rules:
    """The settings, as the decisions need them. reaction: from an event that nothing tells of to
    the look that finds it, at the latest. Durations: as in SpotFallbackSettings."""

    roles: tuple[str, ...] = ()
    on_demand_units: int = 20
    on_demand_dollars_per_hour: float = 100.0
    hold: timedelta = timedelta(seconds=600)
    flips_per_hour: int = 2
    patience: timedelta = timedelta(minutes=30)
    changeover: timedelta = timedelta(minutes=10)
    unsaved: timedelta = timedelta(minutes=15)
    unchecked: timedelta = timedelta(minutes=60)
    reaction: timedelta = timedelta(minutes=2)
    fallback_types: tuple[str, ...] = ()

    def forbid(self, role: str, whose: str) -> Refuse | None:
        """Why the role may not be passed on; None where the settings list it, as IAM matches ARNs:
        * is any part, slashes too."""
        if any(fnmatchcase(role, pattern) for pattern in self.roles):
            return None
        return Refuse(
            "role-not-allowed",
            f"the role of {whose} is {role}, and no pattern of spot_fallback.roles fits: it may not "
            "be passed on",
            page=True,
            evidence={"role": role, "roles": list(self.roles)},
            next_steps=("Add the role to spot_fallback.roles and deploy",),
        )


@dataclass(frozen=True)
class Member:
    """One instance of a group. state: its LifecycleState. healthy: HealthStatus is Healthy.

    market: None while EC2 does not list it, as just after its launch. launched: when EC2 launched
    it, None likewise. protected: from scale-in, which Capacity Rebalancing leaves alone too.
    running: EC2 has not begun to end it.
    """

    id: str
    market: Market | None
    instance_type: str
    zone: str
    state: str
    healthy: bool
    launched: datetime | None = None
    protected: bool = False
    running: bool = True


@dataclass(frozen=True)
class LaunchFailure:
    """A launch of the group's that failed, as its scaling activities tell. market: as far as the
    message names one."""

    at: datetime
    market: Market | None
    zone: str
    text: str


@dataclass(frozen=True)
class GroupSeen:
    """An Auto Scaling group now.

    distribution, template: InstancesDistribution and LaunchTemplate of its MixedInstancesPolicy,
    whole; empty without one. warned, at_risk: instances under an interruption warning or a
    rebalance recommendation, and since when, as signals told. rebalances: CapacityRebalance.
    managed_by: "Amazon EKS", "Amazon ECS", or empty. weighted: an override weighs its instances.
    refreshing: an instance refresh is under way. suspended: SuspendedProcesses. roles: ARNs of
    the roles that its templates' instance profiles hold. types, zones: those it may launch in.
    orphans: instances warned a while ago that run on outside it. rates: dollars by instance type.
    """

    arn: str
    name: str
    now: datetime
    desired: int
    max_size: int
    distribution: Mapping[str, Any]
    template: Mapping[str, Any]
    members: tuple[Member, ...]
    warned: Mapping[str, datetime] = field(default_factory=dict)
    at_risk: Mapping[str, datetime] = field(default_factory=dict)
    failures: tuple[LaunchFailure, ...] = ()
    rebalances: bool = False
    managed_by: str = ""
    weighted: bool = False
    refreshing: bool = False
    suspended: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    rates: Mapping[str, Rates] = field(default_factory=dict)

    @property
    def dial(self) -> Dial:
        return {"distribution": dict(self.distribution)}


@dataclass(frozen=True)
class Heir:
    """The On-Demand job that takes over from one on Spot, as DescribeTrainingJob tells it."""

    name: str
    description: Mapping[str, Any]


@dataclass(frozen=True)
class JobSeen:
    """A training job now.

    description: DescribeTrainingJob's answer. tags: of ListTags. heir: once it was created.
    rates: dollars by instance type.
    """

    arn: str
    now: datetime
    description: Mapping[str, Any]
    tags: Mapping[str, str]
    heir: Heir | None = None
    rates: Mapping[str, Rates] = field(default_factory=dict)

    @property
    def dial(self) -> Dial:
        stopped = self.description["TrainingJobStatus"] != "InProgress"
        return {"stopped": stopped, "heir": self.heir.name if self.heir else None}


@dataclass(frozen=True)
class InstanceSeen:
    """A Spot Instance outside any group, now.

    description: of DescribeInstances. persistent: its Spot request asks again by itself.
    template_version: {"LaunchTemplateId", "Version"} that it was launched from, empty if from none.
    template: that version's ResponseLaunchTemplateData, None where EC2 no longer has it. role: ARN
    of the role in its instance profile, empty without one. twin: description of the instance
    launched in its place, in whatever state. target_groups: those it is registered in, as
    {"TargetGroupArn", "Port", "Id"}; twin_in: those its twin is registered in, the same way.
    warned: since when. group: the Auto Scaling group that it was of lately, empty if of none.
    """

    arn: str
    now: datetime
    description: Mapping[str, Any]
    persistent: bool = False
    template: Mapping[str, Any] | None = None
    template_version: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    twin: Mapping[str, Any] | None = None
    target_groups: tuple[Mapping[str, Any], ...] = ()
    twin_in: tuple[Mapping[str, Any], ...] = ()
    warned: datetime | None = None
    group: str = ""
    rates: Mapping[str, Rates] = field(default_factory=dict)

    @property
    def dial(self) -> Dial:
        """`twin` is whether there is one: its ID is not known before it is launched."""
        registered = [dict(each) for each in self.twin_in]
        if self.twin is None:
            return {"twin": False, "registered": registered}
        return {"twin": True, "id": self.twin["InstanceId"], "registered": registered}


Seen = GroupSeen | JobSeen | InstanceSeen
