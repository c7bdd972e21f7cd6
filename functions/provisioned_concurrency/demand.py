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


def spilling(minutes: Sequence[Minute], rules: Rules) -> Minute | None:
    """The newest of the last two minutes in which too much spilled over; None when none did."""
    for minute in reversed(minutes[-2:]):
        if minute.spilled > rules.spilled and minute.spilled > rules.spill * minute.invocations:
            return minute
    return None


def has_just_begun(minutes: Sequence[Minute], rules: Rules) -> bool:
    """Whether a burst was seen for less time than an invocation lasts, so that how high it goes is not
    seen yet: once it was, as many have spilled over as are in flight at once beside those on
    provisioned environments (Little's law). One that spills over for a third minute is not waited for,
    however long its invocations last."""
    if spilling(minutes[-NEWEST:-2], rules) is not None:
        return False
    newest = minutes[-2:]
    beside = max((concurrency(each) - each.provisioned for each in newest), default=0.0)
    return sum(each.spilled for each in newest) < beside


def with_headroom(demand: float, rules: Rules) -> int:
    """The level for a demand. Rounded before it is rounded up: 10 and a tenth are 11."""
    return math.ceil(round(demand * (1 + rules.headroom), 6))
