"""What an operator asks for goes through the ledger and the remediation's own rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.operator.handler import handler as operator
from tests.functional.test_too_small_to_take_over import beat_until, small_blue
from tests.functional.world import REGION, Context, Stage

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(stage: Stage, environment: pytest.MonkeyPatch) -> Ask:
    """Asks the operator function, then brings its nudge to the remediation."""
    sqs = stage.client("sqs")
    url = sqs.create_queue(QueueName="traffic-shift")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"traffic_shift": url}))
    environment.setenv("AWS_REGION", REGION)

    def ask(command: str, incident: str | None = None, by: str = "jane") -> dict[str, Any]:
        asked = {"command": command, "incident": incident or stage.incident()["id"], "by": by}
        answer = operator(asked, Context())
        for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
            stage.batch(message["Body"])
        return answer

    return ask


def shifted(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"


def test_revert_puts_back_what_the_action_changed(stage: Stage, ask: Ask) -> None:
    shifted(stage)

    assert ask("revert")["accepted"]
    assert stage.weights() == {"blue": 9, "green": 1}

    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "reverted"
    assert stage.told()[-1] == "Remediation Reverted: reverted"


def test_after_a_revert_the_target_is_left_to_the_person_for_an_hour(
    stage: Stage, ask: Ask
) -> None:
    shifted(stage)
    ask("revert")
    stage.wait(60)
    stage.heartbeat()

    stage.wait_for_alarm()
    stage.deliver()
    assert stage.weights() == {"blue": 9, "green": 1}

    stage.wait(76 * 60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 10, "green": 0}


def test_revert_takes_back_the_instances_that_were_added(stage: Stage, ask: Ask) -> None:
    small_blue(stage)
    stage.deliver()
    beat_until(stage, lambda: stage.incident()["stage"] == "verified")
    assert stage.counts() == {"blue": 2, "green": 4}

    ask("revert")
    beat_until(stage, lambda: stage.incident()["stage"] == "reverted")

    assert stage.weights() == {"blue": 2, "green": 8}
    assert stage.counts() == {"blue": 1, "green": 4}


def test_revert_is_refused_where_the_target_no_longer_stands_as_left(
    stage: Stage, ask: Ask
) -> None:
    shifted(stage)
    stage.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredWeight": 3}],
    )
    stage.wait(30)

    ask("revert")

    assert stage.weights() == {"blue": 3, "green": 0}
    assert stage.told()[-1] == "Remediation Refused: moved-on"
    assert stage.incident()["stage"] == "verified"


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_revert_obeys_the_mode(stage: Stage, ask: Ask, mode: str) -> None:
    shifted(stage)
    stage.mode(mode)

    ask("revert")

    assert stage.weights() == {"blue": 10, "green": 0}
    assert stage.incident()["stage"] == "verified"


def test_revert_of_what_changed_nothing_is_refused(stage: Stage, ask: Ask) -> None:
    stage.scene(green=0.3)
    stage.mode("observe")
    stage.wait_for_alarm()
    stage.deliver()
    stage.mode("act")
    stage.client("cloudwatch").set_alarm_state(
        AlarmName="green-5xx", StateValue="OK", StateReason="test"
    )

    ask("revert")

    assert stage.told()[-1] == "Remediation Refused: nothing-to-revert"


def test_a_second_revert_is_refused(stage: Stage, ask: Ask) -> None:
    shifted(stage)
    ask("revert")
    stage.wait(60)
    stage.heartbeat()

    ask("revert")

    assert stage.told()[-1] == "Remediation Refused: reverted-already"


def asked_for_approval(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.mode("approve")
    stage.wait_for_alarm()
    stage.deliver()
    assert stage.incident()["stage"] == "awaiting-approval"


def test_approve_has_it_done(stage: Stage, ask: Ask) -> None:
    asked_for_approval(stage)

    ask("approve")

    assert stage.weights() == {"blue": 10, "green": 0}
    assert stage.incident()["approved_by"] == "jane"


def test_an_approval_is_of_what_was_asked_and_of_nothing_else(stage: Stage, ask: Ask) -> None:
    asked_for_approval(stage)
    stage.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredWeight": 30}],
    )
    stage.wait(30)

    ask("approve")

    assert stage.weights() == {"blue": 9, "green": 30}
    assert stage.told().count("Approval Requested: needs-approval") == 2
    ask("approve")
    assert stage.weights()["green"] < 30


def test_a_nudge_that_fails_leaves_the_intent_to_the_heartbeat(
    stage: Stage, ask: Ask, environment: pytest.MonkeyPatch
) -> None:
    shifted(stage)
    gone = f"https://sqs.{REGION}.amazonaws.com/123456789012/gone"
    environment.setenv("QUEUE_URLS", json.dumps({"traffic_shift": gone}))

    assert ask("revert")["accepted"]
    assert stage.weights() == {"blue": 10, "green": 0}

    stage.heartbeat()
    assert stage.weights() == {"blue": 9, "green": 1}


def test_reject_leaves_it_for_an_hour(stage: Stage, ask: Ask) -> None:
    asked_for_approval(stage)

    ask("reject")
    stage.wait(16 * 60)
    stage.heartbeat()

    assert stage.weights() == {"blue": 9, "green": 1}
    assert stage.incident()["stage"] == "rejected"


def test_approve_of_what_asks_for_nothing_is_refused(stage: Stage, ask: Ask) -> None:
    shifted(stage)

    ask("approve")

    assert stage.told()[-1] == "Remediation Refused: not-awaiting"


def test_an_unknown_incident_is_refused_at_once(stage: Stage, ask: Ask) -> None:
    answer = ask("revert", "traffic-shift-20260302T120000-a1b2c3")

    assert answer == {
        "accepted": False,
        "reason": "there is no incident traffic-shift-20260302T120000-a1b2c3",
    }


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"command": "delete", "incident": "traffic-shift-20260302T120000-a1b2c3", "by": "j"},
        {"command": "revert", "incident": "x", "by": "j"},
        {"command": "revert", "incident": "traffic-shift-20260302T120000-a1b2c3", "by": ""},
        {"command": "revert", "incident": "traffic-shift-20260302T120000-a1b2c3", "by": "<b>"},
    ],
)
def test_a_malformed_request_is_refused_with_what_to_send(
    stage: Stage, ask: Ask, asked: object
) -> None:
    answer = operator(asked, Context())

    assert not answer["accepted"]
    assert any(word in answer["reason"] for word in ("must be", "send an object"))


def test_two_commands_at_once_are_one_after_the_other(stage: Stage, ask: Ask) -> None:
    shifted(stage)
    asked = {"command": "revert", "incident": stage.incident()["id"], "by": "jane"}

    assert operator(asked, Context())["accepted"]
    assert not operator(asked, Context())["accepted"]


def test_what_was_asked_while_off_is_not_done_later(stage: Stage, ask: Ask) -> None:
    shifted(stage)
    stage.mode("off")
    ask("revert")
    assert stage.told()[-1] == "Remediation Refused: account-off"

    stage.mode("act")
    stage.wait(60)
    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}
