"""How many instances of a type AWS still has in a zone, On-Demand and Spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from local.cloud.ec2.catalogue import Market


class Pool(NamedTuple):
    """Instances that are alike to whoever launches one."""

    instance_type: str
    zone: str
    market: Market


@dataclass
class Capacity:
    """The pools of one account and Region. A pool that nobody limited has instances without end.

    `totals` counts the instances a pool has, those in use included: one that ends can be launched
    again.
    """

    totals: dict[Pool, int] = field(default_factory=dict)

    def limit(self, pool: Pool, remaining: int | None, held: int) -> None:
        """Let a pool have `remaining` instances beside the `held` ones; None for any number."""
        if remaining is None:
            self.totals.pop(pool, None)
        else:
            self.totals[pool] = held + remaining

    def shrink(self, pool: Pool) -> None:
        """Take one of the instances in use away for good, where the pool is limited."""
        if pool in self.totals:
            self.totals[pool] = max(0, self.totals[pool] - 1)

    def room(self, pool: Pool, held: Mapping[Pool, int]) -> float:
        """How many more instances a pool has, beside the `held` ones."""
        total = self.totals.get(pool)
        return float("inf") if total is None else max(0, total - held.get(pool, 0))
