"""What keeps a training job from going On-Demand is said by name, and nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from functions.operator.handler import handler as operator
from functions.spot_fallback.clone import heir_name
from tests.functional.quotas import control
from tests.functional.training import (
    CREATE,
    HOUR,
    LEVER,
    STOP,
    TYPE,
    Training,
    settings,
    training,
)
from tests.functional.world import ACCOUNT, REGION, Call, Context, Stage

Ask = Callable[[str], None]
KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"


@pytest.fixture
def jobs(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Training]:
    environment.setenv("LEVER_SETTINGS", settings())
    with training(stage) as scene:
        yield scene


@pytest.fixture
def ask(jobs: Training, environment: pytest.MonkeyPatch) -> Ask:
    """Asks the operator function about the one incident, then brings its nudge."""
    sqs = jobs.stage.client("sqs")
    url = sqs.create_queue(QueueName="spot-fallback")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"spot_fallback": url}))
    environment.setenv("AWS_REGION", REGION)

    def ask(command: str) -> None:
        asked = {"command": command, "incident": jobs.stage.incident()["id"], "by": "jane"}
        assert operator(asked, Context())["accepted"]
        for message in sqs.receive_message(QueueUrl=url)["Messages"]:
            jobs.stage.batch(message["Body"])

    return ask


def stranded(jobs: Training, **different: Any) -> None:
    """A job that never got Spot, past its patience; nobody has looked yet."""
    jobs.capacity(0)
    jobs.begin(work=120, **different)
    jobs.stage.wait(11 * 60)


def refuse(jobs: Training, code: str, text: str, operation: str = CREATE) -> list[Call]:
    """Have AWS refuse every such call of the function's; the calls that were refused so far."""
    refused: list[Call] = []

    def fault(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == operation:
            refused.append(call)
            raise ClientError({"Error": {"Code": code, "Message": text}}, operation)

    jobs.stage.fault = fault
    return refused


# before anything is stopped


def test_a_role_that_is_not_listed_is_refused_and_nothing_is_stopped(jobs: Training) -> None:
    stranded(jobs, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/admin")
    jobs.minutes(5)

    assert jobs.writes() == []
    assert jobs.stage.told() == ["Remediation Refused: role-not-allowed"]
    assert jobs.stage.messages()[0]["metadata"]["eventType"] == "Remediation Refused"


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_the_mode_of_the_account_holds(jobs: Training, mode: str) -> None:
    jobs.stage.mode(mode)
    stranded(jobs)
    jobs.minutes(5)

    assert jobs.writes() == []


@pytest.mark.parametrize("tags", [{LEVER: "observe"}, {LEVER: "off"}, {LEVER: "yes"}])
def test_the_mode_of_the_job_holds(jobs: Training, tags: dict[str, str]) -> None:
    stranded(jobs, tags=tags)
    jobs.minutes(5)

    assert jobs.writes() == []


def test_a_job_that_a_pipeline_waits_for_is_refused(jobs: Training) -> None:
    stranded(jobs, tags={"sagemaker:pipeline-execution-arn": "arn"})
    jobs.minutes(3)

    assert jobs.writes() == []
    assert jobs.stage.told() == ["Remediation Refused: owned-by-parent"]


def test_a_job_of_another_account_is_none_of_ours(jobs: Training) -> None:
    stranded(jobs)
    [event, *_] = jobs.events
    jobs.stage.pretend_swept("spot_fallback")
    other = json.loads(json.dumps(event).replace(ACCOUNT, "210987654321"))

    [outcome] = jobs.stage.batch(other)["outcomes"]
    assert outcome["code"] == "foreign-account"
    assert jobs.writes() == []
    assert jobs.stage.incidents() == []


def test_a_job_that_is_gone_leaves_nothing_behind(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin()
    jobs.minutes(2)
    assert jobs.incident_stage() == "open"

    refuse(jobs, "ValidationException", "Requested resource not found.", "DescribeTrainingJob")
    jobs.minutes(2)
    assert jobs.incident_stage() == "recovered"
    assert not any("due_for" in item for item in jobs.stage.records("arn:"))


def test_a_job_that_gets_its_instances_between_look_and_stop_keeps_them(jobs: Training) -> None:
    stranded(jobs)

    def fault(moment: str, call: Call) -> None:
        described = len(jobs.stage.made("DescribeTrainingJob"))
        if moment == "before" and call.operation == "DescribeTrainingJob" and described == 3:
            jobs.stage.outside(lambda: (jobs.capacity(None), jobs.stage.wait(10)))  # type: ignore[func-returns-value]

    jobs.stage.fault = fault
    jobs.finish()

    assert jobs.writes() == []
    assert jobs.status() == "Completed"


def before(jobs: Training, operation: str, happens: Callable[[], object], made: int = 1) -> None:
    """Have something happen to the job right before the function's call of so many of this kind."""

    def fault(moment: str, call: Call) -> None:
        known = len(jobs.stage.made(operation))
        if moment == "before" and call.operation == operation and known == made:
            jobs.stage.fault = lambda moment, call: None
            jobs.stage.outside(happens)

    jobs.stage.fault = fault


TO_ACT = 3
"""The job is described for its tag, for the decision, and right before it is stopped."""


def stopped_by_a_person(jobs: Training, after: float) -> Callable[[], object]:
    def happens() -> None:
        jobs.sagemaker.stop_training_job(TrainingJobName="bert")
        jobs.stage.wait(after)

    return happens


@pytest.mark.parametrize(("after", "end"), [(0, "recovered"), (60, "superseded")])
def test_a_job_that_a_person_stops_between_look_and_stop_stays_stopped(
    jobs: Training, after: float, end: str
) -> None:
    """Whether it is stopping still, when nobody can say why, or over."""
    stranded(jobs)
    control("PUT", "/durations", {"training_stop": 30})
    before(jobs, "DescribeTrainingJob", stopped_by_a_person(jobs, after), TO_ACT)
    jobs.minutes(10)

    assert jobs.writes() == []
    assert jobs.names() == ["bert"]
    assert jobs.incident_stage() == end


@pytest.mark.parametrize("after", [5, 60])
def test_a_job_that_runs_out_of_wait_time_between_look_and_stop_is_taken_over(
    jobs: Training, after: float
) -> None:
    """It is stopping when it is to be stopped, or over."""
    stranded(jobs, longest=660, longest_wait=15 * 60)
    control("PUT", "/durations", {"training_stop": 30})
    before(jobs, "DescribeTrainingJob", lambda: jobs.stage.wait(3 * 60 + after), TO_ACT)
    jobs.until(lambda: bool(jobs.heir()), most=5)

    assert jobs.writes() == [CREATE]
    assert jobs.secondary() == "MaxWaitTimeExceeded"
    jobs.until(lambda: jobs.status(jobs.heir()) == "Completed")
    jobs.minutes(2)
    assert "superseded" not in [each["stage"] for each in jobs.stage.incidents()]


def test_a_job_that_a_person_stopped_right_before_the_stop_is_its_owners(jobs: Training) -> None:
    stranded(jobs)
    before(jobs, STOP, stopped_by_a_person(jobs, 60))
    jobs.minutes(10)

    assert jobs.names() == ["bert"]
    assert jobs.incident_stage() == "superseded"


def test_a_job_that_ran_out_of_wait_time_right_before_the_stop_is_taken_over(
    jobs: Training,
) -> None:
    stranded(jobs, longest=660, longest_wait=15 * 60)
    before(jobs, STOP, lambda: jobs.stage.wait(5 * 60))
    jobs.until(lambda: bool(jobs.heir()), most=5)

    assert jobs.writes() == [STOP, CREATE]  # the first was refused


# no checkpoints


def test_little_work_without_checkpoints_is_begun_again(jobs: Training) -> None:
    jobs.begin(work=HOUR, CheckpointConfig=None)
    jobs.minutes(20)
    jobs.lose_spot()
    jobs.finish()

    assert jobs.writes() == [STOP, CREATE]
    assert jobs.job(jobs.heir())["TrainingTimeInSeconds"] >= HOUR


def test_much_work_without_checkpoints_is_begun_again_when_a_person_says_so(
    jobs: Training, ask: Ask, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(unchecked_minutes=19))
    jobs.begin(work=HOUR, CheckpointConfig=None)
    jobs.minutes(20)
    jobs.lose_spot()
    jobs.minutes(15)
    assert jobs.writes() == []
    assert jobs.incident_stage() == "awaiting-approval"
    assert jobs.stage.told() == ["Approval Requested: needs-approval"]

    ask("approve")
    assert jobs.writes() == [STOP]
    jobs.finish()
    assert jobs.writes() == [STOP, CREATE]
    assert jobs.incident_stage() == "verified"


def test_what_a_person_rejects_is_not_done(
    jobs: Training, ask: Ask, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(unchecked_minutes=0))
    jobs.begin(work=HOUR, CheckpointConfig=None)
    jobs.minutes(5)
    jobs.lose_spot()
    jobs.minutes(12)

    ask("reject")
    jobs.minutes(5)
    assert jobs.writes() == []
    assert jobs.incident_stage() == "rejected"


def test_what_was_done_cannot_be_undone_and_that_is_said(jobs: Training, ask: Ask) -> None:
    stranded(jobs)
    jobs.minute()

    ask("revert")
    assert jobs.stage.told()[-1] == "Remediation Refused: cannot-be-undone"


# what CreateTrainingJob refuses


def test_an_heir_that_sagemaker_refuses_is_told_in_its_words(jobs: Training) -> None:
    refuse(jobs, "ValidationException", "No S3 objects found under the prefix")
    stranded(jobs)
    jobs.finish()

    assert jobs.incident_stage() == "failed"
    assert jobs.stage.told()[-1] == "Remediation Failed: clone-refused"
    assert "No S3 objects found" in jobs.stage.incident()["reason"]


def test_a_quota_that_is_too_small_is_told_and_tried_again_until_it_is_raised(
    jobs: Training,
) -> None:
    refused = refuse(jobs, "ResourceLimitExceeded", "The account-level service limit ... is 0")
    stranded(jobs)
    jobs.minutes(12)
    assert 2 <= len(refused) <= 4
    assert "Remediation Decided: quota" in jobs.stage.told()

    jobs.stage.fault = lambda moment, call: None
    jobs.finish()
    assert jobs.incident_stage() == "verified"


def test_throttling_is_gone_by_the_next_look(jobs: Training) -> None:
    refused = refuse(jobs, "ThrottlingException", "Rate exceeded")
    stranded(jobs)
    jobs.until(lambda: bool(refused))
    jobs.stage.fault = lambda moment, call: None
    jobs.finish()

    assert jobs.incident_stage() == "verified"
    assert len(jobs.names()) == 2


def test_a_name_that_another_job_has_is_told_and_that_job_is_left_alone(jobs: Training) -> None:
    stranded(jobs)
    name = heir_name(jobs.job())
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/other",
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://bucket/output"},
        ResourceConfig={"InstanceType": TYPE, "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": HOUR},
    )
    jobs.finish()

    assert jobs.stage.told()[-1] == "Remediation Failed: name-taken"


@pytest.mark.parametrize(
    "refusal",
    [
        ParamValidationError(report='Unknown parameter in ResourceConfig: "InstancePreferences"'),
        ClientError(
            {
                "Error": {
                    "Code": "ValidationException",
                    "Message": "InstancePreferences is not supported in this Region.",
                }
            },
            CREATE,
        ),
    ],
)
def test_where_no_list_of_types_is_taken_its_own_type_is_asked_for(
    jobs: Training, environment: pytest.MonkeyPatch, refusal: Exception
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(fallback_types=["ml.m5.2xlarge"]))

    def fault(moment: str, call: Call) -> None:
        listed = "InstancePreferences" in call.parameters.get("ResourceConfig", {})
        if moment == "before" and call.operation == CREATE and listed:
            raise refusal

    jobs.stage.fault = fault
    stranded(jobs)
    jobs.finish()

    assert jobs.job(jobs.heir())["ResourceConfig"]["InstanceType"] == TYPE
    assert jobs.stage.incident()["written"]["types"] == []
    assert jobs.incident_stage() == "verified"


def test_a_built_in_algorithm_is_cloned_without_the_metrics_it_describes(jobs: Training) -> None:
    algorithm = {"TrainingImage": KMEANS, "TrainingInputMode": "File"}
    stranded(jobs, AlgorithmSpecification=algorithm)
    jobs.finish()

    assert jobs.incident_stage() == "verified"
    assert "MetricDefinitions" in jobs.job(jobs.heir())["AlgorithmSpecification"]


def test_metrics_of_a_customers_own_image_are_kept(jobs: Training) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    algorithm = {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "MetricDefinitions": metrics,
    }
    stranded(jobs, AlgorithmSpecification=algorithm)
    jobs.until(lambda: bool(jobs.heir()))

    assert jobs.job(jobs.heir())["AlgorithmSpecification"]["MetricDefinitions"] == metrics


def test_an_heir_that_is_stopped_is_not_begun_again(jobs: Training) -> None:
    stranded(jobs)
    jobs.until(lambda: bool(jobs.heir()))
    jobs.sagemaker.stop_training_job(TrainingJobName=jobs.heir())
    jobs.finish()

    assert jobs.stage.told()[-1] == "Remediation Failed: heir-stopped"
    jobs.minutes(3)
    assert jobs.writes() == [STOP, CREATE]
