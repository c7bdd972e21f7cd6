"""What only the record of a job's creation tells goes into its heir, and never costs its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.spot_fallback import creation
from local.cloud import WORLD, cloudtrail
from tests.functional.training import (
    CREATE,
    HOUR,
    LEVER,
    STOP,
    Training,
    arn,
    in_hours,
    settings,
    training,
)
from tests.functional.world import ACCOUNT, REGION, Call, Stage

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")
ON, OFF = {"EnableSessionTagChaining": True}, {"EnableSessionTagChaining": False}
AWAITED = "Remediation Decided: awaiting-creation-record"
NEVER = 100 * 24 * HOUR


@pytest.fixture
def jobs(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Training]:
    environment.setenv("LEVER_SETTINGS", settings(patience_minutes=60))
    with training(stage) as scene:
        yield scene


def begin(jobs: Training, name: str = "bert", **different: Any) -> None:
    """A job that gets no Spot, and is out of wait time after five minutes."""
    jobs.capacity(0)
    usual = {"work": 200, "longest": 300, "longest_wait": 300, "SessionChainingConfig": ON}
    jobs.begin(name, **{**usual, **different})


def chaining(jobs: Training, name: str = "bert") -> Any:
    """The SessionChainingConfig that the heir of a job was asked for with."""
    [request] = [
        call.parameters
        for call in jobs.stage.made(CREATE)
        if call.parameters["TrainingJobName"] == jobs.heir(name)
    ]
    return request.get("SessionChainingConfig")


def unread(jobs: Training) -> str:
    """Why something of the request is not known, as the record of the heir's creation says."""
    written = jobs.stage.incident()["acts"][-1]["written"]
    return str(written.get("unread", {}).get("SessionChainingConfig", ""))


def lookups(jobs: Training) -> list[Call]:
    return jobs.stage.made("LookupEvents")


def failing(jobs: Training, error: Callable[[], Exception]) -> None:
    """Let every lookup fail from now on."""

    def fault(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == "LookupEvents":
            raise error()

    jobs.stage.fault = fault


def answering(jobs: Training) -> None:
    jobs.stage.fault = lambda moment, call: None


def answer(code: str, status: int = 400) -> Callable[[], Exception]:
    told: Any = {"Error": {"Code": code, "Message": "no"}}
    told["ResponseMetadata"] = {"HTTPStatusCode": status}
    return lambda: ClientError(told, "LookupEvents")


# there


@pytest.mark.parametrize("config", [ON, OFF])
def test_the_heir_is_asked_for_with_what_its_original_was(
    jobs: Training, config: dict[str, bool]
) -> None:
    begin(jobs, SessionChainingConfig=config)
    jobs.finish()

    assert chaining(jobs) == config
    assert unread(jobs) == ""
    assert jobs.incident_stage() == "verified"


def test_what_was_not_asked_for_the_heir_is_not_asked_for_with(jobs: Training) -> None:
    begin(jobs, SessionChainingConfig=None)
    jobs.finish()

    assert chaining(jobs) is None
    assert unread(jobs) == ""


def test_a_job_that_is_stopped_for_it_has_its_record_read_once(jobs: Training) -> None:
    """In none of the looks before, and by one attribute, which is all that is allowed."""
    jobs.begin(work=HOUR, SessionChainingConfig=ON)
    jobs.minutes(20)
    jobs.lose_spot()
    jobs.finish()

    assert jobs.writes() == [STOP, CREATE]
    assert chaining(jobs) == ON
    [call] = lookups(jobs)
    created = jobs.job()["CreationTime"]
    assert call.parameters == {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": CREATE}],
        "StartTime": created - timedelta(minutes=1),
        "EndTime": created + timedelta(minutes=1),
        "MaxResults": 50,
    }


def test_of_jobs_that_were_submitted_together_one_lookup_tells_all(jobs: Training) -> None:
    for name, config in (("one", ON), ("two", OFF), ("three", None)):
        begin(jobs, name, SessionChainingConfig=config)
    jobs.stage.wait(360)
    jobs.stage.heartbeat()

    assert [chaining(jobs, name) for name in ("one", "two", "three")] == [ON, OFF, None]
    assert len(lookups(jobs)) == 1


def test_a_record_on_a_later_page_is_found(jobs: Training, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(creation, "PAGE", 2)
    begin(jobs)
    for name in ("two", "three", "four"):
        begin(jobs, name, tags={LEVER: "off"}, SessionChainingConfig=None)
    jobs.finish()

    assert chaining(jobs) == ON
    assert len(lookups(jobs)) == 2


def test_pages_are_not_read_without_end(jobs: Training, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(creation, "PAGE", 2)
    environment.setattr(creation, "MOST_PAGES", 1)
    begin(jobs, longest_wait=20 * 60)
    for name in ("two", "three", "four"):
        begin(jobs, name, tags={LEVER: "off"})
    jobs.finish()

    assert len(lookups(jobs)) == 1
    assert "no record" in unread(jobs)


# not there


def test_a_record_that_is_still_to_come_is_waited_for(jobs: Training) -> None:
    WORLD.durations.event_history = 12 * 60
    begin(jobs)
    assert jobs.until(lambda: bool(jobs.heir()), most=14) in {12, 13}
    jobs.finish()

    assert chaining(jobs) == ON
    assert unread(jobs) == ""
    assert jobs.stage.told().count(AWAITED) == 1
    assert jobs.writes() == [CREATE]


def test_a_record_that_never_comes_is_given_up_and_said_to_be(jobs: Training) -> None:
    WORLD.durations.event_history = NEVER
    begin(jobs)
    assert jobs.until(lambda: bool(jobs.heir()), most=17) in {15, 16}
    jobs.finish()

    assert chaining(jobs) is None
    assert "no record of the creation of bert" in unread(jobs)
    assert "record_by" not in jobs.stage.incident()["written"]
    assert jobs.incident_stage() == "verified"


def test_an_old_job_without_a_record_is_not_waited_for(jobs: Training) -> None:
    WORLD.durations.event_history = NEVER
    begin(jobs, longest_wait=20 * 60)
    jobs.until(lambda: jobs.status() == "Stopped")
    jobs.until(lambda: bool(jobs.heir()), most=1)

    assert "no record of the creation of bert" in unread(jobs)
    assert AWAITED not in jobs.stage.told()


def test_a_deadline_leaves_no_time_to_wait(jobs: Training) -> None:
    """A minute over the work and the changeover, and a job that is six minutes old."""
    WORLD.durations.event_history = 12 * 60
    left = (6 + 60 + 10 + 1.5) / 60
    begin(jobs, tags={f"{LEVER}:deadline": in_hours(left), f"{LEVER}:work-hours": "1"})
    jobs.until(lambda: bool(jobs.heir()), most=8)

    assert "no record of the creation of bert" in unread(jobs)


def test_a_job_older_than_event_history_is_not_looked_up(
    jobs: Training, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(creation, "KEPT", timedelta(minutes=3))
    begin(jobs)
    jobs.finish()

    assert lookups(jobs) == []
    assert "older than" in unread(jobs)


# not its own


def test_a_call_of_the_same_name_that_was_refused_is_not_its_creation(jobs: Training) -> None:
    """Before it and after it."""
    with pytest.raises(ClientError):
        begin(jobs, longest_wait=10)
    begin(jobs, SessionChainingConfig=None)
    with pytest.raises(ClientError):
        begin(jobs)
    jobs.finish()

    assert chaining(jobs) is None
    assert unread(jobs) == ""


def test_a_job_of_the_same_name_that_is_gone_does_not_stand_for_it(jobs: Training) -> None:
    earlier = {"TrainingJobName": "bert", "SessionChainingConfig": ON}
    made = {"TrainingJobArn": arn()}
    call = cloudtrail.Call(
        SAGEMAKER.operation_model(CREATE), earlier, ACCOUNT, REGION, "r-1", answer=made
    )
    with WORLD.turn():
        cloudtrail.tell(call)
    jobs.stage.wait(120)
    WORLD.durations.event_history = 8 * 60
    begin(jobs, SessionChainingConfig=OFF)
    jobs.finish()

    assert AWAITED in jobs.stage.told()
    assert chaining(jobs) == OFF


# not read

UNANSWERED = {
    "throttled": answer("ThrottlingException"),
    "out of order": answer("InternalFailure", 503),
    "slow": lambda: ReadTimeoutError(endpoint_url="https://cloudtrail.us-east-1.amazonaws.com/"),
}


@pytest.mark.parametrize("error", UNANSWERED.values(), ids=UNANSWERED)
def test_a_lookup_that_is_not_answered_is_made_again_at_the_next_look(
    jobs: Training, error: Callable[[], Exception]
) -> None:
    begin(jobs, longest_wait=20 * 60)
    failing(jobs, error)
    jobs.until(lambda: AWAITED in jobs.stage.told())
    jobs.minutes(5)
    assert jobs.writes() == []

    answering(jobs)
    jobs.finish()
    assert chaining(jobs) == ON
    assert unread(jobs) == ""
    assert jobs.writes() == [CREATE]


def test_work_does_not_wait_for_lookups_that_are_never_answered(jobs: Training) -> None:
    begin(jobs, longest_wait=20 * 60)
    failing(jobs, UNANSWERED["throttled"])
    jobs.until(lambda: AWAITED in jobs.stage.told())
    assert jobs.until(lambda: bool(jobs.heir()), most=16) in {14, 15}
    jobs.finish()

    assert chaining(jobs) is None
    assert "ThrottlingException" in unread(jobs)
    assert jobs.incident_stage() == "verified"


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "UnsupportedOperationException"]
)
def test_a_lookup_that_is_not_allowed_does_not_hold_the_work_up(jobs: Training, code: str) -> None:
    begin(jobs)
    failing(jobs, answer(code))
    jobs.until(lambda: jobs.status() == "Stopped")
    jobs.until(lambda: bool(jobs.heir()), most=1)
    jobs.finish()

    assert code in unread(jobs)
    assert len(lookups(jobs)) == 1
    assert jobs.incident_stage() == "verified"


def test_any_other_error_is_one_of_aws_like_others(jobs: Training) -> None:
    begin(jobs)
    failing(jobs, answer("InvalidTimeRangeException"))
    jobs.finish()

    assert jobs.writes() == []
    assert jobs.stage.told()[-1] == "Remediation Failed: breaker-open"
