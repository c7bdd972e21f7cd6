"""Training jobs as they are created, described, listed, stopped and tagged."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import refused
from tests.cloud.sagemaker.training import (
    ARN,
    CHECKPOINTS,
    CPU,
    described,
    request,
    resources,
    state,
    stays,
    until_training,
)

EVERYTHING: dict[str, Any] = {
    "HyperParameters": {"epochs": "3"},
    "AlgorithmSpecification": {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
        "EnableSageMakerMetricsTimeSeries": True,
        "ContainerEntrypoint": ["train"],
        "ContainerArguments": ["--fast"],
        "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Platform"},
    },
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}},
            "ShuffleConfig": {"Seed": 7},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output", "CompressionType": "NONE"},
    "ResourceConfig": resources(VolumeKmsKeyId="key", KeepAlivePeriodInSeconds=60),
    "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxPendingTimeInSeconds": 1800},
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "EnableManagedSpotTraining": False,
    "CheckpointConfig": {**CHECKPOINTS, "LocalPath": "/opt/ml/here"},
    "DebugHookConfig": {"S3OutputPath": "s3://bucket/debug"},
    "DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "image"}],
    "TensorBoardOutputConfig": {"S3OutputPath": "s3://bucket/board"},
    "ExperimentConfig": {"ExperimentName": "e"},
    "ProfilerConfig": {"S3OutputPath": "s3://bucket/profile", "DisableProfiler": False},
    "ProfilerRuleConfigurations": [{"RuleConfigurationName": "p", "RuleEvaluatorImage": "image"}],
    "Environment": {"A": "b"},
    "RetryStrategy": {"MaximumRetryAttempts": 2},
    "RemoteDebugConfig": {"EnableRemoteDebug": True},
    "InfraCheckConfig": {"EnableInfraCheck": True},
    "MlflowConfig": {
        "MlflowResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/m"
    },
    "ModelPackageConfig": {
        "ModelPackageGroupArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g"
    },
}


def test_a_job_starts_downloads_trains_uploads_and_completes(account: Account) -> None:
    """Developer guide, model-managed-spot-training-status; clients' logs have Pending between."""
    sagemaker = account.client("sagemaker")
    answer = sagemaker.create_training_job(**request())
    assert answer["TrainingJobArn"] == ARN
    assert state(account) == ("InProgress", "Pending")
    passed = []
    for seconds in (2, 1, 60, 1):
        account.wait(seconds)
        passed.append(state(account))
    assert passed == [
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("InProgress", "Uploading"),
        ("Completed", "Completed"),
    ]
    transitions = described(account)["SecondaryStatusTransitions"]
    assert [(each["Status"], each["StatusMessage"]) for each in transitions] == [
        ("Starting", "Starting the training job"),
        ("Pending", "Preparing the instances for training"),
        ("Downloading", "Downloading input data"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]
    for each, following in pairwise(transitions):
        assert each["EndTime"] == following["StartTime"]
    assert transitions[-1]["EndTime"] == transitions[-1]["StartTime"]


def test_a_job_without_instances_can_stay_starting_instead(account: Account) -> None:
    """The lifecycle page knows no Pending: a switch."""
    WORLD.switches.jobs_wait_in_pending = False
    account.client("sagemaker").create_training_job(**request())
    assert state(account) == ("InProgress", "Starting")
    account.wait(2)
    assert state(account) == ("InProgress", "Downloading")


def test_everything_is_given_back_but_tags_and_session_chaining(account: Account) -> None:
    """botocore model: DescribeTrainingJobResponse has neither."""
    account.client("sagemaker").create_training_job(
        **request(
            **EVERYTHING,
            Tags=[{"Key": "team", "Value": "a"}],
            SessionChainingConfig={"EnableSessionTagChaining": True},
        )
    )
    job = described(account)
    assert {name: job[name] for name in EVERYTHING} == EVERYTHING
    assert not {"Tags", "SessionChainingConfig"} & job.keys()


def test_no_member_of_the_model_is_forgotten(account: Account) -> None:
    """Every input member but the serverless one is simulated."""
    model = account.client("sagemaker").meta.service_model
    members = set(model.operation_model("CreateTrainingJob").input_shape.members)
    tried = {*request(), *EVERYTHING, "Tags", "SessionChainingConfig"}
    assert members - tried == {"ServerlessJobConfig"}


def test_a_serverless_job_is_refused_under_a_code_of_our_own(account: Account) -> None:
    config = {"BaseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/h/Model/m/1.0.0"}
    code, _ = refused(
        account.client("sagemaker").create_training_job,
        **request(ServerlessJobConfig={**config, "JobType": "FineTuning"}),
    )
    assert code == "UnsupportedByPocketAccount"


def test_what_was_not_said_has_its_default(account: Account) -> None:
    """botocore model, StoppingCondition: the default value is 1 day."""
    account.client("sagemaker").create_training_job(**request(StoppingCondition=None))
    job = described(account)
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert job["EnableManagedSpotTraining"] is False
    assert job["ModelArtifacts"] == {
        "S3ModelArtifacts": "s3://bucket/output/bert/output/model.tar.gz"
    }


def test_times_appear_when_they_are_known(account: Account) -> None:
    """botocore model, DescribeTrainingJob: some attributes only appear if the job starts."""
    account.client("sagemaker").create_training_job(**request())
    waiting = described(account)
    timed = {"TrainingStartTime", "TrainingTimeInSeconds", "BillableTimeInSeconds"}
    assert not timed & waiting.keys()
    until_training(account)
    account.wait(10)
    training = described(account)
    assert training["TrainingStartTime"] == NOON + timedelta(seconds=2)
    assert training["TrainingTimeInSeconds"] == training["BillableTimeInSeconds"] == 11
    assert "TrainingEndTime" not in training
    account.wait(100)
    over = described(account)
    assert over["TrainingEndTime"] == over["LastModifiedTime"] == NOON + timedelta(seconds=64)
    assert over["TrainingTimeInSeconds"] == 62


def test_times_may_be_told_only_once_the_job_is_over(account: Account) -> None:
    WORLD.switches.job_times_told_early = False
    account.client("sagemaker").create_training_job(**request())
    until_training(account)
    times = {"TrainingTimeInSeconds", "BillableTimeInSeconds"}
    assert "TrainingStartTime" in described(account)
    assert not times & described(account).keys()
    account.wait(100)
    assert times <= described(account).keys()


def test_a_name_can_be_used_once(account: Account) -> None:
    """Observed: github.com/SuperCowPowers/workbench/issues/384."""
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request())
    account.wait(100)
    assert refused(sagemaker.create_training_job, **request()) == (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({ARN})",
    )
    account.client("sagemaker", "eu-west-1").create_training_job(**request())


def test_what_does_not_exist_is_not_found(account: Account) -> None:
    """Observed: boto/boto3/issues/2808, aws/amazon-sagemaker-examples/issues/2360."""
    sagemaker = account.client("sagemaker")
    answer = ("ValidationException", "Requested resource not found.")
    assert refused(sagemaker.describe_training_job, TrainingJobName="no") == answer
    assert refused(sagemaker.stop_training_job, TrainingJobName="no") == answer
    assert refused(sagemaker.list_tags, ResourceArn=ARN) == answer


def test_a_job_stops_only_after_a_while(account: Account) -> None:
    """botocore model, StopTrainingJob: Stopping, then Stopped; no reason is given."""
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request())
    until_training(account)
    sagemaker.stop_training_job(TrainingJobName="bert")
    assert state(account) == ("Stopping", "Stopping")
    sagemaker.stop_training_job(TrainingJobName="bert")
    account.wait(WORLD.durations.training_stop)
    assert state(account) == ("Stopped", "Stopped")
    assert "FailureReason" not in described(account)
    account.wait(3600)
    assert stays(account)[-2:] == ["Stopping", "Stopped"]
    assert stays(account).count("Stopping") == 1


@pytest.mark.parametrize("end", ["Completed", "Stopped"])
def test_what_is_over_cannot_be_stopped(account: Account, end: str) -> None:
    """Observed: github.com/awslabs/benchmark-ai/issues/928."""
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request())
    if end == "Stopped":
        sagemaker.stop_training_job(TrainingJobName="bert")
    account.wait(100)
    assert refused(sagemaker.stop_training_job, TrainingJobName="bert") == (
        "ValidationException",
        f"The request was rejected because the training job is in status {end}.",
    )


def test_jobs_are_listed_oldest_first_ten_a_page(account: Account) -> None:
    """botocore model, ListTrainingJobs: by CreationTime, Ascending."""
    sagemaker = account.client("sagemaker")
    for number in range(11):
        sagemaker.create_training_job(**request(f"job-{number}"))
        account.wait(1)
    first = sagemaker.list_training_jobs()
    names = [each["TrainingJobName"] for each in first["TrainingJobSummaries"]]
    assert names == [f"job-{number}" for number in range(10)]
    [last] = sagemaker.list_training_jobs(NextToken=first["NextToken"])["TrainingJobSummaries"]
    assert (last["TrainingJobName"], last["SecondaryStatus"]) == ("job-10", "Pending")
    assert "TrainingEndTime" not in last
    since = sagemaker.list_training_jobs(
        LastModifiedTimeAfter=NOON + timedelta(seconds=10), SortOrder="Descending", MaxResults=2
    )
    names = [each["TrainingJobName"] for each in since["TrainingJobSummaries"]]
    assert names == ["job-10", "job-9"]

    def modified(**more: object) -> list[str]:
        jobs = sagemaker.list_training_jobs(MaxResults=3, **more)["TrainingJobSummaries"]
        return [each["TrainingJobName"] for each in jobs]

    last = described(account, "job-9")["LastModifiedTime"]
    assert modified(LastModifiedTimeAfter=last, NameContains="job-9") == ["job-9"]
    assert modified(LastModifiedTimeBefore=last, NameContains="job-9") == []


def test_a_page_of_so_many_is_filtered_by_status_only_afterwards(account: Account) -> None:
    """botocore model, ListTrainingJobs: with both StatusEquals and MaxResults."""
    sagemaker = account.client("sagemaker")
    for name in ("a", "b", "c"):
        sagemaker.create_training_job(**request(name))
        account.wait(1)
    sagemaker.stop_training_job(TrainingJobName="c")
    account.wait(2)

    def found(**more: object) -> list[str]:
        jobs = sagemaker.list_training_jobs(StatusEquals="Stopped", **more)
        return [each["TrainingJobName"] for each in jobs["TrainingJobSummaries"]]

    assert found() == ["c"]
    [stopped] = sagemaker.list_training_jobs(StatusEquals="Stopped")["TrainingJobSummaries"]
    assert stopped["TrainingEndTime"] == stopped["LastModifiedTime"]
    assert found(MaxResults=2) == []
    assert found(MaxResults=3) == ["c"]


def test_jobs_bear_tags_and_are_found_by_them(account: Account) -> None:
    """API reference of the Resource Groups Tagging API, GetResources."""
    sagemaker = account.client("sagemaker")
    mode = {"Key": "ml-remediation:spot-fallback", "Value": "act"}
    sagemaker.create_training_job(**request("Bert", Tags=[mode]))
    sagemaker.create_training_job(**request("other"))
    sagemaker.add_tags(ResourceArn=ARN, Tags=[{"Key": "team", "Value": "a"}])
    assert sagemaker.list_tags(ResourceArn=ARN)["Tags"] == [mode, {"Key": "team", "Value": "a"}]
    sagemaker.delete_tags(ResourceArn=ARN, TagKeys=["team"])
    find = account.client("resourcegroupstaggingapi").get_resources
    found = find(TagFilters=[{"Key": mode["Key"]}], ResourceTypeFilters=["sagemaker:training-job"])
    assert found["ResourceTagMappingList"] == [{"ResourceARN": ARN, "Tags": [mode]}]


def test_the_smallest_request_is_enough(account: Account) -> None:
    account.client("sagemaker").create_training_job(**request(ResourceConfig=resources(CPU)))
    assert described(account)["ResourceConfig"] == resources(CPU)
