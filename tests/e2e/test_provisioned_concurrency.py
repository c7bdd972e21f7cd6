"""The deployed stack keeps aliases and serverless variants warm: by schedule, for what spills over, and
through a scalable target where one owns the dial."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.demo.account import Hands
from local.pocket import Pocket
from tests.e2e.probe import ACCOUNT, Found, Probe, eventually
from tests.e2e.rights import called, granted
from tests.e2e.test_lambda_scaling import Live

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.timeout(600),
]

LEVER = "ml-remediation:provisioned-concurrency"
REMEDIATION = "ProvisionedConcurrency"
DURATIONS = {"lambda_provisioning": 1, "scaling_reaction": 0.1, "serverless_update": 1}
SOON = 400.0
"""Seconds: a heartbeat comes every minute, and where the schedule was changed a fall waits until five minutes
that are paid for are used up."""


class Stack:
    """The deployed function, and what it sees to."""

    def __init__(self, pocket: Pocket) -> None:
        self.pocket, self.hands = pocket, Hands(pocket)
        self.function = self.hands.function(REMEDIATION)

    def beat(self) -> None:
        """A heartbeat besides those that come every minute."""
        heartbeat = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
        answer = self.pocket.client("lambda").invoke(
            FunctionName=self.function, Payload=json.dumps(heartbeat)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def writes(self, operation: str, since: str) -> int:
        """How many calls of an operation the function made."""
        calls = self.pocket.calls(caller=self.function, since=since)
        return sum(call["operation"] == operation for call in calls)

    def incident(self, target: str) -> dict[str, Any]:
        """The record of a target, as `remediation status` shows it."""
        incidents = self.hands.remediation("status")["incidents"]
        found: dict[str, Any] = next(each for each in incidents if each["target"] == target)
        return found


@pytest.fixture(scope="module")
def stack(pocket: Pocket) -> Iterator[Stack]:
    """The stack, which may act; what takes time is quick."""
    found = Stack(pocket)
    before = pocket.control("GET", "/durations")
    pocket.control("PUT", "/durations", DURATIONS)
    found.hands.remediation("mode", "act")
    yield found
    pocket.control("PUT", "/durations", {name: before[name] for name in DURATIONS})


@pytest.fixture
def live(stack: Stack, probe: Probe) -> Iterator[Live]:
    """An alias of a function that nobody opted in yet."""
    alias = Live(stack.pocket, probe.name)
    alias.api.get_waiter("function_updated_v2").wait(FunctionName=probe.name)
    version = alias.api.publish_version(FunctionName=probe.name)["Version"]
    alias.api.create_alias(FunctionName=probe.name, Name="live", FunctionVersion=version)
    yield alias
    alias.api.untag_resource(Resource=probe.arn, TagKeys=[LEVER])


def now() -> str:
    return datetime.now(UTC).isoformat()


def window(level: int, hours: float) -> str:
    """A window that began so many hours ago and lasts two."""
    begin = datetime.now(UTC) - timedelta(hours=hours)
    end = begin + timedelta(hours=2)
    return f"daily@{begin:%H:%M}-{end:%H:%M}={level} tz=UTC"


def opt_in(live: Live, arn: str, schedule: str) -> None:
    tags = {LEVER: "act", f"{LEVER}:live:schedule": schedule}
    live.api.tag_resource(Resource=arn, Tags=tags)


def seen(stack: Stack, look: Callable[[], Found]) -> Found:
    """What `look` finds, after as many heartbeats as it takes."""
    stack.beat()
    return eventually(look, SOON)


def test_the_heartbeat_has_an_echo_that_asks_only_for_traffic(
    stack: Stack, live: Live, probe: Probe
) -> None:
    """What stands as it is to is looked at by neither."""
    live.api.put_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    live.api.tag_resource(Resource=probe.arn, Tags={LEVER: "act", f"{LEVER}:live:min": "2"})
    eventually(lambda: live.provisioned() == (2, "READY"))
    since = now()
    stack.beat()
    assert stack.writes("SendMessage", since) >= 1
    eventually(
        lambda: stack.writes("GetMetricData", since) > stack.writes("GetResources", since), 50
    )
    live.api.delete_provisioned_concurrency_config(FunctionName=probe.name, Qualifier="live")


def test_a_window_is_kept_warm_and_let_go_after_it(stack: Stack, live: Live, probe: Probe) -> None:
    since = now()
    opt_in(live, probe.arn, window(3, hours=1))
    seen(stack, lambda: live.provisioned() == (3, "READY"))
    for _ in range(2):
        stack.beat()
    assert stack.writes("PutProvisionedConcurrencyConfig", since) == 1
    target = f"{probe.arn}:live"
    eventually(lambda: stack.incident(target)["stage"] == "acted")
    opt_in(live, probe.arn, window(3, hours=12))
    seen(stack, lambda: live.provisioned() == (0, "NONE"))
    assert stack.writes("DeleteProvisionedConcurrencyConfig", since) == 1


def test_where_a_scalable_target_owns_the_dial_only_its_minimum_moves(
    stack: Stack, live: Live, probe: Probe
) -> None:
    live.register(1, 9)
    eventually(lambda: live.provisioned() == (1, "READY"))
    since = now()

    def bounds() -> tuple[int, int]:
        (told,) = live.scaling.describe_scalable_targets(
            ServiceNamespace="lambda", ResourceIds=[live.place["ResourceId"]]
        )["ScalableTargets"]
        return told["MinCapacity"], told["MaxCapacity"]

    opt_in(live, probe.arn, window(4, hours=1))
    seen(stack, lambda: bounds() == (4, 9))
    eventually(lambda: live.provisioned() == (4, "READY"))
    opt_in(live, probe.arn, window(4, hours=12))
    seen(stack, lambda: bounds() == (1, 9))
    assert stack.writes("RegisterScalableTarget", since) == 2
    assert stack.writes("PutProvisionedConcurrencyConfig", since) == 0
    live.scaling.deregister_scalable_target(**live.place)


def test_a_serverless_endpoint_is_raised_once_to_what_spills_over(
    stack: Stack, pocket: Pocket
) -> None:
    sagemaker, name = pocket.client("sagemaker"), f"warm-{uuid4().hex[:8]}"
    role = f"arn:aws:iam::{ACCOUNT}:role/hosting"
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": "image"}, ExecutionRoleArn=role
    )
    size = {"MemorySizeInMB": 2048, "MaxConcurrency": 30, "ProvisionedConcurrency": 2}
    variant = {"VariantName": "all", "ModelName": name, "ServerlessConfig": size}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    tags = [{"Key": LEVER, "Value": "act"}, {"Key": f"{LEVER}:max", "Value": "20"}]
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)

    def described() -> dict[str, Any]:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        return found

    def provisioned() -> int:
        (told,) = described()["ProductionVariants"]
        return int(told["CurrentServerlessConfig"]["ProvisionedConcurrency"])

    eventually(lambda: described()["EndpointStatus"] == "InService")
    since = now()
    # Eight at once, of which two are provisioned.
    pocket.set_traffic(
        name,
        requests_per_minute=480,
        history_minutes=5,
        variants={"all": {"latency_ms": 1000}},
    )
    seen(stack, lambda: provisioned() > 2)
    assert provisioned() in (14, 15)  # of 8 or 9 that were seen at once, and two roots
    stack.beat()
    assert stack.writes("UpdateEndpointWeightsAndCapacities", since) == 1
    sagemaker.add_tags(
        ResourceArn=described()["EndpointArn"], Tags=[{"Key": LEVER, "Value": "off"}]
    )


def test_it_calls_nothing_that_it_is_not_granted(stack: Stack) -> None:
    stack.beat()
    assert called(stack.hands, REMEDIATION) <= granted(stack.hands, REMEDIATION)
