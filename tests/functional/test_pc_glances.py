"""Whom a heartbeat looks at: the opted-in, by name, by what they hold or all, each on its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.functional.concurrency import LEVER, Warm, refuse, relent, warm, wish
from tests.functional.world import Stage


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def throttle(stage: Stage, operation: str, **parameters: str) -> None:
    """AWS throttles an operation, on one resource where it is named."""
    refuse(stage, operation, "TooManyRequestsException", having=parameters)


def test_a_function_that_cannot_be_read_holds_up_no_other(scene: Warm) -> None:
    scene.function("shop", tags=wish(min=2))
    scene.function("till", tags=wish(min=2))
    throttle(scene.stage, "ListProvisionedConcurrencyConfigs", FunctionName="shop")
    scene.beat()
    assert (scene.level("shop:live"), scene.level("till:live")) == (0, 2)

    relent(scene.stage)
    scene.beat()
    assert scene.level("shop:live") == 2


def test_without_the_list_of_the_opted_in_the_next_heartbeat_asks_again(scene: Warm) -> None:
    scene.function(tags=wish(min=2))
    throttle(scene.stage, "GetResources")
    scene.stage.wait(60)
    with pytest.raises(ClientError):
        scene.stage.heartbeat()

    relent(scene.stage)
    scene.beat()
    assert scene.level() == 2


def test_a_schedule_is_kept_though_cloudwatch_tells_nothing(scene: Warm) -> None:
    scene.function(tags=wish(schedule="mon@12:05-12:30=4", min=1))
    throttle(scene.stage, "GetMetricData")
    scene.beat(10)

    assert scene.writes()[-1] == 4


def test_nothing_falls_for_want_of_metrics(scene: Warm) -> None:
    scene.function(tags=wish(schedule="mon@12:05-12:30=4", min=1))
    scene.until(lambda: scene.level() == 4)
    throttle(scene.stage, "GetMetricData")
    scene.beat(40)
    assert scene.level() == 4

    relent(scene.stage)
    scene.beat(2)
    assert scene.level() == 1


def test_an_alias_that_holds_something_is_looked_after_though_no_tag_names_it(
    scene: Warm,
) -> None:
    scene.function(tags={LEVER: "act", f"{LEVER}:max": "4"}, aliases=("live", "beta"))
    scene.provision(2)
    scene.send(9)
    scene.until(lambda: scene.level() == 4, minutes=10)

    assert scene.level("shop:beta") == 0


def test_what_a_version_holds_is_let_be(scene: Warm) -> None:
    scene.function(tags={LEVER: "act", f"{LEVER}:min": "4"}, aliases=())
    scene.provision(2, alias="3")
    scene.beat(4)

    assert scene.level("shop:3") == 2
    assert scene.stage.incidents() == []


def test_a_version_s_share_of_the_reservation_is_not_the_alias_s(scene: Warm) -> None:
    scene.function(tags=wish(min=8))
    scene.api.put_function_concurrency(FunctionName="shop", ReservedConcurrentExecutions=10)
    scene.provision(7, alias="3")
    scene.beat(4)

    assert scene.level() == 3
    assert scene.told("reserved-concurrency") == 1


@pytest.mark.parametrize("name", ["3", "_typo"])
def test_a_tag_that_names_no_alias_is_told_at_once(scene: Warm, name: str) -> None:
    scene.function(tags=wish(name, min=2))
    scene.beat(20)

    assert scene.told("alias-gone") == 1


def test_a_plan_for_a_function_that_is_not_opted_in_does_nothing(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    plan = '{"plans": [{"target": "function:shop:live", "min": 4}]}'
    environment.setenv("LEVER_SETTINGS", plan)
    scene.function(tags={})
    scene.beat(4)

    assert scene.level() == 0


@pytest.mark.parametrize(("architecture", "cost"), [("x86_64", "$0.30"), ("arm64", "$0.24")])
def test_what_is_kept_costs_what_its_architecture_and_its_version_s_memory_cost(
    scene: Warm, architecture: str, cost: str
) -> None:
    """20 environments of 1 GB; $LATEST has more, which is nobody's business yet."""
    scene.function(tags=wish(min=20), Architectures=[architecture])
    scene.api.update_function_configuration(FunctionName="shop", MemorySize=4096)
    scene.beat(6)

    assert cost in scene.message("kept")["reason"]


def test_a_second_heartbeat_in_a_minute_finds_no_sweep_due(scene: Warm) -> None:
    scene.function(tags=wish(min=2))
    scene.beat(15)
    scene.stage.calls.clear()
    scene.stage.heartbeat()

    assert scene.stage.made("GetResources") == []
