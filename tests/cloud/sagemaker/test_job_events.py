"""What SageMaker tells EventBridge about a training job.

Source: SageMaker developer guide, automating-sagemaker-with-eventbridge.
"""

from __future__ import annotations

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.sagemaker.conftest import Control
from tests.cloud.sagemaker.training import ARN, ROLE, job_events, request, resources, spot


def test_each_change_of_the_secondary_status_is_announced(account: Account) -> None:
    account.client("sagemaker").create_training_job(**request())
    account.wait(100)
    assert [
        (each["TrainingJobStatus"], each["SecondaryStatus"]) for each in job_events(account)
    ] == [
        ("InProgress", "Starting"),
        ("InProgress", "Pending"),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("InProgress", "Uploading"),
        ("Completed", "Completed"),
    ]


def test_the_event_has_the_shape_of_the_documented_sample(account: Account) -> None:
    """Not all of DescribeTrainingJob; tags as a map; times as numbers, as recorded events of
    awslabs/mlspace have them."""
    account.client("sagemaker").create_training_job(
        **request(
            "Bert",
            HyperParameters={"epochs": "3"},
            CheckpointConfig={"S3Uri": "s3://bucket/x"},
            Tags=[{"Key": "team", "Value": "a"}],
        )
    )
    account.wait(1)
    account.wait(1)
    event = account.events[-1]
    assert len(event["id"]) == 36
    noon = 1772452800000
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "SageMaker Training Job State Change",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": "2026-03-02T12:00:02Z",
        "region": "us-east-1",
        "resources": [ARN],
        "detail": {
            "TrainingJobName": "Bert",
            "TrainingJobArn": ARN,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Downloading",
            "HyperParameters": {"epochs": "3"},
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/output/"},
            "ResourceConfig": resources(),
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "CreationTime": noon,
            "TrainingStartTime": noon + 2000,
            "LastModifiedTime": noon + 2000,
            "SecondaryStatusTransitions": [
                {
                    "Status": "Starting",
                    "StartTime": noon,
                    "EndTime": noon,
                    "StatusMessage": "Starting the training job",
                },
                {
                    "Status": "Pending",
                    "StartTime": noon,
                    "EndTime": noon + 2000,
                    "StatusMessage": "Preparing the instances for training",
                },
                {
                    "Status": "Downloading",
                    "StartTime": noon + 2000,
                    "StatusMessage": "Downloading input data",
                },
            ],
            "Tags": {"team": "a"},
        },
    }


def test_the_end_of_a_failed_job_has_its_reason(account: Account, control: Control) -> None:
    pool = {"instance_type": "ml.m5.xlarge", "market": "on-demand", "instances": 0}
    control("PUT", "/sagemaker/capacity", pool)
    account.client("sagemaker").create_training_job(**request())
    assert "FailureReason" not in job_events(account)[-1]
    account.wait(WORLD.durations.capacity_patience)
    last = job_events(account)[-1]
    assert (last["TrainingJobStatus"], last["SecondaryStatus"]) == ("Failed", "Failed")
    assert last["FailureReason"].startswith("CapacityError: ")
    assert last["TrainingEndTime"] == last["LastModifiedTime"] == 1772452830000


def test_nothing_is_announced_while_a_job_waits(account: Account, control: Control) -> None:
    """A status message is no state: who is stuck says nothing."""
    pool = {"instance_type": "ml.m5.xlarge", "market": "spot", "instances": 0}
    control("PUT", "/sagemaker/capacity", pool)
    account.client("sagemaker").create_training_job(**spot())
    account.events.clear()
    account.wait(3600)
    assert job_events(account) == []


def test_times_can_be_text_as_in_the_sample(account: Account) -> None:
    WORLD.switches.training_event_times_as_text = True
    account.client("sagemaker").create_training_job(**request())
    assert job_events(account)[0]["CreationTime"] == "1772452800000"
    assert job_events(account)[0]["SecondaryStatusTransitions"][0]["StartTime"] == "1772452800000"


def test_a_change_may_be_announced_more_than_once(account: Account) -> None:
    WORLD.switches.duplicate_events = True
    account.client("sagemaker").create_training_job(**request())
    first, second = account.events[:2]
    assert first["detail"] == second["detail"]
    assert first["id"] != second["id"]
