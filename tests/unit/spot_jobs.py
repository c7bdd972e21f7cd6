"""Training jobs as a look finds them: a story in minutes, the rest ordinary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision
from functions.core.incident import Incident
from functions.spot_fallback.clone import heir_name
from functions.spot_fallback.observation import Heir, JobSeen, Rates, Rules

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/bert"
TYPE = "ml.p4d.24xlarge"
CHECKPOINTS = {"S3Uri": "s3://bucket/checkpoints/bert"}
DEADLINE = "ml-remediation:spot-fallback:deadline"
WORK = "ml-remediation:spot-fallback:work-hours"
RULES = Rules(roles=(ROLE,))
Stays = Sequence[tuple[str, float]]
WAITING: Stays = (("Starting", 0), ("Pending", 1))
LOST: Stays = (
    ("Starting", 0),
    ("Downloading", 5),
    ("Training", 10),
    ("Interrupted", 250),
    ("Starting", 252),
    ("Pending", 253),
)
"""Trained 245 minutes, then lost its instances."""


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def job(
    stays: Stays = (("Starting", 0),),
    status: str = "InProgress",
    until: float | None = None,
    **different: Any,
) -> dict[str, Any]:
    """What DescribeTrainingJob tells of a Spot job with checkpoints, created at noon.

    stays: secondary statuses and the minutes after noon at which they began. until: when the last
    one ended. different: members in place of the usual ones, None leaves one out.
    """
    ends = [*(at for _, at in stays[1:]), until]
    transitions = [
        {"Status": name, "StartTime": NOON + minutes(at), "StatusMessage": name}
        | ({} if end is None else {"EndTime": NOON + minutes(end)})
        for (name, at), end in zip(stays, ends, strict=True)
    ]
    trained = sum(
        (end or at) - at
        for (name, at), end in zip(stays, ends, strict=True)
        if name in {"Downloading", "Training", "Uploading"}
    )
    members: dict[str, Any] = {
        "TrainingJobName": "bert",
        "TrainingJobArn": ARN,
        "TrainingJobStatus": status,
        "SecondaryStatus": stays[-1][0],
        "SecondaryStatusTransitions": transitions,
        "CreationTime": NOON,
        "LastModifiedTime": NOON + minutes(stays[-1][1]),
        "TrainingTimeInSeconds": round(trained * 60),
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
        "ResourceConfig": {"InstanceType": TYPE, "InstanceCount": 2, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 10 * 3600, "MaxWaitTimeInSeconds": 72_000},
        "CheckpointConfig": CHECKPOINTS,
        "EnableManagedSpotTraining": True,
        **different,
    }
    return {name: value for name, value in members.items() if value is not None}


def seen(
    description: Mapping[str, Any],
    at: float,
    heir: Mapping[str, Any] | None = None,
    rates: Mapping[str, Rates] | None = None,
    deadline: str | None = None,
    work: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> JobSeen:
    """The job as it is seen so many minutes after noon. deadline, work: what those tags say."""
    told = {DEADLINE: deadline, WORK: work}
    return JobSeen(
        ARN,
        NOON + minutes(at),
        description,
        {
            "ml-remediation:spot-fallback": "act",
            **{tag: value for tag, value in told.items() if value is not None},
            **(tags or {}),
        },
        Heir(heir_name(description), heir) if heir is not None else None,
        rates or {},
    )


def heir_job(
    stays: Stays = (("Starting", 0),), status: str = "InProgress", **different: Any
) -> dict[str, Any]:
    """What DescribeTrainingJob tells of an On-Demand job that took over."""
    return job(
        stays,
        status,
        TrainingJobName="bert-od-12345678",
        EnableManagedSpotTraining=False,
        **different,
    )


def opened(**different: Any) -> Incident:
    """The open incident of the job; nothing is written yet."""
    incident = Incident.opened("spot_fallback", ARN, NOON)
    return replace(incident, **different)


def stopped_by_us(**different: Any) -> Incident:
    """The incident after the first of two writes."""
    return opened(written={"stopped": True, "heir": None}, **different)


def over(
    secondary: str = "MaxWaitTimeExceeded", status: str = "Stopped", **different: Any
) -> dict[str, Any]:
    """A job that lost its instances at 250 minutes and ended without others at 300."""
    return job([*LOST, ("Stopping", 299), (secondary, 300)], status, **different)


def acted(decision: Decision) -> Act:
    """The decision, which must be to act."""
    assert isinstance(decision, Act), decision
    return decision
