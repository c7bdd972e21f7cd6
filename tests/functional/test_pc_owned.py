"""A dial that Application Auto Scaling owns: only its floor is moved, and put back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.concurrency import (
    DELETE,
    PUT,
    REGISTER,
    SPACES,
    UPDATE,
    Warm,
    refuse,
    warm,
    wish,
)
from tests.functional.world import Stage

WINDOW = "mon@12:15-12:40=20"
ALL = "endpoint/chat/variant/all"


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    """An alias between 2 and 30 by its scalable target."""
    with warm(stage) as scene:
        scene.function(tags=wish(schedule=WINDOW))
        scene.provision(2)
        scene.own(2, 30)
        stage.wait(120)
        yield scene


@pytest.fixture
def endpoint(stage: Stage) -> Iterator[Warm]:
    """An endpoint between 1 and 15 by its scalable target."""
    with warm(stage) as scene:
        scene.endpoint(tags=wish("all", schedule="mon@12:15-12:40=10"), provisioned=1)
        scene.own(1, 15, ALL)
        stage.wait(120)
        yield scene


def own_writes(stage: Stage) -> set[str]:
    """Operations by which the function changed a level itself."""
    return {call.operation for call in stage.calls} & {PUT, DELETE, UPDATE}


def test_in_the_window_the_floor_is_raised_and_the_level_follows(scene: Warm) -> None:
    scene.until(lambda: scene.bounds() == (20, 30))
    scene.stage.wait(180)

    assert scene.ready() == 20
    assert own_writes(scene.stage) == set()


def test_the_floor_is_remembered_and_put_back(scene: Warm) -> None:
    scene.until(lambda: scene.bounds() == (20, 30))
    scene.until(lambda: scene.bounds() == (2, 30))

    assert scene.writes() == [20, 2]
    assert scene.stage.incident()["before"] == {"provisioned": 2, "minimum": 2}
    scene.until(lambda: scene.stages() == ["verified"], minutes=20)


def test_what_target_tracking_does_above_the_floor_is_let_be(scene: Warm) -> None:
    """It moves the level, not the floor: nobody changed what we wrote."""
    scene.until(lambda: scene.bounds() == (20, 30))
    scene.beat(3)
    scene.provision(26)
    scene.beat(10)

    assert scene.bounds() == (20, 30)
    assert scene.writes() == [20]
    assert scene.told("superseded") == 0


def test_a_person_who_moves_the_floor_wins(scene: Warm) -> None:
    scene.until(lambda: scene.bounds() == (20, 30))
    scene.beat(3)
    scene.own(8, 30)
    scene.beat(20)

    assert scene.bounds() == (8, 30)
    assert scene.told("superseded") == 1


def test_a_scalable_target_that_is_taken_away_meanwhile_is_somebody_s_doing(scene: Warm) -> None:
    scene.until(lambda: scene.bounds() == (20, 30))
    scene.beat(3)
    namespace, dimension = SPACES["function"]
    scene.scaling.deregister_scalable_target(
        ServiceNamespace=namespace, ResourceId="function:shop:live", ScalableDimension=dimension
    )
    scene.beat(20)

    assert scene.told("superseded") == 1
    assert scene.writes() == [20]


def test_the_floor_stays_below_the_target_s_maximum(scene: Warm) -> None:
    scene.own(2, 12)
    scene.until(lambda: scene.bounds() == (12, 12))
    scene.beat(5)

    assert scene.told("scaling-maximum") == 1


def test_a_burst_raises_the_floor(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function()
        scene.provision(5)
        scene.own(5, 100)
        stage.wait(180)
        scene.send(44)
        scene.until(lambda: scene.bounds() == (49, 100))

        assert own_writes(stage) == set()


def test_a_target_that_is_being_changed_is_tried_again(scene: Warm) -> None:
    refused = refuse(scene.stage, REGISTER, "ConcurrentUpdateException", times=1)

    scene.until(lambda: scene.bounds() == (20, 30))

    assert refused == [REGISTER]


def test_what_application_auto_scaling_refuses_for_good_is_told(scene: Warm) -> None:
    refuse(scene.stage, REGISTER, "ValidationException", times=1)
    scene.beat(15)

    assert scene.told("refused-by-aws") == 1
    assert scene.bounds() == (2, 30)


def test_an_endpoint_s_floor_is_raised_and_put_back(endpoint: Warm) -> None:
    endpoint.until(lambda: endpoint.bounds(ALL) == (10, 15))
    endpoint.stage.wait(180)
    assert endpoint.size() == 10

    endpoint.until(lambda: endpoint.bounds(ALL) == (1, 15))
    assert endpoint.writes() == [10, 1]
    assert own_writes(endpoint.stage) == set()


def test_the_floor_of_an_endpoint_may_be_nothing_at_all(stage: Stage) -> None:
    """SageMaker itself takes no less than 1; a scalable target takes 0."""
    with warm(stage) as scene:
        scene.endpoint(tags=wish("all", schedule="mon@12:15-12:40=10", min=0), provisioned=1)
        scene.own(1, 15, ALL)
        stage.wait(120)
        scene.until(lambda: scene.bounds(ALL) == (10, 15))

        scene.until(lambda: scene.bounds(ALL) == (0, 15))
        assert scene.told("at-least-one") == 0
