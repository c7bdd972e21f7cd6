"""Settings are right or refused, each problem in a sentence of its own."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.settings import Limits, Settings, SettingsError, parse, setting
from functions.spot_fallback.settings import SpotFallbackSettings
from functions.traffic_shift.settings import TrafficShiftSettings

CLASSES: list[tuple[type, str]] = [(Settings, ""), (Limits, "limits"), (TrafficShiftSettings, "")]
NUMBERS = [
    pytest.param(cls, within, f, id=f"{cls.__name__}.{f.name}")
    for cls, within in CLASSES
    for f in fields(cls)
    if "minimum" in f.metadata
]
POISON: list[Any] = [
    None, "", "true", "5", True, False, [], [5], {}, {"a": 1}, 1.0, 1.5, math.nan, math.inf,
    -1, -(10**9), 10**9,
]  # fmt: skip


def refusal(cls: type, value: object) -> str:
    with pytest.raises(SettingsError) as refused:
        parse(cls, value, "settings")
    return str(refused.value)


@pytest.mark.parametrize("poison", POISON, ids=repr)
@pytest.mark.parametrize(("cls", "within", "field"), NUMBERS)
def test_poison_in_any_number_is_refused_by_its_name(
    cls: type, within: str, field: Any, poison: object
) -> None:
    assert f"settings.{field.name} must be" in refusal(cls, {field.name: poison})


@pytest.mark.parametrize(("cls", "within", "field"), NUMBERS)
def test_a_number_within_its_bounds_is_taken_and_one_outside_is_not(
    cls: type, within: str, field: Any
) -> None:
    low, high = field.metadata["minimum"], field.metadata["maximum"]

    for value in (low, high):
        assert getattr(parse(cls, {field.name: value}, "s"), field.name) == value
    for value in (low - 1, high + 1):
        assert f"from {low} to {high}" in refusal(cls, {field.name: value})


@pytest.mark.parametrize(("cls", "within", "field"), NUMBERS)
def test_a_missing_number_has_its_documented_default(cls: type, within: str, field: Any) -> None:
    assert getattr(parse(cls, {}, "s"), field.name) == field.default
    assert field.metadata["minimum"] <= field.default <= field.metadata["maximum"]
    assert field.metadata["doc"].endswith(".")


@pytest.mark.parametrize(("cls", "within", "field"), NUMBERS)
def test_a_misspelt_number_is_refused_with_the_right_name(
    cls: type, within: str, field: Any
) -> None:
    sentence = refusal(cls, {field.name + "s": field.default})

    assert f"did you mean {field.name!r}?" in sentence


def test_a_name_like_no_other_is_refused_with_all_that_are_known() -> None:
    assert "known: cooldown_seconds, " in refusal(Settings, {"zzz": 1})


@pytest.mark.parametrize("poison", [None, "", 5, [], True, math.nan], ids=repr)
def test_settings_that_are_no_object_are_refused(poison: object) -> None:
    assert "settings must be an object" in refusal(Settings, poison)
    assert "settings.limits must be an object" in refusal(Settings, {"limits": poison})


def test_all_problems_are_told_at_once() -> None:
    wrong = {"cooldown_seconds": -1, "limits": {"instances_added": "4"}, "mode": "act"}

    assert len(refusal(Settings, wrong).splitlines()) == 3


def test_a_limit_of_nothing_is_a_limit() -> None:
    assert parse(Limits, {"instances_added": 0}, "s").instances_added == 0


def test_every_bounded_field_of_every_class_is_held_to_here() -> None:
    for cls, _ in CLASSES:
        for f in fields(cls):
            assert "minimum" in f.metadata or f.name == "limits"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["limits", "cooldown_seconds", "instances_added"]) | st.text(),
                inner,
            )
        ),
    )
)
def test_anything_is_settings_or_refused(value: Any) -> None:
    with suppress(SettingsError):
        assert isinstance(parse(Settings, value, "settings"), Settings)


@dataclass(frozen=True)
class Shop:
    needed: str
    colour: str = setting("blue", "Its colour.", choices=("blue", "green"))
    tags: tuple[str, ...] = setting((), "Its tags.", pattern="[a-z]+")
    owner: str | None = setting(None, "Who.", pattern="[a-z]+")
    price: float | int = setting(1, "Its price.", minimum=0, maximum=10)


def test_choices_patterns_lists_and_null_are_held_to() -> None:
    assert "needed is missing" in refusal(Shop, {})
    assert "one of blue, green" in refusal(Shop, {"needed": "", "colour": "red"})
    assert "tags must be a list" in refusal(Shop, {"needed": "", "tags": "a"})
    assert "tags[1] is 'B'" in refusal(Shop, {"needed": "", "tags": ["a", "B"]})
    assert "owner must be str or null" in refusal(Shop, {"needed": "", "owner": 5})
    assert parse(Shop, {"needed": "", "owner": None, "tags": []}, "s").tags == ()


@pytest.mark.parametrize("price", [0, 0.0, 2, 2.5, 10])
def test_a_number_may_be_whole_or_not_where_the_setting_says_so(price: float) -> None:
    assert parse(Shop, {"needed": "", "price": price}, "s").price == price


@pytest.mark.parametrize("poison", [-0.01, 10.5, math.nan, math.inf, -math.inf], ids=repr)
def test_a_number_out_of_its_bounds_is_refused_even_if_it_is_none(poison: float) -> None:
    assert "price must be from 0 to 10" in refusal(Shop, {"needed": "", "price": poison})


@pytest.mark.parametrize("poison", [True, "1", None, [1]], ids=repr)
def test_what_is_no_number_is_refused_where_two_kinds_of_number_may_be(poison: object) -> None:
    assert "price must be float or int" in refusal(Shop, {"needed": "", "price": poison})


def test_a_list_of_settings_names_the_place_of_each_problem() -> None:
    prices = [{"instance_type": "g5.xlarge", "on_demand": 1.006}, {"on_demand": math.nan}]

    sentences = refusal(SpotFallbackSettings, {"prices": prices}).splitlines()

    assert [each.partition(" ")[0] for each in sentences] == [
        "settings.prices[1].on_demand",
        "settings.prices[1].instance_type",
    ]
