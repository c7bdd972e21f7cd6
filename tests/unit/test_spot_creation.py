"""What is read of an event of CreateTrainingJob, and whose creation it is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.spot_fallback.creation import Creation, creation
from tests.unit.spot_jobs import ARN, NOON, job

ON = {"EnableSessionTagChaining": True}


def event(**different: Any) -> dict[str, Any]:
    """An event of LookupEvents; different: members of its record in place of the usual ones."""
    record = {
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": "CreateTrainingJob",
        "requestParameters": {
            "trainingJobName": "bert",
            "sessionChainingConfig": {"enableSessionTagChaining": True},
            "hyperParameters": {"epochs": "3"},
        },
        "responseElements": {"trainingJobArn": ARN},
        **different,
    }
    return {"EventId": "e-1", "EventTime": NOON, "CloudTrailEvent": json.dumps(record)}


def asked(**parameters: Any) -> Any:
    found = creation(event(requestParameters={"trainingJobName": "bert", **parameters}))
    assert found is not None
    return found.members


def test_of_what_was_asked_that_is_read_which_nothing_else_tells() -> None:
    assert creation(event()) == Creation(NOON, ARN, "bert", {"SessionChainingConfig": ON})


@pytest.mark.parametrize(
    "empty", [{}, {"sessionChainingConfig": None}, {"sessionChainingConfig": {}}]
)
def test_what_was_not_asked_for_is_known_not_to_have_been(empty: dict[str, Any]) -> None:
    assert asked(**empty) == {}


def test_a_field_that_was_set_to_false_was_asked_for() -> None:
    assert asked(sessionChainingConfig={"enableSessionTagChaining": False}) == {
        "SessionChainingConfig": {"EnableSessionTagChaining": False}
    }


def test_a_record_that_leaves_out_what_was_asked_tells_nothing_of_it() -> None:
    """CloudTrail truncates what is too large, and services hide what is sensitive."""
    for parameters in ({"omitted": True, "originalSize": 120_000}, None, {}):
        found = creation(event(requestParameters=parameters))
        assert found is not None
        assert found.members is None
    assert asked(sessionChainingConfig="HIDDEN_DUE_TO_SECURITY_REASONS") is None


def test_a_refused_call_created_nothing() -> None:
    assert creation(event(errorCode="ResourceLimitExceeded", responseElements=None)) is None


def test_another_service_may_have_a_call_of_that_name() -> None:
    assert creation(event(eventSource="personalize.amazonaws.com")) is None


def test_what_is_no_json_is_no_record() -> None:
    assert creation({**event(), "CloudTrailEvent": "{"}) is None


# whose it is


@pytest.mark.parametrize(("seconds", "its"), [(-61, False), (-60, True), (60, True), (61, False)])
def test_it_is_of_the_job_that_was_created_then(seconds: int, its: bool) -> None:
    """A name can be used again once a job is deleted."""
    found = Creation(NOON + timedelta(seconds=seconds), ARN, "bert", {})

    assert found.is_of(job()) is its


def test_it_is_of_the_job_whose_arn_was_answered() -> None:
    assert Creation(NOON, ARN.upper(), "", {}).is_of(job())
    assert not Creation(NOON, ARN + "-2", "bert", {}).is_of(job())


def test_without_an_answer_it_is_of_the_job_whose_name_was_asked_for() -> None:
    assert Creation(NOON, "", "bert", {}).is_of(job())
    assert not Creation(NOON, "", "bert-2", {}).is_of(job())
