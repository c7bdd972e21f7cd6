"""What leaves is shaped as AWS shapes it.

Sources: CloudWatch User Guide, cloudwatch-and-eventbridge (events), alarms-and-actions-Lambda
(payloads).
"""

from __future__ import annotations

import json
from typing import Any

from .conftest import ACCOUNT, FUNCTION, REGION, TOPIC, Clock, Inbox, error_alarm, publish
from .test_putting_alarms import math_alarm

ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"
METRIC = {
    "namespace": "AWS/SageMaker",
    "name": "Invocation5XXErrors",
    "dimensions": {"EndpointName": "shop", "VariantName": "green"},
}


def test_an_event_of_a_single_metric(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmDescription="Too many errors"))
    publish(0, 9)
    clock.to(1)

    [event] = inbox.events
    id, metric_id = event["id"], event["detail"]["configuration"]["metrics"][0]["id"]
    assert event == {
        "version": "0",
        "id": id,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": "2026-03-02T10:01:01Z",
        "region": REGION,
        "resources": [ARN],
        "detail": {
            "alarmName": "errors",
            "configuration": {
                "description": "Too many errors",
                "metrics": [
                    {
                        "id": metric_id,
                        "metricStat": {"metric": METRIC, "period": 60, "stat": "Sum"},
                        "returnData": True,
                    }
                ],
            },
            "previousState": {
                "value": "INSUFFICIENT_DATA",
                "reason": "Unchecked: Initial alarm creation",
                "timestamp": "2026-03-02T10:00:00.000+0000",
            },
            "state": {
                "value": "ALARM",
                "reason": "Threshold Crossed: 1 out of the last 1 datapoints "
                "[9.0 (02/03/26 10:00:00)] was greater than the threshold (5.0) "
                "(minimum 1 datapoint for OK -> ALARM transition).",
                "reasonData": '{"version":"1.0","queryDate":"2026-03-02T10:01:01.000+0000",'
                '"startDate":"2026-03-02T10:00:00.000+0000","statistic":"Sum","period":60,'
                '"recentDatapoints":[9.0],"threshold":5.0}',
                "timestamp": "2026-03-02T10:01:01.000+0000",
            },
        },
    }


def test_an_event_of_metric_math(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    rate = {"Id": "rate", "Expression": "errors * 2", "Label": "Twice"}
    cloudwatch.put_metric_alarm(**math_alarm(rate))
    publish(0, 9)
    clock.to(1)

    [event] = inbox.events
    first, second, _ = event["detail"]["configuration"]["metrics"]
    assert first == {
        "id": "rate",
        "expression": "errors * 2",
        "label": "Twice",
        "returnData": True,
    }
    assert second == {
        "id": "errors",
        "metricStat": {"metric": METRIC, "period": 60, "stat": "Sum"},
        "returnData": False,
    }
    assert "statistic" not in json.loads(event["detail"]["state"]["reasonData"])


def test_an_event_of_a_composite(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    cloudwatch.put_metric_alarm(**error_alarm(AlarmName="quiet", Threshold=100))
    cloudwatch.put_composite_alarm(
        AlarmName="both",
        AlarmRule="ALARM(errors) OR ALARM(quiet)",
        ActionsSuppressor="quiet",
        ActionsSuppressorWaitPeriod=120,
        ActionsSuppressorExtensionPeriod=180,
    )
    publish(0, 9)
    clock.to(1)

    detail = next(
        e["detail"]
        for e in inbox.events
        if e["detail"]["alarmName"] == "both" and e["detail"]["state"]["value"] == "ALARM"
    )
    assert detail["configuration"] == {
        "alarmRule": "ALARM(errors) OR ALARM(quiet)",
        "actionsSuppressor": "quiet",
        "actionsSuppressorWaitPeriod": 120,
        "actionsSuppressorExtensionPeriod": 180,
    }
    told = detail["state"]
    assert told["reason"] == (f"{ARN} transitioned to ALARM at Monday 02 March, 2026 10:01:01 UTC")
    assert json.loads(told["reasonData"]) == {
        "triggeringAlarms": [
            {
                "arn": ARN,
                "state": {"value": "ALARM", "timestamp": "2026-03-02T10:01:01.000+0000"},
            }
        ]
    }
    assert told["actionsSuppressedBy"] == "WaitPeriod"
    assert told["actionsSuppressedReason"] == "Actions suppressed by WaitPeriod"


def test_a_functions_payload(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    publish(0, 9)
    clock.to(1)

    [(_, payload)] = inbox.invocations
    [event] = inbox.events
    assert payload == {
        "source": "aws.cloudwatch",
        "alarmArn": ARN,
        "accountId": ACCOUNT,
        "time": "2026-03-02T10:01:01.000+0000",
        "region": REGION,
        "alarmData": event["detail"],
    }


def test_a_topics_message(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[TOPIC]))
    publish(0, 9)
    clock.to(1)

    [(topic, subject, message)] = inbox.notices
    assert (topic, subject) == (TOPIC, 'ALARM: "errors" in Europe (Ireland)')
    told = json.loads(message)
    assert (told["OldStateValue"], told["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert told["Trigger"]["Statistic"] == "SUM"
    assert told["Trigger"]["Dimensions"] == [
        {"name": "EndpointName", "value": "shop"},
        {"name": "VariantName", "value": "green"},
    ]
