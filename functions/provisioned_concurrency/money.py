"""What a level costs, what it buys, and whether it pays. Pure.

An invocation on provisioned concurrency is cheaper than one on demand, and the environment costs as
long as it stands (AWS Lambda pricing, "Provisioned Concurrency Pricing"). So one more of them pays
once it is busy for provisioned / (on demand - duration) of the time: 0.6 at Lambda's prices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.incident import Incident
from functions.provisioned_concurrency.demand import concurrency
from functions.provisioned_concurrency.observation import Minute, Seen
from functions.provisioned_concurrency.settings import UnitPrices

HOUR = 3600.0
LOOKED_AT = "_looked_at"
LEVEL = "_level"
READY_AT = "_ready_at"
"""Epoch seconds at which a look first saw ready what was last asked for."""


@dataclass(frozen=True)
class Bill:
    """level: environments. dollars: an hour of them; None where the price is not known. busy: the share
    of the time that they were, from 0 to 1; None without minutes. break_even: from which on they pay; None where
    they never do, or prices are not known."""

    level: int
    dollars: float | None
    busy: float | None
    break_even: float | None

    @property
    def pays(self) -> bool | None:
        """None where it cannot be told."""
        if self.busy is None or self.break_even is None:
            return None
        return self.busy >= self.break_even

    def __str__(self) -> str:
        if self.dollars is None:
            return f"what {self.level} cost is not known: set their price"
        cost = f"{self.level} cost ${self.dollars:.2f} an hour"
        if self.break_even is None:
            return f"{cost}, and never pay at these prices"
        need = f"{self.break_even:.0%}"
        if self.busy is None:
            return f"{cost} and pay when busy {need} of the time; how busy is not known"
        if self.pays:
            return f"{cost} and pay: busy {self.busy:.0%} of the time, {need} are needed"
        return f"{cost}, which does not pay: busy {self.busy:.0%} of the time, {need} are needed"

    @property
    def evidence(self) -> Mapping[str, Any]:
        return {
            "dollarsPerHour": None if self.dollars is None else round(self.dollars, 4),
            "busy": None if self.busy is None else round(self.busy, 3),
            "breakEven": None if self.break_even is None else round(self.break_even, 3),
            "pays": self.pays,
        }


def break_even(prices: UnitPrices) -> float | None:
    """The share of the time from which on provisioned concurrency pays; None if it never does, or
    prices are not known."""
    saved = prices.on_demand - prices.duration
    return prices.provisioned / saved if prices.provisioned > 0 and saved > 0 else None


def dollars_an_hour(level: int, memory_gb: float, prices: UnitPrices) -> float | None:
    """What a level costs while it stands; None where the price is not known."""
    return level * memory_gb * prices.provisioned * HOUR if prices.provisioned else None


def busy(level: int, minutes: Sequence[Minute]) -> float | None:
    """The share of a level that traffic like this uses. A minute's highest demand stands for all of
    it, so it is at most that."""
    if not level or not minutes:
        return None
    return sum(min(concurrency(each), level) for each in minutes) / len(minutes) / level


def bill(seen: Seen, level: int) -> Bill:
    """Of a level under the traffic that was seen."""
    return Bill(
        level,
        dollars_an_hour(level, seen.memory_gb, seen.prices),
        busy(level, seen.minutes),
        break_even(seen.prices),
    )


def tally(seen: Seen, incident: Incident) -> Mapping[str, float]:
    """Hours of environments, and dollars for them, since the incident opened: each level counts from
    one look to the next."""
    before, now = incident.tally, seen.now.timestamp()
    after = {
        "ProvisionedHours": before.get("ProvisionedHours", 0.0),
        "ProvisionedDollars": before.get("ProvisionedDollars", 0.0),
        LOOKED_AT: now,
        LEVEL: float(seen.requested),
    }
    if LOOKED_AT in before:
        hours = max(0.0, now - before[LOOKED_AT]) / HOUR * before[LEVEL]
        after["ProvisionedHours"] += hours
        after["ProvisionedDollars"] += hours * (
            dollars_an_hour(1, seen.memory_gb, seen.prices) or 0.0
        )
    if READY_AT in before:
        after[READY_AT] = before[READY_AT]
    return after
