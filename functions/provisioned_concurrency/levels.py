"""Which level is wanted, and how far it may rise. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.decision import Dial
from functions.core.incident import Incident
from functions.provisioned_concurrency.observation import Rules, Seen, Service, Wish

TICKS = timedelta(minutes=2)
"""What a rise is early beside the time that allocation lasts: a heartbeat, and one that was lost."""


def ahead(lead: timedelta | None, rules: Rules) -> timedelta:
    """How long before its window a level is asked for."""
    return (rules.lead if lead is None else lead) + TICKS


def level_of(dial: Dial) -> int:
    """The level as a dial stands: with a scalable target the floor that it keeps to."""
    return int(dial["provisioned"] if dial["minimum"] is None else dial["minimum"])


def least(service: Service, owned: bool, stands: int) -> int:
    """The lowest level that can be written: ServerlessUpdateConfig takes 1 at least, and cannot take
    away what there is (service model, `ServerlessProvisionedConcurrency`)."""
    return 1 if service is Service.SAGEMAKER and not owned and stands else 0


def base(wish: Wish, owned: bool, stands: int, incident: Incident | None) -> int:
    """The level outside all windows.

    stands: the level as it is now. As its owner wrote it; 0 where a schedule says when it shall be more;
    else what stood before us.
    """
    if wish.minimum is not None:
        return wish.minimum
    if wish.schedule is not None and not owned:
        return 0
    if incident is not None and incident.before is not None:
        return level_of(incident.before)
    return stands


def planned(wish: Wish, base: int, begin: datetime, end: datetime) -> int:
    """The highest level that the schedule, or the base, asks for at any instant of [begin, end]."""
    window = wish.schedule.highest(begin, end) if wish.schedule else None
    return base if window is None else max(base, window)


@dataclass(frozen=True)
class Levels:
    """base: outside all windows. planned: as of now, looking ahead by what allocation lasts. coming:
    the highest that is asked for while a fall must hold, rises that would then be due included."""

    base: int
    planned: int
    coming: int


def levels_of(seen: Seen, wish: Wish, incident: Incident | None, rules: Rules) -> Levels:
    """What the owner of a target wants of it now, and soon."""
    floor = base(wish, seen.owner is not None, seen.level, incident)
    soon = seen.now + ahead(seen.lead, rules)
    return Levels(
        floor,
        planned(wish, floor, seen.now, soon),
        planned(wish, floor, seen.now, soon + rules.hold),
    )


@dataclass(frozen=True)
class Cap:
    """The level that something allows at most. `code` is a stable name."""

    code: str
    level: int
    reason: str


def cap(seen: Seen, wish: Wish, rules: Rules) -> Cap:
    """The lowest of all bounds; the first of several."""
    return min(_caps(seen, wish, rules), key=lambda each: each.level)


def _caps(seen: Seen, wish: Wish, rules: Rules) -> Iterator[Cap]:
    room = seen.room
    if wish.maximum is not None:
        yield Cap("maximum", wish.maximum, f"its owner allows {wish.maximum} at most")
    else:
        yield Cap("maximum", rules.maximum, f"without a max of its own {rules.maximum} is the most")
    if seen.owner is not None:
        most = seen.owner.maximum
        yield Cap("scaling-maximum", most, f"MaxCapacity of its scalable target is {most}")
    if (most_at_once := room.max_concurrency) is not None:
        yield Cap("max-concurrency", most_at_once, f"its MaxConcurrency is {most_at_once}")
    if room.reserved is not None:
        reason = f"the function's reserved concurrency leaves {room.reserved} to it"
        yield Cap("reserved-concurrency", max(0, room.reserved), reason)
    if room.unreserved is not None:
        left = max(0, room.unreserved - rules.unreserved_minimum)
        reason = (
            f"of the account's {room.limit} concurrent executions {room.unreserved} are unreserved,"
            f" and {rules.unreserved_minimum} stay so"
        )
        yield Cap("account-headroom", left, reason)
    an_hour = seen.memory_gb * seen.prices.provisioned * 3600
    if an_hour > 0:
        reason = f"${rules.dollars_per_hour:g} an hour are allowed"
        yield Cap("too-dear", math.floor(rules.dollars_per_hour / an_hour), reason)
