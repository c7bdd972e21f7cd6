"""What of a group counts as capacity, and which base buys how much of it On-Demand. Pure.

Source: EC2 Auto Scaling user guide, "Create a mixed instances group": the base comes first, of what
is above it the percentage is On-Demand, rounded in its favour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.spot_fallback.observation import GroupSeen, Market, Member

Distribution = Mapping[str, Any]
BASE, PERCENTAGE = "OnDemandBaseCapacity", "OnDemandPercentageAboveBaseCapacity"


def taken_back(distribution: Distribution) -> dict[str, Any]:
    """A distribution as Auto Scaling shows it, in the form in which it takes it back.

    Its base and percentage are written out, with their defaults; SpotInstancePools goes with
    lowest-price alone, and an empty SpotMaxPrice is none (botocore service model,
    `InstancesDistribution`). Segments stand in the place of base and percentage.
    """
    empty = {"SpotMaxPrice", "DistributionSegments"}
    kept = {name: v for name, v in distribution.items() if v or name not in empty}
    if kept.get("SpotAllocationStrategy", "lowest-price") != "lowest-price":
        kept.pop("SpotInstancePools", None)
    if "DistributionSegments" in kept:
        return kept
    return {BASE: 0, PERCENTAGE: 100, **kept}


def on_demand(distribution: Distribution, desired: int) -> int:
    """How many of `desired` instances the distribution buys On-Demand."""
    base = min(distribution[BASE], desired)
    return int(base - -(distribution[PERCENTAGE] * (desired - base)) // 100)


def with_base(distribution: Distribution, base: int) -> dict[str, Any]:
    return {**distribution, BASE: base}


def raised(distribution: Distribution, desired: int, units: int) -> int:
    """The smallest base, not below the present one, that buys `units` of `desired` On-Demand.

    One more of base buys one more instance or none, so what is bought is never more than `units`
    unless it was already.
    """
    base = int(distribution[BASE])
    while on_demand(with_base(distribution, base), desired) < min(units, desired):
        base += 1
    return base


def lowered(distribution: Distribution, desired: int, units: int, lowest: int) -> int:
    """The highest base below the present one that buys `units` of `desired` On-Demand or fewer;
    `lowest` where there is none above that."""
    for base in range(int(distribution[BASE]) - 1, lowest, -1):
        if on_demand(with_base(distribution, base), desired) <= units:
            return base
    return lowest


@dataclass(frozen=True)
class Count:
    """A group's instances, counted.

    spot, bought: healthy ones of each market that are here or on their way, and not leaving.
    serving: those of both that are in service. leaving: warned ones that must be taken out of the
    group; going: those together with the ones that the group lets go of by itself.
    """

    desired: int
    spot: int
    bought: int
    serving: int
    serving_spot: int
    leaving: tuple[str, ...]
    going: tuple[str, ...]

    @property
    def missing(self) -> int:
        return max(0, self.desired - self.spot - self.bought)


def count(seen: GroupSeen) -> Count:
    """What of the group counts.

    A warned instance serves until EC2 takes it, and the group counts it until then: only one that
    leaves is not counted. One that is still on its way cannot be taken out (API reference,
    DetachInstances: InService and Standby can), so it counts until it can. One whose market is not
    known yet is on its way, and of the market that the group launches first.
    """
    going = [each for each in seen.members if _goes(seen, each)]
    staying = [each for each in seen.members if each not in going and _counts(each)]
    spot = [each for each in staying if each.market == "spot"]
    bought = sum(each.market == "on-demand" for each in staying)
    unknown = len(staying) - len(spot) - bought
    # A group launches On-Demand before Spot, up to what its distribution buys.
    due = on_demand(seen.distribution, seen.desired) if BASE in seen.distribution else 0
    taken = min(unknown, max(0, due - bought))
    return Count(
        desired=seen.desired,
        spot=len(spot) + unknown - taken,
        bought=bought + taken,
        serving=sum(each.state == "InService" for each in staying),
        serving_spot=sum(each.state == "InService" for each in spot),
        leaving=tuple(each.id for each in going if not _let_go(seen, each)),
        going=tuple(each.id for each in going),
    )


def in_service(seen: GroupSeen, market: Market) -> list[Member]:
    return [each for each in seen.members if each.market == market and each.state == "InService"]


def _counts(member: Member) -> bool:
    return member.healthy and (member.state == "InService" or member.state.startswith("Pending"))


def _let_go(seen: GroupSeen, member: Member) -> bool:
    """Capacity Rebalancing replaces what is warned by itself, but for what is protected from
    scale-in (EC2 Auto Scaling user guide, "Capacity Rebalancing")."""
    return seen.rebalances and not member.protected


def _goes(seen: GroupSeen, member: Member) -> bool:
    if member.id not in seen.warned or member.market == "on-demand" or not _counts(member):
        return False
    return member.state == "InService" or _let_go(seen, member)
