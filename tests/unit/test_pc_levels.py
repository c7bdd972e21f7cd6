"""The level outside of windows, the lowest that can be written, and the bound that holds first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.provisioned_concurrency.levels import base, cap, least, planned
from functions.provisioned_concurrency.observation import Owner, Room, Service, Wish
from tests.unit.pc import ALWAYS, NOON, OFFICE, RULES, alias, variant, written


@pytest.mark.parametrize(
    ("wish", "owned", "expected"),
    [
        (ALWAYS, False, 5),
        (ALWAYS, True, 5),
        (OFFICE, False, 0),
        (OFFICE, True, 9),
        (Wish(), False, 9),
        (Wish(), True, 9),
    ],
)
def test_outside_of_windows_counts_the_minimum_or_what_stands(
    wish: Wish, owned: bool, expected: int
) -> None:
    assert base(wish, owned, 9, None) == expected


def test_what_stood_before_us_counts_once_we_have_changed_it() -> None:
    assert base(Wish(), False, 40, written(7, 40, ago=[5])) == 7
    assert base(OFFICE, True, 40, written(7, 40, ago=[5], owned=True)) == 7


def test_a_window_below_the_base_lowers_nothing() -> None:
    assert planned(OFFICE, 30, NOON, NOON) == 30
    assert planned(OFFICE, 3, NOON, NOON) == 20
    assert planned(Wish(), 3, NOON, NOON) == 3


def test_serverless_variants_keep_one_of_what_they_have() -> None:
    assert least(Service.SAGEMAKER, False, 4) == 1
    assert least(Service.SAGEMAKER, False, 0) == 0
    assert least(Service.SAGEMAKER, True, 4) == 0
    assert least(Service.LAMBDA, False, 4) == 0


@pytest.mark.parametrize(
    ("room", "code", "level"),
    [
        (Room(), "maximum", 60),
        (Room(reserved=40), "reserved-concurrency", 40),
        (Room(reserved=-3), "reserved-concurrency", 0),
        (Room(unreserved=150, limit=1000), "account-headroom", 50),
        (Room(unreserved=20, limit=1000), "account-headroom", 0),
        (Room(max_concurrency=30), "max-concurrency", 30),
    ],
)
def test_the_lowest_bound_holds(room: Room, code: str, level: int) -> None:
    found = cap(alias(5, room=room), ALWAYS, RULES)
    assert (found.code, found.level) == (code, level)


def test_without_a_max_of_its_own_the_settings_bound_a_target() -> None:
    found = cap(alias(5), replace(ALWAYS, maximum=None), RULES)
    assert (found.code, found.level) == ("maximum", RULES.maximum)


def test_a_scalable_target_bounds_its_floor() -> None:
    found = cap(alias(5, owner=Owner(2, 12)), ALWAYS, RULES)
    assert (found.code, found.level) == ("scaling-maximum", 12)


def test_what_an_hour_may_cost_bounds_a_level_where_prices_are_known() -> None:
    rules = replace(RULES, dollars_per_hour=0.15)
    found = cap(alias(5), ALWAYS, rules)
    assert (found.code, found.level) == ("too-dear", 9)
    unknown = variant(5, prices=replace(alias().prices, provisioned=0))
    assert cap(unknown, ALWAYS, rules).code == "max-concurrency"
