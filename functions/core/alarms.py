"""What an alarm watches, read alike from its state-change event and from DescribeAlarms. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Metric:
    """One metric an alarm reads. period: seconds. account: whose it is; empty for the alarm's own."""

    id: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    stat: str
    period: int
    account: str = ""


@dataclass(frozen=True)
class MetricAlarm:
    """A metric alarm as DescribeAlarms returns it, single-metric or metric math.

    expressions: id to text; empty for a single metric. returned: the id whose value is compared.
    threshold: None where the alarm compares with an anomaly band instead.
    """

    name: str
    arn: str
    state: str
    metrics: tuple[Metric, ...]
    expressions: Mapping[str, str]
    returned: str
    threshold: float | None
    comparison: str
    periods: int
    datapoints: int
    missing: str
    actions: frozenset[str]

    @property
    def period(self) -> int:
        """Seconds of one evaluated period: the longest of its metrics, as metric math needs."""
        return max(metric.period for metric in self.metrics)

    @property
    def rises(self) -> bool:
        """Whether more is worse."""
        return self.comparison.startswith("GreaterThan")

    def breaches(self, values: Sequence[float]) -> int:
        """How many of the values are on the wrong side. Raises ValueError for an anomaly band."""
        if self.threshold is None:
            raise ValueError(f"{self.name} compares with an anomaly band, not a threshold")
        compare = BREACHES[self.comparison]
        return sum(compare(value, self.threshold) for value in values)


def metrics_of_event(configuration: Mapping[str, Any], alarm_arn: str) -> tuple[Metric, ...]:
    """The metrics in `configuration.metrics` of an alarm's event; () for a composite alarm.

    Shape: CloudWatch user guide, "Alarm events and EventBridge". Parts of another shape are
    passed over: what is not named there cannot be looked at.
    """
    found = []
    entries = configuration.get("metrics")
    for entry in entries if isinstance(entries, list) else []:
        stat = entry.get("metricStat") if isinstance(entry, Mapping) else None
        metric = stat.get("metric") if isinstance(stat, Mapping) else None
        if not isinstance(stat, Mapping) or not isinstance(metric, Mapping):
            continue
        dimensions = metric.get("dimensions")
        found.append(
            Metric(
                id=str(entry.get("id")),
                namespace=str(metric.get("namespace")),
                name=str(metric.get("name")),
                dimensions={str(k): str(v) for k, v in dimensions.items()}
                if isinstance(dimensions, Mapping)
                else {},
                stat=str(stat.get("stat")),
                period=period if isinstance(period := stat.get("period"), int) else 60,
                account=_foreign(entry.get("accountId"), alarm_arn),
            )
        )
    return tuple(found)


def metric_alarms(answer: Mapping[str, Any]) -> list[MetricAlarm]:
    """The alarms of an answer of DescribeAlarms that watch metrics by name.

    Others, on PromQL or Metrics Insights queries, name no metric that could be asked for of
    another resource (botocore model 2010-08-01, `MetricAlarm.EvaluationCriteria`).
    """
    described = answer.get("MetricAlarms", ())
    made = [metric_alarm(each) for each in described if "ComparisonOperator" in each]
    return [alarm for alarm in made if alarm.metrics]


def metric_alarm(described: Mapping[str, Any]) -> MetricAlarm:
    """A member of `MetricAlarms` in the answer of DescribeAlarms (botocore model 2010-08-01)."""
    arn = described["AlarmArn"]
    metrics: list[Metric] = []
    expressions: dict[str, str] = {}
    returned = "m1"
    if "MetricName" in described:
        metrics.append(_metric("m1", described, described, ""))
    for query in described.get("Metrics", ()):
        if query.get("ReturnData", True):
            returned = query["Id"]
        if "Expression" in query:
            expressions[query["Id"]] = query["Expression"]
        else:
            stat, account = query["MetricStat"], _foreign(query.get("AccountId"), arn)
            metrics.append(_metric(query["Id"], stat["Metric"], stat, account))
    periods = described["EvaluationPeriods"]
    return MetricAlarm(
        name=described["AlarmName"],
        arn=arn,
        state=described["StateValue"],
        metrics=tuple(metrics),
        expressions=expressions,
        returned=returned,
        threshold=described.get("Threshold"),
        comparison=described["ComparisonOperator"],
        periods=periods,
        datapoints=described.get("DatapointsToAlarm") or periods,
        missing=described.get("TreatMissingData") or "missing",
        actions=frozenset(described.get("AlarmActions", ())),
    )


def _metric(id: str, metric: Mapping[str, Any], stat: Mapping[str, Any], account: str) -> Metric:
    return Metric(
        id=id,
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions={d["Name"]: d["Value"] for d in metric.get("Dimensions", ())},
        stat=stat.get("Stat") or stat.get("Statistic") or stat["ExtendedStatistic"],
        period=stat["Period"],
        account=account,
    )


def _foreign(account: object, alarm_arn: str) -> str:
    """The account of a metric when it is not the alarm's own (CloudWatch cross-account
    observability; API reference, MetricDataQuery, AccountId), else the empty text."""
    return "" if account is None or account == alarm_arn.split(":")[4] else str(account)


def queries(
    alarm: MetricAlarm, prefix: str, replaced: Mapping[str, str]
) -> tuple[list[dict[str, Any]], str]:
    """GetMetricData queries for the alarm's own value with some dimensions replaced.

    prefix: put before every id, so that several alarms fit one call; a lower-case letter first.
    Returns the queries and the id under which the value to compare comes back.
    """
    made: list[dict[str, Any]] = []
    for metric in alarm.metrics:
        dimensions = {
            **metric.dimensions,
            **{k: v for k, v in replaced.items() if k in metric.dimensions},
        }
        made.append(
            {
                "Id": prefix + metric.id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": metric.namespace,
                        "MetricName": metric.name,
                        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    },
                    "Period": metric.period,
                    "Stat": metric.stat,
                },
                "ReturnData": metric.id == alarm.returned,
                **({"AccountId": metric.account} if metric.account else {}),
            }
        )
    ids = [metric.id for metric in alarm.metrics] + list(alarm.expressions)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, ids)) + r")\b")
    for id, text in alarm.expressions.items():
        made.append(
            {
                "Id": prefix + id,
                "Expression": pattern.sub(lambda found: prefix + found[1], text),
                "ReturnData": id == alarm.returned,
            }
        )
    return made, prefix + alarm.returned
