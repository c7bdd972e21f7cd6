"""Metric math: what is understood, what it comes to over gaps, and what is refused.

The tables are those of the CloudWatch User Guide, using-metric-math.
"""

from __future__ import annotations

import pytest

from local.cloud.cloudwatch.expression import ExpressionError, parse
from local.cloud.cloudwatch.mathematics import (
    Scope,
    Series,
    Value,
    evaluate,
)

Sketch = list[float | None]


def series(sketch: Sketch) -> Series:
    """Points at 0, 60, 120, ...; None is a gap."""
    return Series({n * 60: float(v) for n, v in enumerate(sketch) if v is not None}, 60)


def value(text: str, **sketches: Sketch) -> Value:
    metrics = {id: series(sketch) for id, sketch in sketches.items()}
    length = max(map(len, sketches.values()), default=1)
    return evaluate(parse(text), Scope(metrics, metrics, 0, length * 60))


def result(text: str, **sketches: Sketch) -> Sketch:
    found = value(text, **sketches)
    assert isinstance(found, Series)
    length = max(map(len, sketches.values()))
    return [found.points.get(n * 60) for n in range(length)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 + 2 * 3", 16.0),
        ("(m1 + 2) * 3", 36.0),
        ("-m1 ^ 2", -100.0),
        ("2 ^ 3 ^ 2 + 0 * m1", 512.0),
        ("m1 - 3 - 2", 5.0),
        ("100 * m1 / 4 / 5", 50.0),
        ("m1 - -1", 11.0),
        ("1.5e1 + m1", 25.0),
        ("m1 > 5 AND m1 < 20 OR m1 == 99", 1.0),
        ("m1 != 10 || m1 <= 9 && m1 >= 0", 0.0),
        ("CEIL(m1 / 3)", 4.0),
        ("FLOOR(m1 / 3)", 3.0),
        ("ABS(3 - m1)", 7.0),
        ("m1 / PERIOD(m1)", 10 / 60),
    ],
)
def test_operators_bind_as_in_arithmetic(text: str, expected: float) -> None:
    assert result(text, m1=[10]) == [pytest.approx(expected)]


def test_a_missing_value_counts_as_zero() -> None:
    assert result("m1 + m2", m1=[1, None, None], m2=[5, 6, None]) == [6, 6, None]


def test_or_drops_the_point_if_so_read() -> None:
    one, other = series([1, None, None]), series([5, 6, None])
    values = {"m1": one, "m2": other}
    scope = Scope(values, values, 0, 180, missing_as_zero=False)
    assert evaluate(parse("m1 + m2"), scope) == Series({0: 6.0}, 60)


def test_division_by_zero_drops_the_point() -> None:
    assert result("m1 / m2", m1=[1, 1, 1], m2=[2, 0, None]) == [0.5, None, None]


def test_a_value_beyond_all_numbers_is_dropped() -> None:
    assert result("m1 * 1e308", m1=[1, 100]) == [1e308, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric1 < metric2", [0, 0, 1, 0]),
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),
    ],
)
def test_comparisons_as_in_the_guide(text: str, expected: Sketch) -> None:
    assert result(text, metric1=[30, 20, 0, 0], metric2=[20, None, 20, None]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1, metric2)", [30, 0, None, None, None]),
    ],
)
def test_if_as_in_the_guide(text: str, expected: Sketch) -> None:
    sketches: dict[str, Sketch] = {
        "metric1": [1, 1, 0, 0, None],
        "metric2": [30, None, 0, 0, 30],
        "metric3": [0, 0, 20, None, 20],
    }
    assert result(text, **sketches) == expected


def test_if_with_a_scalar_condition_takes_one_branch_whole() -> None:
    assert result("IF(SUM(m1) > 2, m1, m2)", m1=[1, 2], m2=[8, 9]) == [1, 2]
    assert result("IF(SUM(m1) > 9, m1)", m1=[1, 2]) == [None, None]


def test_fill_fills_the_whole_range() -> None:
    gaps: Sketch = [None, 2, None, None, 8, None]
    assert result("FILL(m1, 0)", m1=gaps) == [0, 2, 0, 0, 8, 0]
    assert result("FILL(m1, REPEAT)", m1=gaps) == [None, 2, 2, 2, 8, 8]
    assert result("FILL(m1, LINEAR)", m1=gaps) == [None, 2, 4, 6, 8, None]
    assert result("FILL(m1, m2)", m1=gaps, m2=[1, 1, 1, None, 1, 1]) == [1, 2, 1, None, 8, 1]


def test_an_error_rate_is_zero_where_nothing_failed() -> None:
    rate = "100 * FILL(errors, 0) / requests"
    assert result(rate, errors=[None, 3, None], requests=[10, 10, None]) == [0, 30, None]


def test_folding_one_series_gives_a_scalar() -> None:
    sketch: Sketch = [1, None, 5]
    for text, expected in (("SUM", 6), ("AVG", 3), ("MIN", 1), ("MAX", 5)):
        assert value(f"{text}(m1)", m1=sketch) == expected


def test_folding_an_array_gives_a_series() -> None:
    sketches: dict[str, Sketch] = {"m1": [1, None, None], "m2": [3, 4, None]}
    assert result("SUM([m1, m2])", **sketches) == [4, 4, None]
    assert result("AVG(METRICS())", **sketches) == [2, 2, None]
    assert result("MIN([m1, m2])", **sketches) == [1, 4, None]
    assert result("MAX(METRICS())", **sketches) == [3, 4, None]


def test_metrics_can_be_chosen_by_a_part_of_their_id() -> None:
    sketches: dict[str, Sketch] = {"errors4xx": [1], "errors5xx": [2], "requests": [50]}
    assert result('SUM(METRICS("errors")) / requests * 100', **sketches) == [6]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m1 +",
        "(m1",
        "m1 m2",
        "m1 ! m2",
        "SUM(m1, m2)",
        "IF(m1)",
        "sum(m1)",
        "M1 + 1",
        "SEARCH('{App} x', 'Sum', 60)",
        "ANOMALY_DETECTION_BAND(m1)",
        "__import__('os')",
        "(" * 200 + "m1" + ")" * 200,
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["m1 + REPEAT", "FILL(3, 0)", "SUM(3)", "IF([m1], m1)", "IF(SUM(m1) > 0, m1, 2)", "[m1, 3]"],
)
def test_types_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text, m1=[1])
