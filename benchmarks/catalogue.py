"""A catalogue of quotas of any size, made from a seed: what is planted, among what is not hot."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.planted import HOT, SECOND, TRAPS, Key, calls, gauge, key

HISTORY_MINUTES = 60
COLD = 0.75
"""The most of its value that any other quota is in use to."""
PAGE = 100
"""Quotas on a page of the list operations (API reference, ListServiceQuotas)."""
RAISED = frozenset(each.key for each in HOT if each.quota.get("adjustable", True))
"""The hot quotas that AWS raises."""


@dataclass(frozen=True)
class Size:
    """measured: quotas with a usage metric. used: those of them that are in use."""

    services: int
    quotas: int
    measured: int
    used: int


@dataclass(frozen=True)
class Catalogue:
    """body: for the pocket account's `PUT /servicequotas/catalogue`."""

    body: Mapping[str, Any]

    def quotas(self) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        """Every quota with its key."""
        for service in self.body["services"]:
            for quota in service["quotas"]:
                yield key(service["code"], quota), quota

    @property
    def pages(self) -> int:
        """How many calls it takes to list every service's quotas once."""
        return sum(-(-len(each["quotas"]) // PAGE) for each in self.body["services"])


def generate(size: Size, seed: int) -> Catalogue:
    """Always the same catalogue for a seed: everything planted, the rest drawn around it.

    Services are of very different sizes, as AWS's are. Raises ValueError when the planted quotas
    do not fit.
    """
    draw = random.Random(seed)
    quotas: dict[str, list[Mapping[str, Any]]] = {}
    for each in (*HOT, *TRAPS):
        quotas.setdefault(each.service, []).append(each.quota)
    planted = [each.quota for each in (*HOT, *TRAPS)]
    others = size.services - len(quotas)
    left = size.quotas - len(planted)
    measured = size.measured - len(planted)
    used = size.used - sum(quota["used"] > 0 for quota in planted)
    if others < 0 or not others <= left >= measured >= used >= 0:
        raise ValueError(f"{len(planted)} quotas of {len(quotas)} services are planted: {size}")
    quotas |= {f"service-{number:03}": [] for number in range(others)}
    owners = [f"service-{number:03}" for number in range(others)]
    ranks = [1 / rank for rank in range(1, len(quotas) + 1)]
    owners += draw.choices(draw.sample(list(quotas), len(quotas)), ranks, k=left - others)
    with_metric = draw.sample(range(left), measured)
    in_use = set(with_metric[:used])
    measured_ones = set(with_metric)
    for number, owner in enumerate(owners):
        quota = _quota(draw, owner, number, number in measured_ones, number in in_use)
        quotas[owner].append(quota)
    services = [
        {"code": code, "name": code.replace("-", " ").title(), "quotas": own}
        for code, own in sorted(quotas.items())
    ]
    return Catalogue({"services": services, "history_minutes": HISTORY_MINUTES})


def _quota(
    draw: random.Random, service: str, number: int, measured: bool, in_use: bool
) -> dict[str, Any]:
    """A quota that is not hot: a third of them are rates, a tenth has a default value only."""
    rate = draw.random() < 1 / 3
    value = draw.choice((5, 10, 20, 50, 100, 500, 1000, 5000))
    quota: dict[str, Any] = {
        "name": f"Rate of Act{number} requests" if rate else f"Resources of kind {number}",
        "default": value,
        "adjustable": draw.random() < 0.6,
    }
    if draw.random() < 0.1:
        quota["default_only"] = True
    elif draw.random() < 0.1:
        quota["applied"] = value = 2 * value
    if measured:
        quota["metric"] = (calls if rate else gauge)(service, f"Act{number}")
        if rate:
            quota["period"] = SECOND
    if in_use:
        share = draw.uniform(0.2, COLD)
        quota["used"] = round(share * value, 2) if rate else max(1, int(share * value))
    return quota
