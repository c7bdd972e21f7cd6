"""MetricDataQuery lists: checked once, then run against the store for reads and for alarms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.seam import Refusal
from local.cloud.world import WORLD

from .expression import ExpressionError, Node, names, parse
from .mathematics import NoPoints, Scope, Series, Value, evaluate
from .store import SIMPLE_STATISTICS, Metric, MetricStore, compute, is_extended

SUB_MINUTE_PERIODS = frozenset({1, 5, 10, 20, 30})
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class MetricStat:
    """One statistic of one metric."""

    metric: Metric
    statistic: str
    period: int
    unit: str | None = None

    def read(self, store: MetricStore, start: int, end: int, now: int) -> Series:
        found = store.aggregates(self.metric, self.period, start, end, unit=self.unit, now=now)
        points = {at: compute(aggregate, self.statistic) for at, aggregate in found.items()}
        return Series({at: one for at, one in points.items() if one is not None}, self.period)


@dataclass(frozen=True, slots=True)
class Query:
    """One MetricDataQuery: a metric's statistic or an expression over other queries."""

    id: str
    source: MetricStat | Node
    label: str
    return_data: bool


def valid_period(period: int) -> bool:
    """API_MetricStat: "1, 5, 10, 20, 30, 60, or any multiple of 60"."""
    return period in SUB_MINUTE_PERIODS or (period > 0 and period % 60 == 0)


def valid_statistic(statistic: str) -> bool:
    return statistic in SIMPLE_STATISTICS or is_extended(statistic)


def invalid(message: str) -> Refusal:
    return Refusal("ValidationError", message)


def parse_queries(queries: Sequence[Mapping[str, Any]], parameter: str) -> list[Query]:
    """Check and type a request's queries; `parameter` is their name in the request.

    Rules: API_MetricDataQuery and API_MetricStat. Unsupported statistics and functions are
    refused like AWS refuses unknown ones.
    """
    parsed = [_parse(query, f"{parameter}.member.{n}") for n, query in enumerate(queries, 1)]
    ids = [query.id for query in parsed]
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise invalid(f"The values for parameter Id in {parameter} are not unique: {twice}.")
    for query in parsed:
        if not isinstance(query.source, MetricStat):
            for unknown in sorted(names(query.source) - set(ids)):
                raise invalid(f"Error in expression '{query.id}': Undefined variable '{unknown}'")
    _refuse_cycles(parsed)
    rehearse(parsed)
    return parsed


def _parse(query: Mapping[str, Any], at: str) -> Query:
    id, label = query["Id"], query.get("Label")
    if not _ID.fullmatch(id):
        raise invalid(f"The value {id} for parameter {at}.Id is not matching the expected pattern.")
    if "AccountId" in query:
        raise Refusal("UnsupportedByPocketAccount", "Metrics of other accounts are not simulated.")
    return_data = query.get("ReturnData", True)
    match query:
        case {"Expression": _, "MetricStat": _}:
            raise invalid(
                f"The parameters {at}.Expression and {at}.MetricStat are mutually exclusive and "
                "you have specified both."
            )
        case {"Expression": text}:
            try:
                return Query(id, parse(text), label or id, return_data)
            except ExpressionError as error:
                raise invalid(f"Error in expression '{id}': {error}") from None
        case {"MetricStat": stat}:
            source = _parse_stat(stat, f"{at}.MetricStat")
            return Query(id, source, label or source.metric.name, return_data)
        case _:
            raise invalid(f"The parameter {at}.MetricStat is required.\n")


def _parse_stat(stat: Mapping[str, Any], at: str) -> MetricStat:
    metric, period, statistic = stat["Metric"], stat["Period"], stat["Stat"]
    for name in ("Namespace", "MetricName"):
        if not metric.get(name):
            raise invalid(f"The parameter {at}.Metric.{name} is required.\n")
    if not valid_period(period):
        raise invalid(
            f"The value {period} for parameter {at}.Period must be 1, 5, 10, 20, 30 or a multiple "
            "of 60."
        )
    if not valid_statistic(statistic):
        raise invalid(f"The value {statistic} for parameter {at}.Stat is not supported.")
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
    whose = Metric.of(metric["Namespace"], metric["MetricName"], dimensions)
    return MetricStat(whose, statistic, period, stat.get("Unit"))


def _refuse_cycles(queries: Sequence[Query]) -> None:
    needs = {q.id: names(q.source) for q in queries if not isinstance(q.source, MetricStat)}
    for id in needs:
        reached: set[str] = set()
        ahead = [id]
        while ahead:
            for needed in needs.get(ahead.pop(), ()):
                if needed == id:
                    raise invalid(f"Error in expression '{id}': Circular reference")
                if needed not in reached:
                    reached.add(needed)
                    ahead.append(needed)


def rehearse(queries: Sequence[Query]) -> dict[str, tuple[Series, ...]]:
    """Run the queries over one point a metric, to see what kind of result each has."""
    return _evaluate(queries, lambda stat: Series({0: 1.0}, stat.period), start=0, end=60)


def run(
    queries: Sequence[Query],
    store: MetricStore,
    start: Callable[[int], int],
    end: int,
    now: int,
) -> dict[str, tuple[Series, ...]]:
    """Every query's series by id; `start` gives the first timestamp for a period.

    An expression is one series, or several if it ends as an array.
    """
    periods = [query.source.period for query in queries if isinstance(query.source, MetricStat)]
    return _evaluate(
        queries,
        lambda stat: stat.read(store, start(stat.period), end, now),
        start=start(min(periods, default=60)),
        end=end,
    )


def _evaluate(
    queries: Sequence[Query], read: Callable[[MetricStat], Series], *, start: int, end: int
) -> dict[str, tuple[Series, ...]]:
    metrics = {
        query.id: read(query.source) for query in queries if isinstance(query.source, MetricStat)
    }
    values: dict[str, Value] = dict(metrics)
    as_zero = WORLD.switches.math_reads_missing_as_zero
    scope = Scope(values, metrics, start, end, missing_as_zero=as_zero)
    waiting = {q.id: q.source for q in queries if not isinstance(q.source, MetricStat)}
    while waiting:
        id = next(one for one, node in waiting.items() if not names(node) & waiting.keys())
        try:
            values[id] = evaluate(waiting.pop(id), scope)
        except NoPoints:
            values[id] = Series({}, 60)
        except ExpressionError as error:
            raise invalid(f"Error in expression '{id}': {error}") from None
    return {query.id: _series(query, values[query.id]) for query in queries}


def _series(query: Query, value: Value) -> tuple[Series, ...]:
    """A returned scalar is refused: "all final results of expressions must be a single time
    series or an array of time series" (User Guide, using-metric-math)."""
    match value:
        case Series():
            return (value,)
        case tuple():
            return value
        case _ if query.return_data:
            raise invalid(
                f"Error in expression '{query.id}': the result is a scalar, not a time series"
            )
        case _:
            return ()
