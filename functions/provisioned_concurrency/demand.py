"""How much concurrency a target's traffic truly needs, seen through CloudWatch's minutes. Pure.

The utilisation of provisioned concurrency never tells: it is busy over allocated, at most 1, however
much spills over (Lambda developer guide, "Monitoring concurrency").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from functions.provisioned_concurrency.observation import Minute, Rules

ONE_MINUTE = timedelta(minutes=1)
NEWEST = 3
"""Minutes back in which a burst's demand is looked for."""
WAVERS = 2
"""Roots of a demand that a rise adds to it at least."""


def concurrency(minute: Minute) -> float:
    """Most executions in flight at once: as told. Where AWS does not tell, by Little's law from what
    spilled over, which stays in flight for as long as an invocation lasts; in the minute in which more
    becomes ready that counts the same demand twice, before and after."""
    if minute.concurrent is not None:
        return minute.concurrent
    return minute.provisioned + minute.spilled * minute.seconds / ONE_MINUTE.total_seconds()


def peak(minutes: Iterable[Minute]) -> float | None:
    """The highest demand of these minutes; None where there are none."""
    return max(map(concurrency, minutes), default=None)


def spills(minute: Minute, rules: Rules) -> bool:
    """Whether too much spilled over in it."""
    return minute.spilled > rules.spilled and minute.spilled > rules.spill * minute.invocations


def spilling(minutes: Sequence[Minute], rules: Rules) -> Minute | None:
    """The newest of the last two minutes in which too much spilled over; None when none did."""
    return next((each for each in reversed(minutes[-2:]) if spills(each, rules)), None)


def has_just_begun(minutes: Sequence[Minute], rules: Rules) -> bool:
    """Whether a burst was seen for less than twice the time that an invocation lasts, so that how high
    it goes is not seen yet: in each such time as many spill over as are in flight at once beside those
    on provisioned environments (Little's law). One that spills over for a third minute is not waited
    for, however long its invocations last; nor one beyond what is provisioned by about as much as one
    before it."""
    newest, before = minutes[-2:], minutes[:-2]
    beside = max(map(_beside, newest), default=0.0)
    bursts = [_beside(each) for each in before if spills(each, rules)]
    known = any(abs(each - beside) <= rules.headroom * each for each in bursts)
    if known or spilling(before[-1:], rules) is not None:
        return False
    return sum(each.spilled for each in newest) < 2 * beside


def _beside(minute: Minute) -> float:
    """In flight at once beside those on provisioned environments."""
    return concurrency(minute) - minute.provisioned


def with_headroom(demand: float, rules: Rules) -> int:
    """The level for a demand. Rounded before it is rounded up: 10 and a tenth are 11."""
    return math.ceil(round(demand * (1 + rules.headroom), 6))


def to_serve(demand: float, rules: Rules) -> int:
    """The level for a demand of which moments were seen. What callers who know nothing of each other
    have in flight wavers by its root: that part counts where the demand is low (square-root staffing:
    Halfin and Whitt, "Heavy-Traffic Limits for Queues with Many Exponential Servers", Operations
    Research 29(3), 1981)."""
    return max(with_headroom(demand, rules), math.ceil(demand + WAVERS * math.sqrt(demand)))
