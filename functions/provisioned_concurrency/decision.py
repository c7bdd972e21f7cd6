"""Warm before the demand, cheap after it: which level a target of provisioned concurrency is to have.

Pure: what is decided follows from the observation and the incident alone. How a level rises stands in
`rises`, how it falls in `falls`, which one the owner asks for in `levels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from functions.core.decision import Decision, Dial, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.provisioned_concurrency import money, obstacles
from functions.provisioned_concurrency.demand import spilling
from functions.provisioned_concurrency.falls import AT_LEAST_ONE, fall, kept
from functions.provisioned_concurrency.history import at, changes
from functions.provisioned_concurrency.levels import (
    Levels,
    ahead,
    base,
    least,
    level_of,
    levels_of,
    planned,
)
from functions.provisioned_concurrency.observation import Glance, Rules, Seen, Status
from functions.provisioned_concurrency.rises import by_schedule, by_traffic
from functions.provisioned_concurrency.writes import write

LONG = timedelta(minutes=15)
"""Longer than any allocation that goes well."""


def decide(seen: Seen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the target now. incident: the open one, if any."""
    ours = incident if incident is not None and incident.written is not None else None
    if ours is not None and ours.reverted_by:
        return _put_back(seen, ours)
    if seen.obstacle is not None:
        return _stopped(seen, seen.obstacle)
    if isinstance(seen.wish, Refuse):
        return seen.wish
    levels = levels_of(seen, seen.wish, incident, rules)
    if seen.status is Status.IN_PROGRESS:
        return _allocating(seen, ours, rules, levels)
    if seen.status is Status.FAILED and levels.coming >= seen.level:
        return _failed(seen)
    for rise in (by_schedule, by_traffic):
        if found := rise(seen, seen.wish, incident, rules, levels):
            return found
    if levels.coming < seen.level:
        return fall(seen, seen.wish, ours, rules, levels)
    if ours is None and levels.planned == seen.level:
        return Settled(f"{seen.name} has the {seen.level} that it is to have")
    return kept(seen, seen.wish, ours, rules, levels)


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
    return "spill" if spilling(seen.minutes, rules) else ""


def _stopped(seen: Seen, obstacle: Refuse) -> Refuse:
    """AWS leaves the weights of a deployment on an alias whose new version cannot start: then it is
    that which is to be told, the weights follow from it
    (github.com/aws/serverless-application-model/issues/1296)."""
    failed = seen.status is Status.FAILED and obstacle.code == obstacles.WEIGHTED
    return _failed(seen) if failed else obstacle


def _allocating(seen: Seen, ours: Incident | None, rules: Rules, levels: Levels) -> Refuse | Wait:
    """Our own rise is waited for, as long as that is to be expected; any other change in progress
    stands in the way of ours."""
    still = f"{seen.name} is still allocating: {seen.available} of {seen.requested}"
    lasts = seen.now - (seen.changed_at or seen.now)
    too_long = lasts > max(LONG, 2 * ahead(seen.lead, rules))
    expected = levels.planned == seen.level or any(
        each.level == seen.level for each in changes(ours)[-1:]
    )
    if expected and not too_long:
        return Wait(still)
    return Refuse(
        "in-progress",
        f"{still}, for {lasts.total_seconds() / 60:.0f} minutes, and takes no other level until then",
        page=too_long,
        evidence={"requested": seen.requested, "available": seen.available},
        next_steps=("See in its log whether its initialisation hangs",) if too_long else (),
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


def _put_back(seen: Seen, ours: Incident) -> Decision:
    assert ours.goal is not None
    if stands(seen.dial, ours.goal):
        return Settled(f"{seen.name} is back at {level_of(ours.goal)}")
    if seen.obstacle is not None:
        return _stopped(seen, seen.obstacle)
    if seen.status is Status.IN_PROGRESS:
        return Wait(f"{seen.name} is still allocating: {seen.available} of {seen.requested}")
    to = max(level_of(ours.goal), least(seen.service, seen.owner is not None, seen.level))
    cost = money.bill(seen, to)
    if to == seen.level:
        ways = ". ".join(AT_LEAST_ONE)
        return Settled(
            f"{seen.name} is back as far as it goes: 1 is kept, since ServerlessUpdateConfig takes no"
            f" less. {ways}. {cost}"
        )
    return write(seen, to, f"{ours.reverted_by} had it put back", cost, goal=ours.goal)
