"""How a quota's use is read out of its usage metric. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from functions.quota_increase.observation import UsageMetric

WINDOW_SECONDS = 3600
MINUTE, COUNT_PERIOD = 60, 300


def query(id: str, metric: UsageMetric) -> dict[str, Any] | None:
    """The GetMetricData query for the use of late, or None where its unit would be a guess.

    Calls are published each minute and their sum means something; a rate without its own period
    cannot be compared, nor one over more than the window: a minute's burst lasts no day. What is
    no call is a count, and of a count the maximum is meant, whatever is recommended: Service
    Quotas recommends Sum for EMR Serverless's gauge L-D05C8A75 (CloudWatch user guide, "AWS usage
    metrics"; cloud-custodian/cloud-custodian#10694).
    """
    period = _period(metric)
    if period is None or period > WINDOW_SECONDS:
        return None
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in metric.dimensions.items()],
            },
            "Period": period,
            "Stat": "Sum" if is_rate(metric) else "Maximum",
        },
    }


def use(metric: UsageMetric, values: Sequence[float]) -> float | None:
    """The most in use, in the quota's unit; None without data."""
    period = _period(metric)
    if not values or period is None:
        return None
    if is_rate(metric) and metric.seconds is not None:
        return max(values) * metric.seconds / period
    return max(values)


def is_rate(metric: UsageMetric) -> bool:
    """Whether the metric counts calls, rather than what exists."""
    summed = metric.statistic == "Sum" and metric.seconds is not None
    return summed or metric.name == "CallCount"


def _period(metric: UsageMetric) -> int | None:
    """Of the query, in seconds; a rate's own one in whole minutes, None where it has none."""
    if not is_rate(metric):
        return COUNT_PERIOD
    return None if metric.seconds is None else max(math.ceil(metric.seconds / MINUTE), 1) * MINUTE


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
