"""What to say when the quota is fine and AWS is out of capacity. Nothing is ever bought. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from functions.core.decision import Decision, Refuse, Settled
from functions.quota_increase.observation import Offer, ShortageSeen

OVER = timedelta(hours=1)
"""How long after the last refusal a shortage counts as over."""
SHOWN = 5
LATER = 900


def decide(seen: ShortageSeen) -> Decision:
    """Tell of other zones and of ranked offers, once for as long as the shortage lasts."""
    if over(seen.last, seen.now):
        return Settled(f"no call was refused for want of {seen.instance_type} for an hour")
    ranked = rank(seen.offers)
    where = f" in {seen.zone}" if seen.zone else ""
    # A call that named no zone was refused for want of it in all of them.
    elsewhere = [zone for zone in seen.zones if seen.zone and zone != seen.zone]
    parts = [f"AWS has not enough {seen.instance_type}{where}; the quota is not the limit"]
    steps = []
    if seen.hints:
        parts.append(f"AWS says it has some in {', '.join(seen.hints)}")
        steps.append(f"Ask for it in {' or '.join(seen.hints)}, or name no zone at all")
    elif elsewhere:
        parts.append(f"it is also offered in {', '.join(elsewhere)}")
        steps.append(f"Try {', '.join(elsewhere)}, without a word from AWS that they have any")
    if ranked:
        parts.append(f"the cheapest of {len(ranked)} offers is {_shown(ranked[0])}")
        steps += [f"{_shown(offer)}: {offer.id}" for offer in ranked[:SHOWN]]
        steps.append("An offer is charged up front and cannot be cancelled: buying it is up to you")
    else:
        answered = f": {'; '.join(seen.errors)}" if seen.errors else ""
        parts.append(f"no offer of reserved capacity fits{answered}")
    return Refuse(
        "capacity-short",
        "; ".join(parts),
        page=True,
        evidence={
            "instanceType": seen.instance_type,
            "instances": seen.instances,
            "availabilityZone": seen.zone or None,
            "azHints": list(seen.hints),
            "offeredInZones": list(seen.zones),
            "offers": [offer.as_document() for offer in ranked[:SHOWN]],
            "offersFound": len(ranked),
            "errors": list(seen.errors),
        },
        next_steps=tuple(steps),
        again=LATER,
    )


def over(last: datetime, now: datetime) -> bool:
    """Whether a shortage counts as over. last: when a call was last refused for it."""
    return now - last > OVER


def rank(offers: Iterable[Offer]) -> list[Offer]:
    """Cheapest an instance hour first, among equals the one that starts first."""
    return sorted(offers, key=lambda each: (round(each.hourly, 4), each.start, each.id))


def _shown(offer: Offer) -> str:
    start = offer.start.astimezone(UTC)
    return (
        f"{offer.kind} of {offer.instances} x {offer.instance_type} in {offer.zone} for "
        f"{offer.hours:g} h from {start:%Y-%m-%d %H:%M} UTC at ${offer.fee:,.2f} "
        f"(${offer.hourly:.2f} an instance hour)"
    )
