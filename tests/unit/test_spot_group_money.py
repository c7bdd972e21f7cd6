"""Hours and dollars of a group, added up from look to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from functions.core.incident import Incident
from functions.spot_fallback.groups import tally
from functions.spot_fallback.observation import GroupSeen, Rates
from tests.unit.groups import NOW, PRICES, ago, group, incident, members

KEYS = {
    "_at",
    "spotHours",
    "onDemandHours",
    "spotDollars",
    "onDemandDollars",
    "savedDollars",
    "fallbackDollars",
}


def after(seconds: float, seen: GroupSeen, **more: Any) -> Mapping[str, float]:
    """The tally when the last look was so many seconds ago."""
    ours = incident((3600, 4), tally={"_at": ago(seconds).timestamp(), **more})
    return tally(seen, ours)


def test_the_first_look_counts_nothing() -> None:
    first = tally(group(spot=6, bought=4, rates=PRICES), incident())
    assert first == dict.fromkeys(KEYS, 0.0) | {"_at": NOW.timestamp()}


def test_what_serves_counts_for_the_time_since_the_last_look() -> None:
    counted = after(360, group(spot=6, bought=4, base=4, rates=PRICES))
    assert counted["spotHours"] == pytest.approx(0.6)
    assert counted["onDemandHours"] == pytest.approx(0.4)
    assert counted["spotDollars"] == pytest.approx(0.6 * 0.04)
    assert counted["onDemandDollars"] == pytest.approx(0.4 * 0.10)
    assert counted["savedDollars"] == pytest.approx(0.6 * 0.06)
    assert counted["fallbackDollars"] == pytest.approx(0.4 * 0.06)


def test_on_top_of_what_was() -> None:
    counted = after(360, group(spot=6, rates=PRICES), spotHours=10.0, savedDollars=2.0)
    assert counted["spotHours"] == pytest.approx(10.6)
    assert counted["savedDollars"] == pytest.approx(2 + 0.6 * 0.06)


def test_what_does_not_serve_yet_costs_nothing_yet() -> None:
    pending = members("spot", 3, state="Pending")
    assert after(360, group(desired=3, members=pending, rates=PRICES))["spotHours"] == 0.0


def test_the_groups_own_on_demand_is_no_fallback() -> None:
    ours = incident((3600, 5), before=2, percentage=25, tally={"_at": ago(360).timestamp()})
    seen = group(spot=3, bought=7, base=5, percentage=25, rates=PRICES)
    assert tally(seen, ours)["fallbackDollars"] == pytest.approx(0.1 * (7 - 4) * 0.06)


def test_less_than_its_own_is_no_gain() -> None:
    ours = incident((3600, 5), before=5, tally={"_at": ago(360).timestamp()})
    assert tally(group(spot=9, bought=1, rates=PRICES), ours)["fallbackDollars"] == 0.0


def test_a_gap_counts_ten_minutes_at_most() -> None:
    assert after(7200, group(spot=6))["spotHours"] == pytest.approx(1.0)


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    assert after(-60, group(spot=6), spotHours=1.0)["spotHours"] == 1.0


@pytest.mark.parametrize("rates", [{}, {"m5.large": Rates()}, {"m5.large": Rates(on_demand=None)}])
def test_without_rates_hours_alone_are_counted(rates: Mapping[str, Rates]) -> None:
    counted = after(360, group(spot=6, bought=4, rates=rates))
    assert counted["spotHours"] == pytest.approx(0.6)
    assert {counted[key] for key in KEYS if key.endswith("Dollars")} == {0.0}


def test_spot_that_costs_more_saves_nothing_rather_than_less() -> None:
    dear = {"m5.large": Rates(on_demand=0.1, spot=0.2)}
    assert after(360, group(spot=6, rates=dear))["savedDollars"] == 0.0


def test_since_when_instances_are_missing_is_remembered_while_they_are() -> None:
    short = group(spot=6, desired=10)
    first = tally(short, incident())
    assert first["_short"] == NOW.timestamp()
    later: Incident = incident(tally={"_at": ago(60).timestamp(), "_short": ago(60).timestamp()})
    assert tally(short, later)["_short"] == ago(60).timestamp()
    assert "_short" not in tally(group(spot=6), later)


def test_a_group_without_a_policy_has_no_fallback_to_count() -> None:
    bare = group(bought=4, distribution={}, rates=PRICES)
    counted = tally(bare, incident(tally={"_at": ago(360).timestamp()}))
    assert counted["fallbackDollars"] == 0.0
    assert counted["onDemandHours"] == pytest.approx(0.4)
    segments = group(bought=4, distribution={"DistributionSegments": [{}]}, rates=PRICES)
    assert tally(segments, incident())["fallbackDollars"] == 0.0
