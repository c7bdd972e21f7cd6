"""How far a level may rise: the owner's bounds, the account's, AWS's own; each named, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud import WORLD
from tests.functional.concurrency import PUT, Warm, refuse, relent, warm, wish
from tests.functional.quotas import control
from tests.functional.world import Stage

LATER = 30
"""Minutes in which a refusal might be told again."""
BOTH_READINGS = pytest.mark.parametrize("counted", [True, False])
"""Whether GetAccountSettings leaves out provisioned concurrency of what it tells as unreserved."""


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def test_a_maximum_of_the_owner_s(scene: Warm) -> None:
    scene.function(tags=wish(min=2, max=6))
    scene.send(1)
    scene.beat(10)
    scene.send(20)
    scene.beat(LATER)

    assert scene.writes() == [2, 6]
    assert scene.told("maximum") == 1


def test_the_reservation_of_the_function(scene: Warm) -> None:
    scene.function(tags=wish(min=8) | wish("beta", min=7), aliases=("live", "beta"))
    scene.api.put_function_concurrency(FunctionName="shop", ReservedConcurrentExecutions=10)
    scene.beat(LATER)

    assert scene.level() + scene.level("shop:beta") == 10
    assert scene.told("reserved-concurrency") == 1


@BOTH_READINGS
def test_a_hundred_stay_unreserved_and_the_quota_is_handed_on(scene: Warm, counted: bool) -> None:
    WORLD.switches.account_settings_count_provisioned = counted
    control("PUT", "/servicequotas/quotas/lambda/L-B99A9384/value", {"value": 120})
    scene.function(tags=wish(min=50))
    scene.beat(LATER)

    assert scene.writes() == [20]
    evidence = scene.message("account-headroom")["evidence"]
    assert evidence["service_code"] == "lambda"
    assert evidence["quota_code"] == "L-B99A9384"
    assert (evidence["limit"], evidence["delta"]) == (120, 30)


@BOTH_READINGS
def test_what_it_holds_itself_does_not_count_against_it(scene: Warm, counted: bool) -> None:
    WORLD.switches.account_settings_count_provisioned = counted
    control("PUT", "/servicequotas/quotas/lambda/L-B99A9384/value", {"value": 130})
    scene.function(tags=wish(min=25))
    scene.provision(10)
    scene.beat(5)

    assert scene.writes() == [25]


@BOTH_READINGS
def test_what_another_alias_holds_counts_against_it(scene: Warm, counted: bool) -> None:
    WORLD.switches.account_settings_count_provisioned = counted
    control("PUT", "/servicequotas/quotas/lambda/L-B99A9384/value", {"value": 130})
    scene.function(tags=wish("beta", min=25), aliases=("live", "beta"))
    scene.provision(10)
    scene.beat(5)

    assert scene.writes() == [20]
    assert scene.told("account-headroom") == 1


@BOTH_READINGS
def test_a_hundred_stay_unreserved_beside_what_another_function_holds(
    scene: Warm, counted: bool
) -> None:
    """Where AWS does not tell of that, its own refusal does."""
    WORLD.switches.account_settings_count_provisioned = counted
    control("PUT", "/servicequotas/quotas/lambda/L-B99A9384/value", {"value": 130})
    scene.function("till", tags={})
    scene.provision(10, "till")
    scene.function(tags=wish(min=25))
    scene.beat(5)

    assert scene.level() == (20 if counted else 0)
    assert scene.told("account-headroom") == 1
    assert scene.told("failed") == 0


def test_room_that_somebody_else_took_meanwhile(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    text = (
        "Specified ConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100]."
    )
    refused = refuse(scene.stage, PUT, "InvalidParameterValueException", text)
    scene.beat(11)

    assert scene.told("account-headroom") == 1
    assert scene.told("failed") == 0
    assert len(refused) == 3  # every 5 minutes: the same wish at each heartbeat makes no more room


def test_another_wish_of_its_owner_is_tried_at_once_where_there_was_no_room(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    text = "Specified concurrency decreases account's UnreservedConcurrentExecution below [100]."
    refused = refuse(scene.stage, PUT, "InvalidParameterValueException", text)
    scene.beat(2)
    assert len(refused) == 1

    relent(scene.stage)
    scene.retag(wish(min=2))
    scene.beat()
    assert scene.writes() == [5, 2]


def test_more_traffic_is_tried_at_once_where_there_was_no_room(scene: Warm) -> None:
    scene.function(tags=wish(min=2))
    scene.beat(4)
    scene.send(20)
    text = "Specified concurrency decreases account's UnreservedConcurrentExecution below [100]."
    refused = refuse(scene.stage, PUT, "InvalidParameterValueException", text)
    scene.until(lambda: len(refused) == 1)
    scene.send(60)
    scene.beat(3)

    assert len(refused) == 2


def test_a_target_at_its_maximum_is_not_looked_at_at_each_heartbeat(scene: Warm) -> None:
    """A look is many calls, and none of them makes the maximum higher, whatever the traffic is."""
    scene.function(tags=wish(min=2, max=6))
    scene.send(*[20, 90] * 20)
    scene.until(lambda: scene.told("maximum") == 1)

    assert sum(bool(scene.beat()) for _ in range(10)) == 2  # every 5 minutes


def test_what_lambda_refuses_for_good(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    refuse(scene.stage, PUT, "InvalidParameterValueException", "This will never do")
    scene.beat(LATER)

    assert scene.told("refused-by-aws") == 1
    assert "This will never do" in str(scene.stage.messages())


def test_as_many_changes_as_an_hour_may_have(scene: Warm, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LEVER_SETTINGS", '{"changes_per_hour": 2}')
    scene.function(tags=wish(schedule="mon@12:10-14:00=5 mon@12:20-14:00=6", min=1))
    scene.beat(LATER)

    assert scene.writes() == [1, 5]
    assert scene.told("change-limit") == 1
