"""What is seen of a target of provisioned concurrency, and the rules that hold for all of them.

A level is a number of execution environments that are kept ready. Pure types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from functions.core.decision import Fail, Refuse
from functions.provisioned_concurrency.schedule import Schedule
from functions.provisioned_concurrency.settings import UnitPrices


class Service(Enum):
    LAMBDA = "lambda"
    SAGEMAKER = "sagemaker"


class Status(Enum):
    """Of what was asked for last. NONE: no provisioned concurrency is configured."""

    NONE = "NONE"
    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Wish:
    """What the target's owner wants. schedule, minimum, maximum: None where nothing is said."""

    schedule: Schedule | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class Owner:
    """The scalable target of Application Auto Scaling that moves the dial by itself."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class Minute:
    """One closed minute of a target's traffic, as CloudWatch tells it.

    at: when it began. concurrent: most executions in flight at once, on provisioned and other
    environments together; None where AWS tells nothing of it. provisioned: most of them on
    provisioned environments. invocations, spilled: how many began, and of these outside of
    provisioned concurrency though there was some. seconds: how long one lasts on average.
    """

    at: datetime
    concurrent: float | None
    provisioned: float
    invocations: float
    spilled: float
    seconds: float


@dataclass(frozen=True)
class Room:
    """How far a level may rise before AWS refuses it. None: no such bound.

    reserved: of the function's reserved concurrency, what its other aliases and versions leave.
    unreserved: the account's unreserved concurrency, without what this target holds of it now; None
    for a function with reserved concurrency, which takes nothing more from it. limit: the account's
    concurrent executions in the Region. max_concurrency: of a serverless variant.
    """

    reserved: int | None = None
    unreserved: int | None = None
    limit: int | None = None
    max_concurrency: int | None = None


@dataclass(frozen=True)
class Seen:
    """One target as AWS says it is now.

    name: as people call it, `shop:live` or `chat/AllTraffic`. wish: of its tags and the settings,
    or why they cannot be followed. obstacle: what about the target allows no change now, the most
    lasting one first. requested: the level asked for, 0 for none; available: ready of it now. changed_at:
    when it was last asked for. owner: None where nothing else moves the dial. minutes: oldest
    first. lead: how long allocation lasts here, 95th percentile; None until it was measured.
    memory_gb: of one environment. prices: that hold for it.
    """

    target: str
    name: str
    service: Service
    now: datetime
    wish: Wish | Refuse
    obstacle: Refuse | None
    requested: int
    available: int
    status: Status
    status_reason: str
    changed_at: datetime | None
    owner: Owner | None
    room: Room
    minutes: tuple[Minute, ...]
    lead: timedelta | None
    memory_gb: float
    prices: UnitPrices

    @property
    def level(self) -> int:
        """The level as the dial stands: with an owner the floor that it keeps to."""
        return self.requested if self.owner is None else self.owner.minimum

    @property
    def undone(self) -> Fail | None:
        """Why SageMaker went back to the size that an endpoint had; Lambda leaves what failed to a
        look. An endpoint in service tells a reason if its update failed (SageMaker API reference,
        EndpointMetadata, FailureReason)."""
        if self.service is not Service.SAGEMAKER or not self.status_reason:
            return None
        return Fail(
            "rolled-back",
            f"SageMaker took back the change of {self.name}, which stands at {self.requested} again:"
            f" {self.status_reason}",
            evidence={"requested": self.requested},
            next_steps=("Mend what the reason names; the level is asked for again in an hour",),
        )

    @property
    def dial(self) -> Mapping[str, Any]:
        """`provisioned`: what is asked for. `minimum`: MinCapacity of the scalable target that owns
        the dial, None without one; where there is one, only that is moved."""
        return {
            "provisioned": self.requested,
            "minimum": None if self.owner is None else self.owner.minimum,
        }


@dataclass(frozen=True)
class Glance:
    """What a heartbeat reads of every target, to tell whether it is worth a look.

    level: as of `Seen.level`. owned: whether a scalable target owns the dial. minutes: as of `Seen`;
    empty where nothing is provisioned.
    """

    target: str
    service: Service
    now: datetime
    wish: Wish | Refuse
    level: int
    owned: bool
    failed: bool
    minutes: tuple[Minute, ...]
    lead: timedelta | None


@dataclass(frozen=True)
class Rules:
    """The settings, as the decision uses them. spill, headroom: as shares of 1."""

    maximum: int
    dollars_per_hour: float
    changes_per_hour: int
    unreserved_minimum: int
    lead: timedelta
    spill: float
    spilled: int
    headroom: float
    hold: timedelta
