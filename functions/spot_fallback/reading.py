"""What a signal says of Spot. Pure; it only tells where to look.

Shapes: EC2 user guide, "Spot Instance interruption notices" and "EC2 instance rebalance
recommendations"; EC2 Auto Scaling user guide, "Auto Scaling events"; SageMaker developer guide,
"Events that Amazon SageMaker AI sends to Amazon EventBridge".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.core.signals import BadSignal, Signal

LEVER_TAG = "ml-remediation:spot-fallback"
ORIGINAL_TAG = f"{LEVER_TAG}:original"
"""On an heir: the name of the job it took over from."""

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_JOB = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""Pattern of TrainingJobName in the botocore model of SageMaker, 2017-07-24."""
_GROUP = re.compile(r"[\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]{1,255}")
"""Pattern of XmlStringMaxLen255 in the botocore model of Auto Scaling, 2011-01-01; a colon cannot
be in a group's name (CreateAutoScalingGroup)."""


@dataclass(frozen=True)
class Warned:
    """EC2 takes this Spot Instance back; two minutes are left at most. action: what becomes of it."""

    instance: str
    action: str


@dataclass(frozen=True)
class AtRisk:
    """EC2 recommends to leave this Spot Instance. Nothing need come of it."""

    instance: str


@dataclass(frozen=True)
class Launched:
    """A group launched an instance, or failed to: `failure` is AWS's reason, empty if it did."""

    group: str
    failure: str


@dataclass(frozen=True)
class JobChanged:
    """A training job's state changed. name: the job to look at, for an heir the one before it.
    spot: whether Spot may be what it trains on."""

    name: str
    spot: bool
    opted_in: bool


Reading = Warned | AtRisk | Launched | JobChanged


def read(signal: Signal) -> Reading:
    """What the signal says. Raises BadSignal."""
    detail = signal.detail
    match signal.source, signal.detail_type:
        case "aws.ec2", "EC2 Spot Instance Interruption Warning":
            return Warned(_instance(detail), str(detail.get("instance-action", "terminate")))
        case "aws.ec2", "EC2 Instance Rebalance Recommendation":
            return AtRisk(_instance(detail))
        case "aws.autoscaling", "EC2 Instance Launch Unsuccessful":
            return Launched(_group(detail), str(detail.get("StatusMessage") or "no reason given"))
        case "aws.autoscaling", "EC2 Instance Launch Successful":
            return Launched(_group(detail), "")
        case "aws.sagemaker", "SageMaker Training Job State Change":
            return _job(detail)
        case _:
            raise BadSignal("unknown-signal", f"{signal.subject:.80} tells nothing of Spot")


def _instance(detail: Mapping[str, Any]) -> str:
    """`resources` is no help: its ARN may name a zone in place of Region and account
    (aws-node-termination-handler's samples)."""
    id = detail.get("instance-id")
    if not isinstance(id, str) or not _INSTANCE.fullmatch(id):
        raise BadSignal("not-an-event", f"instance-id must be an instance's ID, not {id!r:.80}")
    return id


def _group(detail: Mapping[str, Any]) -> str:
    name = detail.get("AutoScalingGroupName")
    if not isinstance(name, str) or not _GROUP.fullmatch(name) or ":" in name:
        raise BadSignal("not-an-event", f"AutoScalingGroupName is no group's name: {name!r:.80}")
    return name


def _job(detail: Mapping[str, Any]) -> JobChanged:
    """Tags come as a map, and whether it trains on Spot may not come at all: then a look tells
    (SageMaker developer guide, the event's sample)."""
    tags = detail.get("Tags")
    tags = tags if isinstance(tags, Mapping) else {}
    name = tags.get(ORIGINAL_TAG) or detail.get("TrainingJobName")
    if not isinstance(name, str) or not _JOB.fullmatch(name):
        raise BadSignal("not-an-event", f"TrainingJobName is no job's name: {name!r:.80}")
    spot = detail.get("EnableManagedSpotTraining") is not False or ORIGINAL_TAG in tags
    return JobChanged(name, spot, LEVER_TAG in tags)
