"""What a quota is, before anybody changed it: its names, its default, how its use is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class UsageMetric:
    """The CloudWatch metric that tells a quota's use (botocore service model, `MetricInfo`)."""

    name: str
    dimensions: Mapping[str, str]
    namespace: str = "AWS/Usage"
    statistic: str = "Maximum"

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

    `resource_type` makes it a resource-level quota, whose value holds for each resource of that
    type. `default_only` marks one of which AWS knows no applied value until an increase is
    approved. `error` is the code of the `ErrorReason` shown in place of a value. `period` is a
    number and one of the model's units. `usage` is a fixed use, for a catalogue made by hand.
    """

    name: str
    default: float
    code: str
    adjustable: bool = True
    is_global: bool = False
    unit: str = "None"
    metric: UsageMetric | None = None
    period: tuple[int, str] | None = None
    resource_type: str | None = None
    default_only: bool = False
    error: str | None = None
    maximum: float | None = None
    usage: float | None = None
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
