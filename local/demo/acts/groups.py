"""Auto Scaling groups on Spot as a user makes them, and what of them runs where over the run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.demo.account import Hands
from local.demo.scene import Chart, Line

TAG = "ml-remediation:spot-fallback"
ZONES = ("us-east-1a", "us-east-1b")
MARKETS = ("spot", "on-demand")


@dataclass
class Group:
    """A group in two zones, looked at now and then. types: best first.

    spot, on_demand: IDs of what is in service. distribution: InstancesDistribution as AWS tells it.
    """

    hands: Hands
    name: str
    desired: int
    types: Sequence[str]
    spot: frozenset[str] = frozenset()
    on_demand: frozenset[str] = frozenset()
    distribution: Mapping[str, Any] = field(default_factory=dict)
    seen: list[tuple[float, int, int]] = field(default_factory=list)

    def create(self) -> None:
        """Opted in, all on Spot, as many of each type as of the others."""
        ec2, autoscaling = self.hands.client("ec2"), self.hands.client("autoscaling")
        image = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
        ec2.create_launch_template(
            LaunchTemplateName=self.name,
            LaunchTemplateData={
                "ImageId": image["Images"][0]["ImageId"],
                "InstanceType": self.types[0],
            },
        )
        share = self.desired // len(self.types)
        for grown, last in enumerate(reversed(self.types), 1):
            # A group takes the type it likes best: each has its turn.
            settings = {
                "AutoScalingGroupName": self.name,
                "MinSize": 0,
                "MaxSize": self.desired,
                "DesiredCapacity": grown * share,
                "AvailabilityZones": list(ZONES),
                "MixedInstancesPolicy": self._policy(last),
            }
            if grown == 1:
                tag = {"Key": TAG, "Value": "act", "PropagateAtLaunch": False}
                autoscaling.create_auto_scaling_group(**settings, Tags=[tag])
            else:
                autoscaling.update_auto_scaling_group(**settings)

    def _policy(self, best: str) -> dict[str, Any]:
        types = [best, *(each for each in self.types if each != best)]
        return {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateName": self.name,
                    "Version": "$Default",
                },
                "Overrides": [{"InstanceType": each} for each in types],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "capacity-optimized-prioritized",
            },
        }

    def look(self) -> None:
        """See what is in service, and keep how much it is."""
        described = self.hands.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.name]
        )
        for group in described["AutoScalingGroups"]:
            self.distribution = group["MixedInstancesPolicy"]["InstancesDistribution"]
            serving = {
                each["InstanceId"]
                for each in group["Instances"]
                if each["LifecycleState"] == "InService"
            }
            self.spot = frozenset(serving & self._on_spot(serving))
            self.on_demand = frozenset(serving - self.spot)
            self.seen.append((time.time(), len(self.spot), len(self.on_demand)))

    def _on_spot(self, ids: set[str]) -> set[str]:
        if not ids:
            return set()
        found = self.hands.client("ec2").describe_instances(InstanceIds=sorted(ids))
        return {
            each["InstanceId"]
            for reservation in found["Reservations"]
            for each in reservation["Instances"]
            if each.get("InstanceLifecycle") == "spot"
        }

    @property
    def missing(self) -> int:
        return self.desired - len(self.spot) - len(self.on_demand)

    @property
    def is_whole(self) -> bool:
        """Whether everything it is to have is in service."""
        self.look()
        return self.missing == 0

    @property
    def most_on_demand(self) -> int:
        """The most On-Demand that was ever seen in service."""
        return max((on_demand for _, _, on_demand in self.seen), default=0)

    def limit(self, remaining: int | None, *markets: str) -> None:
        """What AWS has left of its types beside what runs; None: any number."""
        for instance_type in self.types:
            for market in markets:
                body = {"instance_type": instance_type, "market": market, "remaining": remaining}
                self.hands.account.control("PUT", "/ec2/capacity", body)

    def lose(self, which: Mapping[str, Any]) -> frozenset[str]:
        """EC2 warns instances that it takes them back; `which` is the control interface's."""
        found = self.hands.account.control("POST", "/ec2/spot/reclaim", which)
        return frozenset(found["instance_ids"])

    def shown(self) -> str:
        """What is in service, in words."""
        return f"{len(self.spot)} on Spot, {len(self.on_demand)} On-Demand"

    def chart(self) -> Chart:
        """What was in service, and what was missing, over the run."""
        at_work = [(at, spot + on_demand) for at, spot, on_demand in self.seen]
        first = next((i for i, (_, n) in enumerate(at_work) if n == self.desired), 0)
        whole = self.seen[first:]
        return Chart(
            f"instances of {self.name}",
            [
                Line("Spot", "#16a34a", [(at, spot) for at, spot, _ in whole]),
                Line("On-Demand", "#2563eb", [(at, bought) for at, _, bought in whole]),
                Line("missing", "#b91c1c", [(at, self.desired - n) for at, n in at_work[first:]]),
            ],
        )
