"""What a signal says about quotas and capacity, typed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from functions.core.alarms import Metric


@dataclass(frozen=True)
class Refused:
    """A call that AWS refused for a quota, and what its text says.

    service: the Service Quotas service code. quota_name: the QuotaName, verbatim from the text, or
    that of the instance type's family and market. quota_code: where it is known offline. limit,
    utilization, delta: as the text says, in the quota's own unit; None where it says nothing.
    instance_type, instances: what the call asked for, if an instance type is what failed.
    """

    service: str
    quota_name: str
    quota_code: str | None
    limit: float | None
    utilization: float | None
    delta: float | None
    instance_type: str = ""
    instances: int = 1


@dataclass(frozen=True)
class NearLimit:
    """Somebody says that use is near or at a quota.

    limit, utilization: absolute, where said. percent: of the quota, where only that is said.
    """

    service: str
    quota_name: str
    quota_code: str | None
    limit: float | None
    utilization: float | None
    percent: float | None


@dataclass(frozen=True)
class CapacityShort:
    """The quota is fine, AWS is out of capacity.

    service: "ec2" or "sagemaker". instance_type: as that service spells it. zone: the Availability
    Zone that is short; empty where the text names none. az_hints: those that have capacity.
    """

    service: str
    instance_type: str
    zone: str
    az_hints: tuple[str, ...]
    instances: int


@dataclass(frozen=True)
class UsageAlarm:
    """An alarm on metrics of usage; which quota they measure is for the catalogue to say."""

    metrics: tuple[Metric, ...]


Reading = Refused | NearLimit | CapacityShort | UsageAlarm


def same_name(one: str, other: str) -> bool:
    """Whether two texts name one quota: case and blanks differ between texts and lists."""
    return one.casefold().split() == other.casefold().split()
