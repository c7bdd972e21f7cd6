"""A group's way back to Spot: one instance as a probe, then more for as long as Spot holds. Pure.

A lowered base makes the group launch one Spot Instance before it ends one On-Demand (botocore
service model, `UpdateAutoScalingGroup`: new instances come before old ones go), so a step that Spot
does not follow takes nothing away: it is left standing, and the group itself keeps asking.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from functions.core.decision import Act, Decision, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.spot_fallback.capacity import BASE, Count, lowered, on_demand, with_base
from functions.spot_fallback.failures import against_spot
from functions.spot_fallback.observation import GroupSeen, Rules

AT_RISK = 0.3
"""Weight of a rebalance recommendation: of 30, 9 were followed by an interruption
(github.com/aws/aws-node-termination-handler/issues/141)."""
HOUR = timedelta(hours=1)
LONGEST_WAIT = 300
"""Seconds; what an hour costs is counted from look to look."""
ORPHANED, TOLD_WITHIN = timedelta(minutes=5), timedelta(minutes=2)
MOST_ACTS = 50
SHOWN = 10


@dataclass(frozen=True)
class Step:
    """One write of the incident. change: of the base, against the write before it."""

    at: datetime
    change: int


def way_back(
    seen: GroupSeen, have: Count, ours: Incident, rules: Rules, short: Refuse | None = None
) -> Decision:
    """The next step back to the base as it was, or why it is not due.

    short: what is told while On-Demand cannot be had either. Then what is missing is asked of
    Spot again, all at once: none of it is there to be lost.
    """
    assert ours.before is not None
    original = int(ours.before["distribution"][BASE])
    base = int(seen.distribution[BASE])
    steps = _steps(ours, original)
    if base <= original:
        return short or _returned(seen, ours)
    wanted_spot = seen.desired - on_demand(seen.distribution, seen.desired)
    if short is None and (have.serving < seen.desired or have.serving_spot < wanted_spot):
        return Wait(
            f"{seen.name} has {have.serving} of {seen.desired} instances in service, "
            f"{have.serving_spot} of {wanted_spot} on Spot; the next step back waits for them"
        )
    if (left := _quiet_from(seen, steps, rules) + rules.hold - seen.now) > timedelta(0):
        return short or Wait(
            f"Spot has not held for {rules.hold.total_seconds():.0f} s yet, {_seconds(left)} s are "
            "left",
            again=min(_seconds(left), LONGEST_WAIT),
        )
    beginnings = _beginnings(steps, seen.now - HOUR)
    if _begins(steps) and len(beginnings) >= rules.flips_per_hour:
        return short or Wait(
            f"the way back has begun {len(beginnings)} times within the hour, "
            f"{rules.flips_per_hour} are allowed; {seen.name} stays On-Demand until then",
            code="flips-spent",
            again=LONGEST_WAIT,
        )
    units = _step(seen, ours, steps) if short is None else have.missing
    bought = on_demand(seen.distribution, seen.desired)
    to = lowered(seen.distribution, seen.desired, bought - units, original)
    return _lower(seen, have, ours, to)


def _lower(seen: GroupSeen, have: Count, ours: Incident, to: int) -> Act:
    assert ours.before is not None
    base = seen.distribution[BASE]
    write = with_base(seen.distribution, to)
    bought = on_demand(write, seen.desired)
    return Act(
        f"Spot holds: the On-Demand base of {seen.name} goes from {base} to {to}, which asks Spot "
        f"for {seen.desired - bought} of {seen.desired}, {have.serving_spot} of them in service",
        {"distribution": write},
        {"distribution": ours.before["distribution"]},
        Move.FORWARD,
        {
            "desired": seen.desired,
            "base": base,
            "loweredTo": to,
            "originalBase": ours.before["distribution"][BASE],
            "spotInService": have.serving_spot,
            "missing": have.missing,
            "atRisk": len(seen.at_risk),
        },
    )


def _returned(seen: GroupSeen, ours: Incident) -> Decision:
    """Kept open for an hour, so that beginnings of ways back are counted across."""
    reason = f"{seen.name} is back at its own On-Demand base of {seen.distribution[BASE]}"
    left = last_write(ours) + HOUR - seen.now
    if left <= timedelta(0):
        return Settled(reason)
    return Wait(reason, code="returned", again=min(_seconds(left), LONGEST_WAIT))


def put_back(seen: GroupSeen, ours: Incident) -> Decision:
    """The distribution as it was, in one write, as an operator asked."""
    assert ours.goal is not None
    goal = {"distribution": ours.goal["distribution"]}
    if seen.dial == goal:
        return Settled(f"the instances distribution of {seen.name} stands as it did before")
    reason = f"{ours.reverted_by} asks to put it back"
    return Act(reason, goal, goal, Move.FORWARD, ours.evidence)


def orphaned(seen: GroupSeen, ours: Incident) -> Wait | None:
    """Instances that were warned, are out of the group, and that EC2 did not take: told once."""
    if "still-running" in ours.told:
        return None
    newest = last_write(ours)
    # A later act forgets what was told, but by then it was.
    found = [id for id in seen.orphans if newest < seen.warned[id] + ORPHANED + TOLD_WITHIN]
    if not found:
        return None
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return Wait(
        f"warned {_seconds(ORPHANED) // 60} minutes ago or more, outside {seen.name} since, and "
        f"running still: {', '.join(found[:SHOWN])}{more}",
        code="still-running",
        evidence={"instances": found[:SHOWN], "inAll": len(found)},
        next_steps=("End them if they are no longer needed: they are paid for",),
    )


def last_write(ours: Incident) -> datetime:
    return datetime.fromisoformat(ours.acts[-1]["at"] if ours.acts else ours.opened_at)


def _steps(ours: Incident, original: int) -> list[Step]:
    """The incident's writes that moved the base, oldest first."""
    bases = [int(act["written"]["distribution"][BASE]) for act in ours.acts]
    before = bases[:1] if len(ours.acts) == MOST_ACTS else [original]
    changes = [new - old for old, new in zip(before + bases, bases, strict=False)]
    return [
        Step(datetime.fromisoformat(act["at"]), change)
        for act, change in zip(ours.acts, changes, strict=True)
        if change
    ]


def _begins(steps: Sequence[Step]) -> bool:
    """Whether a lowering now would begin a way back, rather than go on with one."""
    return not steps or steps[-1].change > 0


def _beginnings(steps: Sequence[Step], since: datetime) -> list[datetime]:
    return [
        step.at
        for before, step in pairwise(steps)
        if before.change > 0 > step.change and step.at > since
    ]


def _step(seen: GroupSeen, ours: Incident, steps: Sequence[Step]) -> int:
    """1, and twice as much each time that Spot has held since; 1 again after any trouble."""
    trouble = [datetime.fromisoformat(ours.opened_at), *seen.warned.values()]
    trouble += [step.at for step in steps if step.change > 0]
    trouble += [each.at for each in against_spot(seen)]
    since = max(trouble)
    return int(2 ** sum(step.change < 0 and step.at > since for step in steps))


def _quiet_from(seen: GroupSeen, steps: Sequence[Step], rules: Rules) -> datetime:
    """Since when Spot has held: no evidence against it, and what the last step asked for there.

    Evidence counts while it is within the hold, and holds back once it weighs 1 together.
    """
    weights = {id: (at, AT_RISK) for id, at in seen.at_risk.items()}
    weights |= {id: (at, 1.0) for id, at in seen.warned.items()}
    told = [*weights.values()]
    told += [(each.at, 1.0) for each in against_spot(seen)]
    begun = [steps[-1].at] if steps else []
    if not _begins(steps):
        begun += [each.launched for each in seen.members if each.market == "spot" and each.launched]
    weight = 0.0
    for at, more in sorted(told, reverse=True):
        if at < seen.now - rules.hold:
            break
        weight += more
        if weight >= 1 - 1e-9:
            begun.append(at)
            break
    return max(begun, default=seen.now - rules.hold)


def _seconds(left: timedelta) -> int:
    return math.ceil(left.total_seconds())
