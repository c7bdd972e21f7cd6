"""What a launch that failed says: nothing there, a quota, a mistake in the template, or nothing. Pure.

Codes: EC2 API reference, "Error codes for the Amazon EC2 API"; EC2 Auto Scaling user guide,
"Troubleshoot Amazon EC2 Auto Scaling", whose messages name no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from functions.spot_fallback.observation import GroupSeen, LaunchFailure, Market

Kind = Literal["capacity", "quota", "configuration", "throttle", "unknown"]

MARKETS: tuple[Market, ...] = ("spot", "on-demand")
FRESH = timedelta(minutes=10)
"""A failed launch that is older says nothing of now: a group tries again sooner."""

_SAID: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("throttle", ("requestlimitexceeded", "throttl", "request limit exceeded", "rate exceeded")),
    (
        "quota",
        (
            "maxspotinstancecountexceeded",
            "max spot instance count exceeded",
            "vcpulimitexceeded",
            "vcpu limit",
            "instancelimitexceeded",
            "maxfleetcountexceeded",
            "maxspotfleetrequestcountexceeded",
            "limit-exceeded",
            "targetcapacitylimitexceeded",
            "resourcelimitexceeded",
        ),
    ),
    (
        "capacity",
        (
            "insufficientinstancecapacity",
            "unfulfillablecapacity",
            "insufficientcapacity",
            "insufficienthostcapacity",
            "reservationcapacityexceeded",
            "insufficientfreeaddresses",
            "spotmaxpricetoolow",
            "capacity-not-available",
            "price-too-low",
            "sufficient capacity",
            "not enough capacity",
            "no spot capacity",
        ),
    ),
    (
        "configuration",
        (
            "invalid",
            "unauthorizedoperation",
            "authfailure",
            "not authorized",
            "permission",
            "does not exist",
            "doesn't exist",
        ),
    ),
)
"""In the order in which they count: what a quota or a shortage says may say `invalid` as well."""


def kind(failure: LaunchFailure) -> Kind:
    """`Unsupported` is a type that a zone does not have: another zone may."""
    low = failure.text.lower()
    for found, words in _SAID:
        if any(word in low for word in words):
            return found
    if (
        "unsupported" in low
        or "not supported in" in low
        or ("capacity" in low and ("sufficient" in low or failure.market))
    ):
        return "capacity"
    return "unknown"


def market_in(text: str) -> Market | None:
    """A policy's messages name the market they could not launch (texts: github.com/buildkite/
    elastic-ci-stack-for-aws/issues/851, github.com/cortexlabs/cortex/issues/1258). vCPUs are
    counted of On-Demand: Spot has an error of its own (EC2 API reference, error codes)."""
    low = text.lower()
    if "spot" in low:
        return None if "on-demand" in low else "spot"
    return "on-demand" if "on-demand" in low or "vcpulimitexceeded" in low else None


def failing(seen: GroupSeen, market: Market) -> list[LaunchFailure]:
    """Launches of a market that fail now: lately, and none has succeeded since. The newest first.

    A message that names no market may speak of either. Only a shortage or a quota is evidence.
    """
    return [each for each in current(seen, market) if kind(each) in ("capacity", "quota")]


def current(seen: GroupSeen, market: Market) -> list[LaunchFailure]:
    """Every failure of a market since its last launch, of whatever kind. The newest first."""
    since = max(
        (each.launched for each in seen.members if each.market == market and each.launched),
        default=seen.now - FRESH,
    )
    since = max(since, seen.now - FRESH)
    found = [each for each in seen.failures if each.market in (market, None) and each.at >= since]
    return sorted(found, key=lambda each: each.at, reverse=True)


def against_spot(seen: GroupSeen) -> list[LaunchFailure]:
    """All that speak against Spot, those that a launch has followed since included."""
    return [
        each
        for each in seen.failures
        if each.market != "on-demand" and kind(each) in ("capacity", "quota")
    ]


def misconfigured(seen: GroupSeen) -> Sequence[LaunchFailure]:
    """Failures of the template's or of the account's making, while none is of AWS's. The newest
    first; empty as soon as one launch comes so far as to find no capacity."""
    found = {each: None for market in MARKETS for each in current(seen, market)}
    kinds = [(each, kind(each)) for each in found]
    if any(of in ("capacity", "quota") for _, of in kinds):
        return ()
    wrong = [each for each, of in kinds if of == "configuration"]
    return sorted(wrong, key=lambda each: each.at, reverse=True)
