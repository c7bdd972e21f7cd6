"""The scene of single Spot Instances: launched from templates, served by target groups, taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.spot_fallback.handler import handler as spot_fallback
from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.spot import LEVER, PROFILE, ROLE, TYPE, settings
from tests.functional.world import ACCOUNT, REGION, Stage

WARNING = "EC2 Spot Instance Interruption Warning"
SPOT = {"MarketType": "spot"}
RUN, REGISTER = "RunInstances", "RegisterTargets"


@dataclass
class Singles:
    """A stage with an instance on it. warnings: those that nobody has delivered yet."""

    stage: Stage
    warnings: list[Mapping[str, Any]] = field(default_factory=list)
    image: str = ""

    # WORLD.sinks

    def event(self, envelope: Mapping[str, Any]) -> None:
        if envelope["detail-type"] == WARNING:
            self.warnings.append(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        raise AssertionError("nothing of these tests invokes a function")

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        raise AssertionError("nothing of these tests notifies a topic")

    # setting the scene

    @property
    def ec2(self) -> Any:
        return self.stage.client("ec2")

    @property
    def elb(self) -> Any:
        return self.stage.client("elbv2")

    def prepare(self) -> None:
        for code in ("L-1216C47A", "L-34B43A08"):
            control("PUT", f"/servicequotas/quotas/ec2/{code}/value", {"value": 1_000_000})
        iam = self.stage.client("iam")
        iam.create_role(RoleName=ROLE.rsplit("/", 1)[-1], AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName=PROFILE)
        iam.add_role_to_instance_profile(InstanceProfileName=PROFILE, RoleName="nodes")
        images = [{"Name": "architecture", "Values": ["x86_64"]}]
        self.image = self.ec2.describe_images(Filters=images)["Images"][0]["ImageId"]

    def launch(
        self,
        *,
        asks: bool = False,
        tags: Mapping[str, str] | None = None,
        template: Mapping[str, Any] | None = None,
        profile: str = PROFILE,
        options: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """A Spot Instance that runs, opted in to act by default.

        asks: its template asks for Spot, otherwise the launch does. template: more of its data.
        """
        market = SPOT if options is None else {**SPOT, "SpotOptions": options}
        data = {
            "ImageId": self.image,
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Name": profile},
            **({"InstanceMarketOptions": market} if asks else {}),
            **(template or {}),
        }
        self.ec2.create_launch_template(LaunchTemplateName="worker", LaunchTemplateData=data)
        version = {"LaunchTemplateName": "worker", "Version": "1"}
        asked = {} if asks else {"InstanceMarketOptions": market}
        return self._run(tags, LaunchTemplate=version, **asked, **more)

    def another(self) -> str:
        """One more Spot Instance from the same template, as the last one was asked for."""
        version = {"LaunchTemplateName": "worker", "Version": "1"}
        return self._run(None, LaunchTemplate=version, InstanceMarketOptions=SPOT)

    def launch_without_template(self, tags: Mapping[str, str] | None = None) -> str:
        return self._run(tags, ImageId=self.image, InstanceMarketOptions=SPOT)

    def _run(self, tags: Mapping[str, str] | None, **asked: Any) -> str:
        own = {LEVER: "act", "Name": "worker"} if tags is None else tags
        pairs = [{"Key": key, "Value": value} for key, value in own.items()]
        marks = [{"ResourceType": "instance", "Tags": pairs}] if pairs else []
        zone = {"AvailabilityZone": f"{REGION}b"}
        usual = {"InstanceType": TYPE, "Placement": zone, "TagSpecifications": marks}
        made = self.ec2.run_instances(MinCount=1, MaxCount=1, **usual | asked)["Instances"]
        self.stage.wait(10)
        id: str = made[0]["InstanceId"]
        return id

    def target_group(self, name: str, type: str, port: int, *targets: str) -> str:
        """A target group in which these are registered."""
        vpcs = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        vpc = vpcs[0]["VpcId"]
        made = self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType=type
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            registered = [{"Id": each, "Port": port} for each in targets]
            self.elb.register_targets(TargetGroupArn=arn, Targets=registered)
        return arn

    def capacity(self, remaining: int | None, market: str = "on-demand") -> None:
        body = {"instance_type": TYPE, "market": market, "remaining": remaining}
        control("PUT", "/ec2/capacity", body)

    def take(self, id: str) -> None:
        """AWS takes the instance back: it is warned, and gone two minutes later."""
        control("POST", "/ec2/spot/reclaim", {"instance_ids": [id]})

    # letting things happen

    def deliver(self, times: int = 1) -> dict[str, Any]:
        """Bring the warnings that came since, each so many times."""
        warnings, self.warnings = self.warnings, []
        answer: dict[str, Any] = {}
        for _ in range(times):
            answer = self.stage.batch(*warnings)
        return answer

    def beat(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            self.stage.wait(60)
            self.stage.heartbeat()

    # looking at the result

    def described(self, id: str) -> dict[str, Any]:
        [reservation] = self.ec2.describe_instances(InstanceIds=[id])["Reservations"]
        found: dict[str, Any] = reservation["Instances"][0]
        return found

    def on_demand(self) -> list[dict[str, Any]]:
        """Every On-Demand Instance there ever was."""
        return [
            each
            for reservation in self.ec2.describe_instances()["Reservations"]
            for each in reservation["Instances"]
            if "InstanceLifecycle" not in each
        ]

    def twin(self) -> dict[str, Any]:
        [only] = self.on_demand()
        return only

    def targets(self, arn: str) -> list[tuple[str, int]]:
        found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [(each["Target"]["Id"], each["Target"]["Port"]) for each in found]

    def launches(self) -> list[Mapping[str, Any]]:
        """Parameters of each RunInstances of the function's."""
        return [call.parameters for call in self.stage.made(RUN)]


@contextmanager
def singles(stage: Stage) -> Iterator[Singles]:
    """The stage with the handler of spot fallback, in mode act."""
    stage.handler = spot_fallback
    stage.mode("act")
    scene = Singles(stage)
    WORLD.sinks.append(scene)
    try:
        scene.prepare()
        stage.pretend_swept("spot_fallback")
        yield scene
    finally:
        WORLD.sinks.remove(scene)


def arn(id: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}"


def tags(description: Mapping[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in description["Tags"]}


def no_role() -> str:
    """LEVER_SETTINGS that let no role be passed."""
    return json.dumps({**json.loads(settings()), "roles": []})


def codes(answer: Mapping[str, Any]) -> Sequence[str]:
    return [each["code"] for each in answer["outcomes"]]
