"""A quota that keeps a level down is handed to quota increase, and the level follows once it is granted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.provisioned_concurrency.handler import handler as provisioned_concurrency
from functions.quota_increase.handler import handler as quota_increase
from tests.functional import quotas
from tests.functional.concurrency import PUT, UPDATE, Warm, codes, refuse, warm, wish
from tests.functional.world import ACCOUNT, REGION, Stage

CONCURRENCY = "L-B99A9384"
TOTAL = "Maximum total concurrency that can be allocated across all serverless endpoints"
RULES = [*quotas.RULES, {"service": "sagemaker", "quota": TOTAL, "max": 200, "max_growth": 50}]


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        yield scene


def told(stage: Stage, code: str) -> dict[str, Any]:
    """What the bus brings of the only event with that code."""
    [found] = [
        {
            "version": "0",
            "id": "0c7b1f52-5d0e-4a53-8f3c-6a3a5b0f4f10",
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": ACCOUNT,
            "time": datetime.now(UTC).isoformat(),
            "region": REGION,
            "resources": entry["Resources"],
            "detail": detail,
        }
        for call in stage.made("PutEvents")
        for entry in call.parameters["Entries"]
        if (detail := json.loads(entry["Detail"]))["code"] == code
    ]
    return found


def hand_over(scene: Warm, code: str, environment: pytest.MonkeyPatch) -> list[str]:
    """Quota increase hears of it; what its look came to."""
    stage = scene.stage
    with environment.context() as other:
        other.setenv("LEVER_SETTINGS", json.dumps({"quotas": RULES}))
        stage.handler = quota_increase
        stage.pretend_swept("quota_increase")
        outcome = codes(stage.batch(told(stage, code)))
    stage.handler = provisioned_concurrency
    return outcome


def reserve(scene: Warm, concurrency: int) -> None:
    """Another function takes so much of the account's 1,000."""
    scene.function("other", tags={})
    scene.api.put_function_concurrency(
        FunctionName="other", ReservedConcurrentExecutions=concurrency
    )


def want_more_than_is_free(scene: Warm) -> None:
    """An alias that is to have 50 where 20 are left to it, and is refused the rest."""
    reserve(scene, 880)
    scene.function(tags=wish(min=50))
    scene.until(lambda: scene.told("account-headroom") == 1)


def test_exactly_what_is_missing_is_requested_and_the_level_follows(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    want_more_than_is_free(scene)
    assert scene.level() == 20

    assert hand_over(scene, "account-headroom", environment) == ["acted"]
    assert quotas.asked(scene.stage) == [(CONCURRENCY, 1030.0)]

    scene.until(lambda: scene.level() == 50)


def test_what_came_a_second_time_requests_nothing_more(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    want_more_than_is_free(scene)
    for _ in range(3):
        hand_over(scene, "account-headroom", environment)

    assert quotas.asked(scene.stage) == [(CONCURRENCY, 1030.0)]


def test_room_that_lambda_itself_refuses_is_requested_for_the_whole_rise(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    scene.function(tags=wish(min=50))
    text = "Specified ConcurrentExecutions for function decreases account's"
    text += " UnreservedConcurrentExecution below its minimum value of [100]."
    refuse(scene.stage, PUT, "InvalidParameterValueException", text)
    scene.beat()

    assert hand_over(scene, "account-headroom", environment) == ["acted"]
    assert quotas.asked(scene.stage) == [(CONCURRENCY, 1050.0)]


def test_a_quota_of_sagemaker_is_read_from_its_own_words(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    quotas.control("PUT", "/servicequotas/quotas/sagemaker/L-96300102/value", {"value": 10})
    scene.endpoint(tags=wish("all", min=5), provisioned=1, most=10)
    text = f"The account-level service limit '{TOTAL}' is 10 Instances, with current utilization of"
    text += " 10 Instances and a request delta of 4 Instances. Please contact AWS support."
    refuse(scene.stage, UPDATE, "ResourceLimitExceeded", text)
    scene.beat()

    assert hand_over(scene, "regional-quota", environment) == ["acted"]
    assert quotas.asked(scene.stage) == [("L-96300102", 14.0)]


def test_what_is_only_observed_requests_nothing(
    scene: Warm, environment: pytest.MonkeyPatch
) -> None:
    reserve(scene, 900)
    scene.function(tags=wish(min=50, mode="observe"))
    scene.until(lambda: scene.told("account-headroom") == 1)

    assert hand_over(scene, "account-headroom", environment) == ["only-observed"]
    assert quotas.asked(scene.stage) == []
