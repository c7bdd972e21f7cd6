"""A schedule met by an alias: warm ahead of the window, kept, let go at its end. It is Monday noon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.concurrency import ALLOCATION, LEVER, LIVE, Warm, clock, warm, wish
from tests.functional.world import Stage

WINDOW = "mon@12:15-12:40=20"


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def until_level(scene: Warm, level: int) -> str:
    """What the clock shows when it is asked for."""
    scene.until(lambda: scene.level() == level, minutes=180)
    return clock()


def test_an_alias_is_warm_when_its_window_begins(scene: Warm) -> None:
    """Allocation is taken to last 180 s until it was measured, and 120 s are left over."""
    scene.function(tags=wish(schedule=WINDOW))

    assert until_level(scene, 20) == "12:10"
    scene.beat(4)
    assert clock() == "12:14"
    assert scene.ready() == 20


def test_a_window_is_one_rise_and_one_fall(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.beat(45)

    assert scene.writes() == [20, 0]
    assert scene.level() == 0


def test_the_fall_comes_with_the_end_of_the_window(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    until_level(scene, 20)

    assert until_level(scene, 0) == "12:40"


def test_the_incident_lasts_as_long_as_the_level(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    until_level(scene, 20)
    until_level(scene, 0)
    assert scene.stages() == ["acted"]

    scene.until(lambda: scene.stages() == ["verified"], minutes=15)

    scene.stage.calls.clear()
    assert scene.beat(10) == []
    assert scene.stage.told() == []


def test_what_is_kept_is_told_once_with_what_it_costs(scene: Warm) -> None:
    scene.function(tags=wish(schedule="mon@12:15-18:00=20"))
    scene.beat(120)

    assert scene.told("kept") == 1
    assert scene.told("acted") == 1
    [kept] = [m for m in scene.stage.messages() if "an hour" in str(m)][-1:]
    # 20 environments of 1 GB at 0.0000041667 dollars a GB-second.
    assert "0.30" in str(kept)


def test_lost_heartbeats_lose_no_window(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.beat()
    scene.stage.wait(20 * 60)
    scene.beat()
    assert scene.level() == 20

    scene.stage.wait(30 * 60)
    scene.beat()
    assert scene.level() == 0


def test_local_time_is_what_counts(scene: Warm) -> None:
    """13:15 in Berlin is 12:15 UTC in winter."""
    scene.function(tags=wish(schedule="mon@13:15-13:40=20 tz=Europe/Berlin"))

    assert until_level(scene, 20) == "12:10"


def test_outside_of_windows_the_minimum_holds(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW, min=3))
    scene.beat()
    assert scene.level() == 3

    scene.beat(50)
    assert scene.writes() == [3, 20, 3]


def test_an_alias_that_is_at_its_minimum_leaves_the_ledger_alone(scene: Warm) -> None:
    scene.function(tags=wish(min=3))
    scene.until(lambda: scene.stages() == ["verified"], minutes=30)
    scene.stage.calls.clear()

    assert scene.beat(5) == []
    assert not scene.stage.made("TransactWriteItems")


def test_the_allocation_that_was_measured_is_the_lead_from_then_on(scene: Warm) -> None:
    """Looks are a minute apart, so 120 s are seen as 120 s at least."""
    scene.function(tags=wish(schedule=f"{WINDOW} mon@14:00-14:30=20"))
    until_level(scene, 20)
    until_level(scene, 0)

    again = until_level(scene, 20)

    measured = 2 * 60  # seconds, from the rise to the first look that saw it ready
    assert measured >= ALLOCATION
    assert again == "13:56"


def test_two_aliases_of_a_function_have_levels_of_their_own(scene: Warm) -> None:
    tags = wish(schedule=WINDOW) | wish("beta", min=2)
    scene.function(tags=tags, aliases=("live", "beta"))
    scene.beat(16)

    assert (scene.level(), scene.level("shop:beta")) == (20, 2)


def test_a_plan_in_the_settings_does_as_well(scene: Warm, environment: pytest.MonkeyPatch) -> None:
    plan = '{"plans": [{"target": "function:shop:live", "schedule": "mon@12:15-12:40=7"}]}'
    environment.setenv("LEVER_SETTINGS", plan)
    scene.function()

    assert until_level(scene, 7) == "12:10"


def test_nobody_s_alias_is_touched(scene: Warm) -> None:
    tags = wish(schedule=WINDOW)
    del tags[LEVER]
    scene.function(tags=tags)
    scene.beat(20)

    assert scene.writes() == []
    assert scene.stage.incidents() == []


def test_the_target_is_the_alias(scene: Warm) -> None:
    scene.function(tags=wish(min=1))
    scene.beat()

    assert scene.stage.incident()["target"] == LIVE
