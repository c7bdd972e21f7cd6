"""What stops a change, each refused by name and told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.core.clients import client
from local.cloud import WORLD
from local.cloud.sagemaker.control import find_endpoint
from local.cloud.sagemaker.resources import Mishap
from tests.functional.concurrency import PUT, UPDATE, Warm, refuse, relent, warm, wish
from tests.functional.world import Stage

LATER = 30
"""Minutes in which a refusal might be told again."""


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


# the alias


def test_weights_on_the_alias(scene: Warm) -> None:
    """The write would fail: Lambda allows no provisioned concurrency on a weighted alias."""
    scene.function(tags=wish(min=5))
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    scene.api.update_alias(FunctionName="shop", Name="live", RoutingConfig=weights)
    scene.beat(LATER)
    assert scene.told("weighted-alias") == 1
    assert scene.writes() == []

    none: dict[str, Any] = {"AdditionalVersionWeights": {}}
    scene.api.update_alias(FunctionName="shop", Name="live", RoutingConfig=none)
    scene.beat()
    assert scene.level() == 5


def test_weights_that_come_between_the_look_and_the_write(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    text = "Alias with weights can not be used with Provisioned Concurrency"
    refuse(scene.stage, PUT, "InvalidParameterValueException", text)
    scene.beat(5)

    assert scene.told("weighted-alias") == 1


def test_a_version_that_was_never_published(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    scene.api.update_alias(FunctionName="shop", Name="live", FunctionVersion="$LATEST")
    scene.beat(LATER)

    assert scene.told("latest-version") == 1
    assert scene.writes() == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"State": "Pending"}, "deploying"),
        ({"LastUpdateStatus": "InProgress"}, "deploying"),
        (
            {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}},
            "managed-instances",
        ),
    ],
)
def test_a_version_that_lambda_is_still_making_or_runs_elsewhere(
    scene: Warm, told: dict[str, Any], code: str
) -> None:
    scene.function(tags=wish(min=5))
    answered = client("lambda").meta.events
    answered.register("after-call.lambda.GetFunctionConfiguration", _adding(told))
    scene.beat(LATER)

    assert scene.told(code) == 1
    assert scene.writes() == []


def test_a_version_with_snapstart(scene: Warm) -> None:
    """The write would fail at each look: SnapStart does not go with provisioned concurrency."""
    scene.function(tags=wish(min=5), SnapStart={"ApplyOn": "PublishedVersions"})
    scene.beat(LATER)

    assert scene.told("snap-start") == 1
    assert scene.writes() == []


def test_an_alias_that_is_not_there(scene: Warm) -> None:
    """A misspelt tag is told at once, not when its first window comes."""
    scene.function(tags=wish("liev", schedule="sun@03:00-04:00=5"))
    scene.beat(LATER)

    assert scene.told("alias-gone") == 1
    assert scene.writes() == []


def test_an_alias_that_is_deleted_while_it_is_kept(scene: Warm) -> None:
    scene.function(tags=wish(schedule="mon@12:10-14:00=5"))
    scene.until(lambda: scene.level() == 5)
    scene.beat(3)
    scene.api.delete_alias(FunctionName="shop", Name="live")
    scene.beat()
    assert scene.told("superseded") == 1  # its level went with it, by somebody else's hand

    scene.beat(60 + LATER)
    assert scene.told("alias-gone") == 1
    assert scene.writes() == [5]


def test_an_allocation_under_way(scene: Warm) -> None:
    scene.function(tags=wish(min=5))
    scene.provision(3)
    scene.beat()
    assert scene.writes() == []

    scene.beat(3)
    assert scene.writes() == [5]


def test_an_update_that_lambda_has_not_finished(scene: Warm) -> None:
    """Its refusal is no failure: it is tried each minute, and told when that goes on."""
    scene.function(tags=wish(min=5))
    refused = refuse(scene.stage, PUT, "ResourceConflictException", "An update is in progress")
    scene.beat(12)
    assert len(refused) == 12
    assert scene.told("busy") == 1
    assert scene.told("failed") == 0

    relent(scene.stage)
    scene.beat()
    assert scene.level() == 5


def test_a_version_that_another_alias_has_provisioned(scene: Warm) -> None:
    """Lambda provisions a version once."""
    scene.function(tags=wish(min=5) | wish("same", min=5))
    scene.api.create_alias(FunctionName="shop", Name="same", FunctionVersion="1")
    scene.beat(LATER)

    assert scene.level() + scene.level("shop:same") == 5
    assert scene.told("version-taken") == 1


def test_a_function_that_does_not_start(scene: Warm) -> None:
    """It is never tried again by itself."""
    WORLD.lambdas.failing = ["shop"]
    scene.function(tags=wish(min=5))
    scene.beat(LATER)

    assert scene.writes() == [5]
    assert scene.told("init-failed") == 1


# endpoints


def test_an_endpoint_that_is_not_in_service(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=3), provisioned=1)
    with WORLD.turn():
        find_endpoint("chat").status = "UpdateRollbackFailed"
    scene.beat(LATER)

    assert scene.told("not-in-service") == 1
    assert scene.writes() == []


def test_an_endpoint_that_is_being_deployed(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", schedule="mon@12:10-13:00=3"), provisioned=1)
    WORLD.durations.endpoint_update = 1200
    size = {"MemorySizeInMB": 2048, "MaxConcurrency": 20, "ProvisionedConcurrency": 1}
    scene.sagemaker.create_endpoint_config(
        EndpointConfigName="next",
        ProductionVariants=[
            {"VariantName": "all", "ModelName": "chat-model", "ServerlessConfig": size}
        ],
    )
    scene.sagemaker.update_endpoint(EndpointName="chat", EndpointConfigName="next")
    scene.beat(15)
    assert scene.told("deploying") == 1
    assert scene.writes() == []

    scene.beat(8)
    assert scene.size() == 3


@pytest.mark.parametrize(("reason_told", "code"), [(True, "rolled-back"), (False, "superseded")])
def test_an_update_that_sagemaker_rolls_back(scene: Warm, reason_told: bool, code: str) -> None:
    """What was asked for does not stand; without a reason of AWS's somebody may have changed it."""
    WORLD.switches.rollback_tells_reason = reason_told
    scene.endpoint(tags=wish("all", min=3), provisioned=1)
    with WORLD.turn():
        find_endpoint("chat").mishap = Mishap(
            rolls_back=True, reason="the container does not start"
        )
    scene.beat(LATER)

    assert scene.writes() == [3]
    assert scene.told("rolled-back") + scene.told("superseded") == scene.told(code) == 1
    assert reason_told == ("the container does not start" in scene.message(code)["reason"])


def test_what_a_person_changed_is_theirs_though_an_earlier_update_was_rolled_back(
    scene: Warm,
) -> None:
    scene.endpoint(tags=wish("all", min=3), provisioned=1)
    scene.until(lambda: scene.size() == 3)
    scene.beat(5)
    with WORLD.turn():
        find_endpoint("chat").failure_reason = "the container did not start"
    change = {"VariantName": "all", "ServerlessUpdateConfig": {"ProvisionedConcurrency": 7}}
    scene.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="chat", DesiredWeightsAndCapacities=[change]
    )
    scene.beat(5)

    assert scene.told("superseded") == 1
    assert scene.told("rolled-back") == 0


def test_the_most_concurrency_of_an_endpoint(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=25), provisioned=1, most=20)
    scene.beat(LATER)

    assert scene.writes() == [20]
    assert scene.told("max-concurrency") == 1


def test_a_regional_quota_is_handed_on_in_aws_s_own_words(scene: Warm) -> None:
    scene.endpoint(tags=wish("all", min=5), provisioned=1)
    text = "The account-level service limit 'Maximum provisioned concurrency' is 4 Units"
    refuse(scene.stage, UPDATE, "ResourceLimitExceeded", text)
    scene.beat(LATER)

    assert scene.told("regional-quota") == 1
    assert text in str(scene.message("regional-quota"))


def test_an_endpoint_with_instances(scene: Warm) -> None:
    instances = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    scene.endpoint(tags=wish("all", min=5), variants=[instances])
    scene.beat(LATER)

    assert scene.told("not-serverless") == 1


# bad input


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"schedule": "whenever"}, "bad-schedule"),
        ({"schedule": "mon@12:00-13:00=4 mon@12:00-13:00=5"}, "contradictory-windows"),
        ({"schedule": "mon@12:00-13:00=4 tz=Europe/Atlantis"}, "unknown-zone"),
        ({"min": "many"}, "bad-level"),
        ({"min": 7, "max": 3}, "min-above-max"),
        ({"schedule": "mon@12:00-13:00=9", "max": 3}, "level-above-max"),
        ({"shedule": "mon@12:00-13:00=9"}, "bad-tag"),
    ],
)
def test_what_cannot_be_followed_is_told_at_once_and_the_last_level_is_kept(
    scene: Warm, bad: dict[str, Any], code: str
) -> None:
    scene.function(tags=wish(schedule="mon@12:00-18:00=5"))
    scene.beat(6)
    assert scene.level() == 5
    scene.retag({**wish(**bad)} | ({} if "schedule" in bad else {_schedule(): None}))
    scene.beat()
    assert scene.told(code) == 1

    scene.beat(LATER)
    assert scene.told(code) == 1
    assert scene.writes() == [5]
    assert scene.level() == 5


def test_a_tag_that_is_put_right_is_followed_again(scene: Warm) -> None:
    scene.function(tags=wish(schedule="whenever"))
    scene.beat(3)
    scene.retag({_schedule(): "mon@12:00-18:00=5"})
    scene.beat()

    assert scene.level() == 5


def _adding(told: dict[str, Any]) -> Callable[..., None]:
    """Members that AWS's answer has as well."""

    def add(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(told)

    return add


def _schedule() -> str:
    [key] = wish(schedule="").keys() - wish().keys()
    return key
