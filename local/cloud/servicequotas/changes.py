"""A request to increase a quota, the states it goes through, and how it is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.world import WORLD

OPEN = frozenset({"PENDING", "CASE_OPENED"})
"""The states in which a request still waits for its end (botocore service model,
`RequestedServiceQuotaChange.Status`)."""


class Outcome(StrEnum):
    """What AWS makes of a request. Each but `WAIT` and `OPEN_CASE` is an end."""

    APPROVE = "approve"
    OPEN_CASE = "open-case"
    CLOSE_CASE = "close-case"
    DENY = "deny"
    NOT_APPROVE = "not-approve"
    INVALID = "invalid"
    WAIT = "wait"


@dataclass(frozen=True)
class Decision:
    """An outcome; `value` is what is granted where that is not what was asked for: less on
    approval, anything at all when a support case is closed."""

    outcome: Outcome
    value: float | None = None

    @property
    def needs_case(self) -> bool:
        return self.outcome in {Outcome.OPEN_CASE, Outcome.CLOSE_CASE}


@dataclass
class Change:
    """One request. Times are epoch seconds; `resource` is the ARN of what it was made for, if any,
    `caller` the ARN of who made it."""

    id: str
    service: Service
    quota: Quota
    resource: str | None
    desired: float
    caller: str
    case_allowed: bool
    automatic: bool
    status: str = "PENDING"
    case_id: str | None = None
    created: float = field(default_factory=lambda: WORLD.clock())
    updated: float = field(default_factory=lambda: WORLD.clock())

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def level(self) -> str:
        """`QuotaRequestedAtLevel`."""
        return "ACCOUNT" if self.resource is None else "RESOURCE"

    def enter(self, status: str) -> None:
        """Change the state, now."""
        self.status, self.updated = status, WORLD.clock()


def timestamp(moment: float) -> datetime:
    """An API timestamp for epoch seconds."""
    return datetime.fromtimestamp(moment, UTC)
