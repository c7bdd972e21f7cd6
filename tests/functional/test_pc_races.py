"""What happens between a look and its write: it is read once more, and then AWS has the last word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.core.environment import Environment
from functions.core.remediation import Impossible
from functions.provisioned_concurrency.handler import ProvisionedConcurrency
from local.cloud import WORLD
from local.cloud.sagemaker.control import find_endpoint
from tests.functional.concurrency import CHAT, PUT, REGISTER, UPDATE, Warm, warm, wish
from tests.functional.world import Stage

LAST_READ = "GetProvisionedConcurrencyConfig"


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    """An alias that is to be raised with the next heartbeat. Its scalable target is asked for by the
    glance, the look and the write."""
    with warm(stage) as scene:
        scene.function(tags=wish(min=9))
        scene.provision(3)
        stage.wait(180)
        yield scene


def meanwhile(stage: Stage, operation: str, do: Callable[[], object], nth: int = 1) -> None:
    """Something happens right before the nth such call of the function's."""
    calls = 0

    def fault(moment: str, call: Any) -> None:
        nonlocal calls
        if (moment, call.operation) == ("before", operation):
            calls += 1
            if calls == nth:
                stage.outside(do)

    stage.fault = fault


def test_somebody_asks_for_another_level(scene: Warm) -> None:
    WORLD.durations.lambda_provisioning = 0
    meanwhile(scene.stage, LAST_READ, lambda: scene.provision(4))
    scene.beat(5)

    assert scene.writes() == []
    assert scene.told("superseded") == 1


def test_a_scalable_target_takes_the_dial(scene: Warm) -> None:
    meanwhile(scene.stage, "DescribeScalableTargets", lambda: scene.own(2, 30), nth=3)
    scene.beat(5)

    assert scene.writes() == []
    assert scene.told("superseded") == 1


def test_the_alias_gets_another_version(scene: Warm) -> None:
    """The level is the same, but Lambda allocates it anew: not even asked."""

    def deploy() -> None:
        scene.api.update_alias(FunctionName="shop", Name="live", FunctionVersion="2")

    meanwhile(scene.stage, LAST_READ, deploy)
    scene.beat()
    assert scene.stage.made(PUT) == []

    scene.beat(4)
    assert scene.level() == 9


def test_the_alias_is_deleted(scene: Warm) -> None:
    gone = {"FunctionName": "shop", "Name": "live"}
    meanwhile(scene.stage, LAST_READ, lambda: scene.api.delete_alias(**gone))
    scene.beat()

    assert scene.writes() == []
    assert scene.told("alias-gone") == 1


def test_the_floor_is_moved_by_somebody_else(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function(tags=wish(min=9))
        scene.provision(3)
        scene.own(3, 30)
        stage.wait(180)
        meanwhile(stage, "DescribeScalableTargets", lambda: scene.own(4, 30), nth=3)
        scene.beat(5)

        assert stage.made(REGISTER) == []
        assert scene.bounds() == (4, 30)
        assert scene.told("superseded") == 1


def test_the_endpoint_goes_out_of_service(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.endpoint(tags=wish("all", min=9), provisioned=3)

        def maintain() -> None:
            with WORLD.turn():
                find_endpoint("chat").status = "SystemUpdating"

        meanwhile(stage, "DescribeEndpoint", maintain, nth=3)
        outcomes = scene.beat()

        assert [each["code"] for each in outcomes] == ["waiting"]
        assert stage.made(UPDATE) == []


def test_an_endpoint_is_never_asked_for_less_than_one(stage: Stage) -> None:
    """botocore model, ProductionVariantServerlessUpdateConfig."""
    with warm(stage) as scene:
        scene.endpoint(provisioned=3)
        remediation = ProvisionedConcurrency(Environment.from_env())

        with pytest.raises(Impossible) as refusal:
            remediation.act(
                CHAT,
                {"provisioned": 3, "minimum": None},
                {"provisioned": 0, "minimum": None},
            )

        assert refusal.value.code == "at-least-one"
