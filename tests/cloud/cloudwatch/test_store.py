"""How data becomes points: periods, statistics, resolution, retention."""

from __future__ import annotations

import pytest

from local.cloud.cloudwatch.store import (
    Aggregate,
    Metric,
    MetricStore,
    compute,
    is_extended,
)

LATENCY = Metric.of("App", "Latency", {"Variant": "green"})
NOW = 1_800_000_000  # a whole minute, a whole hour


def values(*pairs: tuple[float, float]) -> Aggregate:
    return Aggregate.of_values(pairs)


def points(store: MetricStore, period: int, start: int, end: int, stat: str) -> dict[int, object]:
    found = store.aggregates(LATENCY, period, start, end, now=NOW)
    return {at: compute(aggregate, stat) for at, aggregate in found.items()}


def test_each_set_of_dimensions_is_its_own_metric() -> None:
    store = MetricStore()
    store.add(Metric.of("App", "Latency", {}), NOW - 60, values((1, 1)), now=NOW)
    store.add(LATENCY, NOW - 60, values((7, 1)), now=NOW)

    assert points(store, 60, NOW - 60, NOW, "Sum") == {NOW - 60: 7}


def test_a_period_takes_its_first_second_and_not_the_next_periods() -> None:
    store = MetricStore()
    for at in (NOW - 60, NOW - 1, NOW):
        store.add(LATENCY, at, values((1, 1)), now=NOW)

    assert points(store, 60, NOW - 60, NOW + 60, "SampleCount") == {NOW - 60: 2, NOW: 1}


def test_a_longer_period_merges_minutes_without_changing_them() -> None:
    store = MetricStore()
    for minute, value in ((10, 1.0), (9, 2.0), (6, 6.0)):
        store.add(LATENCY, NOW - 60 * minute, values((value, 1)), now=NOW)

    assert points(store, 300, NOW - 600, NOW, "Sum") == {NOW - 600: 9}
    assert points(store, 60, NOW - 600, NOW - 540, "Sum") == {NOW - 600: 1}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 1000.0),
        ("Average", 10.0),
        ("Minimum", 1.0),
        ("Maximum", 901.0),
        ("SampleCount", 100.0),
        ("p50", 1.0),
        ("p99", 1.0),
        ("p99.9", 901.0),
        ("p100", 901.0),
        ("TC(1:901)", 1.0),
        ("TC(:1)", 99.0),
        ("PR(1:)", 1.0),
    ],
)
def test_statistics_weigh_each_value_by_its_count(statistic: str, expected: float) -> None:
    assert compute(values((1, 99), (901, 1)), statistic) == pytest.approx(expected)


def test_a_statistic_set_hides_percentiles_unless_all_values_are_equal() -> None:
    assert compute(Aggregate.of_statistics(3, 30, 5, 15), "p90") is None
    assert compute(Aggregate.of_statistics(3, 30, 10, 10), "p90") == 10


def test_there_is_no_percentile_of_negative_values() -> None:
    assert compute(values((-1, 1), (5, 9)), "p90") is None


@pytest.mark.parametrize("statistic", ["p100.1", "p", "TM(10%:90%)", "IQM", "TC(:)", "tm90", "sum"])
def test_what_is_not_built_is_no_extended_statistic(statistic: str) -> None:
    assert not is_extended(statistic)


def test_standard_resolution_has_no_points_below_a_minute() -> None:
    store = MetricStore()
    store.add(LATENCY, NOW - 10, values((1, 1)), now=NOW)

    assert points(store, 10, NOW - 60, NOW, "Sum") == {}


def test_high_resolution_has_points_of_both() -> None:
    store = MetricStore()
    for second in (25, 15, 14):
        store.add(LATENCY, NOW - second, values((1, 1)), high_resolution=True, now=NOW)

    assert points(store, 10, NOW - 60, NOW, "Sum") == {NOW - 30: 1, NOW - 20: 2}
    assert points(store, 60, NOW - 60, NOW, "Sum") == {NOW - 60: 3}


def test_points_below_a_minute_live_three_hours() -> None:
    store = MetricStore()
    old = NOW - 3 * 3600 - 10
    store.add(LATENCY, old, values((1, 1)), high_resolution=True, now=NOW)

    assert points(store, 10, old, NOW, "Sum") == {}
    assert points(store, 60, old - old % 60, NOW, "Sum") == {old - old % 60: 1}


def test_points_of_a_minute_live_fifteen_days() -> None:
    store = MetricStore()
    old = NOW - 15 * 24 * 3600 - 60
    store.add(LATENCY, old, values((1, 1)), now=NOW)

    assert points(store, 60, old, NOW, "Sum") == {}


def test_data_that_is_too_old_is_let_go() -> None:
    store = MetricStore()
    for minute in range(15 * 24 * 60 * 2):
        at = NOW + minute * 60
        store.add(LATENCY, at, Aggregate.of_values([(1.0, 1.0)]), now=at)

    kept = store._metrics[LATENCY]["None"].minutes
    assert len(kept) < 15 * 24 * 60 + 5000


def test_a_unit_selects_its_own_data() -> None:
    store = MetricStore()
    store.add(LATENCY, NOW - 60, values((1, 1)), unit="Seconds", now=NOW)
    store.add(LATENCY, NOW - 60, values((9, 1)), unit="Count", now=NOW)

    [found] = store.aggregates(LATENCY, 60, NOW - 60, NOW, unit="Seconds", now=NOW).values()
    assert found.total == 1
