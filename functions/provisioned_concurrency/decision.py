"""Warm before the demand, cheap after it: which level a target of provisioned concurrency is to have.

Pure: what is decided follows from the observation and the incident alone. Which level the owner and
the traffic ask for stands in `levels` and `demand`, what it costs in `money`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Dial, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.provisioned_concurrency import money
from functions.provisioned_concurrency.demand import (
    NEWEST,
    concurrency,
    has_just_begun,
    peak,
    spilling,
    with_headroom,
)
from functions.provisioned_concurrency.history import at, changes, highest_left, last_rise
from functions.provisioned_concurrency.levels import (
    Cap,
    ahead,
    base,
    cap,
    least,
    level_of,
    planned,
)
from functions.provisioned_concurrency.observation import (
    Glance,
    Minute,
    Rules,
    Seen,
    Status,
    Wish,
)

HOUR = timedelta(hours=1)
PAID_AHEAD = timedelta(minutes=5)
"""Provisioned concurrency is paid for from when it is asked for, rounded up to the nearest 5 minutes
(AWS Lambda pricing, "Provisioned Concurrency Pricing")."""
LAST_LOOK = timedelta(seconds=70)
"""Before the end of what is paid for: one heartbeat falls into it."""
LEAST_FALL = 0.1
"""Of a level: less is not worth a change."""
SOON = 10
"""Seconds until another look at a burst that has just begun."""
LONGEST_REST = 900
AT_LEAST_ONE = (
    "Update the endpoint to a new endpoint configuration whose ServerlessConfig has no"
    " ProvisionedConcurrency, with RetainAllVariantProperties off",
    "Or register the variant with Application Auto Scaling, with MinCapacity 0",
)


@dataclass(frozen=True)
class _Levels:
    """base: outside all windows. planned: as of now, looking ahead by what allocation lasts. coming:
    the same over the time for which a fall must hold."""

    base: int
    planned: int
    coming: int


def decide(seen: Seen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the target now. incident: the open one, if any."""
    ours = incident if incident is not None and incident.written is not None else None
    if ours is not None and ours.reverted_by:
        return _put_back(seen, ours)
    if seen.obstacle is not None:
        return seen.obstacle
    if isinstance(seen.wish, Refuse):
        return seen.wish
    levels = _levels(seen, seen.wish, incident, rules)
    if seen.status is Status.IN_PROGRESS:
        return Wait(f"{seen.name} is still allocating: {seen.available} of {seen.requested}")
    if seen.status is Status.FAILED and levels.coming >= seen.level:
        return _failed(seen)
    ready = seen.status is Status.READY and seen.level > 0
    spill = _spill(seen, ours, rules) if ready else None
    if levels.planned > seen.level:
        return _rise(seen, seen.wish, incident, rules, levels.planned, _by_schedule(seen, levels))
    if spill is not None and (levels.base or levels.planned):
        found = with_headroom(peak(seen.minutes[-NEWEST:]) or 0.0, rules)
        if found > seen.level and has_just_begun(seen.minutes, rules):
            why = f"{_by_spill(seen, spill)}; how high that goes is not seen yet"
            return Wait(why, again=SOON)
        if found > seen.level:
            return _rise(seen, seen.wish, incident, rules, found, _by_spill(seen, spill), ours)
    if levels.coming < seen.level:
        return _fall(seen, seen.wish, ours, rules, levels)
    if ours is None and levels.planned == seen.level:
        return Settled(f"{seen.name} has the {seen.level} that it is to have")
    return _kept(seen, seen.wish, ours, rules, levels)


def stands(dial: Dial, written: Dial) -> bool:
    """Whether a dial still stands where it was written. What a scalable target does within its bounds
    is its own affair."""
    if dial["minimum"] is None and written["minimum"] is None:
        return bool(dial["provisioned"] == written["provisioned"])
    return bool(dial["minimum"] == written["minimum"])


def tally(seen: Seen, incident: Incident) -> Mapping[str, float]:
    """Hours and dollars of the incident until now; `incident.tally` is what it was before."""
    counted = dict(money.tally(seen, incident))
    ready = counted.get(money.READY_AT, 0.0)
    if seen.status is Status.READY and incident.acts and ready < at(incident.acts[-1]).timestamp():
        counted[money.READY_AT] = seen.now.timestamp()
    return counted


def glance(seen: Glance, rules: Rules) -> str:
    """Why a target is worth a look, as a stable name; empty when it is not."""
    if isinstance(seen.wish, Refuse):
        return "settings"
    if seen.failed:
        return "failed"
    floor = base(seen.wish, seen.owned, seen.level, None)
    wanted = planned(seen.wish, floor, seen.now, seen.now + ahead(seen.lead, rules))
    if max(wanted, least(seen.service, seen.owned, seen.level)) != seen.level:
        return "schedule"
    if seen.level and spilling(seen.minutes, rules):
        return "spill"
    return ""


def _levels(seen: Seen, wish: Wish, incident: Incident | None, rules: Rules) -> _Levels:
    floor = base(wish, seen.owner is not None, seen.level, incident)
    soon = ahead(seen.lead, rules)
    return _Levels(
        floor,
        planned(wish, floor, seen.now, seen.now + soon),
        planned(wish, floor, seen.now, seen.now + max(rules.hold, soon)),
    )


# up


def _by_schedule(seen: Seen, levels: _Levels) -> str:
    assert isinstance(seen.wish, Wish)
    if levels.planned == levels.base or seen.wish.schedule is None:
        return f"{seen.name} is to have {levels.planned} at least"
    return (
        f"the schedule of {seen.name} asks for {levels.planned} now or soon"
        f" ({seen.wish.schedule.zone.key})"
    )


def _by_spill(seen: Seen, minute: Minute) -> str:
    return (
        f"{minute.spilled:.0f} of {minute.invocations:.0f} invocations of {seen.name} spilled over in"
        f" the minute from {minute.at:%H:%M}, when {concurrency(minute):.0f} were in flight at once"
    )


def _spill(seen: Seen, ours: Incident | None, rules: Rules) -> Minute | None:
    """A minute in which too much spilled over, and not only for want of what is ready by now.

    When that became ready nobody tells; a look that saw it so is the latest it can have been. What
    spilled over before counts where the level as it stands is clearly short of it, by more than what
    a rise adds.
    """
    ready: datetime | None = None
    if ours is not None and last_rise(ours) is not None:
        told = ours.tally.get(money.READY_AT, 0.0)
        known = told >= at(ours.acts[-1]).timestamp()
        ready = datetime.fromtimestamp(told, seen.now.tzinfo) if known else seen.now
    counted = [
        each
        for each in seen.minutes[-2:]
        if ready is None or each.at >= ready or concurrency(each) > with_headroom(seen.level, rules)
    ]
    return spilling(counted, rules)


def _after_a_fall(seen: Seen, ours: Incident | None, rules: Rules, to: int) -> Wait | None:
    """Whoever has just come down goes up again only to where it has not been: no ping-pong."""
    left = highest_left(ours, seen.now - rules.hold)
    if to > left:
        return None
    return Wait(
        f"{seen.name} fell from {left} less than {rules.hold.total_seconds():.0f} s ago; until then"
        f" only more than {left} would be new"
    )


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
    to = min(_as_asked(incident, wanted, rules), bound.level)
    if to <= seen.level:
        return _capped(seen, bound, wanted, why)
    if rest := _after_a_fall(seen, burst, rules, to):
        return rest
    if refusal := _too_often(seen, incident, rules):
        return refusal
    cost = money.bill(seen, to)
    short = f"; {wanted} are wanted, but {bound.reason}" if to < wanted else ""
    return _write(seen, to, f"{why}{short}: from {seen.level} to {to}. {cost}", cost)


def _as_asked(incident: Incident | None, wanted: int, rules: Rules) -> int:
    """What a person was asked to agree to stays the question as long as it is about as much."""
    if incident is None or incident.asked_goal is None:
        return wanted
    asked = level_of(incident.asked_goal)
    return asked if abs(asked - wanted) <= rules.headroom * wanted else wanted


def _capped(seen: Seen, bound: Cap, wanted: int, why: str) -> Refuse:
    evidence: dict[str, Any] = {"wanted": wanted, "level": seen.level}
    if bound.code == "account-headroom":
        evidence |= {
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


def _too_often(seen: Seen, incident: Incident | None, rules: Rules) -> Refuse | None:
    acts = incident.acts if incident is not None else ()
    recent = sum(seen.now - at(act) < HOUR for act in acts)
    if recent < rules.changes_per_hour:
        return None
    return Refuse(
        "change-limit",
        f"{seen.name} was changed {recent} times in the last hour; {rules.changes_per_hour} are allowed",
        page=True,
        again=300,
    )


def _failed(seen: Seen) -> Refuse:
    return Refuse(
        "init-failed",
        f"of the {seen.requested} asked for {seen.available} came up: {seen.status_reason}. Asking again"
        " would fail again, and each try is paid for",
        page=True,
        evidence={"requested": seen.requested, "available": seen.available},
        next_steps=(
            "Mend the function's initialisation and point the alias at a version that starts",
        ),
        again=300,
    )


# down


def _fall(seen: Seen, wish: Wish, ours: Incident | None, rules: Rules, levels: _Levels) -> Decision:
    """Down to what is still asked for, or a word why not yet."""
    rose = last_rise(ours)
    if rose is not None and seen.now - rose < rules.hold:
        return _kept(seen, wish, ours, rules, levels)
    lowest = least(seen.service, seen.owner is not None, seen.level)
    to = max(levels.coming, lowest)
    if levels.coming > 0:
        demand = peak(each for each in seen.minutes if seen.now - each.at <= rules.hold)
        if demand is None:
            return Wait(f"what {seen.name} needs is not known: its metrics are missing")
        to = max(to, with_headroom(demand, rules))
    if to >= seen.level:
        if seen.level == lowest == 1 and levels.coming == 0:
            return _at_least_one(seen)
        return _kept(seen, wish, ours, rules, levels)
    if not _scheduled(seen, wish, ours, levels) and (
        to > (1 - LEAST_FALL) * seen.level
        or not _at_edge(seen)
        or _has_just_fallen(seen, ours, rules)
    ):
        return _kept(seen, wish, ours, rules, levels)
    if refusal := _too_often(seen, ours, rules):
        return refusal
    was, cost = money.bill(seen, seen.level), money.bill(seen, to)
    why = f"nothing asks for {seen.level} any more: from {seen.level} to {to}. {was}"
    return _write(seen, to, why, cost)


def _scheduled(seen: Seen, wish: Wish, ours: Incident | None, levels: _Levels) -> bool:
    """Whether the level that stands is one that the schedule asked for, and not a burst."""
    since = at(ours.acts[-1]) if ours is not None and ours.acts else seen.changed_at
    if since is None or levels.coming == 0:
        return True
    return seen.level <= planned(wish, levels.base, min(since, seen.now), seen.now)


def _has_just_fallen(seen: Seen, ours: Incident | None, rules: Rules) -> bool:
    """Demand that ebbs away is followed in few steps, each of which is seen to hold first."""
    return any(seen.now - each.at < rules.hold for each in changes(ours)[-1:])


def _at_edge(seen: Seen) -> bool:
    """Whether what is paid for already is used up before the next heartbeat."""
    if seen.changed_at is None:
        return True
    return (seen.now - seen.changed_at) % PAID_AHEAD >= PAID_AHEAD - LAST_LOOK


def _at_least_one(seen: Seen) -> Refuse:
    return Refuse(
        "at-least-one",
        f"{seen.name} is to have none, but ServerlessUpdateConfig takes 1 at least: 1 is kept."
        f" {money.bill(seen, 1)}",
        evidence=money.bill(seen, 1).evidence,
        next_steps=AT_LEAST_ONE,
        again=LONGEST_REST,
    )


# neither


def _kept(seen: Seen, wish: Wish, ours: Incident | None, rules: Rules, levels: _Levels) -> Decision:
    """It stands as it is to, or is kept a while; resting, there is nothing left to do."""
    at_rest = levels.coming == levels.base == seen.level
    if at_rest and (ours is None or seen.now - at(ours.acts[-1]) >= rules.hold):
        return Settled(f"{seen.name} is back at {seen.level}")
    cost = money.bill(seen, seen.level)
    return Wait(
        f"{seen.level} are kept ready for {seen.name}: {_bought(seen)}. {cost}",
        code="kept" if ours is not None and seen.level else "",
        evidence={"level": seen.level, "planned": levels.planned, **cost.evidence},
        again=0 if at_rest or seen.level > levels.planned else _rest(seen, wish, rules),
    )


def _bought(seen: Seen) -> str:
    """What a level buys: the invocations that find an environment ready."""
    if not seen.minutes:
        return "that many invocations at once start warm"
    warm = sum(each.invocations - each.spilled for each in seen.minutes)
    cold = sum(each.spilled for each in seen.minutes)
    return (
        f"{warm:.0f} invocations of the last {len(seen.minutes)} minutes started warm,"
        f" {cold:.0f} spilled over"
    )


def _rest(seen: Seen, wish: Wish, rules: Rules) -> int:
    """Seconds until the schedule asks for another level; signals and glances come in between."""
    change = wish.schedule.next_change(seen.now) if wish.schedule else None
    if change is None:
        return LONGEST_REST
    early = change - ahead(seen.lead, rules)
    due = early if early > seen.now else change
    return min(LONGEST_REST, max(60, int((due - seen.now).total_seconds())))


def _put_back(seen: Seen, ours: Incident) -> Decision:
    assert ours.goal is not None
    if stands(seen.dial, ours.goal):
        return Settled(f"{seen.name} is back at {level_of(ours.goal)}")
    if seen.obstacle is not None:
        return seen.obstacle
    if seen.status is Status.IN_PROGRESS:
        return Wait(f"{seen.name} is still allocating: {seen.available} of {seen.requested}")
    to = max(level_of(ours.goal), least(seen.service, seen.owner is not None, seen.level))
    if to == seen.level:
        return _at_least_one(seen)
    cost = money.bill(seen, to)
    return _write(seen, to, f"{ours.reverted_by} had it put back", cost, goal=ours.goal)


def _write(seen: Seen, to: int, reason: str, cost: money.Bill, goal: Dial | None = None) -> Act:
    if seen.owner is None:
        write: Dial = {"provisioned": to, "minimum": None}
    else:
        write = {"provisioned": seen.requested, "minimum": to}
    evidence = {
        "from": seen.level,
        "to": to,
        "demand": peak(seen.minutes[-NEWEST:]),
        **cost.evidence,
    }
    return Act(reason, write, goal or write, Move.FORWARD, evidence)
