"""The healthy variant cannot carry everything: it takes what it can, grows, and takes the rest."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from local.cloud import WORLD
from tests.functional.world import Stage

PAST = {
    "history_minutes": 60,
    "history_requests_per_minute": 300,
    "history_weights": {"blue": 1},
}
"""One instance of blue has stood 300 requests a minute, and never more."""


def small_blue(stage: Stage, per_minute: float = 600, blue: float = 2) -> None:
    stage.mode("act")
    stage.endpoint(blue=blue, green=10 - blue, counts={"blue": 1, "green": 4})
    stage.traffic(per_minute, past=PAST)
    stage.alarm()
    stage.wait(180)
    stage.traffic(per_minute, green=0.3)
    stage.wait_for_alarm()


def beat_until(stage: Stage, done: Callable[[], bool], minutes: int = 20) -> None:
    for _ in range(minutes):
        if done():
            return
        stage.wait(60)
        stage.heartbeat()
    raise AssertionError(f"not within {minutes} minutes: {stage.incident()}")


def test_what_is_carried_moves_at_once_then_instances_then_the_rest(stage: Stage) -> None:
    small_blue(stage)

    stage.deliver()
    assert stage.weights() == {"blue": 5, "green": 5}  # 300 of 600 a minute
    assert stage.counts() == {"blue": 1, "green": 4}

    stage.wait(60)
    stage.heartbeat()
    assert stage.counts() == {"blue": 2, "green": 4}

    stage.wait(60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 10, "green": 0}

    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"


def test_its_steps_are_one_action_that_no_limit_cuts_short(
    stage: Stage, environment: pytest.MonkeyPatch
) -> None:
    once = {"limits": {"safety_moves_per_hour": 1}, "cooldown_seconds": 3600}
    environment.setenv("SETTINGS", json.dumps(once))
    small_blue(stage)
    stage.deliver()

    beat_until(stage, lambda: stage.incident()["stage"] == "verified")

    assert stage.weights() == {"blue": 10, "green": 0}


def test_it_waits_while_the_endpoint_is_updating(stage: Stage) -> None:
    small_blue(stage)
    WORLD.durations.instance_launch = 300
    stage.deliver()
    stage.wait(60)
    stage.heartbeat()
    assert stage.counts()["blue"] == 2

    answer = None
    for _ in range(3):
        stage.wait(60)
        answer = stage.heartbeat()
    assert answer is not None
    assert answer["outcomes"][0]["code"] == "waiting"
    assert stage.weights() == {"blue": 5, "green": 5}

    beat_until(stage, lambda: stage.incident()["stage"] == "verified")
    assert stage.weights() == {"blue": 10, "green": 0}


def test_it_adds_no_more_instances_than_allowed_and_calls_a_person(stage: Stage) -> None:
    small_blue(stage, per_minute=3000, blue=1)  # needs 10 instances, 4 may be added
    stage.deliver()
    for _ in range(8):
        stage.wait(60)
        stage.heartbeat()

    assert stage.counts()["blue"] == 5
    assert stage.weights() == {"blue": 5, "green": 5}  # 1500 of 3000 a minute
    assert stage.told()[-1] == "Remediation Refused: instances-limit"
    assert "one action may add 4" in stage.messages()[-1]["content"]["description"]


def test_it_stops_when_the_healthy_variant_begins_to_fail(stage: Stage) -> None:
    small_blue(stage)
    stage.alarm("blue-5xx", variant="blue")
    stage.deliver()
    assert stage.weights() == {"blue": 5, "green": 5}

    stage.traffic(green=0.3, blue=0.4)
    stage.wait_for_alarm("blue-5xx")
    stage.deliver()

    assert stage.weights() == {"blue": 5, "green": 5}
    assert stage.told()[-1] == "Remediation Refused: other-sick"


def test_a_variant_that_began_a_moment_ago_does_not_count_for_longer(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=10, green=0)
    stage.traffic(600, past={"history_minutes": 60, "history_requests_per_minute": 600})
    stage.alarm(EvaluationPeriods=1)
    stage.wait(180)
    stage.traffic(600, green=0.9)
    stage.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[
            {"VariantName": "blue", "DesiredWeight": 1},
            {"VariantName": "green", "DesiredWeight": 1},
        ],
    )
    stage.wait_for_alarm()
    stage.deliver()

    assert sum(stage.incident()["evidence"]["perMinute"].values()) == 600
    assert stage.weights() == {"blue": 2, "green": 0}
