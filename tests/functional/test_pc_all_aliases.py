"""A wish for all aliases of a function: by a tag without a name, or by a plan for many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.provisioned_concurrency.aws import FULL
from tests.functional.concurrency import LEVER, Warm, refuse, relent, warm, wish
from tests.functional.world import Stage

WINDOW = "daily@12:15-12:40=20"
A_DAY = 24 * 60
Plans = Callable[..., None]


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


@pytest.fixture
def plans(environment: pytest.MonkeyPatch) -> Plans:
    """Set the plans of the settings, each given whole."""

    def set(*plans: dict[str, Any]) -> None:
        environment.setenv("LEVER_SETTINGS", json.dumps({"plans": plans}))

    return set


def for_all(**wanted: Any) -> dict[str, str]:
    """Tags that opt in, and say what is wanted of every alias."""
    return {LEVER: "act"} | {f"{LEVER}:{key}": str(value) for key, value in wanted.items()}


def levels(scene: Warm, *aliases: str) -> tuple[int, ...]:
    return tuple(scene.level(f"shop:{each}") for each in aliases)


def next_morning(scene: Warm) -> None:
    """Go to ten past twelve of the next day: when a window that begins a quarter past is prepared."""
    scene.stage.wait((A_DAY - 60) * 60)
    scene.until(lambda: scene.level() == 20, minutes=60)


def test_a_schedule_without_a_name_warms_what_holds_nothing_yet(scene: Warm) -> None:
    scene.function(tags=for_all(schedule=WINDOW), aliases=("live", "beta"))
    scene.beat(14)

    assert levels(scene, "live", "beta") == (20, 20)


def test_a_schedule_without_a_name_rises_again_after_it_has_fallen_to_nothing(scene: Warm) -> None:
    scene.function(tags=for_all(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.until(lambda: scene.level() == 0)
    scene.beat(20)

    next_morning(scene)


def test_a_plan_for_many_rises_again_after_it_has_fallen_to_nothing(
    scene: Warm, plans: Plans
) -> None:
    plans({"target": "function:shop:*", "schedule": WINDOW})
    scene.function()
    scene.until(lambda: scene.level() == 20)
    scene.until(lambda: scene.level() == 0)
    scene.beat(20)

    next_morning(scene)


def test_a_name_s_own_tag_goes_before_the_one_for_all(scene: Warm) -> None:
    tags = for_all(min=4) | wish("beta", min=0)
    scene.function(tags=tags, aliases=("live", "beta"))
    scene.beat(2)

    assert levels(scene, "live", "beta") == (4, 0)


@pytest.mark.parametrize(
    "target", ["*", "function:*", "function:sh?p:l*", "function:shop:l[a-k]ve"]
)
def test_a_plan_is_for_the_aliases_that_its_pattern_fits(
    scene: Warm, plans: Plans, target: str
) -> None:
    plans({"target": "function:shop:beta", "max": 9}, {"target": target, "min": 4})
    scene.function(aliases=("live", "beta"))
    scene.beat(2)

    assert levels(scene, "live", "beta") == (4, 0)
    assert len(scene.stage.incidents()) == 1


@pytest.mark.parametrize(
    "plan",
    [
        {"target": "function:till:*", "min": 4},
        {"target": "endpoint/*", "min": 4},
        {"target": "function:shop:*", "max": 4},
    ],
)
def test_a_plan_that_asks_nothing_of_a_function_costs_no_call(
    scene: Warm, plans: Plans, plan: dict[str, Any]
) -> None:
    plans(plan)
    scene.function()
    scene.beat(2)

    assert scene.stage.made("ListAliases") == []
    assert scene.level() == 0


def test_a_highest_level_alone_costs_no_call(scene: Warm) -> None:
    scene.function(tags=for_all(max=4))
    scene.beat(2)

    assert scene.stage.made("ListAliases") == []
    assert scene.stage.incidents() == []


def test_where_every_name_is_given_nothing_is_listed(scene: Warm) -> None:
    scene.function(tags=wish(min=2))
    scene.beat(5)

    assert scene.stage.made("ListAliases") == []


def test_what_is_listed_is_not_asked_for_by_name(scene: Warm) -> None:
    """At rest a heartbeat makes two calls for the function, however many aliases it has."""
    tags = for_all(schedule="sun@03:00-04:00=5") | wish("beta", min=0)
    scene.function(tags=tags, aliases=("live", "beta"))
    scene.beat()

    calls = [call.operation for call in scene.stage.calls if call.service == "lambda"]
    assert calls[-2:] == ["ListProvisionedConcurrencyConfigs", "ListAliases"]
    assert "GetAlias" not in calls


def test_a_name_that_is_not_listed_is_told(scene: Warm) -> None:
    scene.function(tags=for_all(min=1) | wish("beta", min=2))
    scene.beat(5)

    assert scene.told("alias-gone") == 1
    assert scene.level() == 1


def test_aliases_beyond_the_first_page_are_found(scene: Warm) -> None:
    many = [f"stage{number:02}" for number in range(51)]
    tags = for_all(min=1) | {f"{LEVER}:{name}:min": "0" for name in many[:50]}
    scene.function(tags=tags, aliases=())
    for name in many:
        scene.api.create_alias(FunctionName="shop", Name=name, FunctionVersion="1")
    scene.beat(2)

    assert levels(scene, many[0], many[50]) == (0, 1)


@pytest.mark.parametrize("setting", ["schedul", "l!ve:min"])
def test_a_misspelt_setting_is_told_though_no_alias_holds_anything(
    scene: Warm, setting: str
) -> None:
    scene.function(tags={LEVER: "act", f"{LEVER}:{setting}": "3"})
    scene.beat(5)

    assert scene.told("bad-tag") == 1
    assert scene.writes() == []


def test_an_alias_of_latest_is_told_and_the_others_rise(scene: Warm) -> None:
    scene.function(tags=for_all(min=4), aliases=("live", "dev"))
    scene.api.update_alias(FunctionName="shop", Name="dev", FunctionVersion="$LATEST")
    scene.beat(10)

    assert levels(scene, "live", "dev") == (4, 0)
    assert scene.told("latest-version") == 1


def test_of_two_aliases_of_a_version_one_is_warm_and_the_other_told(scene: Warm) -> None:
    """Lambda provisions a version once."""
    scene.function(tags=for_all(min=4), aliases=("live", "same"))
    scene.api.update_alias(FunctionName="shop", Name="same", FunctionVersion="1")
    scene.beat(2 * FULL // 60)

    assert sorted(levels(scene, "live", "same")) == [0, 4]
    assert scene.told("version-taken") == 1


def test_a_function_whose_aliases_cannot_be_listed_is_looked_at_again(scene: Warm) -> None:
    scene.function(tags=for_all(min=4))
    refuse(scene.stage, "ListAliases", "TooManyRequestsException")
    scene.beat()
    assert scene.level() == 0

    relent(scene.stage)
    scene.beat()
    assert scene.level() == 4


def test_a_function_that_goes_while_it_is_looked_at_harms_no_other(scene: Warm) -> None:
    scene.function("shop", tags=for_all(min=4))
    scene.function("till", tags=wish(min=2))
    refuse(
        scene.stage,
        "ListAliases",
        "ResourceNotFoundException",
        "Function not found",
        having={"FunctionName": "shop"},
    )
    scene.beat()

    assert (scene.level("shop:live"), scene.level("till:live")) == (0, 2)
