"""When an alarm's points call for which state: the guide's tables, line by line.

Source: CloudWatch User Guide, alarms-and-missing-data. 0 is within the threshold, X breaches it,
- is missing; the newest point is on the right.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest

from local.cloud.cloudwatch.alarms import (
    COMPARISONS,
    Condition,
    TreatMissingData,
    judge,
    reason,
    window,
)

TREATMENTS: tuple[TreatMissingData, ...] = ("missing", "ignore", "breaching", "notBreaching")
OK, ALARM, INSUFFICIENT, KEPT = "OK", "ALARM", "INSUFFICIENT_DATA", None


def state(sketch: str, m: int, n: int, treat: TreatMissingData) -> str | None:
    slots = sketch.split()
    points = {i * 60: {"0": 1.0, "X": 9.0}[slot] for i, slot in enumerate(slots) if slot != "-"}
    condition = Condition("GreaterThanThreshold", 5, n, m, treat)
    return judge(points, 0, len(slots) * 60, 60, condition).state


@pytest.mark.parametrize(
    ("sketch", "states"),
    [
        ("0 - X - X", (OK, OK, OK, OK)),
        ("0 - - - -", (OK, OK, OK, OK)),
        ("- - - - -", (INSUFFICIENT, KEPT, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_out_of_three(sketch: str, states: tuple[str | None, ...]) -> None:
    assert tuple(state(sketch, 3, 3, treat) for treat in TREATMENTS) == states


@pytest.mark.parametrize(
    ("sketch", "states"),
    [
        ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", (OK, OK, ALARM, OK)),
        ("- - - - 0", (OK, OK, ALARM, OK)),
        ("- - - X -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_out_of_three(sketch: str, states: tuple[str | None, ...]) -> None:
    assert tuple(state(sketch, 2, 3, treat) for treat in TREATMENTS) == states


@pytest.mark.parametrize("sketch", ["- - - - X", "- - - X -"])
def test_a_lone_young_breach_does_not_alarm_prematurely(sketch: str) -> None:
    assert state(sketch, 3, 3, "missing") == INSUFFICIENT


def test_older_points_do_not_count_when_the_newest_are_enough() -> None:
    assert state("X X 0 0 0", 1, 3, "breaching") == OK


@pytest.mark.parametrize(
    ("name", "compare"),
    [
        ("GreaterThanThreshold", operator.gt),
        ("GreaterThanOrEqualToThreshold", operator.ge),
        ("LessThanThreshold", operator.lt),
        ("LessThanOrEqualToThreshold", operator.le),
    ],
)
def test_each_comparison(name: str, compare: Callable[[float, float], bool]) -> None:
    condition = Condition(name, 5, 1, 1)
    assert [condition.breaches(v) for v in (4, 5, 6)] == [compare(v, 5) for v in (4, 5, 6)]
    assert name in COMPARISONS


def test_the_range_slides_with_the_minute_and_holds_closed_periods_only() -> None:
    assert window(1_000_045, 300, 1) == (1_000_020 - 900, 1_000_020)
    assert window(1_000_045, 60, 3) == (1_000_020 - 300, 1_000_020)
    assert window(1_000_045, 30, 1) == (1_000_040 - 90, 1_000_040)


def test_reasons_read_as_in_the_guides_events() -> None:
    condition = Condition("GreaterThanThreshold", 50.0, 1, 1)
    verdict = judge({1570035540: 99.50160229693434}, 1570035540, 1570035600, 60, condition)
    assert reason(verdict, "OK", "ALARM", condition) == (
        "Threshold Crossed: 1 out of the last 1 datapoints "
        "[99.50160229693434 (02/10/19 16:59:00)] was greater than the threshold (50.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    verdict = judge({1569937560: 0.0666851903306472}, 1569937560, 1569937620, 60, condition)
    assert reason(verdict, "ALARM", "OK", condition) == (
        "Threshold Crossed: 1 out of the last 1 datapoints "
        "[0.0666851903306472 (01/10/19 13:46:00)] was not greater than the threshold (50.0) "
        "(minimum 1 datapoint for ALARM -> OK transition)."
    )


@pytest.mark.parametrize(
    ("treat", "state", "expected"),
    [
        (
            "notBreaching",
            "OK",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint "
            "was treated as [NonBreaching].",
        ),
        (
            "breaching",
            "ALARM",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint "
            "was treated as [Breaching].",
        ),
        ("missing", "INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown."),
    ],
)
def test_reasons_for_silence(treat: TreatMissingData, state: str, expected: str) -> None:
    condition = Condition("GreaterThanThreshold", 5, 1, 1, treat)
    verdict = judge({}, 0, 180, 60, condition)
    assert verdict.state is not None
    assert verdict.state == state
    assert reason(verdict, "OK", verdict.state, condition) == expected
