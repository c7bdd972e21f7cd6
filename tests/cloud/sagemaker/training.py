"""What several tests of training need to have standing before their own story begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud import WORLD
from local.cloud.servicequotas.catalogue import built_in
from tests.cloud.conftest import Account

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/bert"
ROLE = "arn:aws:iam::123456789012:role/training"
CHECKPOINTS = {"S3Uri": "s3://bucket/checkpoints/bert"}
CPU = "ml.m5.xlarge"
P4, P5 = "ml.p4d.24xlarge", "ml.p5.48xlarge"


def request(name: str = "bert", **more: Any) -> dict[str, Any]:
    """The least that CreateTrainingJob needs; a value of None leaves a member out."""
    members = {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output/"},
        "ResourceConfig": resources(),
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }
    return {key: value for key, value in members.items() if value is not None}


def spot(name: str = "bert", wait: int = 7200, **more: Any) -> dict[str, Any]:
    """CreateTrainingJob for managed spot training."""
    return request(
        name,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": wait},
        **more,
    )


def resources(instance_type: str = CPU, count: int = 1, **more: Any) -> dict[str, Any]:
    """A ResourceConfig of one instance type."""
    return {"InstanceType": instance_type, "InstanceCount": count, "VolumeSizeInGB": 50, **more}


def described(account: Account, name: str = "bert") -> dict[str, Any]:
    answer: dict[str, Any] = account.client("sagemaker").describe_training_job(TrainingJobName=name)
    return answer


def state(account: Account, name: str = "bert") -> tuple[str, str]:
    """A job's status and secondary status."""
    job = described(account, name)
    return job["TrainingJobStatus"], job["SecondaryStatus"]


def stays(account: Account, name: str = "bert") -> list[str]:
    """The secondary statuses that a job passed through."""
    return [each["Status"] for each in described(account, name)["SecondaryStatusTransitions"]]


def until_training(account: Account) -> None:
    """Let a job that was just created, and has capacity, come to train."""
    account.wait(WORLD.durations.training_start + WORLD.durations.training_download)


def job_events(account: Account) -> list[Mapping[str, Any]]:
    """The details of the training job events that left, oldest first."""
    kind = "SageMaker Training Job State Change"
    return [each["detail"] for each in account.events if each["detail-type"] == kind]


def grant(account: Account, quota_name: str, value: float) -> None:
    """Have a SageMaker quota raised, as a user has it."""
    quota = built_in().services["sagemaker"].by_name[quota_name]
    account.client("service-quotas").request_service_quota_increase(
        ServiceCode="sagemaker", QuotaCode=quota.code, DesiredValue=value
    )
    account.wait(WORLD.durations.quota_decision + WORLD.durations.quota_applied)


def grant_training(account: Account, *instance_types: str, count: int = 8) -> None:
    """Let the account train on accelerated types, On-Demand and on Spot."""
    for instance_type in instance_types:
        for market in ("", "spot "):
            grant(account, f"{instance_type} for {market}training job usage", count)
