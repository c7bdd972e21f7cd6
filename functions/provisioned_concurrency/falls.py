"""Down, when nothing asks for the level any more and its time is paid for; else kept. Pure."""

from __future__ import annotations

import math
from datetime import timedelta

from functions.core.decision import Decision, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.provisioned_concurrency import money
from functions.provisioned_concurrency.demand import NEWEST, ONE_MINUTE, peak, with_headroom
from functions.provisioned_concurrency.history import changes, last_rise
from functions.provisioned_concurrency.levels import Levels, ahead, least, planned
from functions.provisioned_concurrency.observation import Rules, Seen, Status, Wish
from functions.provisioned_concurrency.writes import too_often, write

PAID_AHEAD = timedelta(minutes=5)
"""Provisioned concurrency is paid for from when it is asked for, rounded up to the nearest 5 minutes
(AWS Lambda pricing, "Provisioned Concurrency Pricing")."""
LAST_LOOK = timedelta(seconds=70)
"""Before the end of what is paid for: one heartbeat falls into it."""
LEAST_FALL = 0.1
"""Of a level: less is not worth a change."""
HANDS_OFF = timedelta(hours=1)
"""For which a level that somebody else has asked for is left to them."""
QUARTER = 900
A_DAY = 86_400
AT_LEAST_ONE = (
    "Update the endpoint to a new endpoint configuration whose ServerlessConfig has no"
    " ProvisionedConcurrency, with RetainAllVariantProperties off",
    "Or register the variant with Application Auto Scaling, with MinCapacity 0",
)


def fall(seen: Seen, wish: Wish, ours: Incident | None, rules: Rules, levels: Levels) -> Decision:
    """Down to what is still asked for, or a word why not yet.

    To let go of a floor takes nothing away: where a scalable target owns the dial its own policies
    follow the traffic, so a floor that the schedule asked for ends with it.
    """
    if ours is None and (left := _left_to_others(seen)):
        return left
    rose = last_rise(ours)
    if rose is not None and seen.now - rose < rules.hold:
        return kept(seen, wish, ours, rules, levels)
    scheduled = _scheduled(seen, wish, ours, levels)
    lowest = least(seen.service, seen.owner is not None, seen.level)
    to = max(levels.coming, lowest)
    if levels.coming > 0 and not (scheduled and seen.owner is not None):
        since = seen.now - max(rules.hold, NEWEST * ONE_MINUTE)
        demand = peak(each for each in seen.minutes if each.at >= since)
        if demand is None:
            return Wait(f"what {seen.name} needs is not known: its metrics are missing")
        to = max(to, with_headroom(demand, rules))
    if to >= seen.level:
        if seen.level == lowest == 1 and levels.coming == 0:
            return _at_least_one(seen)
        return kept(seen, wish, ours, rules, levels)
    if not scheduled and (
        to > (1 - LEAST_FALL) * seen.level
        or not _at_edge(seen)
        or _has_just_fallen(seen, ours, rules)
    ):
        return kept(seen, wish, ours, rules, levels)
    if refusal := too_often(seen, ours, rules):
        return refusal
    was, cost = money.bill(seen, seen.level), money.bill(seen, to)
    why = f"nothing asks for {seen.level} any more: from {seen.level} to {to}. {was}"
    return write(seen, to, why, cost)


def kept(
    seen: Seen, wish: Wish, ours: Incident | None, rules: Rules, levels: Levels
) -> Wait | Settled:
    """It stands as it is to, or is kept a while; resting, there is nothing left to do.

    The next look is when a fall is possible, or before the schedule changes; whatever else comes up is
    found by the glance of each heartbeat.
    """
    stood = seen.now - changes(ours)[-1].at if changes(ours) else rules.hold
    at_rest = levels.coming == levels.base == seen.level
    if at_rest and stood >= rules.hold:
        return Settled(f"{seen.name} is back at {seen.level}")
    cost = money.bill(seen, seen.level)
    if at_rest:
        again = math.ceil((rules.hold - stood).total_seconds())
    else:
        again = _until_the_schedule_changes(seen, wish, rules)
        if seen.level > levels.planned:
            again = min(again, _until_the_next_edge(seen, rules.hold - stood))
    return Wait(
        f"{seen.level} are kept ready for {seen.name}: {_bought(seen)}. {cost}",
        code="kept" if ours is not None and seen.level else "",
        evidence={"level": seen.level, "planned": levels.planned, **cost.evidence},
        again=again,
    )


def _at_least_one(seen: Seen) -> Refuse:
    """A serverless variant cannot be rid of its last one by this lever."""
    return Refuse(
        "at-least-one",
        f"{seen.name} is to have none, but ServerlessUpdateConfig takes 1 at least: 1 is kept."
        f" {money.bill(seen, 1)}",
        evidence=money.bill(seen, 1).evidence,
        next_steps=AT_LEAST_ONE,
        again=QUARTER,
    )


def _left_to_others(seen: Seen) -> Refuse | None:
    """What somebody else has just asked for is theirs, whatever the schedule says: it may be for
    something that only they know of."""
    if seen.changed_at is None or seen.owner is not None or seen.status is Status.FAILED:
        return None
    left = HANDS_OFF - (seen.now - seen.changed_at)
    if left <= timedelta(0) or seen.level <= least(seen.service, False, seen.level):
        return None
    return Refuse(
        "asked-for-by-others",
        f"the {seen.level} of {seen.name} were asked for by somebody else at {seen.changed_at:%H:%M}:"
        f" more than the schedule, and left to them for {HANDS_OFF.total_seconds() / 60:.0f} minutes",
        again=math.ceil(left.total_seconds()),
    )


def _scheduled(seen: Seen, wish: Wish, ours: Incident | None, levels: Levels) -> bool:
    """Whether the level that stands is one that the schedule asked for, and not a burst. What somebody
    else left where nothing is wanted counts as such."""
    last = changes(ours)[-1:]
    if not last and levels.coming == 0:
        return True
    since = last[0].at if last else seen.changed_at
    return since is None or seen.level <= planned(wish, levels.base, min(since, seen.now), seen.now)


def _has_just_fallen(seen: Seen, ours: Incident | None, rules: Rules) -> bool:
    """Demand that ebbs away is followed in few steps, each of which is seen to hold first."""
    return any(seen.now - each.at < rules.hold for each in changes(ours)[-1:])


def _at_edge(seen: Seen) -> bool:
    """Whether what is paid for already is used up before the next heartbeat."""
    if seen.changed_at is None:
        return True
    return (seen.now - seen.changed_at) % PAID_AHEAD >= PAID_AHEAD - LAST_LOOK


def _until_the_next_edge(seen: Seen, held: timedelta) -> int:
    """Seconds until the next end of what is paid for, not before so much longer."""
    since = seen.changed_at or seen.now
    stands = seen.now - since
    blocks = math.ceil((stands + max(held, timedelta(0)) + LAST_LOOK) / PAID_AHEAD)
    rest = blocks * PAID_AHEAD - LAST_LOOK - stands
    return math.ceil((rest if rest > timedelta(0) else rest + PAID_AHEAD).total_seconds())


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


def _until_the_schedule_changes(seen: Seen, wish: Wish, rules: Rules) -> int:
    """Seconds until the schedule asks for another level."""
    change = wish.schedule.next_change(seen.now) if wish.schedule else None
    if change is None:
        return A_DAY
    early = change - ahead(seen.lead, rules)
    due = early if early > seen.now else change
    return min(A_DAY, max(60, int((due - seen.now).total_seconds())))
