"""PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics.

Rules without a source of their own come from the operation's page in the API reference
(API_PutMetricData, API_GetMetricData, API_GetMetricStatistics, API_ListMetrics).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

from .pages import page
from .queries import SUB_MINUTE_PERIODS, invalid, parse_queries, run, valid_period
from .store import Aggregate, Metric, MetricStore, compute, is_extended

_LARGEST = 2.0**360
_OLDEST, _NEWEST = 14 * 24 * 3600, 2 * 3600
_MOST_POINTS = 100_800
_MOST_STATISTICS_POINTS = 1440
_TWO_WEEKS, _THREE_HOURS = 14 * 24 * 3600, 3 * 3600


class MetricOperations:
    """The operations on metric data, over `self.store`."""

    store: MetricStore

    @operation
    def put_metric_data(
        self, namespace: str, metric_data: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        if namespace.startswith("AWS/"):
            raise _bad("The value AWS/ for parameter Namespace is invalid.")
        if not metric_data:
            raise Refusal("MissingParameter", "The parameter MetricData is required.")
        if len(metric_data) > 1000:
            raise _bad("The collection MetricData must not have a size greater than 1000.")
        # All or nothing: whatever is refused must not leave half a request behind.
        for add in [self._datum(namespace, datum, n) for n, datum in enumerate(metric_data, 1)]:
            self.store.add(**add)

    def _datum(self, namespace: str, datum: Mapping[str, Any], number: int) -> dict[str, Any]:
        at, now = f"MetricData.member.{number}", WORLD.clock()
        dimensions = _dimensions(datum.get("Dimensions", ()), f"{at}.Dimensions")
        taken = epoch(datum["Timestamp"]) if "Timestamp" in datum else now
        if taken < now - _OLDEST:
            raise _bad(
                f"The value {_iso(taken)} for parameter {at}.Timestamp must not be more than two "
                "weeks in the past."
            )
        if taken > now + _NEWEST:
            raise _bad(
                f"The value {_iso(taken)} for parameter {at}.Timestamp must not be more than two "
                "hours in the future."
            )
        resolution = datum.get("StorageResolution", 60)
        if resolution not in (1, 60):
            raise _bad(f"The value {resolution} for parameter {at}.StorageResolution is invalid.")
        return {
            "metric": Metric.of(namespace, datum["MetricName"], dimensions),
            "timestamp": int(taken),
            "datum": _aggregate(datum, at),
            "unit": datum.get("Unit", "None"),
            "high_resolution": resolution == 1,
            "now": int(now),
        }

    @operation
    def get_metric_data(
        self,
        metric_data_queries: Sequence[Mapping[str, Any]],
        start_time: datetime,
        end_time: datetime,
        next_token: str | None = None,
        scan_by: str = "TimestampDescending",
        max_datapoints: int = _MOST_POINTS,
    ) -> dict[str, Any]:
        if len(metric_data_queries) > 500:
            raise invalid("The collection MetricDataQueries must not have a size greater than 500.")
        if not 0 < max_datapoints <= _MOST_POINTS:
            raise invalid(f"The parameter MaxDatapoints must be between 1 and {_MOST_POINTS}.")
        start, end = _interval(start_time, end_time, invalid)
        queries = parse_queries(metric_data_queries, "MetricDataQueries")
        if not any(query.return_data for query in queries):
            raise invalid("At least one of MetricDataQueries must have ReturnData set to true.")
        now = int(WORLD.clock())
        found = run(queries, self.store, lambda period: _first(start, period), end, now)
        lines: list[tuple[str, str, list[tuple[int, float]]]] = []
        for query in queries:
            if query.return_data:
                for series in found[query.id]:
                    newest_first = scan_by == "TimestampDescending"
                    points = sorted(series.points.items(), reverse=newest_first)
                    lines.append((query.id, query.label, points))
        return _results(lines, next_token, max_datapoints)

    @operation
    def get_metric_statistics(
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        dimensions: Sequence[Mapping[str, str]] = (),
        statistics: Sequence[str] = (),
        extended_statistics: Sequence[str] = (),
        unit: str | None = None,
    ) -> dict[str, Any]:
        if bool(statistics) == bool(extended_statistics):
            raise Refusal(
                "InvalidParameterCombination",
                "Must specify either Statistics or ExtendedStatistics"
                + (", but not both" if statistics else ""),
            )
        if not valid_period(period):
            raise _bad(
                f"The value {period} for parameter Period must be 1, 5, 10, 20, 30 or a multiple "
                "of 60."
            )
        for statistic in extended_statistics:
            if not is_extended(statistic):
                raise _bad(f"The value {statistic} for parameter ExtendedStatistics is invalid.")
        start, end = _interval(start_time, end_time, _bad)
        first = _first(start, period)
        if (end - first) / period > _MOST_STATISTICS_POINTS:
            raise Refusal(
                "InvalidParameterCombination",
                f"You have requested up to {math.ceil((end - first) / period)} datapoints, which "
                f"exceeds the limit of {_MOST_STATISTICS_POINTS}. You may reduce the datapoints "
                "requested by increasing Period, or decreasing the time range.",
            )
        metric = Metric.of(namespace, metric_name, _dimensions(dimensions, "Dimensions"))
        points = []
        for each in self.store.units(metric):
            if unit not in (None, each):
                continue
            found = self.store.aggregates(
                metric, period, first, end, unit=each, now=int(WORLD.clock())
            )
            for at, aggregate in found.items():
                point: dict[str, Any] = {"Timestamp": moment(at), "Unit": each}
                for statistic in statistics:
                    point[statistic] = compute(aggregate, statistic)
                extended = {one: compute(aggregate, one) for one in extended_statistics}
                if extended:
                    known = {name: value for name, value in extended.items() if value is not None}
                    if not known:
                        continue
                    point["ExtendedStatistics"] = known
                points.append(point)
        return {"Label": metric_name, "Datapoints": points}

    @operation
    def list_metrics(
        self,
        namespace: str | None = None,
        metric_name: str | None = None,
        dimensions: Sequence[Mapping[str, str]] = (),
        next_token: str | None = None,
        recently_active: str | None = None,
    ) -> dict[str, Any]:
        now = int(WORLD.clock())
        since = now - (_THREE_HOURS if recently_active else _TWO_WEEKS)
        found = [
            metric
            for metric in self.store.metrics()
            if namespace in (None, metric.namespace)
            and metric_name in (None, metric.name)
            and all(_has(metric, wanted) for wanted in dimensions)
            and self.store.active_since(metric, since)
        ]
        shown, token = page(found, next_token, 500, "InvalidParameterValue")
        answer: dict[str, Any] = {
            "Metrics": [
                {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [
                        {"Name": name, "Value": value} for name, value in sorted(metric.dimensions)
                    ],
                }
                for metric in shown
            ]
        }
        return answer | ({"NextToken": token} if token else {})


def _bad(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)


def _dimensions(dimensions: Sequence[Mapping[str, str]], at: str) -> dict[str, str]:
    """Each name once, no value blank. That there are at most 30 is the service model's rule."""
    found: dict[str, str] = {}
    for number, dimension in enumerate(dimensions, 1):
        name, value = dimension["Name"], dimension["Value"]
        if not value.strip():
            raise _bad(f"The parameter {at}.member.{number}.Value is blank.")
        if name in found:
            raise _bad(f"No more than one value may be specified for dimension {name} in {at}.")
        found[name] = value
    return found


def _has(metric: Metric, wanted: Mapping[str, str]) -> bool:
    return any(
        name == wanted["Name"] and value == wanted.get("Value", value)
        for name, value in metric.dimensions
    )


def _aggregate(datum: Mapping[str, Any], at: str) -> Aggregate:
    """One of Value, Values (with Counts) and StatisticValues."""
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        raise Refusal(
            "MissingParameter",
            f"At least one of the parameters {at}.Value, {at}.Values or {at}.StatisticValues "
            "must be specified.",
        )
    if len(given) > 1:
        raise Refusal(
            "InvalidParameterCombination",
            f"The parameters {at}.{given[0]} and {at}.{given[1]} are mutually exclusive and you "
            "have specified both.",
        )
    match given:
        case ["Value"]:
            return Aggregate.of_values([(_number(datum["Value"], f"{at}.Value"), 1.0)])
        case ["Values"]:
            values = [_number(value, f"{at}.Values") for value in datum["Values"]]
            counts = datum.get("Counts", [1.0] * len(values))
            if len(values) > 150:
                raise _bad(f"The collection {at}.Values must not have a size greater than 150.")
            if len(counts) != len(values):
                raise _bad(f"The parameters {at}.Values and {at}.Counts must be of the same size.")
            return Aggregate.of_values(
                [
                    (value, _count(count, f"{at}.Counts"))
                    for value, count in zip(values, counts, strict=True)
                ]
            )
    given_set = datum["StatisticValues"]
    total, low, high = (
        _number(given_set[name], f"{at}.StatisticValues.{name}")
        for name in ("Sum", "Minimum", "Maximum")
    )
    count = _count(given_set["SampleCount"], f"{at}.StatisticValues.SampleCount")
    if low > high:
        raise _bad(
            f"The value {low} for parameter {at}.StatisticValues.Minimum must not be greater than "
            "StatisticValues.Maximum."
        )
    return Aggregate.of_statistics(count, total, low, high)


def _number(value: float, at: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise _bad(f"The value {value} for parameter {at} is invalid.")
    return float(value)


def _count(value: float, at: str) -> float:
    if not math.isfinite(value) or value <= 0:
        raise _bad(f"The value {value} for parameter {at} must be greater than 0.")
    return float(value)


def epoch(moment: datetime) -> float:
    """Epoch seconds; moto parses timestamps as naive UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _iso(seconds: float) -> str:
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _interval(start: datetime, end: datetime, refuse: Any) -> tuple[int, int]:
    first, last = int(epoch(start)), math.ceil(epoch(end))
    if first >= last:
        raise refuse("The parameter StartTime must be less than the parameter EndTime.")
    return first, last


def _first(start: int, period: int) -> int:
    """The first timestamp for a StartTime: below a minute rounded down to the period, else
    rounded down to the minute and then up to the period's next beginning since the epoch."""
    if period in SUB_MINUTE_PERIODS:
        return start - start % period
    minute = start - start % 60
    return minute + -minute % period


def _results(
    lines: Sequence[tuple[str, str, list[tuple[int, float]]]], token: str | None, most: int
) -> dict[str, Any]:
    """One page: at most `most` points, in the order of the queries."""
    flat = [(n, point) for n, (_, _, points) in enumerate(lines) for point in points]
    shown, following = page(flat, token, most, "InvalidNextToken")
    by_line: dict[int, list[tuple[int, float]]] = {}
    for number, point in shown:
        by_line.setdefault(number, []).append(point)
    results = []
    for number, (id, label, points) in enumerate(lines):
        mine = by_line.get(number, [])
        if not mine and (points or token):
            continue
        cut = bool(mine) and mine[-1] != points[-1]
        results.append(
            {
                "Id": id,
                "Label": label,
                "Timestamps": [moment(at) for at, _ in mine],
                "Values": [value for _, value in mine],
                "StatusCode": "PartialData" if cut else "Complete",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": results}
    return answer | ({"NextToken": following} if following else {})
