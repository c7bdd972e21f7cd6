"""How long a rise lasts is measured, whoever owns the dial, and harms no rise. It is Monday noon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from functions.provisioned_concurrency.aws import LEAD
from local.cloud import WORLD
from tests.functional.concurrency import ALLOCATION, Warm, clock, warm, wish
from tests.functional.world import Call, Stage

TWICE = "mon@12:15-12:40=10 mon@14:00-14:30=10"
ALL = "endpoint/chat/variant/all"


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def rise_after(minutes: int) -> str:
    """When the rise to the window at 14:00 comes, by a lead of so many minutes."""
    return f"13:{60 - minutes - 2}"


def in_service(scene: Warm) -> int:
    """What is ready of the endpoint."""
    told = scene.sagemaker.describe_endpoint(EndpointName="chat")
    size = told["ProductionVariants"][0]["CurrentServerlessConfig"]
    return int(size["ProvisionedConcurrency"]) if told["EndpointStatus"] == "InService" else 0


def refuse_keeping_times(stage: Stage) -> list[str]:
    """The table takes no document of a lead; those that it refused, as they come."""
    refused: list[str] = []

    def fault(moment: str, call: Call) -> None:
        if (moment, call.operation) != ("before", "PutItem"):
            return
        if (name := call.parameters["Item"]["sk"]["S"]).startswith(LEAD):
            refused.append(name)
            code = "ProvisionedThroughputExceededException"
            raise ClientError({"Error": {"Code": code, "Message": "Too fast"}}, "PutItem")

    stage.fault = fault
    return refused


@pytest.mark.parametrize(("reaction", "least"), [(1, 2), (90, 4)])
def test_of_an_owned_alias_the_lead_lasts_until_the_level_has_followed_to_the_floor(
    scene: Warm, reaction: int, least: int
) -> None:
    """Application Auto Scaling may let a look pass before it asks for the level; the look that finds
    it ready may come a minute later."""
    WORLD.durations.scaling_reaction = reaction
    scene.function(tags=wish(schedule=TWICE))
    scene.provision(2)
    scene.own(2, 30)
    scene.stage.wait(ALLOCATION)
    scene.until(lambda: scene.bounds() == (10, 30))
    took = scene.until(lambda: scene.ready() == 10)
    scene.until(lambda: scene.bounds() == (2, 30))
    scene.provision(2)  # as target tracking does by and by

    scene.until(lambda: scene.bounds() == (10, 30), minutes=120)

    assert took >= least
    assert rise_after(took + 1) <= clock() <= rise_after(took)


def test_of_an_owned_endpoint_the_lead_lasts_until_the_level_has_followed_to_the_floor(
    scene: Warm,
) -> None:
    WORLD.durations.scaling_reaction = 90
    scene.endpoint(tags=wish("all", schedule=TWICE), provisioned=1)
    scene.own(1, 15, ALL)
    scene.stage.wait(ALLOCATION)
    scene.until(lambda: scene.bounds(ALL) == (10, 15))
    took = scene.until(lambda: in_service(scene) == 10)
    scene.until(lambda: scene.bounds(ALL) == (1, 15))
    lowest = {"MaxConcurrency": 20, "ProvisionedConcurrency": 1}
    scene.sagemaker.update_endpoint_weights_and_capacities(  # as target tracking does by and by
        EndpointName="chat",
        DesiredWeightsAndCapacities=[{"VariantName": "all", "ServerlessUpdateConfig": lowest}],
    )

    scene.until(lambda: scene.bounds(ALL) == (10, 15), minutes=120)

    assert took >= 4
    assert rise_after(took + 1) <= clock() <= rise_after(took)


def test_a_floor_that_the_level_is_above_already_is_no_rise(scene: Warm) -> None:
    """Else the time of nothing at all would be taken for that of an allocation."""
    scene.function(tags=wish(schedule=TWICE))
    scene.provision(26)
    scene.own(2, 30)
    scene.stage.wait(ALLOCATION)
    refused = refuse_keeping_times(scene.stage)
    scene.until(lambda: scene.bounds() == (10, 30))

    assert refused == []


@pytest.mark.parametrize("owned", [False, True])
def test_a_time_that_cannot_be_kept_fails_no_write_of_an_alias(
    scene: Warm, capsys: pytest.CaptureFixture[str], owned: bool
) -> None:
    """AWS has taken the rise by then; only how long it lasts is not measured."""
    scene.function(tags=wish(min=5))
    if owned:
        scene.provision(2)
        scene.own(2, 30)
        scene.stage.wait(ALLOCATION)
    refused = refuse_keeping_times(scene.stage)
    scene.beat(2)

    assert scene.level() == 5
    assert scene.writes() == [5]
    assert (len(refused), scene.told("acted")) == (1, 1)
    assert '"outcome":"lead-unmeasured"' in capsys.readouterr().out.replace(" ", "")


def test_a_time_that_cannot_be_kept_fails_no_write_of_an_endpoint(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=5), provisioned=2)
    refused = refuse_keeping_times(scene.stage)
    scene.beat(2)

    assert scene.size() == 5
    assert scene.writes() == [5]
    assert (len(refused), scene.told("acted")) == (1, 1)
