"""The EventBridge events SageMaker sends when an endpoint or a training job changes its state."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.cloud.sagemaker.jobs import TrainingJob
from local.cloud.sagemaker.resources import Endpoint
from local.cloud.world import WORLD

JOB_MEMBERS = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
)
"""What a training job's event repeats of the request."""


def announce(endpoint: Endpoint) -> None:
    """Send `SageMaker Endpoint State Change` for the endpoint's state as it is now.

    Shape: the sample of the SageMaker developer guide (automating-sagemaker-with-eventbridge):
    upper-case status, times in epoch milliseconds, tags as a map, variants without their names.
    `time` is ISO 8601 as in every EventBridge envelope; that one sample shows milliseconds.
    The same page: several events may be sent for one change.
    """
    detail = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "ProductionVariants": [
            {
                "DesiredWeight": float(variant.desired_weight),
                "DesiredInstanceCount": float(variant.desired_count),
            }
            for variant in endpoint.variants
        ],
        "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", endpoint.status).upper(),
        "CreationTime": float(_milliseconds(endpoint.created)),
        "LastModifiedTime": float(_milliseconds(endpoint.modified)),
        "Tags": dict(endpoint.tags),
    }
    _send("SageMaker Endpoint State Change", endpoint.arn, detail)


def announce_job(job: TrainingJob) -> None:
    """Send `SageMaker Training Job State Change` for the job's state as it is now.

    Shape: the sample of the same page, which has no more of DescribeTrainingJob than this;
    FailureReason is there when the job failed. The sample writes times as text, recorded events
    as numbers (github.com/awslabs/mlspace, its test data): a switch.
    """
    detail: dict[str, Any] = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
        **{name: job.request[name] for name in JOB_MEMBERS if name in job.request},
        "ResourceConfig": job.resource_config(),
        "CreationTime": _job_time(job.created),
        "LastModifiedTime": _job_time(job.modified),
        "SecondaryStatusTransitions": [
            {
                "Status": each.status,
                "StartTime": _job_time(each.began),
                **({} if each.ended is None else {"EndTime": _job_time(each.ended)}),
                "StatusMessage": each.message,
            }
            for each in job.transitions
        ],
        "Tags": dict(job.tags),
    }
    if job.failure_reason is not None:
        detail["FailureReason"] = job.failure_reason
    if job.started is not None:
        detail["TrainingStartTime"] = _job_time(job.started)
    if job.ended is not None:
        detail["TrainingEndTime"] = _job_time(job.ended)
    _send("SageMaker Training Job State Change", job.arn, detail)


def _send(detail_type: str, arn: str, detail: Mapping[str, Any]) -> None:
    _, _, _, region, account, _ = arn.split(":")
    for _ in range(2 if WORLD.switches.duplicate_events else 1):
        WORLD.emit(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": detail_type,
                "source": "aws.sagemaker",
                "account": account,
                "time": datetime.fromtimestamp(WORLD.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": region,
                "resources": [arn],
                "detail": detail,
            }
        )


def _job_time(moment: float) -> int | str:
    milliseconds = _milliseconds(moment)
    return str(milliseconds) if WORLD.switches.training_event_times_as_text else milliseconds


def _milliseconds(moment: float) -> int:
    return round(moment * 1000)
