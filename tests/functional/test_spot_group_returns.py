"""A group comes back to Spot by itself, a little at first, and stays On-Demand while Spot does not
hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest

from functions.operator.handler import handler as operator
from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.spot import Fleets, fleets, settings
from tests.functional.world import REGION, Context, Stage


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    """Failed launches are tried again each minute, which is seldom enough not to fill an hour."""
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        control("PUT", "/durations", {"asg_retry": 60})
        yield scene


def fallen_back(fleet: Fleets, warned: int = 4, of: int = 10) -> set[str]:
    """A group that a storm has taken some of, On-Demand in their place; what is healthy on Spot."""
    fleet.create(of)
    lost = set(fleet.storm(warned))
    fleet.run(120)
    assert fleet.markets() == {"spot": of - warned, "on-demand": warned}
    return fleet.spot() - lost


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("reset", [True, False])
def test_it_returns_in_steps_that_double_and_ends_no_spot_on_the_way(
    fleet: Fleets, alone: bool, reset: bool
) -> None:
    WORLD.switches.distribution_updates_alone = alone
    WORLD.switches.absent_distribution_fields_reset = reset
    healthy = fallen_back(fleet)
    fleet.capacity(None)
    minutes = fleet.until(lambda: fleet.markets() == {"spot": 10})

    assert fleet.bases() == [4, 3, 1, 0]
    assert minutes <= 35
    assert healthy <= fleet.spot()
    assert not fleet.spot() & set(fleet.ended)
    fleet.until(lambda: fleet.stage.incident()["stage"] == "verified")
    told = [each.split(": ")[1] for each in fleet.stage.told()]
    assert told == ["decided", *["acted"] * 4, "returned", "verified"]


def test_capacity_is_never_less_on_the_way(fleet: Fleets) -> None:
    fallen_back(fleet)
    fleet.capacity(None)
    for _ in range(150):
        fleet.run(20)
        assert len(fleet.members()) >= 10
    assert fleet.markets() == {"spot": 10}


def test_while_spot_does_not_come_back_nothing_is_lost(fleet: Fleets) -> None:
    healthy = fallen_back(fleet)
    for _ in range(60):
        fleet.run(60)
        assert len(fleet.members()) == 10
    assert fleet.bases() == [4, 3]
    assert fleet.spot() == healthy
    assert fleet.markets() == {"spot": 6, "on-demand": 4}


def test_when_it_does_the_standing_probe_finds_it(fleet: Fleets) -> None:
    fallen_back(fleet)
    fleet.run(1800)
    fleet.capacity(None)
    fleet.run(120)
    assert fleet.markets() == {"spot": 7, "on-demand": 3}
    fleet.until(lambda: fleet.markets() == {"spot": 10}, minutes=40)


def test_what_is_taken_on_the_way_back_is_replaced_at_once(fleet: Fleets) -> None:
    fallen_back(fleet)
    fleet.capacity(None)
    fleet.until(lambda: fleet.bases()[-1] == 3)
    fleet.run(60)
    warned = set(fleet.storm(2))
    healthy = fleet.spot() - warned
    fleet.run(60)
    assert fleet.bases() == [4, 3, 5]
    assert healthy <= fleet.spot()
    assert fleet.markets() == {"spot": 5, "on-demand": 5}


def test_spot_that_comes_and_goes_flips_it_twice_an_hour_at_most(fleet: Fleets) -> None:
    fleet.create(6)
    for _ in range(24):
        if fleet.spot():
            fleet.storm(1)
        fleet.run(60)
        fleet.capacity(None)
        fleet.run(840)
    acts = fleet.stage.made("UpdateAutoScalingGroup")
    assert len(acts) > 12
    times = [line["at"] for each in fleet.stage.incidents() for line in each["acts"]]
    beginnings = [
        at
        for (before, _), (base, at) in pairwise(zip(fleet.bases(), times, strict=False))
        if base < before
    ]
    assert len(beginnings) <= 2 * 6 + 2
    assert len(fleet.members()) == 6


def test_what_it_cost_and_saved_is_counted(fleet: Fleets) -> None:
    fallen_back(fleet)
    fleet.run(480)
    incident = fleet.stage.incident()
    tally, opened = incident["tally"], datetime.fromisoformat(incident["opened_at"])
    hours = (tally["_at"] - opened.timestamp()) / 3600
    assert hours >= 300 / 3600
    assert tally["onDemandHours"] == pytest.approx(4 * hours, rel=0.1)
    assert tally["spotHours"] == pytest.approx(6 * hours, rel=0.1)
    assert tally["onDemandDollars"] == pytest.approx(tally["onDemandHours"] * 0.10)
    assert tally["spotDollars"] == pytest.approx(tally["spotHours"] * 0.04)
    assert tally["savedDollars"] == pytest.approx(tally["spotHours"] * 0.06)
    assert tally["fallbackDollars"] == pytest.approx(tally["onDemandHours"] * 0.06)


def test_an_operator_has_it_put_back_at_once(
    fleet: Fleets, environment: pytest.MonkeyPatch
) -> None:
    fallen_back(fleet)
    fleet.capacity(None)
    sqs = fleet.stage.client("sqs")
    url = sqs.create_queue(QueueName="spot-fallback")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"spot_fallback": url}))
    environment.setenv("AWS_REGION", REGION)
    asked = {"command": "revert", "incident": fleet.stage.incident()["id"], "by": "jane"}
    assert operator(asked, Context())["accepted"]
    for message in sqs.receive_message(QueueUrl=url)["Messages"]:
        fleet.stage.batch(message["Body"])
    fleet.run(180)
    assert fleet.bases() == [4, 0]
    assert fleet.stage.incident()["stage"] == "reverted"
    assert fleet.markets() == {"spot": 10}
