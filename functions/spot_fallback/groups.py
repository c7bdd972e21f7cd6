"""On-Demand for exactly what Spot has left a group without, and back to Spot once that holds.

Pure: what is decided follows from the observation and the incident alone. What counts as capacity,
and which base buys what, stands in `capacity`; the way back in `way_back`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from functions.core.decision import Act, Decision, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.spot_fallback.capacity import (
    BASE,
    PERCENTAGE,
    Count,
    count,
    on_demand,
    raised,
    with_base,
)
from functions.spot_fallback.failures import (
    FRESH,
    current,
    failing,
    kind,
    misconfigured,
)
from functions.spot_fallback.money import SHORT_SINCE, tally
from functions.spot_fallback.observation import GroupSeen, LaunchFailure, Rules
from functions.spot_fallback.way_back import last_write, orphaned, put_back, way_back

__all__ = ["decide", "tally"]

PACE = timedelta(seconds=5)
"""At least between two updates of one group."""
PROMPT = timedelta(seconds=5)
"""A write is dated once it is done; a group that answered it at once did so before that."""
SHORT = timedelta(minutes=3)
"""A group that is missing instances for that long, with none on its way, will not get them."""
OWN_ANSWER = timedelta(seconds=20)
"""What a group with Capacity Rebalancing is given to launch in the place of what was warned."""
SHOWN = 10


def decide(seen: GroupSeen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the group now. incident: the open one, if any."""
    ours = incident if incident is not None and incident.written is not None else None
    if ours is not None and ours.reverted_by:
        return put_back(seen, ours)
    have = count(seen)
    if ours is None and not have.missing and not have.going:
        return Settled(f"{seen.name} has the {seen.desired} instances that it is to have")
    if have.missing and (wrong := misconfigured(seen)):
        return _refused(seen, rules) or _misconfigured(seen, have, wrong)
    trouble = _trouble(seen, have, incident)
    if trouble:
        return _refused(seen, rules) or _replace(seen, have, ours, trouble, rules)
    if have.going and (have.missing or ours is None):
        return Wait(
            f"{seen.name} itself replaces {_instances(len(have.going))} that EC2 takes back",
            again=10 if have.missing else 0,
        )
    if have.missing or ours is None:
        return _filling(seen, have, ours, rules)
    return _refused(seen, rules) or orphaned(seen, ours) or way_back(seen, have, ours, rules)


def _trouble(seen: GroupSeen, have: Count, incident: Incident | None) -> str:
    """Why On-Demand is called for, as the start of a sentence; empty when it is not."""
    if have.leaving:
        return f"EC2 takes {_instances(len(have.leaving))} back"
    if not have.missing:
        return ""
    if failures := failing(seen, "spot"):
        return f"Spot launches fail ({failures[0].text:.200})"
    if _unanswered(seen, have):
        return f"EC2 takes {_instances(len(have.going))} back and nothing comes in their place"
    if (waited := _short_for(seen, incident)) >= SHORT:
        return f"nothing was launched for {waited.total_seconds() / 60:.0f} minutes"
    return ""


def _unanswered(seen: GroupSeen, have: Count) -> bool:
    """Whether a group that replaces what is warned by itself had its time and did not: more is
    missing than was warned just now."""
    fresh = sum(seen.now - seen.warned[id] < OWN_ANSWER for id in have.going)
    due = any(OWN_ANSWER <= seen.now - at <= FRESH for at in seen.warned.values())
    return bool(have.going) and due and have.missing > fresh


def _short_for(seen: GroupSeen, incident: Incident | None) -> timedelta:
    """How long every look has found instances missing, under the base as it stands."""
    since = incident.tally.get(SHORT_SINCE) if incident is not None else None
    if incident is None or since is None:
        return timedelta(0)
    if incident.written is not None:
        since = max(since, last_write(incident).timestamp())
    return timedelta(seconds=seen.now.timestamp() - since)


def _refused(seen: GroupSeen, rules: Rules) -> Refuse | None:
    """Why this group cannot be helped, by name. What does not pass by itself calls a person: nobody
    would notice that the group is not protected."""
    if not seen.distribution:
        return Refuse(
            "no-mixed-policy",
            f"{seen.name} has no mixed instances policy, so its capacity is all of one market",
            page=True,
            next_steps=("Give the group a mixed instances policy, with On-Demand base 0",),
        )
    if "DistributionSegments" in seen.distribution:
        return Refuse(
            "distribution-segments",
            f"{seen.name} divides its capacity by distribution segments, which any base would "
            "take away",
            page=True,
        )
    if seen.weighted:
        return Refuse(
            "weighted",
            f"{seen.name} weighs its instances, so its capacity is not counted in instances",
            page=True,
        )
    if seen.managed_by:
        name = seen.managed_by.rsplit(" ", 1)[-1].lower()
        return Refuse(
            f"managed-by-{name}",
            f"{seen.managed_by} manages {seen.name}; its purchase options are set there",
            page=True,
        )
    if "Launch" in seen.suspended:
        return Refuse(
            "launch-suspended",
            f"{seen.name} launches nothing: its process Launch is suspended",
            page=True,
        )
    if seen.refreshing:
        return Refuse(
            "refreshing",
            f"{seen.name} is under an instance refresh, which ends with settings of its own",
            again=60,
        )
    forbidden = (rules.forbid(role, f"the instances of {seen.name}") for role in seen.roles)
    return next((refusal for refusal in forbidden if refusal), None)


def _replace(
    seen: GroupSeen, have: Count, ours: Incident | None, trouble: str, rules: Rules
) -> Decision:
    """Raise the base so that the On-Demand it buys is what healthy Spot does not carry.

    Auto Scaling makes running instances follow a changed base, and it chooses which (botocore
    service model, `UpdateAutoScalingGroup`). So nothing but what leaves may be there to follow it:
    what is warned is taken out of the group in the same act; at the cap only as many as On-Demand
    replaces, as the rest serves until EC2 takes it.
    """
    base = int(seen.distribution[BASE])
    need = raised(seen.distribution, seen.desired, seen.desired - have.spot)
    top = _cap(seen, ours, rules)
    write = with_base(seen.distribution, max(base, min(need, top)))
    evidence = _evidence(seen, have, need, top)
    leaving, bought = have.leaving, on_demand(write, seen.desired)
    if need > write[BASE]:
        leaving = _soonest(seen, have, bought)
    if write[BASE] == base and not leaving:
        if need > base:
            return _capped(seen, base, need, top, evidence, rules)
        return _filling(seen, have, ours, rules)
    if write[BASE] > base and ours is not None:
        rest = last_write(ours) + PACE - seen.now
        if rest > timedelta(0):
            return Wait(
                f"{seen.name} was updated a moment ago", again=math.ceil(rest.total_seconds())
            )
    lets_go = {"leaving": list(leaving)} if leaving else {}
    reason = (
        f"{trouble}: {seen.name} keeps {_instances(have.spot)} on healthy Spot of the "
        f"{seen.desired} it is to have, so its On-Demand base goes from {base} to {write[BASE]}, "
        f"which makes {bought} On-Demand"
        if write[BASE] > base
        else f"{trouble}: {seen.name} lets {len(leaving)} go; its On-Demand base of {base} buys as "
        "many in their place"
    )
    if need > write[BASE]:
        reason += (
            f"; {need} would be needed, {top} is the most allowed, so {len(leaving)} of the "
            f"{len(have.going)} that are warned are let go of"
        )
    return Act(reason, {"distribution": write, **lets_go}, {"distribution": write}, Move.SAFETY, evidence)  # fmt: skip


def _soonest(seen: GroupSeen, have: Count, bought: int) -> tuple[str, ...]:
    """Of what leaves, those warned first: as many as On-Demand is yet to be launched for, beside
    what it fills of the group's empty places."""
    empty = max(0, have.missing - len(have.going))
    places = max(0, bought - have.bought - empty)
    return tuple(sorted(have.leaving, key=lambda id: seen.warned[id])[:places])


def _cap(seen: GroupSeen, ours: Incident | None, rules: Rules) -> int:
    """The highest base that the settings allow."""
    before = ours.before if ours is not None else None
    own = int((before or seen.dial)["distribution"][BASE])
    more = rules.on_demand_units
    prices = [rates.on_demand for rates in seen.rates.values() if rates.on_demand]
    if prices:
        more = min(more, math.floor(rules.on_demand_dollars_per_hour / max(prices) + 1e-9))
    return min(own + more, seen.max_size)


def _capped(
    seen: GroupSeen, base: int, need: int, top: int, evidence: Mapping[str, Any], rules: Rules
) -> Refuse:
    return Refuse(
        "above-cap",
        f"{seen.name} needs an On-Demand base of {need}, now {base}; {top} is the most that "
        f"{rules.on_demand_units} instances and {rules.on_demand_dollars_per_hour:g} dollars an "
        "hour beyond its own allow",
        page=True,
        evidence=evidence,
        next_steps=(
            "Raise spot_fallback.on_demand_units or .on_demand_dollars_per_hour and deploy",
            f"Or raise OnDemandBaseCapacity of {seen.name} yourself",
        ),
        again=60,
    )


def _filling(seen: GroupSeen, have: Count, ours: Incident | None, rules: Rules) -> Decision:
    """The base is enough, or nothing is wrong: the group launches what is missing, if it can."""
    waiting = Wait(f"{seen.name} launches the {_instances(have.missing)} that it is missing")
    if ours is None:
        return waiting
    answered = last_write(ours) - PROMPT
    failures = [
        each
        for each in current(seen, "on-demand")
        if each.at >= answered and kind(each) != "throttle"
    ]
    if not failures:
        return waiting
    short = _short(seen, have, failures)
    return _refused(seen, rules) or way_back(seen, have, ours, rules, short)


def _short(seen: GroupSeen, have: Count, failures: Sequence[LaunchFailure]) -> Refuse:
    """The group has tried its other types and subnets itself; what is left is a person's to do."""
    zones = sorted({each.zone for each in failures if each.zone} | set(seen.zones))
    types = ", ".join(seen.types) or "its type"
    full = kind(failures[0]) == "quota"
    why = "the quota has no room for On-Demand" if full else "AWS has not enough On-Demand either"
    answer = "a quota request" if full else "ranked offers, other zones and Capacity Blocks"
    other = "of another quota" if full else "or a subnet in another zone"
    return Refuse(
        "quota" if full else "on-demand-short",
        f"{why}: {seen.name} is missing {_instances(have.missing)} "
        f"after it tried {types} in {', '.join(zones)} ({failures[0].text:.200})",
        page=True,
        evidence=_evidence(seen, have, int(seen.distribution[BASE])),
        next_steps=(
            f"quota_increase answers the same refused launches with {answer}: look for the target "
            f"{_type_arn(seen)}",
            f"Add an instance type {other} to {seen.name}",
        ),
        again=60,
    )


def _misconfigured(seen: GroupSeen, have: Count, wrong: Sequence[LaunchFailure]) -> Refuse:
    """Neither market launches what AWS takes for a mistake; what would be bought is refused too."""
    return Refuse(
        "launch-misconfigured",
        f"{seen.name} is missing {_instances(have.missing)}, and its launches fail for a reason "
        f"that is no shortage ({wrong[0].text:.300})",
        page=True,
        evidence={
            "desired": seen.desired,
            "missing": have.missing,
            "failures": _shown(wrong),
        },
        next_steps=(
            f"Mend the launch template of {seen.name}, or what Auto Scaling may do in the account",
        ),
        again=60,
    )


def _shown(failures: Sequence[LaunchFailure]) -> list[dict[str, str]]:
    return [
        {"at": each.at.isoformat(), "zone": each.zone, "text": each.text[:200]}
        for each in failures[:3]
    ]


def _type_arn(seen: GroupSeen) -> str:
    _, partition, _, region, account, *_ = seen.arn.split(":")
    types = seen.types[0] if len(seen.types) == 1 else "<type>"
    return f"arn:{partition}:ec2:{region}:{account}:instance-type/{types}"


def _evidence(seen: GroupSeen, have: Count, need: int, top: int | None = None) -> dict[str, Any]:
    failures = list(dict.fromkeys(failing(seen, "spot") + failing(seen, "on-demand")))
    return {
        "desired": seen.desired,
        "healthySpot": have.spot,
        "onDemand": have.bought,
        "missing": have.missing,
        "base": seen.distribution[BASE],
        "percentageAboveBase": seen.distribution[PERCENTAGE],
        "neededBase": need,
        **({} if top is None else {"highestBase": top}),
        "warned": sorted(have.going)[:SHOWN],
        "warnedInAll": len(have.going),
        "atRisk": len(seen.at_risk),
        "failures": _shown(failures),
    }


def _instances(number: int) -> str:
    return f"{number} instance" if number == 1 else f"{number} instances"
