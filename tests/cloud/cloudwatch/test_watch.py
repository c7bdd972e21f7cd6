"""Metric alarms over time: evaluated, told and acted upon."""

from __future__ import annotations

import json
from typing import Any

from .conftest import (
    FUNCTION,
    TOPIC,
    Clock,
    Inbox,
    error_alarm,
    publish,
)


def state(cloudwatch: Any, name: str = "errors") -> str:
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_a_new_alarm_has_insufficient_data(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())

    assert state(cloudwatch) == "INSUFFICIENT_DATA"


def test_breaching_data_alarms_and_tells_both_ways(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION, TOPIC]))
    publish(0, 9)
    clock.to(1)

    assert state(cloudwatch) == "ALARM"
    [event] = inbox.events
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    [(arn, payload)] = inbox.invocations
    assert arn == FUNCTION
    assert payload["alarmData"]["state"]["value"] == "ALARM"
    [(topic, subject, message)] = inbox.notices
    assert (topic, subject) == (TOPIC, 'ALARM: "errors" in Europe (Ireland)')
    assert json.loads(message)["NewStateValue"] == "ALARM"
