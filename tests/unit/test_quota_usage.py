"""Use is read from a quota's own metric, and a number that would mean something else is not."""

from __future__ import annotations

from typing import Any

import pytest

from functions.quota_increase.observation import UsageMetric
from functions.quota_increase.usage import WINDOW_SECONDS, is_rate, metric_of, query, use

INSTANCES = {
    "Service": "SageMaker",
    "Class": "None",
    "Type": "Resource",
    "Resource": "training-job/ml.p4d.24xlarge",
}


def metric(
    name: str = "ResourceCount", statistic: str = "Maximum", seconds: float | None = None
) -> UsageMetric:
    return UsageMetric("AWS/Usage", name, INSTANCES, statistic, seconds)


def stat(of: UsageMetric) -> tuple[str, int]:
    """Statistic and period that CloudWatch is asked for."""
    made = query("q0", of)
    assert made is not None
    return made["MetricStat"]["Stat"], made["MetricStat"]["Period"]


# what exists


def test_of_what_exists_the_most_in_five_minutes_counts() -> None:
    assert query("q7", metric()) == {
        "Id": "q7",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Usage",
                "MetricName": "ResourceCount",
                "Dimensions": [
                    {"Name": "Service", "Value": "SageMaker"},
                    {"Name": "Class", "Value": "None"},
                    {"Name": "Type", "Value": "Resource"},
                    {"Name": "Resource", "Value": "training-job/ml.p4d.24xlarge"},
                ],
            },
            "Period": 300,
            "Stat": "Maximum",
        },
    }
    assert use(metric(), [2, 7, 3]) == 7


def test_a_count_whose_sum_is_recommended_is_a_count_all_the_same() -> None:
    """Service Quotas recommends Sum for EMR Serverless's vCPUs in use, L-D05C8A75, which adds up
    the same vCPUs minute by minute (cloud-custodian/cloud-custodian#10694)."""
    gauge = metric(statistic="Sum")

    assert stat(gauge) == ("Maximum", 300)
    assert use(gauge, [40, 60]) == 60


@pytest.mark.parametrize("statistic", ["Maximum", "Average", "Minimum", "SampleCount"])
def test_whatever_else_is_recommended_for_a_count_the_most_counts(statistic: str) -> None:
    assert stat(metric(statistic=statistic)) == ("Maximum", 300)


def test_a_metric_without_dimensions_is_asked_for_without() -> None:
    """Lambda's L-B99A9384 is measured by AWS/Lambda ConcurrentExecutions of the whole account,
    not by AWS/Usage."""
    concurrency = metric_of(
        {
            "QuotaCode": "L-B99A9384",
            "UsageMetric": {
                "MetricNamespace": "AWS/Lambda",
                "MetricName": "ConcurrentExecutions",
                "MetricDimensions": {},
                "MetricStatisticRecommendation": "Maximum",
            },
        }
    )
    assert concurrency is not None
    made = query("q0", concurrency)
    assert made is not None

    assert made["MetricStat"]["Metric"] == {
        "Namespace": "AWS/Lambda",
        "MetricName": "ConcurrentExecutions",
        "Dimensions": [],
    }
    assert made["MetricStat"]["Stat"] == "Maximum"


# calls


@pytest.mark.parametrize(
    ("seconds", "calls_a_minute", "in_use"),
    [(1.0, 600, 10), (1.0, 30, 0.5), (60.0, 600, 600), (10.0, 600, 100), (0.001, 60_000, 1)],
)
def test_calls_are_counted_by_the_minute_and_compared_by_the_quotas_own_period(
    seconds: float, calls_a_minute: float, in_use: float
) -> None:
    """The sum is what CallCount is useful for, each minute (CloudWatch user guide, "CloudWatch
    usage metrics"); a quota of 10 a second is not reached by 600 a minute spread evenly."""
    rate = metric("CallCount", "Sum", seconds)

    assert stat(rate) == ("Sum", 60)
    assert use(rate, [1, calls_a_minute, 2]) == pytest.approx(in_use)


@pytest.mark.parametrize(("seconds", "period"), [(300.0, 300), (3600.0, 3600), (90.0, 120)])
def test_a_rate_over_more_than_a_minute_is_summed_as_long(seconds: float, period: int) -> None:
    """A minute's burst does not last an hour. CloudWatch takes multiples of 60 s (API reference,
    MetricStat)."""
    rate = metric("CallCount", "Sum", seconds)

    assert stat(rate) == ("Sum", period)
    assert use(rate, [120]) == 120 * seconds / period


@pytest.mark.parametrize("seconds", [WINDOW_SECONDS + 1, 86_400.0, 604_800.0])
def test_a_rate_over_more_than_the_hour_that_is_asked_for_is_not_compared(seconds: float) -> None:
    assert query("q0", metric("CallCount", "Sum", seconds)) is None


@pytest.mark.parametrize("statistic", ["Sum", "Maximum"])
def test_calls_without_a_period_are_never_compared(statistic: str) -> None:
    """Ten a second and ten a minute look alike in a quota's value."""
    assert query("q0", metric("CallCount", statistic)) is None
    assert use(metric("CallCount", statistic), [600]) is None


def test_calls_are_calls_whatever_statistic_is_recommended() -> None:
    assert stat(metric("CallCount", "Maximum", 1.0)) == ("Sum", 60)


def test_what_has_a_period_and_a_sum_is_a_rate() -> None:
    tokens = metric("InputTokenCount", "Sum", 60.0)

    assert is_rate(tokens)
    assert stat(tokens) == ("Sum", 60)
    assert use(tokens, [300_000]) == 300_000


# no data


@pytest.mark.parametrize("of", [metric(), metric("CallCount", "Sum", 1.0)], ids=["count", "rate"])
def test_without_data_use_is_unknown_and_not_nothing(of: UsageMetric) -> None:
    assert use(of, []) is None
    assert use(of, [0.0]) == 0.0


# as the API describes it


def described(**different: Any) -> dict[str, Any]:
    return {
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "CallCount",
            "MetricDimensions": {"Service": "SSM"},
            "MetricStatisticRecommendation": "Sum",
        }
    } | different


@pytest.mark.parametrize(
    ("period", "seconds"),
    [
        ({"PeriodValue": 1, "PeriodUnit": "SECOND"}, 1),
        ({"PeriodValue": 5, "PeriodUnit": "MINUTE"}, 300),
        ({"PeriodValue": 2, "PeriodUnit": "HOUR"}, 7200),
        ({"PeriodValue": 1, "PeriodUnit": "DAY"}, 86_400),
        ({"PeriodValue": 1, "PeriodUnit": "WEEK"}, 604_800),
        ({"PeriodValue": 100, "PeriodUnit": "MILLISECOND"}, 0.1),
        ({"PeriodValue": 1, "PeriodUnit": "MICROSECOND"}, 1e-6),
        ({"PeriodValue": 1, "PeriodUnit": "FORTNIGHT"}, None),
        ({"PeriodUnit": "SECOND"}, None),
        ({"PeriodValue": 1}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_period_is_read_in_seconds(period: Any, seconds: float | None) -> None:
    found = metric_of(described(Period=period))

    assert found == UsageMetric("AWS/Usage", "CallCount", {"Service": "SSM"}, "Sum", seconds)


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"UsageMetric": {}},
        {"UsageMetric": None},
        {"UsageMetric": {"MetricNamespace": "AWS/Usage"}},
        {"UsageMetric": {"MetricName": "CallCount"}},
    ],
    ids=str,
)
def test_a_quota_without_a_metric_has_none(nothing: dict[str, Any]) -> None:
    assert metric_of(nothing) is None


def test_what_nobody_recommends_is_counted() -> None:
    bare = metric_of({"UsageMetric": {"MetricNamespace": "AWS/Usage", "MetricName": "vCPU"}})

    assert bare == UsageMetric("AWS/Usage", "vCPU", {}, "Maximum", None)
