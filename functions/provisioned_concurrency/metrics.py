"""What CloudWatch tells of the traffic of many targets, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.provisioned_concurrency.observation import Minute, Service

QUERIES_A_CALL = 500
"""Limit of GetMetricData's MetricDataQueries (API reference)."""
MINUTE = timedelta(minutes=1)
LOOK, GLANCE = 15, 3
"""How many closed minutes are read for a look, and for a glance."""


@dataclass(frozen=True)
class Meter:
    """Where a target's metrics are found. most: MaxConcurrency of a serverless variant."""

    service: Service
    dimensions: Mapping[str, str]
    most: int = 0


@dataclass(frozen=True)
class Metric:
    """A metric, and the statistic by which a minute of it is read."""

    name: str
    statistic: str


NAMESPACES = {Service.LAMBDA: "AWS/Lambda", Service.SAGEMAKER: "AWS/SageMaker"}
GLANCED: Mapping[Service, Mapping[str, Metric]] = {
    Service.LAMBDA: {
        "invocations": Metric("Invocations", "Sum"),
        "spilled": Metric("ProvisionedConcurrencySpilloverInvocations", "Sum"),
    },
    Service.SAGEMAKER: {
        "invocations": Metric("Invocations", "Sum"),
        "spilled": Metric("ServerlessProvisionedConcurrencySpilloverInvocations", "Sum"),
    },
}
"""What tells whether anything spills over; metrics read are billed, so a glance reads no more."""
LOOKED: Mapping[Service, Mapping[str, Metric]] = {
    Service.LAMBDA: {
        **GLANCED[Service.LAMBDA],
        "concurrent": Metric("ConcurrentExecutions", "Maximum"),
        "provisioned": Metric("ProvisionedConcurrentExecutions", "Maximum"),
        "duration": Metric("Duration", "Average"),
    },
    Service.SAGEMAKER: {
        **GLANCED[Service.SAGEMAKER],
        "utilization": Metric("ServerlessConcurrentExecutionsUtilization", "Maximum"),
        "provisioned": Metric("ServerlessProvisionedConcurrencyExecutions", "Maximum"),
        "latency": Metric("ModelLatency", "Average"),
        "overhead": Metric("OverheadLatency", "Average"),
    },
}
"""Statistics: Lambda developer guide, "Monitoring concurrency". For the serverless ones SageMaker's
names Average, Max and Min alone; a sum is an average times its samples all the same (CloudWatch user
guide, "CloudWatch statistics definitions")."""


@dataclass
class Series:
    """One metric's datapoints. complete: whether CloudWatch told all there are."""

    points: dict[datetime, float] = field(default_factory=dict)
    complete: bool = False


def traffic(
    cloudwatch: Any,
    meters: Mapping[str, Meter],
    now: datetime,
    minutes: int,
    metrics: Mapping[Service, Mapping[str, Metric]] = LOOKED,
) -> dict[str, tuple[Minute, ...]]:
    """The closed minutes of each target up to now, oldest first. cloudwatch: a boto3 client.

    Lambda and SageMaker send no datum without a request, so a minute of which CloudWatch tells
    nothing had no traffic. The newest closed minute may only be late: with no datum it is left out.
    Where CloudWatch says that it told not all (API reference, MetricDataResult, StatusCode), only
    minutes that it did tell of count.
    """
    end = datetime.fromtimestamp(now.timestamp() // 60 * 60, UTC)
    start = end - minutes * MINUTE
    asked = {
        f"t{i}_{name}": (meter, metric)
        for i, meter in enumerate(meters.values())
        for name, metric in metrics[meter.service].items()
    }
    told = _read(cloudwatch, asked, start, end)
    moments = [start + i * MINUTE for i in range(minutes)]
    return {
        target: tuple(
            _minutes(
                meter, {name: told[f"t{i}_{name}"] for name in metrics[meter.service]}, moments
            )
        )
        for i, (target, meter) in enumerate(meters.items())
    }


def _read(
    cloudwatch: Any, asked: Mapping[str, tuple[Meter, Metric]], start: datetime, end: datetime
) -> dict[str, Series]:
    """Every series by its id, those too of which nothing came back."""
    told = {id: Series() for id in asked}
    ids = list(asked)
    for first in range(0, len(ids), QUERIES_A_CALL):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[
                _query(id, *asked[id]) for id in ids[first : first + QUERIES_A_CALL]
            ],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                series = told[result["Id"]]
                points = zip(result["Timestamps"], result["Values"], strict=True)
                series.points.update(points)
                series.complete = result.get("StatusCode") == "Complete"
    return told


def _query(id: str, meter: Meter, metric: Metric) -> dict[str, Any]:
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACES[meter.service],
                "MetricName": metric.name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in meter.dimensions.items()],
            },
            "Period": 60,
            "Stat": metric.statistic,
        },
    }


def _minutes(
    meter: Meter, series: Mapping[str, Series], moments: Sequence[datetime]
) -> Iterable[Minute]:
    for at in moments:
        if any(at not in each.points for each in series.values() if not each.complete):
            continue
        if at == moments[-1] and not any(at in each.points for each in series.values()):
            continue
        yield _minute(
            meter, at, {name: s.points[at] for name, s in series.items() if at in s.points}
        )


def _minute(meter: Meter, at: datetime, told: Mapping[str, float]) -> Minute:
    invocations = told.get("invocations", 0.0)
    if meter.service is Service.LAMBDA:
        concurrent = told.get("concurrent")
        seconds = told.get("duration", 0.0) / 1000
    else:
        share = told.get("utilization")
        concurrent = None if share is None else share * meter.most
        seconds = (told.get("latency", 0.0) + told.get("overhead", 0.0)) / 1_000_000
    if concurrent is None and not invocations:
        concurrent = 0.0
    return Minute(
        at=at,
        concurrent=concurrent,
        provisioned=told.get("provisioned", 0.0),
        invocations=invocations,
        spilled=told.get("spilled", 0.0),
        seconds=seconds,
    )
