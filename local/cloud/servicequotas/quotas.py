"""What a quota is, before anybody changed it: its names, its values, how its use is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECONDS: Mapping[str, float] = {
    "MICROSECOND": 1e-6,
    "MILLISECOND": 1e-3,
    "SECOND": 1.0,
    "MINUTE": 60.0,
    "HOUR": 3600.0,
    "DAY": 86400.0,
    "WEEK": 604800.0,
}
"""Length of each `PeriodUnit` (botocore service model)."""


@dataclass(frozen=True)
class Period:
    """The time a rate quota's value is for."""

    value: int
    unit: str

    @property
    def seconds(self) -> float:
        return self.value * SECONDS[self.unit]


@dataclass(frozen=True)
class UsageMetric:
    """The CloudWatch metric that tells a quota's use (botocore service model, `MetricInfo`)."""

    name: str
    dimensions: Mapping[str, str]
    namespace: str = "AWS/Usage"
    statistic: str = "Maximum"

    @property
    def counts_calls(self) -> bool:
        """CallCount counts calls as they come; every other metric is a gauge (CloudWatch User
        Guide, CloudWatch-Usage-Metrics)."""
        return self.name == "CallCount"

    def description(self) -> dict[str, Any]:
        """`MetricInfo` as the API shows it."""
        return {
            "MetricNamespace": self.namespace,
            "MetricName": self.name,
            "MetricDimensions": dict(self.dimensions),
            "MetricStatisticRecommendation": self.statistic,
        }


@dataclass(frozen=True)
class Quota:
    """One quota of a service.

    `applied` is the account's value where it is not AWS's default. `default_only` marks a quota of
    which AWS shows no applied value until one is set. `resource_type` makes it a resource-level
    quota, raised for single resources only, or for all at once too when `account_wide`. `error` is
    the code of the `ErrorReason` that is shown in place of a value.
    """

    name: str
    default: float
    code: str
    applied: float | None = None
    adjustable: bool = True
    is_global: bool = False
    unit: str = "None"
    metric: UsageMetric | None = None
    period: Period | None = None
    resource_type: str | None = None
    account_wide: bool = False
    default_only: bool = False
    error: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Service:
    """An integrated service and its quotas, found by code and by name."""

    code: str
    name: str
    quotas: Mapping[str, Quota]
    by_name: Mapping[str, Quota] = field(repr=False)

    @classmethod
    def of(cls, code: str, name: str, quotas: Iterable[Quota]) -> Service:
        """The service with these quotas, in the order given; codes and names must be unique."""
        listed = list(quotas)
        by_code = {quota.code: quota for quota in listed}
        by_name = {quota.name: quota for quota in listed}
        if len(by_code) < len(listed) or len(by_name) < len(listed):
            raise ValueError(f"Two quotas of {code} share a code or a name.")
        return cls(code, name, by_code, by_name)


def code_of(service: str, name: str) -> str:
    """A quota code for a quota whose real one is not known: AWS's shape, always the same."""
    return "L-" + hashlib.sha256(f"{service}/{name}".encode()).hexdigest()[:8].upper()
