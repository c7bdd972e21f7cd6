"""What a metric math expression comes to, over series with gaps.

Source of each rule: CloudWatch User Guide, using-metric-math (sections "Basic arithmetic
functions", "Comparison and logical operators", "Functions supported", "Using IF expressions").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .expression import (
    Array,
    Binary,
    Call,
    ExpressionError,
    Name,
    Negative,
    Node,
    Number,
    Text,
    Word,
)


@dataclass(frozen=True, slots=True)
class Series:
    """Points by epoch second, at most one a period."""

    points: Mapping[int, float]
    period: int


Value = float | Series | tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see: values by id, the request's metrics, and the time range.

    `missing_as_zero`: between two series, a point that one of them lacks is 0 ("Missing values in
    a time series are treated as 0"); otherwise there is no point then.
    """

    values: Mapping[str, Value]
    metrics: Mapping[str, Series]
    start: int
    end: int
    missing_as_zero: bool = True


def evaluate(node: Node, scope: Scope) -> Value:
    """The expression's value; raises ExpressionError where the types do not fit."""
    match node:
        case Number(value):
            return value
        case Name(id):
            if id not in scope.values:
                raise ExpressionError(f"undefined id {id!r}")
            return scope.values[id]
        case Array(items):
            return _flat([evaluate(item, scope) for item in items])
        case Negative(operand):
            return _binary("*", evaluate(operand, scope), -1.0, scope)
        case Binary(operator, left, right):
            return _binary(operator, evaluate(left, scope), evaluate(right, scope), scope)
        case Call("IF", [condition, *branches]):
            return _if(evaluate(condition, scope), [evaluate(branch, scope) for branch in branches])
        case Call("METRICS", arguments):
            return _metrics(arguments, scope)
        case Call("FILL", [subject, filler]):
            with_what = filler.value if isinstance(filler, Word) else evaluate(filler, scope)
            return _fill(evaluate(subject, scope), with_what, scope)
        case Call("PERIOD", [Name(id)]) if id in scope.metrics:
            return float(scope.metrics[id].period)
        case Call("SUM" | "AVG" | "MIN" | "MAX" as function, [argument]):
            return _fold(function, evaluate(argument, scope))
        case Call("ABS" | "CEIL" | "FLOOR" as function, [argument]):
            return _map(_EACH[function], evaluate(argument, scope))
        case Call(function, _):
            raise ExpressionError(f"{function} does not take these arguments")
        case Text() | Word():
            raise ExpressionError(f"{node.value!r} is not a value here")


def _flat(values: Sequence[Value]) -> tuple[Series, ...]:
    flat: list[Series] = []
    for value in values:
        match value:
            case Series():
                flat.append(value)
            case tuple():
                flat.extend(value)
            case _:
                raise ExpressionError("an array takes time series only")
    return tuple(flat)


def _metrics(arguments: tuple[Node, ...], scope: Scope) -> Value:
    match arguments:
        case ():
            return tuple(scope.metrics.values())
        case (Text(part),):
            return tuple(series for id, series in scope.metrics.items() if part in id)
        case _:
            raise ExpressionError("METRICS takes nothing or a string")


def _power(left: float, right: float) -> float:
    power = left**right
    if isinstance(power, complex):
        raise ArithmeticError
    return float(power)


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}
_EACH: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
}


def _binary(operator: str, left: Value, right: Value, scope: Scope) -> Value:
    """Element by element. A point that cannot be computed (x / 0) is dropped."""
    act = _OPERATORS[operator]
    match left, right:
        case float(), float():
            try:
                return act(left, right)
            except ArithmeticError:
                raise NoPoints from None
        case Series(), float():
            at = {time: (value, right) for time, value in left.points.items()}
            return _computed(act, at, left.period)
        case float(), Series():
            at = {time: (left, value) for time, value in right.points.items()}
            return _computed(act, at, right.period)
        case Series(points, period), Series(others, other_period):
            times = (
                points.keys() | others.keys()
                if scope.missing_as_zero
                else points.keys() & others.keys()
            )
            at = {time: (points.get(time, 0.0), others.get(time, 0.0)) for time in sorted(times)}
            return _computed(act, at, max(period, other_period))
        case tuple(), tuple():
            if len(left) != len(right):
                raise ExpressionError("arrays of different lengths cannot be combined")
            pairs = zip(left, right, strict=True)
            return _flat([_binary(operator, one, other, scope) for one, other in pairs])
        case tuple(), _:
            return _flat([_binary(operator, one, right, scope) for one in left])
        case _, tuple():
            return _flat([_binary(operator, left, other, scope) for other in right])
    raise AssertionError((left, right))


def _computed(
    act: Callable[[float, float], float], at: Mapping[int, tuple[float, float]], period: int
) -> Series:
    points: dict[int, float] = {}
    for time, (left, right) in at.items():
        try:
            point = act(left, right)
        except ArithmeticError:
            continue
        if math.isfinite(point):
            points[time] = point
    return Series(points, period)


def _map(function: Callable[[float], float], value: Value) -> Value:
    match value:
        case float():
            return function(value)
        case Series(points, period):
            return Series({time: function(point) for time, point in points.items()}, period)
        case _:
            return _flat([_map(function, one) for one in value])


def _fold(function: str, value: Value) -> Value:
    """One series gives a scalar, an array gives a series. AVG reads missing points as 0."""
    match value:
        case float():
            raise ExpressionError(f"{function} takes a time series or an array of them")
        case Series(points):
            if not points:
                raise NoPoints
            return _folded(function, list(points.values()), len(points))
        case _:
            if not value:
                raise ExpressionError(f"{function} of no time series")
            times = sorted(set().union(*(one.points for one in value)))
            folded = {
                time: _folded(
                    function, [s.points[time] for s in value if time in s.points], len(value)
                )
                for time in times
            }
            return Series(folded, max(one.period for one in value))


def _folded(function: str, values: list[float], of: int) -> float:
    match function:
        case "SUM":
            return sum(values)
        case "AVG":
            return sum(values) / of
        case "MIN":
            return min(values)
        case _:
            return max(values)


class NoPoints(Exception):
    """A scalar cannot be computed (of a series without points, or x / 0): the whole expression
    has no points."""


def _if(condition: Value, branches: Sequence[Value]) -> Value:
    """Point by point where the condition is a series; a missing third argument drops the point.

    A true condition whose own branch has no point there gives 0 (guide, "Using IF expressions").
    """
    if isinstance(condition, tuple) or any(isinstance(branch, tuple) for branch in branches):
        raise ExpressionError("IF takes time series and scalars, no arrays")
    yes, no = branches[0], branches[1] if len(branches) > 1 else None
    if isinstance(condition, float):
        if not isinstance(yes, Series) or not isinstance(no, Series | None):
            raise ExpressionError("IF needs a time series as its condition or as both its results")
        return yes if condition else no or Series({}, yes.period)
    points: dict[int, float] = {}
    for time, holds in condition.points.items():
        match yes if holds else no:
            case float(value):
                points[time] = value
            case Series(others) if time in others:
                points[time] = others[time]
            case Series() if holds:
                points[time] = 0.0
            case _:
                continue
    return Series(points, condition.period)


def _fill(subject: Value, filler: Value | str, scope: Scope) -> Value:
    """FILL(series, scalar | series | REPEAT | LINEAR) over the whole range asked for.

    LINEAR has nothing to lean on outside the outermost points, REPEAT before the first.
    """
    match subject:
        case float():
            raise ExpressionError("FILL takes a time series or an array of them")
        case tuple():
            return _flat([_fill(one, filler, scope) for one in subject])
    points, period = subject.points, subject.period
    known = sorted(points)
    phase = known[0] % period if known else scope.start % period
    first = scope.start + (phase - scope.start) % period
    filled: dict[int, float] = {}
    latest: int | None = None
    for time in range(first, scope.end, period):
        if time in points:
            latest = time
            filled[time] = points[time]
            continue
        match filler:
            case float():
                filled[time] = filler
            case Series(others):
                if time in others:
                    filled[time] = others[time]
            case "REPEAT":
                if latest is not None:
                    filled[time] = points[latest]
            case "LINEAR":
                after = next((one for one in known if one > time), None)
                if latest is not None and after is not None:
                    share = (time - latest) / (after - latest)
                    filled[time] = points[latest] + share * (points[after] - points[latest])
            case _:
                raise ExpressionError("FILL takes a number, a time series, REPEAT or LINEAR")
    return Series(filled, period)
