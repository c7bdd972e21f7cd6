"""A group that Spot is taken from has On-Demand for exactly that, keeps its healthy Spot, and
finds its way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.spot import DETACH, UPDATE, Fleets, arn, fleets, settings
from tests.functional.world import Stage


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        yield scene


def codes(answer: dict[str, object]) -> list[str]:
    return [outcome["code"] for outcome in answer["outcomes"]]  # type: ignore[attr-defined]


def test_what_is_warned_is_replaced_on_demand_and_nothing_else_is(fleet: Fleets) -> None:
    fleet.create(10)
    warned = set(fleet.storm(4))
    healthy = fleet.spot() - warned

    assert codes(fleet.deliver()) == ["acted"]
    assert fleet.bases() == [4]
    assert set(fleet.detached()) == warned
    fleet.run(300)
    assert fleet.markets() == {"spot": 6, "on-demand": 4}
    assert fleet.spot() == healthy
    assert not healthy & set(fleet.ended)


def test_the_group_is_updated_first_and_then_lets_go(fleet: Fleets) -> None:
    fleet.create(3)
    fleet.storm(1)
    fleet.deliver()

    writes = [c.operation for c in fleet.stage.calls if c.operation in (UPDATE, DETACH)]
    assert writes == [UPDATE, DETACH]
    assert fleet.stage.incident()["target"] == arn()
