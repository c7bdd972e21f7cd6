"""Metric data as CloudWatch keeps it: aggregates per minute, and per second for high resolution.

Pure: every call that depends on the time takes `now`. Times are whole epoch seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MINUTE = 60
# "Data points with a period of less than 60 seconds are available for 3 hours", those of one
# minute for 15 days (API_GetMetricData). Longer memories are not kept here.
SUB_MINUTE_RETENTION = 3 * 3600
RETENTION = 15 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's identity: each distinct set of dimensions is a metric of its own.

    Source: CloudWatch User Guide, cloudwatch_concepts, "Dimension combinations".
    """

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return cls(namespace, name, frozenset(dimensions.items()))


@dataclass(slots=True)
class Aggregate:
    """What is known of the values that fell into one period.

    `values` counts each distinct value; None when a statistic set hid them, in which case
    CloudWatch has no percentiles (API_PutMetricData).
    """

    count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    values: dict[float, float] | None = field(default_factory=dict)

    @classmethod
    def of_values(cls, values: Iterable[tuple[float, float]]) -> Aggregate:
        """From (value, how often) pairs."""
        aggregate = cls()
        for value, count in values:
            aggregate.merge(cls(count, value * count, value, value, {value: count}))
        return aggregate

    @classmethod
    def of_statistics(cls, count: float, total: float, minimum: float, maximum: float) -> Aggregate:
        """From a StatisticSet. Equal minimum and maximum betray every single value."""
        single = minimum == maximum and math.isclose(total, minimum * count)
        return cls(count, total, minimum, maximum, {minimum: count} if single else None)

    def merge(self, other: Aggregate) -> None:
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if self.values is None or other.values is None:
            self.values = None
            return
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count


_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_RANGE = re.compile(r"(TC|PR)\((-?\d*\.?\d*):(-?\d*\.?\d*)\)")
SIMPLE_STATISTICS = frozenset({"Sum", "Average", "Minimum", "Maximum", "SampleCount"})


def percentile_of(statistic: str) -> float | None:
    """The percentile a statistic such as `p99.9` names, else None."""
    match = _PERCENTILE.fullmatch(statistic)
    return float(match[1]) if match else None


def is_extended(statistic: str) -> bool:
    """Whether this is an extended statistic that can be computed: pNN, TC(a:b), PR(a:b).

    The trimmed family (TM, WM, TS, IQM) and percent bounds are not built.
    """
    bounds = _RANGE.fullmatch(statistic)
    return percentile_of(statistic) is not None or bool(bounds and (bounds[2] or bounds[3]))


def compute(aggregate: Aggregate, statistic: str) -> float | None:
    """One statistic of an aggregate; None where CloudWatch has none.

    Percentiles need raw values and no negative one (API_GetMetricStatistics). A range takes
    values above the lower bound up to and including the upper one (User Guide,
    Statistics-definitions).
    """
    match statistic:
        case "Sum":
            return aggregate.total
        case "Average":
            return aggregate.total / aggregate.count
        case "Minimum":
            return aggregate.minimum
        case "Maximum":
            return aggregate.maximum
        case "SampleCount":
            return aggregate.count
    if aggregate.values is None:
        return None
    if (percentile := percentile_of(statistic)) is not None:
        return None if aggregate.minimum < 0 else _percentile(aggregate.values, percentile)
    if (bounds := _RANGE.fullmatch(statistic)) is None:
        raise ValueError(f"unknown statistic {statistic!r}")
    low = float(bounds[2]) if bounds[2] else -math.inf
    high = float(bounds[3]) if bounds[3] else math.inf
    within = sum(count for value, count in aggregate.values.items() if low < value <= high)
    return within if bounds[1] == "TC" else 100 * within / aggregate.count


def _percentile(values: Mapping[float, float], percentile: float) -> float:
    """Nearest rank: the smallest value that at least `percentile` % do not exceed."""
    rank = sum(values.values()) * percentile / 100
    ordered = sorted(values)
    seen = 0.0
    for value in ordered:
        seen += values[value]
        if seen >= rank:
            return value
    return ordered[-1]


@dataclass(slots=True)
class _Series:
    """One metric in one unit. High-resolution data is in both tables, as AWS rolls it up."""

    minutes: dict[int, Aggregate] = field(default_factory=dict)
    seconds: dict[int, Aggregate] = field(default_factory=dict)

    def add(self, timestamp: int, datum: Aggregate, high_resolution: bool, now: int) -> None:
        self._add(self.minutes, timestamp - timestamp % MINUTE, datum, now - RETENTION)
        if high_resolution:
            self._add(self.seconds, timestamp, datum, now - SUB_MINUTE_RETENTION)

    @staticmethod
    def _add(table: dict[int, Aggregate], key: int, datum: Aggregate, oldest: int) -> None:
        if (bucket := table.get(key)) is not None:
            bucket.merge(datum)
            return
        table[key] = bucket = Aggregate()
        bucket.merge(datum)
        # Sweeping now and then keeps a write cheap and the table at most a quarter too long.
        if len(table) % 5000 == 0:
            for old in [key for key in table if key < oldest]:
                del table[old]


class MetricStore:
    """The metrics of one account in one Region."""

    def __init__(self) -> None:
        self._metrics: dict[Metric, dict[str, _Series]] = {}

    def add(
        self,
        metric: Metric,
        timestamp: int,
        datum: Aggregate,
        *,
        unit: str = "None",
        high_resolution: bool = False,
        now: int,
    ) -> None:
        units = self._metrics.setdefault(metric, {})
        units.setdefault(unit, _Series()).add(timestamp, datum, high_resolution, now)

    def metrics(self) -> Iterator[Metric]:
        yield from self._metrics

    def active_since(self, metric: Metric, since: int) -> bool:
        series = self._metrics.get(metric, {}).values()
        return any(key >= since for one in series for key in one.minutes)

    def units(self, metric: Metric) -> list[str]:
        return list(self._metrics.get(metric, {}))

    def aggregates(
        self,
        metric: Metric,
        period: int,
        start: int,
        end: int,
        *,
        unit: str | None = None,
        now: int,
    ) -> dict[int, Aggregate]:
        """Aggregates by the start of their period: start, start + period, ... before `end`.

        Periods without data are absent. Read, never change, what is returned. Below a minute only high-resolution data counts
        (API_PutMetricData, StorageResolution), and only three hours of it.
        """
        found: dict[int, Aggregate] = {}
        own: set[int] = set()
        for name, series in self._metrics.get(metric, {}).items():
            if unit is not None and unit != name:
                continue
            fine = period < MINUTE
            table, step = (series.seconds, 1) if fine else (series.minutes, MINUTE)
            oldest = now - (SUB_MINUTE_RETENTION if fine else RETENTION)
            for key in _keys(table, start, end, step):
                if key < oldest:
                    continue
                at = start + (key - start) // period * period
                if at not in found:
                    found[at] = table[key]  # shared: copied only when a second one joins it
                    continue
                if at not in own:
                    own.add(at)
                    first, found[at] = found[at], Aggregate()
                    found[at].merge(first)
                found[at].merge(table[key])
        return dict(sorted(found.items()))


def _keys(table: Mapping[int, Aggregate], start: int, end: int, step: int) -> Iterable[int]:
    """The table's keys within [start, end), walking whichever is shorter: range or table."""
    first = start + -start % step
    wanted = range(first, end, step)
    if len(wanted) <= len(table):
        return (key for key in wanted if key in table)
    return (key for key in table if start <= key < end)
