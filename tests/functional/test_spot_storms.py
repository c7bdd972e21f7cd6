"""Storms over many random groups: no healthy Spot is ended, capacity comes back, at the smallest base."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.spot import Fleets, fleets, settings
from tests.functional.world import Stage

GROUPS = 8


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    """Units and dollars without a bound that matters, so that the base is a matter of need alone."""
    own = settings(on_demand_units=1000, on_demand_dollars_per_hour=100_000, hold_seconds=86_400)
    environment.setenv("LEVER_SETTINGS", own)
    with fleets(stage) as scene:
        yield scene


@dataclass(frozen=True)
class Group:
    """One group before the storm, and what of it is warned."""

    name: str
    desired: int
    base: int
    percentage: int
    rebalances: bool
    type: str
    spot: frozenset[str]
    warned: frozenset[str]

    def smallest(self, healthy: int) -> int:
        """The smallest base, from the group's own up, whose On-Demand leaves no more to Spot than
        is healthy there."""
        need = self.desired - healthy
        for base in range(self.base, self.desired + 1):
            above = max(0, self.desired - base)
            if min(base, self.desired) + math.ceil(self.percentage * above / 100) >= need:
                return base
        return self.base


def storm(fleet: Fleets, random: Random, scarce: bool) -> list[Group]:
    """Groups of their own types, so that one's capacity is not another's; a random part warned."""
    types = [f"{family}.{size}" for family in ("m5", "c5", "r5", "m5a") for size in ("large", "xlarge", "2xlarge")]  # fmt: skip
    drawn = []
    for number, kind in enumerate(types[:GROUPS]):
        name = f"group-{number}"
        desired = random.randint(1, 60)
        base = random.choice([0, 0, random.randint(0, desired)])
        percentage = random.choice([0, 25, 50])
        rebalances = random.random() < 0.3
        fleet.create(
            desired,
            name,
            base,
            percentage,
            zones=random.choice([2, 3]),
            types=[kind],
            CapacityRebalance=rebalances,
        )
        drawn.append((name, desired, base, percentage, rebalances, kind))
    groups = []
    for name, desired, base, percentage, rebalances, kind in drawn:
        spot = fleet.spot(name)
        if scarce:
            fleet.capacity(random.choice([0, 0, random.randint(0, 5)]), type=kind)
        warned: list[str] = []
        if spot:
            warned = random.sample(sorted(spot), random.randint(1, len(spot)))
            control("POST", "/ec2/spot/reclaim", {"instance_ids": warned})
        groups.append(
            Group(
                name,
                desired,
                base,
                percentage,
                rebalances,
                kind,
                frozenset(spot),
                frozenset(warned),
            )
        )
    return groups


@pytest.mark.parametrize(
    ("seed", "scarce"), [(0, True), (1, True), (2, True), (3, False), (4, False)]
)
def test_a_storm_ends_no_healthy_spot_and_capacity_comes_back_at_the_smallest_base(
    fleet: Fleets, seed: int, scarce: bool
) -> None:
    random = Random(seed)
    WORLD.switches.distribution_updates_alone = random.random() < 0.5
    WORLD.switches.absent_distribution_fields_reset = random.random() < 0.5
    groups = storm(fleet, random, scarce)

    fleet.run(300)

    ended = set(fleet.ended)
    for group in groups:
        healthy = group.spot - group.warned
        now = fleet.members(group.name)
        assert not healthy & ended, group
        assert healthy <= now.keys(), group
        assert len(now) == group.desired, group
        spot = sum(market == "spot" for market in now.values())
        assert fleet.base(group.name) == group.smallest(spot), group
        if not group.rebalances:
            assert spot == len(healthy), group


@pytest.mark.parametrize("seed", range(2))
def test_late_doubled_and_reordered_warnings_come_to_the_same(fleet: Fleets, seed: int) -> None:
    random = Random(seed)
    fleet.create(30, percentage=25, base=2)
    spot = fleet.spot()
    warned = set(fleet.storm(12))
    told = [*fleet.events, *fleet.events]
    fleet.events.clear()
    random.shuffle(told)
    while told:
        batch, told = told[:7], told[7:]
        fleet.stage.batch(*batch)
        fleet.stage.wait(random.choice([0.5, 2, 6]))
    fleet.run(300)

    assert fleet.spot() == spot - warned
    assert len(fleet.members()) == 30
    assert not (spot - warned) & set(fleet.ended)
    assert sorted(fleet.detached()) == sorted(warned)
    assert fleet.base() == max(fleet.bases())
