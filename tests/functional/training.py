"""The scene of training on Spot: a job with checkpoints, capacity that goes, minutes that pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.spot_fallback.handler import handler as spot_fallback
from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.world import ACCOUNT, REGION, Stage

ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
TYPE = "ml.m5.xlarge"
LEVER = "ml-remediation:spot-fallback"
CHECKPOINTS = {"S3Uri": "s3://bucket/checkpoints/bert"}
STOP, CREATE = "StopTrainingJob", "CreateTrainingJob"
HOUR = 3600


def settings(**different: Any) -> str:
    """LEVER_SETTINGS that allow the role of these jobs, with a patience of 10 minutes; `different`
    overrides any setting."""
    prices = [{"instance_type": TYPE, "on_demand": 1}]
    usual = {"roles": [ROLE], "prices": prices, "patience_minutes": 10}
    return json.dumps({**usual, **different})


@dataclass
class Training:
    """A stage on which jobs train. events: what SageMaker sent that nobody has delivered yet."""

    stage: Stage
    events: list[Mapping[str, Any]] = field(default_factory=list)

    # WORLD.sinks

    def event(self, envelope: Mapping[str, Any]) -> None:
        if envelope["source"] == "aws.sagemaker":
            self.events.append(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        raise AssertionError("nothing of these tests invokes a function")

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        raise AssertionError("nothing of these tests notifies a topic")

    # setting the scene

    @property
    def sagemaker(self) -> Any:
        return self.stage.client("sagemaker")

    def begin(
        self,
        name: str = "bert",
        work: float = 4 * HOUR,
        longest: int = 6 * HOUR,
        longest_wait: int = 48 * HOUR,
        tags: Mapping[str, str] | None = None,
        **different: Any,
    ) -> None:
        """A Spot job with checkpoints, opted in to act by default, and some hours of work.

        different: members of the request in place of the usual ones, None leaves one out.
        """
        body = {"seconds": work, "checkpoint_every_seconds": 600}
        control("PUT", "/sagemaker/training-work", body)
        opted = {LEVER: "act", **(tags or {})}
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
            "ResourceConfig": {"InstanceType": TYPE, "InstanceCount": 2, "VolumeSizeInGB": 50},
            "StoppingCondition": {
                "MaxRuntimeInSeconds": longest,
                "MaxWaitTimeInSeconds": longest_wait,
            },
            "CheckpointConfig": CHECKPOINTS,
            "EnableManagedSpotTraining": True,
            "HyperParameters": {"epochs": "3"},
            "Tags": [{"Key": key, "Value": value} for key, value in opted.items()],
            **different,
        }
        given = {key: value for key, value in request.items() if value is not None}
        self.sagemaker.create_training_job(**given)

    def capacity(self, instances: int | None, market: str = "spot", type: str = TYPE) -> None:
        """How many instances AWS has from now on; None: any number."""
        body = {"instance_type": type, "market": market, "instances": instances}
        control("PUT", "/sagemaker/capacity", body)

    def lose_spot(self, name: str = "bert") -> None:
        """AWS reclaims the job's instances and has no others on Spot."""
        self.capacity(0)
        control("POST", f"/sagemaker/training-jobs/{name}/interrupt")

    # letting things happen

    def minute(self, deliver: bool = True) -> None:
        """A minute passes; the events of it are delivered, then the heartbeat comes."""
        self.stage.wait(60)
        if deliver:
            self.deliver()
        self.stage.heartbeat()

    def deliver(self) -> dict[str, Any]:
        events, self.events = self.events, []
        return self.stage.batch(*events) if events else {"outcomes": []}

    def minutes(self, count: float, deliver: bool = True) -> None:
        for _ in range(round(count)):
            self.minute(deliver)

    def until(self, true: Callable[[], bool], most: int = 600, deliver: bool = True) -> int:
        """Let minutes pass until something is true; how many they were."""
        for passed in range(most):
            if true():
                return passed
            self.minute(deliver)
        raise AssertionError(f"it did not come true in {most} minutes")

    # looking at the result

    def job(self, name: str = "bert") -> dict[str, Any]:
        found: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return found

    def status(self, name: str = "bert") -> str:
        return str(self.job(name)["TrainingJobStatus"])

    def secondary(self, name: str = "bert") -> str:
        return str(self.job(name)["SecondaryStatus"])

    def names(self) -> list[str]:
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate()
        return sorted(j["TrainingJobName"] for page in pages for j in page["TrainingJobSummaries"])

    def heir(self, of: str = "bert") -> str:
        """The name of the one heir; empty without one."""
        found = [name for name in self.names() if name.startswith(f"{of}-od-")]
        assert len(found) <= 1, found
        return found[0] if found else ""

    def writes(self) -> list[str]:
        """The function's own calls that changed a job, in order."""
        return [c.operation for c in self.stage.calls if c.operation in {STOP, CREATE}]

    def incident_stage(self) -> str:
        """Where the one incident stands; empty before there is one."""
        return str(self.stage.incident()["stage"]) if self.stage.incidents() else ""

    def finish(self) -> None:
        """Let minutes pass until the incident is closed."""
        self.until(lambda: self.incident_stage() not in {"", "open", "acting", "acted"})


@contextmanager
def training(stage: Stage) -> Iterator[Training]:
    """The stage with the handler of spot fallback, in mode act."""
    stage.handler = spot_fallback
    stage.mode("act")
    scene = Training(stage)
    WORLD.sinks.append(scene)
    try:
        yield scene
    finally:
        WORLD.sinks.remove(scene)


def in_hours(hours: float) -> str:
    """A moment from now, as a tag has it."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def arn(name: str = "bert") -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"
