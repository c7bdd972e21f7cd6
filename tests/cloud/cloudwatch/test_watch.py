"""Metric alarms over time: evaluated, told and acted upon.

Sources: CloudWatch User Guide, alarm-evaluation and alarms-and-actions; API_PutMetricAlarm,
API_SetAlarmState.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from local.cloud import WORLD

from .conftest import (
    FUNCTION,
    START,
    TOPIC,
    VARIANT,
    Clock,
    Inbox,
    dimensions,
    error_alarm,
    publish,
)
from .test_putting_alarms import math_alarm


def state(cloudwatch: Any, name: str = "errors") -> str:
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_a_new_alarm_has_insufficient_data(cloudwatch: Any, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())

    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    assert inbox.events == []


def test_only_a_closed_period_counts(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    publish(0, 9)
    publish(1, 0)

    clock.to(0, 59)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    clock.to(1)
    assert state(cloudwatch) == "ALARM"


def test_an_alarm_goes_there_and_back(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(
        **error_alarm(AlarmActions=[FUNCTION], OKActions=[TOPIC], InsufficientDataActions=[])
    )
    for minute, errors in enumerate((0, 9, 9, 0)):
        publish(minute, errors)
        clock.to(minute + 1)

    assert inbox.states() == [("errors", "OK"), ("errors", "ALARM"), ("errors", "OK")]
    assert [arn for arn, _ in inbox.invocations] == [FUNCTION]
    assert [topic for topic, _, _ in inbox.notices] == [TOPIC, TOPIC]


def test_silence_is_found_without_a_call(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    publish(0, 9)
    clock.to(1)
    # The evaluation range is two periods longer than what is evaluated.
    clock.to(3)
    assert inbox.states() == [("errors", "ALARM")]
    clock.to(4)
    assert inbox.states() == [("errors", "ALARM"), ("errors", "INSUFFICIENT_DATA")]


def test_a_jump_of_the_clock_evaluates_every_minute_in_order(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    for minute, errors in enumerate((9, 0, 9, 0)):
        publish(minute, errors)
    clock.to(4)

    assert [value for _, value in inbox.states()] == ["ALARM", "OK", "ALARM", "OK"]
    times = [event["time"] for event in inbox.events]
    assert times == [f"2026-03-02T10:0{minute}:01Z" for minute in (1, 2, 3, 4)]


def test_m_of_n(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(EvaluationPeriods=3, DatapointsToAlarm=2))
    for minute, errors in enumerate((0, 9, 0, 9, 0, 0)):
        publish(minute, errors)
    clock.to(6)

    assert [(e["time"][11:16], e["detail"]["state"]["value"]) for e in inbox.events] == [
        ("10:01", "OK"),
        ("10:04", "ALARM"),
        ("10:05", "OK"),
    ]


def test_a_reason_has_a_longest_length(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(EvaluationPeriods=60))
    for minute in range(60):
        publish(minute, 9)
    clock.to(60)
    [event] = inbox.events
    assert len(event["detail"]["state"]["reason"]) == 1023


def test_a_long_period_slides_by_the_minute(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(Period=300, TreatMissingData="notBreaching"))
    publish(3, 9)
    clock.to(4)

    assert inbox.states() == [("errors", "OK"), ("errors", "ALARM")]


def test_a_high_resolution_alarm_is_evaluated_every_ten_seconds(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(Period=10))
    publish(0.2, 9, resolution=1)
    clock.to(0, 22)

    assert [(e["time"], e["detail"]["state"]["value"]) for e in inbox.events] == [
        ("2026-03-02T10:00:21Z", "ALARM")
    ]


def test_ten_seconds_of_a_one_minute_metric_lapse(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(Period=10))
    publish(0, 9)
    clock.to(5)

    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    assert inbox.events == []


def test_metric_math(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    rate = {"Id": "rate", "Expression": "100 * errors / SUM([errors, errors])"}
    cloudwatch.put_metric_alarm(**math_alarm(rate))
    publish(0, 4)
    clock.to(1)

    [event] = inbox.events
    assert event["detail"]["state"]["value"] == "ALARM"
    assert "[50.0 (02/03/26 10:00:00)]" in event["detail"]["state"]["reason"]


def test_an_update_keeps_the_state(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    publish(0, 9)
    clock.to(1)
    cloudwatch.put_metric_alarm(**error_alarm(Threshold=100))

    assert state(cloudwatch) == "ALARM"
    clock.to(2)
    assert inbox.states() == [("errors", "ALARM"), ("errors", "OK")]


def test_a_set_state_acts_and_lasts_until_the_next_evaluation(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    publish(0, 0)
    clock.to(1)
    for _ in range(2):
        cloudwatch.set_alarm_state(
            AlarmName="errors",
            StateValue="ALARM",
            StateReason="drill",
            StateReasonData='{"who": "me"}',
        )
    assert state(cloudwatch) == "ALARM"
    assert len(inbox.invocations) == 1  # the second call changed nothing

    clock.to(2)
    assert [value for _, value in inbox.states()] == ["OK", "ALARM", "OK"]


def test_disabled_actions_do_not_run_but_the_event_does(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    cloudwatch.disable_alarm_actions(AlarmNames=["errors"])
    publish(0, 9)
    clock.to(1)

    assert inbox.states() == [("errors", "ALARM")]
    assert inbox.invocations == []


def test_a_deleted_alarm_is_not_evaluated(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    publish(0, 9)
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    clock.to(2)
    assert inbox.events == []

    cloudwatch.put_metric_alarm(**error_alarm())
    publish(2, 9)
    clock.to(3)
    assert inbox.states() == [("errors", "ALARM")]


def test_dynamodb_metrics_always_ignore_missing_data(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(
        **error_alarm(Namespace="AWS/DynamoDB", TreatMissingData="breaching")
    )
    clock.to(5)
    assert inbox.events == []


@pytest.mark.parametrize("lateness", [0.0, 0.9])
def test_who_publishes_on_the_dot_is_in_time(
    cloudwatch: Any, clock: Clock, inbox: Inbox, lateness: float
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    WORLD.later(60 + lateness, lambda: publish(0, 9))
    clock.to(1)

    assert inbox.states() == [("errors", "ALARM")]


def test_many_alarms_over_a_day_take_little_time(cloudwatch: Any, clock: Clock) -> None:
    for n in range(5):
        cloudwatch.put_metric_alarm(
            **error_alarm(
                AlarmName=f"errors-{n}", Dimensions=dimensions(VARIANT), EvaluationPeriods=3
            )
        )
    for minute in range(24 * 60):
        publish(minute, minute % 10)
    began = time.process_time()
    clock.to(24 * 60)
    assert time.process_time() - began < 5
    history = cloudwatch.describe_alarm_history(AlarmName="errors-0")["AlarmHistoryItems"]
    assert history[0]["Timestamp"] > START + timedelta(hours=23)
