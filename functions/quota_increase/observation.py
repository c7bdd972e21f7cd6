"""What a look at a quota, or at an instance type that is short, finds. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.core.decision import Dial
from functions.quota_increase.settings import QuotaRule

OPEN = frozenset({"PENDING", "CASE_OPENED"})


@dataclass(frozen=True)
class UsageMetric:
    """Where CloudWatch keeps a quota's use. statistic: the recommended one.

    seconds: length of the quota's own period for a rate; None for a count, or when AWS names none.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    seconds: float | None


@dataclass(frozen=True)
class Quota:
    """A quota as GetServiceQuota tells it. level: ACCOUNT or RESOURCE. error: AWS's reason when
    it cannot tell the value, which then is None."""

    service: str
    code: str
    name: str
    value: float | None
    adjustable: bool
    is_global: bool
    level: str
    usage: UsageMetric | None
    error: str


@dataclass(frozen=True)
class Request:
    """An increase that anybody asked for. status, kind: as Service Quotas names them.

    of_resource: for one resource, not for the account.
    """

    id: str
    service: str
    code: str
    desired: float
    status: str
    case: str
    created: datetime
    updated: datetime
    kind: str = ""
    of_resource: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


@dataclass(frozen=True)
class Ask:
    """A call that was refused, in the quota's unit. What its text does not say is None."""

    at: datetime
    limit: float | None
    utilization: float | None
    delta: float | None


@dataclass(frozen=True)
class Said:
    """What a scan, AWS Health or Trusted Advisor says of a quota's use; percent of `limit`."""

    at: datetime
    limit: float | None
    percent: float | None


@dataclass(frozen=True)
class QuotaSeen:
    """quota: None while a request on it is open, when nothing but the request counts.

    requests: those on this quota, newest first. taken: open requests of the account in this
    Region. usage: the most in use lately, None when CloudWatch has no data. rule: its opt-in.
    """

    target: str
    now: datetime
    quota: Quota | None
    requests: Sequence[Request]
    taken: int
    usage: float | None
    asks: Sequence[Ask]
    said: Sequence[Said]
    rule: QuotaRule

    @property
    def dial(self) -> Dial:
        newest = self.requests[0] if self.requests else None
        return {
            "desired": newest.desired if newest else None,
            "request": newest.id if newest else None,
        }


@dataclass(frozen=True)
class Offer:
    """Capacity that AWS would sell. kind: Capacity Block or Training Plan. fee: US dollars."""

    kind: str
    id: str
    instance_type: str
    instances: int
    zone: str
    start: datetime
    hours: float
    fee: float

    @property
    def hourly(self) -> float:
        """Dollars an hour and instance."""
        return self.fee / (self.hours * self.instances)

    def as_document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "offeringId": self.id,
            "instanceType": self.instance_type,
            "instances": self.instances,
            "availabilityZone": self.zone,
            "start": self.start.isoformat(),
            "hours": self.hours,
            "upfrontFee": self.fee,
            "feePerInstanceHour": round(self.hourly, 4),
        }


@dataclass(frozen=True)
class ShortageSeen:
    """An instance type of which AWS has not enough. last: when a call was last refused for it.

    hints: zones that AWS itself named. zones: those that offer the type at all. errors: what AWS
    answered instead of offers.
    """

    target: str
    now: datetime
    last: datetime
    instance_type: str
    instances: int
    zone: str
    hints: Sequence[str]
    zones: Sequence[str]
    offers: Sequence[Offer]
    errors: Sequence[str]
    dial: Dial = field(default_factory=dict)
