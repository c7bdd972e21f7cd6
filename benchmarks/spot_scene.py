"""Auto Scaling groups on Spot in a pocket account, and storms that take from them."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.scene import wait_for
from local.pocket import Account

TAG = "ml-remediation:spot-fallback"
GONE, ELSEWHERE = "m5.large", "c5.large"
"""The type whose Spot capacity goes, and one whose Spot capacity stays, for groups that list it."""
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
VCPU_QUOTAS = ("L-1216C47A", "L-34B43A08")
"""Running On-Demand Standard instances, and their Spot requests."""
TICK = 0.5

Kind = Literal["warning", "rebalance"]
CONTROLS: Mapping[Kind, str] = {"warning": "/ec2/spot/reclaim", "rebalance": "/ec2/spot/rebalance"}


@dataclass(frozen=True)
class Blow:
    """One event of a storm: seconds from its beginning, and what EC2 says of which instance."""

    at: float
    kind: Kind
    instance: str


def storm(
    groups: Mapping[str, Sequence[str]], of_each: int, seconds: float, seed: int
) -> list[Blow]:
    """Warnings of `of_each` instances of each group and as many rebalance recommendations, drawn
    each for itself, spread evenly over so many seconds in any order. Of an instance that gets both
    the recommendation is first: EC2 sends none after the warning."""
    draw = random.Random(seed)
    drawn: list[tuple[Kind, str]] = []
    kinds: tuple[Kind, ...] = ("warning", "rebalance")
    for name in sorted(groups):
        for kind in kinds:
            drawn += [(kind, id) for id in draw.sample(sorted(groups[name]), of_each)]
    draw.shuffle(drawn)
    places: dict[str, list[int]] = {}
    for place, (_, id) in enumerate(drawn):
        places.setdefault(id, []).append(place)
    for id, found in places.items():
        for kind, place in zip(reversed(kinds), found, strict=False):
            if len(found) == 2:
                drawn[place] = (kind, id)
    step = seconds / len(drawn)
    return [Blow(number * step, kind, id) for number, (kind, id) in enumerate(drawn)]


def ticks(blows: Iterable[Blow]) -> Iterator[tuple[float, Kind, list[str]]]:
    """The storm in few requests: what falls within a tick of one kind is sent together at its end,
    recommendations first."""
    together: dict[tuple[int, Kind], list[str]] = {}
    for blow in blows:
        together.setdefault((int(blow.at / TICK), blow.kind), []).append(blow.instance)
    for (tick, kind), ids in sorted(together.items(), key=lambda each: each[0]):
        yield (tick + 1) * TICK, kind, ids


@dataclass(frozen=True)
class Losses:
    """What is left after a storm. ended: healthy Spot Instances that no longer serve. missing:
    instances short of the desired capacity. surplus: On-Demand beyond what was warned."""

    ended: int
    missing: int
    surplus: int


class SpotScene:
    """So many groups of so many Spot Instances, opted in to act; every second one lists a type that
    Spot still has when the storm has taken the other."""

    def __init__(self, account: Account, groups: int, size: int) -> None:
        self.account, self.size = account, size
        self._autoscaling = account.client("autoscaling")
        self._ec2 = account.client("ec2")
        for code in VCPU_QUOTAS:
            path = f"/servicequotas/quotas/ec2/{code}/value"
            account.control("PUT", path, {"value": 1_000_000})
        image = self._ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
        self._ec2.create_launch_template(
            LaunchTemplateName="workers",
            LaunchTemplateData={"ImageId": image["Images"][0]["ImageId"], "InstanceType": GONE},
        )
        for number in range(groups):
            self._create(f"workers-{number}", (GONE, ELSEWHERE) if number % 2 else (GONE,))
        wait_for("groups in service", lambda: self.whole() or None, every=1)
        self.before = {name: sorted(members) for name, members in self._members().items()}
        self.warned: dict[str, float] = {}

    def strike(self, blows: Sequence[Blow], notice: float) -> float:
        """Spot of the one type runs out, and the storm breaks loose; seconds that it really took.

        notice: seconds until EC2 takes what it has warned.
        """
        self.account.control("PUT", "/durations", {"spot_notice": notice})
        empty = {"instance_type": GONE, "market": "spot", "remaining": 0}
        self.account.control("PUT", "/ec2/capacity", empty)
        began = time.time()
        for at, kind, ids in ticks(blows):
            time.sleep(max(0.0, began + at - time.time()))
            told = time.time()
            self.account.control("POST", CONTROLS[kind], {"instance_ids": ids})
            if kind == "warning":
                self.warned |= dict.fromkeys(ids, told)
        return time.time() - began

    def first_warnings(self) -> dict[str, float]:
        """When each group was first warned, epoch seconds."""
        return {
            name: min(self.warned[id] for id in ids if id in self.warned)
            for name, ids in self.before.items()
        }

    def whole(self) -> bool:
        """Whether every group has all that it is to have in service, and nothing that was warned."""
        warned = getattr(self, "warned", {})
        now = self._members()
        return all(len(members) == self.size for members in now.values()) and not any(
            id in warned for members in now.values() for id in members
        )

    def losses(self) -> Losses:
        """What the storm cost, by the IDs of what was there before it."""
        now = self._members()
        states = self._instances()
        healthy = {
            id: name for name, ids in self.before.items() for id in ids if id not in self.warned
        }
        ended = sum(
            states.get(id, ("", ""))[0] != "running" or id not in now[name]
            for id, name in healthy.items()
        )
        here = Counter(states[id][1] for members in now.values() for id in members)
        return Losses(
            ended=ended,
            missing=sum(max(0, self.size - len(members)) for members in now.values()),
            surplus=here["on-demand"] - len(self.warned),
        )

    def _create(self, name: str, types: Sequence[str]) -> None:
        self._autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=2 * self.size,
            DesiredCapacity=self.size,
            AvailabilityZones=list(ZONES),
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {
                        "LaunchTemplateName": "workers",
                        "Version": "$Default",
                    },
                    "Overrides": [{"InstanceType": each} for each in types],
                },
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 0,
                    "OnDemandPercentageAboveBaseCapacity": 0,
                    "SpotAllocationStrategy": "capacity-optimized-prioritized",
                },
            },
            Tags=[{"Key": TAG, "Value": "act", "PropagateAtLaunch": False}],
        )

    def _members(self) -> dict[str, set[str]]:
        """IDs of what is in service, by group."""
        pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        return {
            group["AutoScalingGroupName"]: {
                each["InstanceId"]
                for each in group["Instances"]
                if each["LifecycleState"] == "InService"
            }
            for page in pages
            for group in page["AutoScalingGroups"]
        }

    def _instances(self) -> dict[str, tuple[str, str]]:
        """State and market of every instance."""
        pages = self._ec2.get_paginator("describe_instances").paginate(
            PaginationConfig={"PageSize": 1000}
        )
        found: dict[str, Any] = {
            each["InstanceId"]: (
                each["State"]["Name"],
                each.get("InstanceLifecycle", "on-demand"),
            )
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        }
        return found
