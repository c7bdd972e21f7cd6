"""What SageMaker refuses of a training job before it exists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.conftest import Account
from tests.cloud.hosting import refused
from tests.cloud.sagemaker.training import CPU, request, resources, spot

PLAN = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/plan"
OTHER = "ml.m5.2xlarge"


def preferring(*entries: dict[str, Any], **config: Any) -> dict[str, Any]:
    """A request with instance preferences."""
    return request(ResourceConfig={"InstancePreferences": list(entries), **config})


def entry(instance_type: str, count: int | None = None, **more: Any) -> dict[str, Any]:
    """One preference."""
    counted = {} if count is None else {"InstanceCount": count}
    return {"InstanceType": instance_type, **counted, **more}


def grouped(*channels: tuple[str, bool], count: int = 1, **config: Any) -> dict[str, Any]:
    """A heterogeneous cluster, and channels that are assigned to its group or not."""
    group = {"InstanceType": CPU, "InstanceCount": count, "InstanceGroupName": "g"}
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}
    return request(
        ResourceConfig={"InstanceGroups": [group], **config},
        InputDataConfig=[
            {
                "ChannelName": name,
                "DataSource": {
                    "S3DataSource": {**source, **({"InstanceGroupNames": ["g"]} if has else {})}
                },
            }
            for name, has in channels
        ]
        or None,
    )


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (
            spot(wait=3599),
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds",
        ),
        (
            request(EnableManagedSpotTraining=True),
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds",
        ),
        (
            request(StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}),
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is "
            "set to true",
        ),
        (
            grouped(InstanceType=CPU),
            "InstanceType or InstanceCount cannot be specified with InstanceGroups",
        ),
        (
            grouped(("processing", True), ("sm_drivers", False), ("code", False)),
            "Some channels have assigned instance groups: [processing] while others not: "
            "[sm_drivers, code]",
        ),
    ],
)
def test_texts_that_users_saw(account: Account, job: dict[str, Any], text: str) -> None:
    """Kenza-AI/sagify/issues/111; aws/sagemaker-python-sdk/pull/5564 and issues/6089."""
    answer = refused(account.client("sagemaker").create_training_job, **job)
    assert answer == ("ValidationException", text)
    assert account.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("job", "word"),
    [
        (request(AlgorithmSpecification=None), "AlgorithmSpecification"),
        (request(AlgorithmSpecification={"TrainingInputMode": "File"}), "TrainingImage"),
        (request(ResourceConfig=None), "ResourceConfig"),
        (request(ResourceConfig={"InstanceType": CPU}), "InstanceCount"),
        (request(ResourceConfig=resources(count=0)), "InstanceCount"),
        (request(StoppingCondition={"MaxRuntimeInSeconds": 2419201}), "MaxRuntimeInSeconds"),
        (spot(ResourceConfig=resources(KeepAlivePeriodInSeconds=60)), "KeepAlivePeriodInSeconds"),
        (preferring(entry(CPU, 1), entry(OTHER)), "InstanceCount"),
        (preferring(entry(CPU), entry(OTHER)), "InstanceCount"),
        (preferring(entry(CPU, 1), InstanceCount=1), "InstanceCount"),
        (preferring(entry(CPU, 0)), "InstanceCount"),
        (grouped(count=0), "InstanceCount"),
        (preferring(entry(CPU), entry(CPU), InstanceCount=1), "only once"),
        (preferring(entry(CPU), InstanceCount=1, InstanceType=CPU), "InstanceType"),
        (
            preferring(entry(CPU, 1, TrainingPlanArns=[PLAN]), TrainingPlanArn=PLAN),
            "TrainingPlanArn",
        ),
        (
            spot(ResourceConfig={"InstancePreferences": [entry(CPU, 1)]}),
            "EnableManagedSpotTraining",
        ),
    ],
)
def test_rules_whose_text_nobody_saw(account: Account, job: dict[str, Any], word: str) -> None:
    """botocore model: CreateTrainingJob, StoppingCondition, ResourceConfig, InstancePreference;
    developer guide: train-instance-preferences, train-warm-pools."""
    code, message = refused(account.client("sagemaker").create_training_job, **job)
    assert code == "ValidationException"
    assert word in message


@pytest.mark.parametrize(
    "job",
    [
        spot(wait=3600),
        request(StoppingCondition={"MaxRuntimeInSeconds": 2419200}),
        request(ResourceConfig={"InstanceType": CPU, "InstanceCount": 1}),
        request(
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            RetryStrategy={"MaximumRetryAttempts": 1},
        ),
        preferring(entry(CPU), entry(OTHER), InstanceCount=2),
        preferring(entry(CPU, 1), entry(OTHER, 2)),
        grouped(("a", True), ("b", True)),
        grouped(("a", False)),
    ],
)
def test_what_is_allowed_passes(account: Account, job: dict[str, Any]) -> None:
    """A retrying job may bound its whole time: aws/sagemaker-python-sdk/pull/2316."""
    account.client("sagemaker").create_training_job(**job)


def test_a_pending_time_is_bounded_by_the_model(account: Account) -> None:
    """botocore model, MaxPendingTimeInSeconds: 1800 to 2419200."""
    code, message = refused(
        account.client("sagemaker").create_training_job,
        **request(StoppingCondition={"MaxPendingTimeInSeconds": 2419201}),
    )
    assert code == "ValidationException"
    assert "stoppingCondition.maxPendingTimeInSeconds" in message


@pytest.mark.parametrize(
    ("image", "built_in"),
    [
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", True),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1", False),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", False),
    ],
)
def test_metrics_of_a_built_in_algorithm_are_described_but_not_taken(
    account: Account, image: str, built_in: bool
) -> None:
    """A description is no request: what DescribeTrainingJob lists here, CreateTrainingJob refuses."""
    sagemaker = account.client("sagemaker")
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    sagemaker.create_training_job(**request(AlgorithmSpecification=algorithm))
    told = sagemaker.describe_training_job(TrainingJobName="bert")["AlgorithmSpecification"]
    assert ("MetricDefinitions" in told) is built_in
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    again = request("again", AlgorithmSpecification={**algorithm, "MetricDefinitions": metrics})
    if built_in:
        assert refused(sagemaker.create_training_job, **again) == (
            "ValidationException",
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please "
            "retry the request without specifying metric definitions.",
        )
    else:
        sagemaker.create_training_job(**again)
