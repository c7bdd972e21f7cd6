"""The scene of provisioned concurrency: aliases and serverless endpoints, traffic, minutes that pass."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from functions.provisioned_concurrency.handler import handler as provisioned_concurrency
from local.cloud import WORLD
from local.cloud.awslambda.traffic_control import set_in_process
from local.cloud.sagemaker.control import put_traffic
from tests.functional.world import ACCOUNT, REGION, Call, Stage

LEVER = "ml-remediation:provisioned-concurrency"
ALLOCATION = 120
"""Seconds that allocation takes here."""
PUT, DELETE = "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"
UPDATE, REGISTER = "UpdateEndpointWeightsAndCapacities", "RegisterScalableTarget"
WRITES = {PUT, DELETE, UPDATE, REGISTER}
LIVE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:shop:live"
CHAT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/chat"
SPACES = {
    "function": ("lambda", "lambda:function:ProvisionedConcurrency"),
    "endpoint": ("sagemaker", "sagemaker:variant:DesiredProvisionedConcurrency"),
}


def clock() -> str:
    """The time of day in UTC, as schedules write it."""
    return datetime.now(UTC).strftime("%H:%M")


def settings(**different: Any) -> str:
    """LEVER_SETTINGS; `different` overrides any setting."""
    return json.dumps(different)


def wish(name: str = "live", mode: str = "act", **wanted: Any) -> dict[str, str]:
    """Tags that opt in, and say what is wanted of an alias or variant."""
    return {LEVER: mode} | {f"{LEVER}:{name}:{key}": str(value) for key, value in wanted.items()}


@dataclass
class Warm:
    """A stage with functions and endpoints on it."""

    stage: Stage

    # setting the scene

    @property
    def api(self) -> Any:
        return self.stage.client("lambda")

    @property
    def sagemaker(self) -> Any:
        return self.stage.client("sagemaker")

    @property
    def scaling(self) -> Any:
        return self.stage.client("application-autoscaling")

    def function(
        self,
        name: str = "shop",
        tags: Mapping[str, str] | None = None,
        aliases: Sequence[str] = ("live",),
        memory: int = 1024,
        **more: Any,
    ) -> None:
        """A function with three versions; each alias points to another one."""
        self.api.create_function(
            FunctionName=name,
            Role=f"arn:aws:iam::{ACCOUNT}:role/shop",
            Handler="shop.handler",
            Runtime="python3.14",
            Code={"ZipFile": _archive()},
            MemorySize=memory,
            Tags=dict({LEVER: "act"} if tags is None else tags),
            **more,
        )
        for number in range(3):
            self.api.update_function_configuration(FunctionName=name, Timeout=10 + number)
            self.api.publish_version(FunctionName=name)
        for number, alias in enumerate(aliases, 1):
            self.api.create_alias(FunctionName=name, Name=alias, FunctionVersion=str(number))

    def retag(self, tags: Mapping[str, str | None], name: str = "shop") -> None:
        """Set tags of a function, or take away those that are None."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self.api.tag_resource(Resource=arn, Tags={k: v for k, v in tags.items() if v is not None})
        gone = [key for key, value in tags.items() if value is None]
        self.api.untag_resource(Resource=arn, TagKeys=gone or ["none"])

    def endpoint(
        self,
        name: str = "chat",
        tags: Mapping[str, str] | None = None,
        most: int = 20,
        provisioned: int = 0,
        memory: int = 2048,
        variants: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """A serverless endpoint in service, or one with other variants."""
        size = {"MemorySizeInMB": memory, "MaxConcurrency": most}
        if provisioned:
            size["ProvisionedConcurrency"] = provisioned
        usual = [{"VariantName": "all", "ModelName": f"{name}-model", "ServerlessConfig": size}]
        self.sagemaker.create_model(
            ModelName=f"{name}-model",
            PrimaryContainer={"Image": "image"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/hosting",
        )
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-config",
            ProductionVariants=[
                {"ModelName": f"{name}-model", **each} for each in variants or usual
            ],
        )
        opted = {LEVER: "act"} if tags is None else tags
        self.sagemaker.create_endpoint(
            EndpointName=name,
            EndpointConfigName=f"{name}-config",
            Tags=[{"Key": key, "Value": value} for key, value in opted.items()],
        )
        self.stage.wait(5)

    def provision(self, level: int, name: str = "shop", alias: str = "live") -> None:
        """As a person does."""
        self.api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=alias, ProvisionedConcurrentExecutions=level
        )

    def own(self, minimum: int, maximum: int, resource: str = "function:shop:live") -> None:
        """Let Application Auto Scaling own the dial."""
        namespace, dimension = SPACES[resource.replace("/", ":").split(":")[0]]
        self.scaling.register_scalable_target(
            ServiceNamespace=namespace,
            ResourceId=resource,
            ScalableDimension=dimension,
            MinCapacity=minimum,
            MaxCapacity=maximum,
        )

    def send(self, *at_once: float, to: str = "shop:live", seconds: float = 1, **more: Any) -> None:
        """So many invocations in flight at once, a number a minute; the last one stays."""
        versions = {str(each): {"duration_ms": seconds * 1000} for each in range(1, 4)}
        name, _, qualifier = to.partition(":")
        told = {"concurrency": at_once, "versions": versions, **more}
        self.stage.outside(lambda: set_in_process(name, qualifier, told))

    def request(self, at_once: float, name: str = "chat", latency_ms: float = 1000) -> None:
        """So many requests to an endpoint that on average so many run at once."""
        per_minute = 60_000 * at_once / latency_ms
        variants = {"all": {"latency_ms": latency_ms}}
        body = {"requests_per_minute": per_minute, "variants": variants}
        self.stage.outside(lambda: put_traffic({"name": name}, {}, body))

    # letting things happen

    def beat(self, minutes: int = 1) -> list[dict[str, Any]]:
        """Minutes pass, each with a heartbeat; what their looks came to."""
        looked: list[dict[str, Any]] = []
        for _ in range(minutes):
            self.stage.wait(60)
            looked += self.stage.heartbeat()["outcomes"]
        return looked

    def until(self, true: Callable[[], bool], minutes: int = 60) -> int:
        """Let minutes pass until something is true; how many they were."""
        for passed in range(minutes):
            if true():
                return passed
            self.beat()
        raise AssertionError(f"it did not come true in {minutes} minutes")

    # looking at the result

    def level(self, to: str = "shop:live") -> int:
        """What is asked for of an alias."""
        return self._held(to, "RequestedProvisionedConcurrentExecutions")

    def ready(self, to: str = "shop:live") -> int:
        """What is ready of it."""
        return self._held(to, "AvailableProvisionedConcurrentExecutions")

    def _held(self, to: str, what: str) -> int:
        name = to.partition(":")[0]
        told = self.api.list_provisioned_concurrency_configs(FunctionName=name)
        found = {
            each["FunctionArn"].split(":function:")[-1]: int(each[what])
            for each in told["ProvisionedConcurrencyConfigs"]
        }
        return found.get(to, 0)

    def size(self, name: str = "chat") -> int:
        """What is asked for of an endpoint."""
        [told] = self.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
        return int(told["DesiredServerlessConfig"].get("ProvisionedConcurrency", 0))

    def bounds(self, resource: str = "function:shop:live") -> tuple[int, int]:
        """Of the scalable target of a resource."""
        namespace, _ = SPACES[resource.replace("/", ":").split(":")[0]]
        [told] = self.scaling.describe_scalable_targets(
            ServiceNamespace=namespace, ResourceIds=[resource]
        )["ScalableTargets"]
        return told["MinCapacity"], told["MaxCapacity"]

    def writes(self) -> list[Any]:
        """The level that each write of the function's asked for, in order; 0 for a deletion."""
        return [
            _level(c.operation, c.parameters) for c in self.stage.calls if c.operation in WRITES
        ]

    def message(self, code: str) -> Mapping[str, Any]:
        """The only event that told of something, as the bus got it."""
        [only] = [
            detail
            for call in self.stage.made("PutEvents")
            for entry in call.parameters["Entries"]
            if (detail := json.loads(entry["Detail"]))["code"] == code
        ]
        found: Mapping[str, Any] = only
        return found

    def told(self, code: str) -> int:
        """How often something was told."""
        return sum(each.endswith(f": {code}") for each in self.stage.told())

    def stages(self) -> list[str]:
        return [each["stage"] for each in self.stage.incidents()]


def _level(operation: str, asked: Mapping[str, Any]) -> int:
    if operation == PUT:
        return int(asked["ProvisionedConcurrentExecutions"])
    if operation == REGISTER:
        assert asked.keys() == {
            "ServiceNamespace",
            "ResourceId",
            "ScalableDimension",
            "MinCapacity",
        }
        return int(asked["MinCapacity"])
    if operation == UPDATE:
        [change] = asked["DesiredWeightsAndCapacities"]
        return int(change["ServerlessUpdateConfig"]["ProvisionedConcurrency"])
    return 0


@cache
def _archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("shop.py", "def handler(event, context): ...")
    return written.getvalue()


@contextmanager
def warm(stage: Stage) -> Iterator[Warm]:
    """The stage with the handler of provisioned concurrency, in mode act."""
    stage.handler = provisioned_concurrency
    stage.mode("act")
    WORLD.durations.lambda_provisioning = ALLOCATION
    WORLD.durations.serverless_update = ALLOCATION
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    stage.client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=trust)
    yield Warm(stage)


def refuse(
    stage: Stage,
    operation: str,
    code: str,
    text: str = "Rate exceeded",
    times: int | None = None,
    having: Mapping[str, str] | None = None,
) -> list[str]:
    """AWS refuses an operation from now on, or so many times. having: parameters of the calls that it
    refuses. Returns the operations that it refused, as they come."""
    refused: list[str] = []

    def fault(moment: str, call: Call) -> None:
        if (moment, call.operation) != ("before", operation) or len(refused) == times:
            return
        if (having or {}).items() <= call.parameters.items():
            refused.append(operation)
            raise ClientError({"Error": {"Code": code, "Message": text}}, operation)

    stage.fault = fault
    return refused


def relent(stage: Stage) -> None:
    """AWS refuses nothing any more."""
    stage.fault = lambda moment, call: None


def codes(answer: Mapping[str, Any]) -> list[str]:
    """What the looks of one invocation came to."""
    return [outcome["code"] for outcome in answer["outcomes"]]
