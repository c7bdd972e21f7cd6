"""The account's mode and the tag: the lower of the two holds."""

from __future__ import annotations

import pytest

from tests.functional.world import LEDGER, Stage

TAG = "ml-remediation:traffic-shift"


def bad_canary(stage: Stage, account: str, tag: str) -> None:
    stage.mode(account)
    stage.endpoint(blue=9, green=1, tags={TAG: tag})
    stage.traffic(past={"history_minutes": 60, "history_requests_per_minute": 700})
    stage.alarm()
    stage.wait(180)
    stage.traffic(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()


@pytest.mark.parametrize(("account", "tag"), [("observe", "act"), ("act", "observe")])
def test_observe_decides_and_records_and_changes_nothing(
    stage: Stage, account: str, tag: str
) -> None:
    bad_canary(stage, account, tag)
    stage.wait(60)
    stage.heartbeat()

    incident = stage.incident()
    assert incident["stage"] == "observed"
    assert incident["goal"]["green"]["weight"] == 0
    assert stage.told() == ["Remediation Decided: observe"]
    assert stage.weights() == {"blue": 9, "green": 1}


def test_what_was_observed_is_done_once_the_mode_allows_it(stage: Stage) -> None:
    bad_canary(stage, "observe", "act")
    stage.mode("act")
    stage.wait(60)
    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_off_does_nothing_and_records_nothing(stage: Stage) -> None:
    bad_canary(stage, "off", "act")

    assert stage.weights() == {"blue": 9, "green": 1}
    assert stage.client("dynamodb").scan(TableName=LEDGER)["Count"] == 0
    assert stage.told() == ["Remediation Refused: account-off"]


def test_off_stops_an_action_under_way_and_the_last_mode_goes_on_with_it(stage: Stage) -> None:
    bad_canary(stage, "act", "act")
    stage.mode("off")
    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "acted"

    stage.mode("act")
    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"


@pytest.mark.parametrize("word", ["", "ACT", "on"])
def test_an_unknown_mode_means_observe(stage: Stage, word: str) -> None:
    bad_canary(stage, word or " ", "act")

    assert stage.incident()["stage"] == "observed"


def test_a_switch_that_is_gone_means_observe(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.client("ssm").delete_parameter(Name="/ml-capacity-remediation/mode")
    stage.deliver()

    assert stage.incident()["stage"] == "observed"


def test_approve_asks_first_and_urgently(stage: Stage) -> None:
    bad_canary(stage, "approve", "act")

    assert stage.incident()["stage"] == "awaiting-approval"
    assert stage.weights() == {"blue": 9, "green": 1}
    assert stage.told() == ["Approval Requested: needs-approval"]
    [message] = stage.messages()
    assert f"remediation approve {stage.incident()['id']}" in message["content"]["nextSteps"][0]


def test_a_tag_taken_away_ends_the_incident(stage: Stage) -> None:
    bad_canary(stage, "observe", "act")
    sagemaker = stage.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName="shop")["EndpointArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[TAG])
    stage.mode("act")
    stage.wait(60)
    stage.heartbeat()

    assert stage.incident()["stage"] == "recovered"
    assert stage.weights() == {"blue": 9, "green": 1}
