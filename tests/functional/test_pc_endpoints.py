"""Serverless endpoints: the same rules through SageMaker's one lock an endpoint, and its least of 1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.concurrency import ALLOCATION, CHAT, UPDATE, Warm, warm, wish
from tests.functional.world import Stage

WINDOW = "mon@12:15-12:40=10"


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def test_a_window_is_met_warm_and_falls_to_one(scene: Warm) -> None:
    """ServerlessUpdateConfig takes no less than 1: 1 is kept, and what would remove it is said."""
    scene.endpoint(tags=wish("all", schedule=WINDOW))
    scene.beat(14)
    assert scene.size() == 10

    scene.beat(30)
    assert scene.writes() == [10, 1]
    assert scene.told("at-least-one") == 1
    next_steps = " ".join(scene.message("at-least-one")["nextSteps"])
    assert "endpoint configuration" in next_steps
    assert "MinCapacity 0" in next_steps


def test_with_a_minimum_it_falls_to_that(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", schedule=WINDOW, min=2), provisioned=2)
    scene.beat(60)

    assert scene.writes() == [10, 2]
    assert scene.stages() == ["verified"]
    assert scene.told("at-least-one") == 0


def test_the_most_concurrency_stays_as_it_is(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=3), most=17)
    scene.beat()

    [call] = scene.stage.made(UPDATE)
    assert call.parameters == {
        "EndpointName": "chat",
        "DesiredWeightsAndCapacities": [
            {
                "VariantName": "all",
                "ServerlessUpdateConfig": {"MaxConcurrency": 17, "ProvisionedConcurrency": 3},
            }
        ],
    }


def test_a_burst_is_one_rise(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=2), provisioned=2)
    scene.request(1)
    scene.beat(5)
    scene.request(8)
    scene.beat(10)

    assert scene.writes() == [14]  # 8 at once, and twice their root above


def test_while_the_endpoint_is_updated_nothing_is_asked_for(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", schedule=WINDOW, min=2), provisioned=2)
    scene.until(lambda: scene.size() == 10)
    outcomes = scene.beat()

    assert [each["code"] for each in outcomes] == ["waiting"]


def test_the_time_an_update_takes_becomes_the_lead(scene: Warm) -> None:
    tags = wish("all", schedule=f"{WINDOW} mon@14:00-14:30=10", min=2)
    scene.endpoint(tags=tags, provisioned=2)
    scene.until(lambda: scene.size() == 10)
    scene.until(lambda: scene.size() == 2)

    waited = scene.until(lambda: scene.size() == 10, minutes=120)

    assert waited * 60 <= (14 - 12) * 3600 - 40 * 60 - ALLOCATION - 120 + 60


def test_a_name_with_capitals_is_one_target_however_it_is_found(scene: Warm) -> None:
    """SageMaker writes an endpoint's ARN in lower case, its metrics go by the name."""
    scene.endpoint("MyChat", tags=wish("all", min=2), provisioned=2)
    scene.request(8, name="MyChat")
    scene.beat(3)

    assert scene.stage.incident()["target"] == CHAT.replace("chat", "MyChat")
    assert scene.size("MyChat") == 14


def test_an_endpoint_that_is_deleted_ends_its_incident(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", schedule=WINDOW))
    scene.until(lambda: scene.size() == 10)
    scene.beat(3)
    scene.sagemaker.delete_endpoint(EndpointName="chat")
    scene.until(lambda: scene.stages() == ["recovered"], minutes=20)

    assert scene.beat(5) == []
