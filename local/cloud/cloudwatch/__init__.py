"""CloudWatch: metrics with dimensions and percentiles, metric math, alarms that evaluate and act.

`install_cloudwatch()` puts it in moto's place; AWS services publish with `record`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moto.backends import get_backend

from local.cloud.seam import extend
from local.cloud.world import WORLD

from .store import Aggregate, Metric, MetricStore

__all__ = ["install_cloudwatch", "record"]

DASHBOARDS = ("PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards")


def install_cloudwatch() -> None:
    """Put our CloudWatch in moto's place. Run it before the first call of the service."""
    from .backend import CloudWatch

    extend("cloudwatch", CloudWatch, keep=DASHBOARDS)


def record(
    account_id: str,
    region: str,
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    value: float | None = None,
    values: Sequence[float] = (),
    counts: Sequence[float] | None = None,
    timestamp: float,
    unit: str = "None",
    resolution: int = 60,
) -> None:
    """Publish a datum as an AWS service does, into any namespace, `AWS/...` included.

    Either `value` or `values`, each of these as often as `counts` says (once by default), at
    `timestamp` (epoch seconds). `resolution` 1 keeps it per second, 60 per minute.
    """
    if (value is None) == (not values):
        raise ValueError("record needs either value or values")
    numbers = list(values) if value is None else [value]
    times = [1.0] * len(numbers) if counts is None else list(counts)
    store: MetricStore = get_backend("cloudwatch")[account_id][region].store  # type: ignore[attr-defined]
    store.add(
        Metric.of(namespace, name, dimensions),
        int(timestamp),
        Aggregate.of_values(list(zip(numbers, times, strict=True))),
        unit=unit,
        high_resolution=resolution == 1,
        now=int(WORLD.clock()),
    )
