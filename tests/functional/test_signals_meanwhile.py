"""Signals that come while a look is under way are left to its holder, none is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.functional.world import Call, Stage


def once_before(stage: Stage, operation: str, do: Callable[[], object]) -> None:
    """Have something happen right before the function's next call of an operation."""

    def fault(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == operation:
            stage.fault = lambda moment, call: None
            do()

    stage.fault = fault


def named(stage: Stage, alarm: str) -> Mapping[str, Any]:
    return next(e for e in stage.pending if e["detail"]["alarmName"] == alarm)


def test_the_same_alarm_twice_at_once_is_one_look(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    event = named(stage, "green-5xx")
    once_before(stage, "GetMetricData", lambda: stage.batch(event))

    stage.batch(event)

    assert stage.weights() == {"blue": 10, "green": 0}
    assert len(stage.made("GetMetricData")) == 1
    assert len(stage.made("UpdateEndpointWeightsAndCapacities")) == 1


def test_another_alarm_meanwhile_is_looked_at_with_its_own_name(stage: Stage) -> None:
    stage.scene(green=0.3)
    quiet = {"Threshold": 100.0, "ComparisonOperator": "LessThanThreshold"}
    stage.alarm("green-odd", **quiet)
    stage.wait_for_alarm()
    green, odd = named(stage, "green-5xx"), named(stage, "green-odd")
    once_before(stage, "DescribeAlarms", lambda: stage.batch(green))

    stage.batch(odd)  # says nothing by itself: fewer errors are no failure

    assert stage.weights() == {"blue": 10, "green": 0}


class Killed(BaseException):
    """The function is stopped."""


@pytest.mark.parametrize("deaths", [1, 2, 3])
def test_what_was_left_to_holders_that_died_is_taken_up_in_the_end(
    stage: Stage, deaths: int
) -> None:
    def die_with_green_left() -> None:
        stage.batch(green)
        raise Killed

    def die() -> None:
        raise Killed

    stage.scene(green=0.3)
    quiet = {"Threshold": 100.0, "ComparisonOperator": "LessThanThreshold"}
    stage.alarm("green-odd", **quiet)
    stage.wait_for_alarm()
    green, odd = named(stage, "green-5xx"), named(stage, "green-odd")
    stage.pretend_swept()
    once_before(stage, "DescribeAlarms", die_with_green_left)
    with pytest.raises(Killed):
        stage.batch(odd)
    for _ in range(deaths - 1):
        stage.wait(70)
        once_before(stage, "DescribeAlarms", die)
        with pytest.raises(Killed):
            stage.heartbeat()
    assert stage.weights() == {"blue": 9, "green": 1}

    stage.wait(70)
    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}
