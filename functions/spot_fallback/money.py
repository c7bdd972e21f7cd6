"""Hours and dollars of a group that Spot was taken from, added up from look to look. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from functions.core.incident import Incident
from functions.spot_fallback.capacity import BASE, count, in_service, on_demand
from functions.spot_fallback.observation import GroupSeen, Member, Rates

LONGEST = 600.0
"""Seconds that one look may stand for: what a group was before an outage of ours is not known."""
COUNTED = (
    "spotHours",
    "onDemandHours",
    "spotDollars",
    "onDemandDollars",
    "savedDollars",
    "fallbackDollars",
)
SHORT_SINCE = "_short"
"""Key of the epoch second since when every look found capacity missing; absent while none is."""


def tally(seen: GroupSeen, incident: Incident) -> Mapping[str, float]:
    """What the instances in service now came to since the last look, on top of what was.

    savedDollars: what Spot would have cost more On-Demand. fallbackDollars: what the On-Demand
    beyond the group's own distribution cost more than Spot. A type without rates counts hours only.
    """
    before = incident.tally
    now = seen.now.timestamp()
    hours = min(max(0.0, now - before.get("_at", now)), LONGEST) / 3600
    spot, bought = in_service(seen, "spot"), in_service(seen, "on-demand")
    own = (incident.before or seen.dial)["distribution"]
    beyond = len(bought) - on_demand(own, seen.desired) if BASE in own else 0
    premiums = [premium for each in bought if (premium := _premium(seen, each)) is not None]
    an_hour = {
        "spotHours": float(len(spot)),
        "onDemandHours": float(len(bought)),
        "spotDollars": sum(_rates(seen, each).spot or 0.0 for each in spot),
        "onDemandDollars": sum(_rates(seen, each).on_demand or 0.0 for each in bought),
        "savedDollars": sum(_premium(seen, each) or 0.0 for each in spot),
        "fallbackDollars": max(0, beyond) * fmean(premiums) if premiums else 0.0,
    }
    added = {name: before.get(name, 0.0) + hours * an_hour[name] for name in COUNTED}
    short = {SHORT_SINCE: before.get(SHORT_SINCE, now)} if count(seen).missing else {}
    return {"_at": now, **added, **short}


def _rates(seen: GroupSeen, member: Member) -> Rates:
    return seen.rates.get(member.instance_type, Rates())


def _premium(seen: GroupSeen, member: Member) -> float | None:
    """Dollars an hour that On-Demand costs more than Spot."""
    rates = _rates(seen, member)
    if rates.on_demand is None or rates.spot is None:
        return None
    return max(0.0, rates.on_demand - rates.spot)
