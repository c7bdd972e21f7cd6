"""A crash after any AWS call: the next looks come to the same end, and do nothing twice.

Right after one call is right before the next, so one crash after each and one before the first
are all crashes there are. A play goes on until it came to its end with no crash.
"""

from __future__ import annotations

import json
from itertools import count

import pytest

from functions.operator.handler import handler as operator
from tests.faults.crashing import at_rest, crash_after, retold, survives, told_in_order
from tests.faults.universes import each
from tests.functional.test_too_small_to_take_over import small_blue
from tests.functional.world import REGION, Context, Stage

WRITE = "UpdateEndpointWeightsAndCapacities"


@pytest.mark.parametrize("first", range(2))
def test_a_rollback_that_dies_is_finished_once(stage: Stage, first: int) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.calls.clear()
    alarms = list(stage.pending)

    def play(calls: int) -> bool:
        crash_after(stage, calls)
        crashes = survives(stage, lambda: stage.batch(*alarms))

        assert stage.weights() == {"blue": 10, "green": 0}
        assert stage.incident()["stage"] == "verified"
        assert stage.incident()["before"]["green"]["weight"] == 1
        assert len(stage.made(WRITE)) == 1
        assert told_in_order(stage) == [
            "Remediation Decided: decided",
            "Remediation Acted: acted",
            "Remediation Verified: verified",
        ]
        assert retold(stage) <= 2  # what died between telling and recording that it was told
        assert {m["metadata"]["eventType"] for m in stage.messages()} == {
            "Remediation Acted",
            "Remediation Verified",
        }
        assert at_rest(stage)
        return bool(crashes)

    each(count(first, 2), play)


@pytest.mark.parametrize("first", range(4))
def test_a_rollback_in_steps_that_dies_is_finished_once(stage: Stage, first: int) -> None:
    small_blue(stage, per_minute=500)
    stage.calls.clear()
    alarms = list(stage.pending)

    def play(calls: int) -> bool:
        crash_after(stage, calls)
        crashes = survives(stage, lambda: stage.batch(*alarms))

        assert stage.weights() == {"blue": 10, "green": 0}
        assert stage.counts() == {"blue": 2, "green": 4}
        assert stage.incident()["stage"] == "verified"
        assert stage.incident()["before"]["green"]["weight"] == 8
        wishes = [c.parameters["DesiredWeightsAndCapacities"] for c in stage.made(WRITE)]
        assert [[sorted(each.values(), key=str) for each in wish] for wish in wishes] == [
            [[6, "blue"], [4, "green"]],
            [[2, "blue"]],
            [[10, "blue"], [0, "green"]],
        ]
        acted = [m for m in stage.messages() if m["metadata"]["eventType"] == "Remediation Acted"]
        assert 3 <= len(acted) <= 4  # a message a step, one again when it died before recording
        assert [line["stage"] for line in stage.incident()["timeline"]].count("acted") == 3
        assert told_in_order(stage)[-1] == "Remediation Verified: verified"
        assert retold(stage) - 2 <= 2  # three steps tell the same code
        assert at_rest(stage)
        return bool(crashes)

    each(count(first, 4), play)


@pytest.mark.parametrize("first", range(2))
def test_a_revert_that_dies_is_finished_once(
    stage: Stage, environment: pytest.MonkeyPatch, first: int
) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(60)
    stage.heartbeat()
    url = stage.client("sqs").create_queue(QueueName="traffic-shift")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"traffic_shift": url}))
    environment.setenv("AWS_REGION", REGION)
    asked = {"command": "revert", "incident": stage.incident()["id"], "by": "jane"}
    assert operator(asked, Context())["accepted"]
    [nudge] = stage.client("sqs").receive_message(QueueUrl=url)["Messages"]
    stage.calls.clear()

    def play(calls: int) -> bool:
        crash_after(stage, calls)
        crashes = survives(stage, lambda: stage.batch(nudge["Body"]))

        assert stage.weights() == {"blue": 9, "green": 1}
        assert stage.incident()["stage"] == "reverted"
        assert len(stage.made(WRITE)) == 1
        assert told_in_order(stage) == [
            "Remediation Decided: decided",
            "Remediation Acted: acted",
            "Remediation Reverted: reverted",
        ]
        assert at_rest(stage)
        return bool(crashes)

    each(count(first, 2), play)
