"""A fleet of Auto Scaling groups in one test's account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import Control, control, ec2, image, quota, run

__all__ = ["control", "ec2", "image", "quota", "run"]


def policy(*types: str, **distribution: Any) -> dict[str, Any]:
    """A policy of the template `plain` with the types as overrides."""
    template = {"LaunchTemplateName": "plain", "Version": "$Latest"}
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": template,
            "Overrides": [{"InstanceType": each} for each in types],
        },
        "InstancesDistribution": distribution,
    }


ALL_SPOT = {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 0}


@dataclass
class Fleet:
    """Groups to act with, and what is seen of them from outside."""

    account: Account
    ec2: Any
    control: Control
    subnets: Sequence[str]
    asg: Any = field(init=False)

    def __post_init__(self) -> None:
        self.asg = self.account.client("autoscaling")

    def create(self, desired: int, name: str = "workers", **more: Any) -> None:
        """A group of all Spot over three zones that has its instances in service, unless the
        arguments say otherwise."""
        if not {"MixedInstancesPolicy", "LaunchTemplate"} & more.keys():
            more["MixedInstancesPolicy"] = policy("m5.large", **ALL_SPOT)
        sizes = {"MinSize": 0, "MaxSize": 20, "DesiredCapacity": desired}
        more = {"VPCZoneIdentifier": ",".join(self.subnets), **sizes, **more}
        self.asg.create_auto_scaling_group(AutoScalingGroupName=name, **more)
        self.account.wait(0)
        self.account.wait(WORLD.durations.instance_boot)
        self.account.wait(0)

    def update(self, name: str = "workers", **more: Any) -> None:
        self.asg.update_auto_scaling_group(AutoScalingGroupName=name, **more)
        self.account.wait(0)

    def group(self, name: str = "workers") -> Any:
        [found] = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ]
        return found

    def instances(self, name: str = "workers") -> list[Any]:
        """The group's instances as EC2 describes them."""
        ids = [each["InstanceId"] for each in self.group(name)["Instances"]]
        if not ids:
            return []
        return [
            instance
            for reservation in self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
            for instance in reservation["Instances"]
        ]

    def markets(self, name: str = "workers") -> dict[str, int]:
        """How many instances of each market run for the group."""
        return dict(
            Counter(
                each.get("InstanceLifecycle", "on-demand")
                for each in self.instances(name)
                if each["State"]["Name"] in ("pending", "running")
            )
        )

    def states(self, name: str = "workers") -> list[str]:
        return sorted(each["LifecycleState"] for each in self.group(name)["Instances"])

    def activities(self, name: str = "workers") -> list[Any]:
        found: list[Any] = self.asg.describe_scaling_activities(AutoScalingGroupName=name)[
            "Activities"
        ]
        return found

    def heard(self, detail_type: str) -> list[Any]:
        return [each for each in self.account.events if each["detail-type"] == detail_type]

    def limit(self, remaining: int | None, kind: str = "m5.large", **more: Any) -> None:
        body = {"instance_type": kind, "remaining": remaining, **more}
        self.control("PUT", "/ec2/capacity", body)


@pytest.fixture
def fleet(
    account: Account, ec2: Any, image: str, control: Control, quota: Callable[[str, float], None]
) -> Fleet:
    """Three zones, a template `plain`, quotas that nobody reaches."""
    quota("Standard", 100_000)
    quota("Standard Spot", 100_000)
    ec2.create_launch_template(
        LaunchTemplateName="plain",
        LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"},
    )
    zones = [f"us-east-1{letter}" for letter in "abc"]
    found = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": zones}])
    by_zone = {each["AvailabilityZone"]: each["SubnetId"] for each in found["Subnets"]}
    return Fleet(account, ec2, control, [by_zone[each] for each in zones])
