"""What an alarm watches, read alike from its event and from DescribeAlarms."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.alarms import metric_alarm, metrics_of_event, queries
from tests.unit.endpoints import ACCOUNT, alarm, metric

ARN = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:green-5xx"
SINGLE: dict[str, Any] = {
    "AlarmName": "green-5xx",
    "AlarmArn": ARN,
    "StateValue": "ALARM",
    "MetricName": "Invocation5XXErrors",
    "Namespace": "AWS/SageMaker",
    "Dimensions": [
        {"Name": "EndpointName", "Value": "shop"},
        {"Name": "VariantName", "Value": "green"},
    ],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 0.05,
    "ComparisonOperator": "GreaterThanThreshold",
}


def query(id: str, name: str, returned: bool = False, **more: Any) -> dict[str, Any]:
    stat = {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": name,
            "Dimensions": SINGLE["Dimensions"],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": id, "MetricStat": stat, "ReturnData": returned, **more}


def math_alarm(*metrics: dict[str, Any]) -> dict[str, Any]:
    single = ("MetricName", "Namespace", "Dimensions", "Statistic", "Period")
    return {k: v for k, v in SINGLE.items() if k not in single} | {"Metrics": list(metrics)}


def test_a_single_metric() -> None:
    read = metric_alarm(SINGLE)

    assert read.metrics == (metric(),)
    assert (read.returned, read.expressions) == ("m1", {})
    assert (read.periods, read.datapoints, read.missing) == (3, 3, "missing")
    assert read.actions == frozenset()


def test_what_is_said_counts_over_what_is_usual() -> None:
    said = {"DatapointsToAlarm": 2, "TreatMissingData": "notBreaching", "AlarmActions": ["a"]}
    read = metric_alarm(SINGLE | said)

    assert (read.datapoints, read.missing, read.actions) == (2, "notBreaching", frozenset({"a"}))


def test_a_percentile_is_a_statistic_too() -> None:
    described = {k: v for k, v in SINGLE.items() if k != "Statistic"}
    read = metric_alarm(described | {"ExtendedStatistic": "p90"})

    assert read.metrics[0].stat == "p90"


def test_metric_math_returns_what_returns_data() -> None:
    rate = {"Id": "rate", "Expression": "100 * e / r", "ReturnData": True}
    read = metric_alarm(
        math_alarm(rate, query("e", "Invocation5XXErrors"), query("r", "Invocations"))
    )

    assert read.returned == "rate"
    assert read.expressions == {"rate": "100 * e / r"}
    assert [m.id for m in read.metrics] == ["e", "r"]


def test_an_anomaly_band_has_no_threshold_and_counts_no_breaches() -> None:
    band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)", "ReturnData": True}
    described = math_alarm(query("m", "ModelLatency", returned=True), band)
    del described["Threshold"]
    described |= {
        "ThresholdMetricId": "band",
        "ComparisonOperator": "GreaterThanUpperThreshold",
    }
    read = metric_alarm(described)

    assert read.threshold is None
    with pytest.raises(ValueError, match="anomaly band"):
        read.breaches([1.0])


def test_metrics_of_another_account_are_marked() -> None:
    own, other = query("a", "Invocations", AccountId=ACCOUNT), query("b", "Invocations")
    read = metric_alarm(math_alarm(own, other | {"AccountId": "999999999999"}))

    assert [m.account for m in read.metrics] == ["", "999999999999"]
    assert [q.get("AccountId") for q in queries(read, "p", {})[0]] == [None, "999999999999"]


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"metrics": None},
        {"metrics": "m"},
        {"metrics": [None, 1, "m", [], {}]},
        {"metrics": [{"id": "q", "expression": "e / r"}]},
        {"metrics": [{"metricStat": {"metric": None}}]},
        {"metrics": [{"metricStat": "Sum"}]},
    ],
)
def test_what_an_event_does_not_name_is_passed_over(configuration: dict[str, Any]) -> None:
    assert metrics_of_event(configuration, ARN) == ()


@pytest.mark.parametrize("period", ["²", "9" * 5000, None, 60.5, [], "60"])
def test_a_strange_period_in_an_event_is_a_minute(period: object) -> None:
    stat = {"metric": {"namespace": "AWS/SageMaker", "name": "ModelLatency"}, "period": period}
    [read] = metrics_of_event({"metrics": [{"id": "m", "metricStat": stat}]}, ARN)

    assert (read.period, read.dimensions) == (60, {})


# queries


def test_a_query_asks_the_alarms_own_metric_of_another_variant() -> None:
    [asked], returned = queries(alarm(), "a0v1_", {"VariantName": "blue"})

    assert returned == asked["Id"] == "a0v1_m1"
    assert asked["ReturnData"] is True
    assert asked["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "shop"},
        {"Name": "VariantName", "Value": "blue"},
    ]
    assert (asked["MetricStat"]["Stat"], asked["MetricStat"]["Period"]) == ("Average", 60)


def test_a_metric_of_the_whole_endpoint_stays_so() -> None:
    [asked], _ = queries(alarm(metrics=[metric(variant=None)]), "p", {"VariantName": "blue"})

    names = [d["Name"] for d in asked["MetricStat"]["Metric"]["Dimensions"]]
    assert names == ["EndpointName"]


@pytest.mark.parametrize(
    ("expression", "prefixed"),
    [
        ("100 * e / r", "100 * p_e / p_r"),
        ("IF(r > 0, e/r, 0)", "IF(p_r > 0, p_e/p_r, 0)"),
        ("e1 + e10 + e", "e1 + e10 + p_e"),
        ("RATE(e)", "RATE(p_e)"),
        ("SUM([e, r])", "SUM([p_e, p_r])"),
        ("FILL(e,0)", "FILL(p_e,0)"),
    ],
)
def test_ids_in_an_expression_are_prefixed_whole(expression: str, prefixed: str) -> None:
    rate = alarm(
        metrics=[metric(id="e"), metric("Invocations", id="r")],
        expressions={"rate": expression},
        returned="rate",
    )
    asked, returned = queries(rate, "p_", {})

    assert returned == "p_rate"
    assert asked[-1]["Expression"] == prefixed
    assert [q["ReturnData"] for q in asked] == [False, False, True]


def test_an_expression_of_an_expression_is_prefixed_too() -> None:
    rate = alarm(metrics=[metric(id="e")], expressions={"x": "e * 2", "y": "x / 3"}, returned="y")

    assert [q.get("Expression") for q in queries(rate, "p_", {})[0]] == [
        None,
        "p_e * 2",
        "p_x / 3",
    ]
