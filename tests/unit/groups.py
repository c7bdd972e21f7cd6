"""Groups in front of a decision, and what an incident has written of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.incident import Incident
from functions.spot_fallback.observation import (
    GroupSeen,
    LaunchFailure,
    Market,
    Member,
    Rates,
    Rules,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ARN = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/workers"
ROLE = "arn:aws:iam::123456789012:role/nodes"
RULES = Rules(roles=(ROLE,))
NO_SPOT = "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity."
NO_ON_DEMAND = "Could not launch On-Demand Instances. InsufficientInstanceCapacity - no m5.large."


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def distribution(base: int = 0, percentage: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": base,
        "OnDemandPercentageAboveBaseCapacity": percentage,
        "SpotAllocationStrategy": "price-capacity-optimized",
        **more,
    }


def members(
    market: Market, count: int, first: int = 0, state: str = "InService", **more: Any
) -> tuple[Member, ...]:
    """Members i-spot-0, i-spot-1, .. or i-on-demand-0, .. that were launched an hour ago."""
    usual: dict[str, Any] = {"healthy": True, "launched": ago(3600), **more}
    return tuple(
        Member(f"i-{market}-{n}", market, "m5.large", "us-east-1a", state, **usual)
        for n in range(first, first + count)
    )


def group(
    spot: int = 0, bought: int = 0, desired: int | None = None, base: int = 0, percentage: int = 0,
    warned: Sequence[int] = (), warned_ago: float = 3, **more: Any,
) -> GroupSeen:  # fmt: skip
    """A group of so many members in service. warned: numbers of the Spot ones under a warning."""
    usual: dict[str, Any] = {
        "arn": ARN,
        "name": "workers",
        "now": NOW,
        "desired": spot + bought if desired is None else desired,
        "max_size": 100,
        "distribution": distribution(base, percentage),
        "template": {},
        "members": members("spot", spot) + members("on-demand", bought),
        "warned": {f"i-spot-{n}": ago(warned_ago) for n in warned},
        "roles": (ROLE,),
        "types": ("m5.large",),
        "zones": ("us-east-1a", "us-east-1b"),
    }
    return GroupSeen(**usual | more)


def failed(
    seconds: float = 5, market: Market | None = "spot", text: str = NO_SPOT
) -> LaunchFailure:
    return LaunchFailure(ago(seconds), market, "us-east-1a", text)


def incident(
    *acts: tuple[float, int], before: int = 0, percentage: int = 0, **more: Any
) -> Incident:
    """An incident that wrote each base so many seconds ago."""
    opened = Incident.opened("spot_fallback", ARN, ago(acts[0][0] if acts else 0))
    written = [
        {
            "at": ago(seconds).isoformat(),
            "written": {"distribution": distribution(base, percentage)},
        }
        for seconds, base in acts
    ]
    if acts:
        opened = replace(
            opened,
            before={"distribution": distribution(before, percentage)},
            written=written[-1]["written"],  # type: ignore[arg-type]
            acts=tuple(written),
            attempts=len(acts),
        )
    return replace(opened, **more)


PRICES: Mapping[str, Rates] = {"m5.large": Rates(on_demand=0.1, spot=0.04)}
