"""What AWS takes as an alarm, and what it refuses.

Sources: API_PutMetricAlarm, API_PutCompositeAlarm.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, FUNCTION, REGION, VARIANT, dimensions, error_alarm


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def math_alarm(*expressions: dict[str, Any], **other: Any) -> dict[str, Any]:
    """More than 5 % of the requests fail."""
    metrics = [
        {
            "Id": id,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": name,
                    "Dimensions": dimensions(VARIANT),
                },
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for id, name in (("errors", "Invocation5XXErrors"), ("requests", "Invocations"))
    ]
    rate = {"Id": "rate", "Expression": "100 * errors / requests", "Label": "Error rate"}
    return {
        "AlarmName": "rate",
        "Metrics": [*(expressions or (rate,)), *metrics],
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        **other,
    }


def test_an_alarm_is_described_as_it_was_put(cloudwatch: Any) -> None:
    put = error_alarm(
        AlarmDescription="Too many errors",
        DatapointsToAlarm=1,
        TreatMissingData="notBreaching",
        AlarmActions=[FUNCTION],
        Unit="Count",
    )
    cloudwatch.put_metric_alarm(**put)

    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm.items() >= put.items()
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"
    assert alarm["ActionsEnabled"] is True
    assert alarm["StateReason"] == "Unchecked: Initial alarm creation"


def test_a_metric_math_alarm_is_described_as_it_was_put(cloudwatch: Any) -> None:
    put = math_alarm()
    cloudwatch.put_metric_alarm(**put)

    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["Metrics"] == put["Metrics"]


@pytest.mark.parametrize(
    "change",
    [
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 3},
        {"Period": 45},
        {"Period": 5},
        {"Period": 60, "EvaluationPeriods": 1441},
        {"Period": 30, "EvaluationPeriods": 2881},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"TreatMissingData": "whatever"},
        {"ExtendedStatistic": "p90"},
        {"AlarmActions": ["not an arn"]},
        {"AlarmActions": [f"{FUNCTION}:{n}" for n in range(6)]},
        {"Metrics": math_alarm()["Metrics"]},
    ],
)
def test_bad_alarms_are_refused(cloudwatch: Any, change: dict[str, Any]) -> None:
    assert code(cloudwatch.put_metric_alarm, **error_alarm(**change)) == "ValidationError"


@pytest.mark.parametrize(
    "change",
    [
        {"Period": 10},
        {"Period": 60, "EvaluationPeriods": 1440},
        {"Period": 3600, "EvaluationPeriods": 168},
        {"EvaluationPeriods": 3, "DatapointsToAlarm": 3},
        {"AlarmActions": [f"{FUNCTION}:{n}" for n in range(5)]},
        {"EvaluationWindow": {"SlidingWindow": {}}},
    ],
)
def test_the_limits_themselves_are_fine(cloudwatch: Any, change: dict[str, Any]) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(**change))


@pytest.mark.parametrize("missing", ["Statistic", "Period", "Namespace", "Threshold"])
def test_nothing_needed_may_be_missing(cloudwatch: Any, missing: str) -> None:
    alarm = error_alarm()
    del alarm[missing]
    assert code(cloudwatch.put_metric_alarm, **alarm) == "ValidationError"


def test_a_percentile_is_an_extended_statistic(cloudwatch: Any) -> None:
    alarm = error_alarm(ExtendedStatistic="p99")
    del alarm["Statistic"]
    cloudwatch.put_metric_alarm(**alarm)

    alarm["ExtendedStatistic"] = "p999"
    assert code(cloudwatch.put_metric_alarm, **alarm) == "ValidationError"


@pytest.mark.parametrize(
    "change",
    [
        {"AlarmActions": [f"arn:aws:automate:{REGION}:ec2:stop"]},
        {"AlarmActions": ["arn:aws:autoscaling:eu-west-1:1:scalingPolicy:a:b:policyName/c"]},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"EvaluateLowSampleCountPercentile": "ignore"},
        {"EvaluationWindow": {"WallClockWindow": {}}},
        {"ThresholdMetricId": "band"},
    ],
)
def test_what_is_not_simulated_says_so(cloudwatch: Any, change: dict[str, Any]) -> None:
    alarm = error_alarm(**change)
    assert code(cloudwatch.put_metric_alarm, **alarm) == "UnsupportedByPocketAccount"


@pytest.mark.parametrize(
    "expressions",
    [
        ({"Id": "rate", "Expression": "errors / requests", "ReturnData": False},),
        ({"Id": "a", "Expression": "errors * 2"}, {"Id": "b", "Expression": "errors * 3"}),
        ({"Id": "a", "Expression": "errors / unknown"},),
        ({"Id": "a", "Expression": "SUM(errors)"},),
        ({"Id": "a", "Expression": "errors +"},),
        ({"Id": "a", "Expression": "METRICS() * 2"},),
    ],
)
def test_exactly_one_time_series_is_watched(
    cloudwatch: Any, expressions: tuple[dict[str, Any], ...]
) -> None:
    assert code(cloudwatch.put_metric_alarm, **math_alarm(*expressions)) == "ValidationError"


def test_the_metrics_of_an_alarm_share_a_period(cloudwatch: Any) -> None:
    alarm = math_alarm()
    alarm["Metrics"][1]["MetricStat"]["Period"] = 300
    assert code(cloudwatch.put_metric_alarm, **alarm) == "ValidationError"


def test_an_alarm_takes_ten_metrics(cloudwatch: Any) -> None:
    alarm = math_alarm()
    _, errors, _ = alarm["Metrics"]
    more = [errors | {"Id": f"m{n}"} for n in range(8)]
    cloudwatch.put_metric_alarm(**alarm | {"Metrics": alarm["Metrics"] + more})

    more.append(errors | {"Id": "eleventh"})
    alarm["Metrics"] += more
    assert code(cloudwatch.put_metric_alarm, **alarm) == "ValidationError"


def test_tags_come_with_creation_only(cloudwatch: Any) -> None:
    for team in ("first", "second"):
        cloudwatch.put_metric_alarm(**error_alarm(Tags=[{"Key": "team", "Value": team}]))

    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "first"}]


@pytest.mark.parametrize(
    "change",
    [
        {"AlarmRule": "ALARM(errors"},
        {"AlarmRule": "ALARM(nobody)"},
        {"ActionsSuppressor": "errors"},
        {"ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60},
        {
            "ActionsSuppressor": "nobody",
            "ActionsSuppressorWaitPeriod": 60,
            "ActionsSuppressorExtensionPeriod": 60,
        },
        {"AlarmName": "errors"},
    ],
)
def test_bad_composites_are_refused(cloudwatch: Any, change: dict[str, Any]) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    alarm = {"AlarmName": "both", "AlarmRule": "ALARM(errors)", **change}
    assert code(cloudwatch.put_composite_alarm, **alarm) == "ValidationError"


def test_a_composite_cannot_watch_itself(cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="FALSE")
    alarm = {"AlarmName": "both", "AlarmRule": "ALARM(both)"}
    assert code(cloudwatch.put_composite_alarm, **alarm) == "ValidationError"


def test_a_metric_alarm_cannot_take_a_composites_name(cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="errors", AlarmRule="FALSE")
    assert code(cloudwatch.put_metric_alarm, **error_alarm()) == "ValidationError"
