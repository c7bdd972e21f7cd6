"""What a quiet heartbeat costs: AWS calls, all but the ledger's and the kill switch's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.functional.concurrency import Warm, warm, wish
from tests.functional.world import Stage

NOT_COUNTED = {"dynamodb", "ssm"}


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def quiet(scene: Warm) -> Counter[str]:
    """The calls of one heartbeat that finds nothing to do, once all that was to do is done."""
    scene.beat(30)
    assert not any(stage in ("open", "acting") for stage in scene.stages())
    scene.stage.calls.clear()
    assert scene.beat() == []
    return Counter(call.operation for call in scene.stage.calls if call.service not in NOT_COUNTED)


@pytest.mark.parametrize("targets", [1, 2, 10])
def test_a_quiet_heartbeat_makes_at_most_three_calls_a_target_of_lambda(
    scene: Warm, targets: int
) -> None:
    for number in range(targets):
        scene.function(f"shop{number}", tags=wish(min=2))
        scene.send(1, to=f"shop{number}:live")

    made = quiet(scene)

    assert made == {
        "GetResources": 1,
        "ListProvisionedConcurrencyConfigs": targets,
        "GetMetricData": 1,
    }
    assert made.total() <= 3 * targets


@pytest.mark.parametrize("targets", [1, 2, 10])
def test_a_quiet_heartbeat_makes_at_most_three_calls_a_target_of_sagemaker(
    scene: Warm, targets: int
) -> None:
    for number in range(targets):
        scene.endpoint(f"chat{number}", tags=wish("all", min=1))

    made = quiet(scene)

    assert made == {"GetResources": 1, "DescribeEndpoint": targets, "GetMetricData": 1}
    assert made.total() <= 3 * targets


def test_ten_aliases_of_one_function_are_one_call(scene: Warm) -> None:
    names = [f"stage{number}" for number in range(3)]
    tags = {key: value for name in names for key, value in wish(name, min=1).items()}
    scene.function(tags=tags, aliases=names)

    assert quiet(scene)["ListProvisionedConcurrencyConfigs"] == 1


def test_an_alias_that_holds_nothing_is_looked_up_so_that_a_misspelt_one_is_known(
    scene: Warm,
) -> None:
    scene.function(tags=wish(schedule="sun@03:00-04:00=5"))

    assert quiet(scene) == {
        "GetResources": 1,
        "ListProvisionedConcurrencyConfigs": 1,
        "GetAlias": 1,
    }


def test_who_owns_the_dial_is_asked_only_where_the_level_is_not_as_planned(scene: Warm) -> None:
    """An alias that target tracking holds above its floor: one call more for up to 50 of them."""
    scene.function(tags=wish(min=2))
    scene.provision(6)
    scene.own(2, 30)
    scene.stage.wait(180)

    assert quiet(scene)["DescribeScalableTargets"] == 1


def test_without_anything_opted_in_a_heartbeat_is_one_call(scene: Warm) -> None:
    scene.function(tags={})

    assert quiet(scene) == {"GetResources": 1}
