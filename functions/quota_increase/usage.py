"""How a quota's use is read out of its usage metric. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.quota_increase.observation import UsageMetric

WINDOW_SECONDS = 3600
RATE_PERIOD, COUNT_PERIOD = 60, 300


def query(id: str, metric: UsageMetric) -> dict[str, Any] | None:
    """The GetMetricData query for the use of late, or None where its unit would be a guess.

    Calls are published each minute and their sum means something; a rate without its own period
    cannot be compared. What is no call is a count, and of a count the maximum is meant, whatever
    is recommended: Service Quotas recommends Sum for EMR Serverless's gauge L-D05C8A75
    (CloudWatch user guide, "AWS usage metrics"; cloud-custodian/cloud-custodian#10694).
    """
    if is_rate(metric) and metric.seconds is None:
        return None
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in metric.dimensions.items()],
            },
            "Period": RATE_PERIOD if is_rate(metric) else COUNT_PERIOD,
            "Stat": "Sum" if is_rate(metric) else "Maximum",
        },
    }


def use(metric: UsageMetric, values: Sequence[float]) -> float | None:
    """The most in use, in the quota's unit; None without data."""
    if not values:
        return None
    if is_rate(metric) and metric.seconds is not None:
        return max(values) * metric.seconds / RATE_PERIOD
    return max(values)


def is_rate(metric: UsageMetric) -> bool:
    """Whether the metric counts calls, rather than what exists."""
    return metric.statistic == "Sum" and (metric.name == "CallCount" or metric.seconds is not None)


def metric_of(described: Mapping[str, Any]) -> UsageMetric | None:
    """The usage metric of a quota as the API describes it, if it has one."""
    metric = described.get("UsageMetric") or {}
    if "MetricNamespace" not in metric or "MetricName" not in metric:
        return None
    period = described.get("Period") or {}
    return UsageMetric(
        metric["MetricNamespace"],
        metric["MetricName"],
        metric.get("MetricDimensions", {}),
        metric.get("MetricStatisticRecommendation", "Maximum"),
        _seconds(period.get("PeriodValue"), period.get("PeriodUnit")),
    )


def _seconds(value: float | None, unit: str | None) -> float | None:
    units = {"MICROSECOND": 1e-6, "MILLISECOND": 1e-3, "SECOND": 1.0, "MINUTE": 60.0}
    longer = {"HOUR": 3600.0, "DAY": 86400.0, "WEEK": 604800.0}
    scale = (units | longer).get(unit or "")
    return None if value is None or scale is None else value * scale
