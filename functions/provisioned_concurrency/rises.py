"""Up: to what the schedule or the traffic asks for, as far as there is room. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.core.decision import Decision, Refuse, Wait
from functions.core.incident import Incident
from functions.provisioned_concurrency import money
from functions.provisioned_concurrency.demand import (
    NEWEST,
    concurrency,
    has_just_begun,
    peak,
    spilling,
    to_serve,
    with_headroom,
)
from functions.provisioned_concurrency.history import at, highest_left, last_rise
from functions.provisioned_concurrency.levels import Cap, Levels, cap, level_of
from functions.provisioned_concurrency.observation import Minute, Rules, Seen, Status, Wish
from functions.provisioned_concurrency.writes import too_often, write

SOON = 10
"""Seconds until another look at a burst that has just begun."""


def by_schedule(
    seen: Seen, wish: Wish, incident: Incident | None, rules: Rules, levels: Levels
) -> Decision | None:
    """A rise to what the owner wants to have, if that is more. Traffic before a window tells nothing of
    how busy the level will be in it."""
    if levels.planned <= seen.level:
        return None
    if levels.planned == levels.base or wish.schedule is None:
        why = f"{seen.name} is to have {levels.planned} at least"
    else:
        zone = wish.schedule.zone.key
        why = f"the schedule of {seen.name} asks for {levels.planned} now or soon ({zone})"
    return _rise(replace(seen, minutes=()), wish, incident, rules, levels.planned, why)


def by_traffic(
    seen: Seen, wish: Wish, incident: Incident | None, rules: Rules, levels: Levels
) -> Decision | None:
    """A rise to what was in flight at once, if too much of it spilled over.

    Where the level outside all windows is 0 and none is near, its owner wants none, whatever the
    traffic; a scalable target is owner enough.
    """
    ours = incident if incident is not None and incident.written is not None else None
    wanted_at_all = levels.base or levels.planned or seen.owner is not None
    if seen.status is not Status.READY or not seen.requested or not wanted_at_all:
        return None
    minute = _spill(seen, ours, rules)
    found = to_serve(_demand(seen), rules)
    if minute is None or found <= seen.level:
        return None
    why = (
        f"{minute.spilled:.0f} of {minute.invocations:.0f} invocations of {seen.name} spilled over in"
        f" the minute from {minute.at:%H:%M}, when {concurrency(minute):.0f} were in flight at once"
    )
    if has_just_begun(seen.minutes, rules):
        return Wait(f"{why}; how high that goes is not seen yet", again=SOON)
    return _rise(seen, wish, incident, rules, found, why, ours)


def _spill(seen: Seen, ours: Incident | None, rules: Rules) -> Minute | None:
    """A minute in which too much spilled over, and not only for want of what is ready by now.

    When that became ready nobody tells; a look that saw it so is the latest it can have been. What
    spilled over before counts where what is asked for is clearly short of it, by more than what a
    rise adds.
    """
    ready: datetime | None = None
    if ours is not None and last_rise(ours) is not None:
        told = ours.tally.get(money.READY_AT, 0.0)
        known = told >= at(ours.acts[-1]).timestamp()
        ready = datetime.fromtimestamp(told, seen.now.tzinfo) if known else seen.now
    enough = to_serve(seen.requested, rules)
    counted = [
        each
        for each in seen.minutes[-2:]
        if ready is None or each.at >= ready or concurrency(each) > enough
    ]
    return spilling(counted, rules)


def _rise(
    seen: Seen,
    wish: Wish,
    incident: Incident | None,
    rules: Rules,
    wanted: int,
    why: str,
    burst: Incident | None = None,
) -> Decision:
    """burst: what we did before, where it is traffic that asks for more and not the owner."""
    bound = cap(seen, wish, rules)
    to = min(_as_asked(seen, incident, wanted, rules), bound.level)
    if to <= seen.level:
        return _capped(seen, bound, wanted, why)
    if rest := _after_a_fall(seen, burst, rules, to):
        return rest
    if refusal := too_often(seen, incident, rules):
        return refusal
    cost = money.bill(seen, to)
    short = f"; {wanted} are wanted, but {bound.reason}" if to < wanted else ""
    reason = f"{why}{short}: from {seen.level} to {to}, which so many invocations at once find warm. {cost}"
    return write(seen, to, reason, cost)


def _demand(seen: Seen) -> float:
    """Most in flight at once that were seen of a burst."""
    return peak(seen.minutes[-NEWEST:]) or 0.0


def _after_a_fall(seen: Seen, ours: Incident | None, rules: Rules, to: int) -> Wait | None:
    """Whoever has just come down goes up again only where it has not been, for what that would not have
    held: no ping-pong."""
    left = highest_left(ours, seen.now - rules.hold)
    if not left or min(to, with_headroom(_demand(seen), rules)) > left:
        return None
    return Wait(
        f"{seen.name} fell from {left} less than {rules.hold.total_seconds():.0f} s ago; until then"
        f" only more than {left} would be new"
    )


def _as_asked(seen: Seen, incident: Incident | None, wanted: int, rules: Rules) -> int:
    """What a person was asked to agree to stays the question as long as it is about as much; what
    stands already was answered."""
    if incident is None or incident.asked_goal is None:
        return wanted
    asked = level_of(incident.asked_goal)
    same = asked > seen.level and abs(asked - wanted) <= rules.headroom * wanted
    return asked if same else wanted


def _capped(seen: Seen, bound: Cap, wanted: int, why: str) -> Refuse:
    evidence: Mapping[str, Any] = {"wanted": wanted, "level": seen.level}
    if bound.code == "account-headroom":
        evidence = {
            **evidence,
            "service_code": "lambda",
            "quota_code": "L-B99A9384",
            "quota_name": "Concurrent executions",
            "limit": seen.room.limit,
            "delta": wanted - max(seen.level, bound.level),
        }
    return Refuse(
        bound.code,
        f"{why}, which calls for {wanted}, but {bound.reason}; it stays at {seen.level}",
        page=True,
        evidence=evidence,
        again=300,
    )
