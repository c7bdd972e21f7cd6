"""What becomes of training jobs: time-outs, interruptions, checkpoints, and what they cost."""

from __future__ import annotations

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.sagemaker.conftest import Control
from tests.cloud.sagemaker.training import (
    CHECKPOINTS,
    described,
    request,
    spot,
    state,
    stays,
    until_training,
)

WORK = "/sagemaker/training-jobs/bert/work"
INTERRUPT = "/sagemaker/training-jobs/bert/interrupt"
HOURS = {"seconds": 36000, "checkpoint_every_seconds": 600}


def until_training_again(account: Account) -> None:
    """Let a job that was interrupted, and has capacity, come to train again."""
    account.wait(WORLD.durations.training_interrupt)
    until_training(account)


def test_a_run_that_takes_too_long_is_stopped(account: Account, control: Control) -> None:
    """botocore model, StoppingCondition; the time before the instances does not count."""
    account.client("sagemaker").create_training_job(**request())
    control("PUT", WORK, HOURS)
    until_training(account)
    account.wait(3600 - WORLD.durations.training_download - 1)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    assert state(account) == ("Stopping", "Stopping")
    account.wait(WORLD.durations.training_stop)
    assert state(account) == ("Stopped", "MaxRuntimeExceeded")
    job = described(account)
    assert "FailureReason" not in job
    assert job["TrainingTimeInSeconds"] == 3602


def test_a_result_that_is_being_uploaded_is_not_stopped(account: Account) -> None:
    job = request(StoppingCondition={"MaxRuntimeInSeconds": 62})
    WORLD.durations.training_upload = 60
    account.client("sagemaker").create_training_job(**job)
    account.wait(200)
    assert state(account) == ("Completed", "Completed")


def test_an_interrupted_job_starts_again(account: Account, control: Control) -> None:
    """Developer guide, model-managed-spot-training-status: interrupted once."""
    account.client("sagemaker").create_training_job(**spot())
    until_training(account)
    account.wait(30)
    assert control("POST", INTERRUPT) == (200, {"secondary_status": "Interrupted"})
    assert state(account) == ("InProgress", "Interrupted")
    account.wait(200)
    assert stays(account) == [
        "Starting",
        "Pending",
        "Downloading",
        "Training",
        "Interrupted",
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]


def test_without_checkpoints_an_interruption_costs_everything(
    account: Account, control: Control
) -> None:
    account.client("sagemaker").create_training_job(**spot())
    until_training(account)
    account.wait(59)
    control("POST", INTERRUPT)
    until_training_again(account)
    account.wait(59)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    assert state(account) == ("InProgress", "Uploading")


def test_what_a_checkpoint_holds_is_not_trained_again(account: Account, control: Control) -> None:
    """Developer guide, model-checkpoints: training resumes from the last checkpoint."""
    account.client("sagemaker").create_training_job(**spot(CheckpointConfig=CHECKPOINTS))
    control("PUT", WORK, {"seconds": 60, "checkpoint_every_seconds": 25})
    until_training(account)
    account.wait(59)
    control("POST", INTERRUPT)
    _, shown = control("GET", WORK)
    assert shown["checkpointed_seconds"] == 50
    until_training_again(account)
    account.wait(9)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    assert state(account) == ("InProgress", "Uploading")


def test_a_second_job_goes_on_from_the_same_checkpoints(account: Account, control: Control) -> None:
    """botocore model, CheckpointConfig: the S3 path; who names the same goes on from there."""
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**spot(CheckpointConfig=CHECKPOINTS))
    control("PUT", WORK, {"seconds": 1000, "checkpoint_every_seconds": 100})
    until_training(account)
    account.wait(750)
    sagemaker.stop_training_job(TrainingJobName="bert")
    sagemaker.create_training_job(**request("bert-od", CheckpointConfig=CHECKPOINTS))
    until_training(account)
    _, shown = control("GET", WORK.replace("bert", "bert-od"))
    assert shown == {
        "seconds": 1000,
        "checkpoint_every_seconds": 100,
        "done_seconds": 700,
        "checkpointed_seconds": 700,
    }
    account.wait(299)
    assert state(account, "bert-od") == ("InProgress", "Training")
    account.wait(1)
    assert state(account, "bert-od") == ("InProgress", "Uploading")


def test_checkpoints_are_there_while_their_writer_still_trains(
    account: Account, control: Control
) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(CheckpointConfig=CHECKPOINTS))
    control("PUT", WORK, {"seconds": 1000, "checkpoint_every_seconds": 100})
    until_training(account)
    account.wait(250)
    sagemaker.create_training_job(**request("other", CheckpointConfig=CHECKPOINTS))
    until_training(account)
    assert control("GET", WORK.replace("bert", "other"))[1]["done_seconds"] == 200


def test_a_completed_training_is_checkpointed_to_its_end(
    account: Account, control: Control
) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(CheckpointConfig=CHECKPOINTS))
    control("PUT", WORK, {"seconds": 65, "checkpoint_every_seconds": 10})
    account.wait(100)
    sagemaker.create_training_job(**request("again", CheckpointConfig=CHECKPOINTS))
    until_training(account)
    assert state(account, "again") == ("InProgress", "Uploading")


def test_another_path_is_another_training(account: Account, control: Control) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(CheckpointConfig=CHECKPOINTS))
    account.wait(100)
    elsewhere = {"S3Uri": "s3://bucket/elsewhere"}
    sagemaker.create_training_job(**request("other", CheckpointConfig=elsewhere))
    until_training(account)
    assert control("GET", WORK.replace("bert", "other"))[1]["done_seconds"] == 0


def test_a_job_that_waits_too_long_for_spot_was_never_launched(
    account: Account, control: Control
) -> None:
    """Developer guide, model-managed-spot-training-status: Spot instances were never launched."""
    pool = {"instance_type": "ml.m5.xlarge", "market": "spot", "instances": 0}
    control("PUT", "/sagemaker/capacity", pool)
    account.client("sagemaker").create_training_job(**spot(wait=7200))
    account.wait(7199)
    assert state(account) == ("InProgress", "Pending")
    account.wait(1)
    assert state(account) == ("Stopping", "Stopping")
    account.wait(WORLD.durations.training_stop)
    assert state(account) == ("Stopped", "MaxWaitTimeExceeded")
    assert not {"FailureReason", "TrainingStartTime", "BillableTimeInSeconds"} & (
        described(account).keys()
    )


def test_waiting_and_running_together_are_bounded(account: Account, control: Control) -> None:
    """botocore model, MaxWaitTimeInSeconds: waiting for Spot plus the time the job runs."""
    account.client("sagemaker").create_training_job(**spot(wait=3600))
    control("PUT", WORK, HOURS)
    until_training(account)
    account.wait(1000)
    control("POST", INTERRUPT)
    account.wait(3600 - 1000 - 3 - 1)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    account.wait(WORLD.durations.training_stop)
    assert state(account) == ("Stopped", "MaxWaitTimeExceeded")


def test_only_time_on_instances_counts_as_run(account: Account, control: Control) -> None:
    """botocore model, MaxRuntimeInSeconds: the length of time that a job can run."""
    account.client("sagemaker").create_training_job(**spot(wait=36000))
    control("PUT", WORK, HOURS)
    until_training(account)
    account.wait(2000)
    pool = {"instance_type": "ml.m5.xlarge", "market": "spot"}
    control("PUT", "/sagemaker/capacity", {**pool, "instances": 0})
    control("POST", INTERRUPT)
    account.wait(5000)
    assert state(account) == ("InProgress", "Interrupted")
    control("PUT", "/sagemaker/capacity", {**pool, "instances": None})
    account.wait(WORLD.durations.training_start)
    left = 3600 - 2000 - WORLD.durations.training_download
    account.wait(left - 1)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    assert state(account) == ("Stopping", "Stopping")


def test_a_job_started_when_it_first_came_to_its_instances(
    account: Account, control: Control
) -> None:
    """botocore model, TrainingStartTime."""
    account.client("sagemaker").create_training_job(**spot())
    until_training(account)
    started = described(account)["TrainingStartTime"]
    control("POST", INTERRUPT)
    until_training_again(account)
    assert state(account) == ("InProgress", "Training")
    assert described(account)["TrainingStartTime"] == started


def test_spot_bills_less_than_it_trains(account: Account) -> None:
    """botocore model, BillableTimeInSeconds: (1 - billable / training time) is the saving."""
    account.client("sagemaker").create_training_job(**spot())
    account.wait(200)
    job = described(account)
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (62, 19)


def test_a_jump_of_the_clock_plays_each_step_at_its_own_time(account: Account) -> None:
    account.client("sagemaker").create_training_job(**request())
    account.wait(86400)
    job = described(account)
    assert job["TrainingJobStatus"] == "Completed"
    assert job["TrainingTimeInSeconds"] == 62


def test_work_can_be_changed_while_it_is_done(account: Account, control: Control) -> None:
    account.client("sagemaker").create_training_job(**request())
    until_training(account)
    account.wait(30)
    status, shown = control("PUT", WORK, {"seconds": 100})
    assert (status, shown["seconds"], shown["done_seconds"]) == (200, 100, 30)
    account.wait(69)
    assert state(account) == ("InProgress", "Training")
    account.wait(1)
    assert state(account) == ("InProgress", "Uploading")


def test_checkpoints_that_were_written_stay_when_work_changes(
    account: Account, control: Control
) -> None:
    account.client("sagemaker").create_training_job(**request(CheckpointConfig=CHECKPOINTS))
    until_training(account)
    account.wait(50)
    _, shown = control("PUT", WORK, {"seconds": 100, "checkpoint_every_seconds": 30})
    assert shown["checkpointed_seconds"] == 50


def test_new_jobs_have_the_work_that_was_said(account: Account, control: Control) -> None:
    body = {"seconds": 5, "checkpoint_every_seconds": 2}
    assert control("PUT", "/sagemaker/training-work", body) == (200, body)
    account.client("sagemaker").create_training_job(**request())
    until_training(account)
    account.wait(5)
    assert state(account) == ("InProgress", "Uploading")
    elsewhere = account.client("sagemaker", "eu-west-1")
    elsewhere.create_training_job(**request("other"))
    account.wait(8)
    assert elsewhere.describe_training_job(TrainingJobName="other")["SecondaryStatus"] == "Training"


def test_only_spot_jobs_on_instances_are_interrupted(account: Account, control: Control) -> None:
    sagemaker = account.client("sagemaker")
    assert control("POST", INTERRUPT)[0] == 404
    sagemaker.create_training_job(**spot())
    status, answer = control("POST", INTERRUPT)
    assert (status, answer["error"]) == (409, "bert is Pending; it has no instances to lose.")
    sagemaker.create_training_job(**request("fixed"))
    until_training(account)
    status, answer = control("POST", INTERRUPT.replace("bert", "fixed"))
    assert status == 409
    assert "does not run on Spot" in answer["error"]
    account.wait(200)
    assert control("POST", INTERRUPT)[0] == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"seconds": 0}, 400),
        ({"seconds": 1, "checkpoint_every_seconds": 0}, 400),
        ({"seconds": 1, "region": "eu-west-1"}, 400),
        ({"seconds": 1}, 404),
    ],
)
def test_work_that_makes_no_sense_is_refused(control: Control, body: object, status: int) -> None:
    code, answer = control("PUT", WORK, body)
    assert code == status
    assert answer["error"]


def test_a_region_that_does_not_exist_is_refused(control: Control) -> None:
    status, answer = control(
        "PUT", "/sagemaker/training-work", {"seconds": 1, "region": "mars-north-1"}
    )
    assert (status, answer["error"]) == (400, "SageMaker is not in a Region 'mars-north-1'.")
