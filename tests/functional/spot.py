"""The scene of groups on Spot: fleets that serve, storms that take from them, minutes that pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.spot_fallback.handler import handler as spot_fallback
from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.world import ACCOUNT, REGION, Stage

ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes"
PROFILE, TEMPLATE, TYPE = "nodes", "plain", "m5.large"
LEVER = "ml-remediation:spot-fallback"
UPDATE, DETACH = "UpdateAutoScalingGroup", "DetachInstances"
HEARD = {
    "EC2 Spot Instance Interruption Warning",
    "EC2 Instance Rebalance Recommendation",
    "EC2 Instance Launch Successful",
    "EC2 Instance Launch Unsuccessful",
}
"""What the rules pass on to the queue."""
STEP = 10.0
"""Seconds from one delivery of the queue to the next."""


def settings(**different: Any) -> str:
    """LEVER_SETTINGS that allow the role of these groups; `different` overrides any setting."""
    prices = [{"instance_type": TYPE, "on_demand": 0.10, "spot": 0.04}]
    return json.dumps({"roles": [ROLE], "prices": prices, **different})


@dataclass
class Fleets:
    """A stage with groups on it. events: what AWS sent that nobody has delivered yet."""

    stage: Stage
    subnets: Sequence[str] = ()
    events: list[Mapping[str, Any]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    _since: float = 0.0

    # WORLD.sinks

    def event(self, envelope: Mapping[str, Any]) -> None:
        if envelope["detail-type"] in HEARD:
            self.events.append(envelope)
        if envelope["detail-type"] == "EC2 Instance Terminate Successful":
            self.ended.append(envelope["detail"]["EC2InstanceId"])

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        raise AssertionError("nothing of these tests invokes a function")

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        raise AssertionError("nothing of these tests notifies a topic")

    # setting the scene

    @property
    def asg(self) -> Any:
        return self.stage.client("autoscaling")

    @property
    def ec2(self) -> Any:
        return self.stage.client("ec2")

    def prepare(self) -> None:
        """A template whose instances are given a role, three zones, quotas that nobody reaches."""
        for code in ("L-1216C47A", "L-34B43A08"):
            control("PUT", f"/servicequotas/quotas/ec2/{code}/value", {"value": 1_000_000})
        iam = self.stage.client("iam")
        iam.create_role(RoleName="nodes", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName=PROFILE)
        iam.add_role_to_instance_profile(InstanceProfileName=PROFILE, RoleName="nodes")
        self.template(TEMPLATE, IamInstanceProfile={"Name": PROFILE})
        zones = [f"{REGION}{letter}" for letter in "abc"]
        found = self.ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": zones}])
        by_zone = {each["AvailabilityZone"]: each["SubnetId"] for each in found["Subnets"]}
        self.subnets = [by_zone[zone] for zone in zones]

    def template(self, name: str, **data: Any) -> None:
        found = self.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
        whole = {"ImageId": found["Images"][0]["ImageId"], "InstanceType": TYPE, **data}
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=whole)

    def create(
        self,
        desired: int,
        name: str = "workers",
        base: int = 0,
        percentage: int = 0,
        zones: int = 3,
        types: Sequence[str] = (TYPE,),
        tags: Mapping[str, str] | None = None,
        distribution: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """A group in service, opted in to act by default. more: members of the request."""
        opted = {LEVER: "act"} if tags is None else tags
        policy = {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateName": TEMPLATE,
                    "Version": "$Latest",
                },
                "Overrides": [{"InstanceType": each} for each in types],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": base,
                "OnDemandPercentageAboveBaseCapacity": percentage,
                **(distribution or {}),
            },
        }
        request = {
            "AutoScalingGroupName": name,
            "MinSize": 0,
            "MaxSize": 100,
            "DesiredCapacity": desired,
            "VPCZoneIdentifier": ",".join(self.subnets[:zones]),
            "MixedInstancesPolicy": policy,
            "Tags": [{"Key": key, "Value": value} for key, value in opted.items()],
            **more,
        }
        given = {key: value for key, value in request.items() if value is not None}
        self.asg.create_auto_scaling_group(**given)
        self.stage.wait(10)
        self.events.clear()

    def capacity(self, remaining: int | None, market: str = "spot", type: str = TYPE, **more: Any) -> None:  # fmt: skip
        """How many more instances AWS has in each zone from now on; None: any number."""
        body = {"instance_type": type, "market": market, "remaining": remaining, **more}
        control("PUT", "/ec2/capacity", body)

    def storm(
        self, count: int | None = None, name: str = "workers", gone: bool = True
    ) -> list[str]:
        """AWS takes Spot back from a group. gone: and has no other."""
        if gone:
            self.capacity(0)
        body = {"group": name} if count is None else {"group": name, "count": count}
        return list(control("POST", "/ec2/spot/reclaim", body)["instance_ids"])

    # letting things happen

    def deliver(self) -> dict[str, Any]:
        events, self.events = self.events, []
        return self.stage.batch(*events) if events else {"outcomes": []}

    def run(self, seconds: float, deliver: bool = True) -> None:
        """Time passes; the queue is delivered every 10 s, the heartbeat comes every minute."""
        while seconds > 0:
            self.stage.wait(min(STEP, seconds))
            self._since += min(STEP, seconds)
            seconds -= STEP
            if deliver:
                self.deliver()
            if self._since >= 60:
                self._since = 0.0
                self.stage.heartbeat()

    def until(self, true: Callable[[], bool], minutes: int = 300) -> int:
        """Let minutes pass until something is true; how many they were."""
        for passed in range(minutes):
            if true():
                return passed
            self.run(60)
        raise AssertionError(f"it did not come true in {minutes} minutes")

    # looking at the result

    def group(self, name: str = "workers") -> dict[str, Any]:
        answer = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        found: dict[str, Any] = answer["AutoScalingGroups"][0]
        return found

    def distribution(self, name: str = "workers") -> dict[str, Any]:
        found: dict[str, Any] = self.group(name)["MixedInstancesPolicy"]["InstancesDistribution"]
        return found

    def base(self, name: str = "workers") -> int:
        return int(self.distribution(name)["OnDemandBaseCapacity"])

    def members(self, name: str = "workers") -> dict[str, str]:
        """Market of each instance of the group that is in service."""
        ids = [
            each["InstanceId"]
            for each in self.group(name)["Instances"]
            if each["LifecycleState"] == "InService"
        ]
        if not ids:
            return {}
        return {
            each["InstanceId"]: each.get("InstanceLifecycle", "on-demand")
            for page in self.ec2.get_paginator("describe_instances").paginate(InstanceIds=ids)
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        }

    def spot(self, name: str = "workers") -> set[str]:
        return {id for id, market in self.members(name).items() if market == "spot"}

    def markets(self, name: str = "workers") -> dict[str, int]:
        return dict(Counter(self.members(name).values()))

    def state(self, instance: str) -> str:
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])

    def bases(self) -> list[int]:
        """The base that each update of the function's set, in order."""
        return [
            call.parameters["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"]
            for call in self.stage.made(UPDATE)
        ]

    def writes(self) -> list[str]:
        """The function's own calls that changed a group, in order."""
        return [c.operation for c in self.stage.calls if c.operation in (UPDATE, DETACH)]

    def detached(self) -> list[str]:
        return [id for call in self.stage.made(DETACH) for id in call.parameters["InstanceIds"]]


@contextmanager
def fleets(stage: Stage) -> Iterator[Fleets]:
    """The stage with the handler of spot fallback, in mode act."""
    stage.handler = spot_fallback
    stage.mode("act")
    scene = Fleets(stage)
    WORLD.sinks.append(scene)
    try:
        scene.prepare()
        yield scene
    finally:
        WORLD.sinks.remove(scene)


def arn(name: str = "workers") -> str:
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/{name}"


def codes(answer: Mapping[str, Any]) -> list[str]:
    """What the looks of one invocation came to."""
    return [outcome["code"] for outcome in answer["outcomes"]]
