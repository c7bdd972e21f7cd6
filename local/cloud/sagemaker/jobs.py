"""What a training job is: what was asked for, what it runs on, how far it came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from local.cloud.sagemaker.algorithms import METRICS, is_built_in
from local.cloud.sagemaker.resources import Resource, timestamp
from local.cloud.world import WORLD

Market = Literal["on-demand", "spot", "training-plan"]

TERMINAL = {"Completed", "Failed", "Stopped"}
SPOT_SHARE = 0.3
"""What a second on Spot is billed of a second On-Demand; AWS's share follows the Spot price."""


@dataclass(frozen=True)
class Fleet:
    """Instances that a job can run on: how many of each type, and out of whose capacity."""

    instances: Mapping[str, int]
    market: Market


@dataclass(frozen=True)
class Work:
    """What there is to train: so many seconds on instances, a checkpoint each so many of them."""

    seconds: float = 60.0
    checkpoint_every_seconds: float = 10.0


@dataclass
class Transition:
    """A stay in a secondary status. `ended` is None while it lasts."""

    status: str
    message: str
    began: float
    ended: float | None = None

    def description(self) -> dict[str, Any]:
        """`SecondaryStatusTransition` of DescribeTrainingJob."""
        shown: dict[str, Any] = {
            "Status": self.status,
            "StartTime": timestamp(self.began),
            "StatusMessage": self.message,
        }
        return shown if self.ended is None else shown | {"EndTime": timestamp(self.ended)}


@dataclass(kw_only=True)
class TrainingJob(Resource):
    """A training job. `request` is what CreateTrainingJob received and DescribeTrainingJob gives
    back; `fleets` are what it may run on, the preferred one first.

    `fleet` is the chosen one, `holding` says whether its instances are the job's now. Since
    `boarded` the job is on them, and billed; `ran` are the seconds of earlier stays. Since
    `training_since` it trains, with `progress` of the work done before. `waiting` is it for
    capacity. `step` counts what happened: what was planned before the last step is void.
    """

    request: Mapping[str, Any]
    fleets: Sequence[Fleet]
    work: Work
    status: str = "InProgress"
    transitions: list[Transition] = field(default_factory=list)
    modified: float = field(default_factory=lambda: WORLD.clock())
    failure_reason: str | None = None
    fleet: Fleet | None = None
    holding: bool = False
    waiting: bool = False
    started: float | None = None
    ended: float | None = None
    boarded: float | None = None
    ran: float = 0.0
    training_since: float | None = None
    progress: float = 0.0
    step: int = 0

    @property
    def spot(self) -> bool:
        """Whether it is managed spot training."""
        return bool(self.request["EnableManagedSpotTraining"])

    @property
    def secondary(self) -> str:
        """The secondary status."""
        return self.transitions[-1].status

    @property
    def stopping_condition(self) -> Mapping[str, int]:
        condition: Mapping[str, int] = self.request["StoppingCondition"]
        return condition

    @property
    def checkpoint_uri(self) -> str | None:
        """Where its checkpoints are; None when it keeps none."""
        uri: str | None = self.request.get("CheckpointConfig", {}).get("S3Uri")
        return uri

    def enter(self, secondary: str, message: str) -> None:
        """Pass into a secondary status; the last one is over as it begins."""
        now = WORLD.clock()
        if self.transitions:
            self.transitions[-1].ended = now
        self.transitions.append(Transition(secondary, message, now, self.ended))
        self.modified, self.step = now, self.step + 1

    def done(self) -> float:
        """Seconds of the work that are done."""
        if self.training_since is None:
            return self.progress
        return self.progress + WORLD.clock() - self.training_since

    def kept(self) -> float:
        """Seconds of the work that a checkpoint holds."""
        every = self.work.checkpoint_every_seconds
        # Rounded, so that the clock's own inexactness loses no checkpoint.
        return min(self.work.seconds, math.floor(round(self.done() / every, 6)) * every)

    def leave_instances(self) -> None:
        """Give the instances back; what was done on them since the last checkpoint is gone."""
        if self.boarded is not None:
            self.ran += WORLD.clock() - self.boarded
        self.boarded, self.training_since, self.holding = None, None, False

    def training_time(self) -> float:
        """Seconds on instances until now."""
        return self.ran + (0.0 if self.boarded is None else WORLD.clock() - self.boarded)

    def description(self) -> dict[str, Any]:
        """DescribeTrainingJob.

        Some members appear only when the job came to run (botocore service model,
        `DescribeTrainingJob`); the chosen instance type only when it was chosen from a list
        (SageMaker developer guide, train-instance-preferences).
        Whether the two durations are told before its end is `WORLD.switches.job_times_told_early`.
        """
        output = str(self.request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
        answer: dict[str, Any] = {
            **self.request,
            "AlgorithmSpecification": self.algorithm(),
            "ResourceConfig": self.resource_config(),
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{self.name}/output/model.tar.gz"},
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
            "CreationTime": timestamp(self.created),
            "LastModifiedTime": timestamp(self.modified),
            "SecondaryStatusTransitions": [each.description() for each in self.transitions],
        }
        if self.failure_reason is not None:
            answer["FailureReason"] = self.failure_reason
        if self.started is not None:
            answer["TrainingStartTime"] = timestamp(self.started)
        if self.started is not None and (
            self.ended is not None or WORLD.switches.job_times_told_early
        ):
            seconds = self.training_time()
            answer["TrainingTimeInSeconds"] = round(seconds)
            answer["BillableTimeInSeconds"] = round(seconds * (SPOT_SHARE if self.spot else 1))
        if self.ended is not None:
            answer["TrainingEndTime"] = timestamp(self.ended)
        return answer

    def algorithm(self) -> Mapping[str, Any]:
        """`AlgorithmSpecification` as it is described: a built-in algorithm's has metrics that
        nobody asked for, and that CreateTrainingJob would refuse (github.com/awslabs/mlspace)."""
        asked: Mapping[str, Any] = self.request["AlgorithmSpecification"]
        return {**asked, "MetricDefinitions": METRICS} if is_built_in(asked) else asked

    def resource_config(self) -> dict[str, Any]:
        """`ResourceConfig` as it is described: what was asked for, and what was chosen of it."""
        config = dict(self.request["ResourceConfig"])
        if "InstancePreferences" in config and self.fleet is not None:
            [(instance_type, count)] = self.fleet.instances.items()
            config |= {"SelectedInstanceType": instance_type, "SelectedInstanceCount": count}
        return config

    def summary(self) -> dict[str, Any]:
        """`TrainingJobSummary` of ListTrainingJobs."""
        answer: dict[str, Any] = {
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "CreationTime": timestamp(self.created),
            "LastModifiedTime": timestamp(self.modified),
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
        }
        if self.ended is not None:
            answer["TrainingEndTime"] = timestamp(self.ended)
        if plan := self.request["ResourceConfig"].get("TrainingPlanArn"):
            answer["TrainingPlanArn"] = plan
        return answer
