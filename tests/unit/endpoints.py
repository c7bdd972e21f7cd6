"""Endpoints as a look finds them, a word for what a test is about, the rest ordinary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.core.alarms import Metric, MetricAlarm
from functions.traffic_shift.observation import Load, Observation, Rules, Variant, Watch

ACCOUNT = "123456789012"
SHOP = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/shop"
RULES = Rules(minimum_requests=20, instances_added=4)


def metric(
    name: str = "Invocation5XXErrors",
    variant: str | None = "green",
    namespace: str = "AWS/SageMaker",
    **different: Any,
) -> Metric:
    dimensions = {"EndpointName": "shop"} | ({"VariantName": variant} if variant else {})
    values: dict[str, Any] = {
        "id": "m1",
        "namespace": namespace,
        "name": name,
        "dimensions": dimensions,
        "stat": "Average",
        "period": 60,
    }
    return Metric(**values | different)


def alarm(
    name: str = "green-5xx", metrics: Sequence[Metric] | None = None, **different: Any
) -> MetricAlarm:
    """More than 5 % of green's requests fail in 2 of 2 minutes; in ALARM."""
    values: dict[str, Any] = {
        "name": name,
        "arn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}",
        "state": "ALARM",
        "metrics": tuple(metrics or [metric()]),
        "expressions": {},
        "returned": "m1",
        "threshold": 0.05,
        "comparison": "GreaterThanThreshold",
        "periods": 2,
        "datapoints": 2,
        "missing": "notBreaching",
        "actions": frozenset(),
    }
    return MetricAlarm(**values | different)


def watch(
    values: Mapping[str, Sequence[float]] | None = None,
    *,
    named: Iterable[str] = ("green",),
    direct: bool = False,
    muted_by: str | None = None,
    **different: Any,
) -> Watch:
    """An alarm's watch; unless told otherwise green fails 30 % and every other variant nothing."""
    found = {"green": [0.3, 0.3, 0.3], "blue": [0.0, 0.0, 0.0], "red": [0.0, 0.0, 0.0]}
    return Watch(
        alarm(**different), frozenset(named), direct, muted_by, {**found, **(values or {})}
    )


def endpoint(
    weights: Mapping[str, float] | None = None,
    *watches: Watch,
    counts: Mapping[str, int | None] | None = None,
    per_minute: Mapping[str, float] | None = None,
    busiest: Mapping[str, float | None] | None = None,
    status: str = "InService",
) -> Observation:
    """shop, 90/10 with one roomy instance each and 600 requests a minute, unless told otherwise."""
    weights = weights or {"blue": 9, "green": 1}
    total = sum(weights.values()) or 1
    variants = tuple(
        Variant(name, weight, weight, count, count)
        for name, weight in weights.items()
        for count in [(counts or {}).get(name, 1)]
    )
    loads = {}
    for name, weight in weights.items():
        rate = (per_minute or {}).get(name, 600 * weight / total)
        loads[name] = Load(3 * rate, rate, (busiest or {}).get(name, 10000.0))
    return Observation("shop", status, variants, watches or (watch(),), loads)


def weights(dial: Mapping[str, Any]) -> dict[str, float]:
    return {name: value["weight"] for name, value in dial.items()}


def counts(dial: Mapping[str, Any]) -> dict[str, int | None]:
    return {name: value["count"] for name, value in dial.items()}
