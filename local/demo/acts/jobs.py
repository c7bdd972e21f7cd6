"""A managed spot training job as a user starts it, and how far it came over the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.account import ACCOUNT_ID, REGION
from local.demo.account import Hands
from local.demo.scene import Chart, Line

TAG = "ml-remediation:spot-fallback"
RUNTIME, WAIT = 3600, 7200


@dataclass
class Job:
    """A job with checkpoints, and whichever took over from it. work: seconds of training in all.

    heirs: the names of jobs that were begun after it with its name in theirs. done, kept: seconds
    of work that are done by the last of them all, and that its checkpoints hold.
    """

    hands: Hands
    name: str
    instance_type: str
    work: int
    checkpoint_every: int
    heirs: list[str] = field(default_factory=list)
    done: float = 0.0
    kept: float = 0.0
    seen: list[tuple[float, float, float]] = field(default_factory=list)
    _looked: float = 0.0

    def create(self, deadline: float) -> None:
        """Opted in, on Spot, to be ready by a deadline in epoch seconds."""
        control = self.hands.account.control
        told = {
            TAG: "act",
            f"{TAG}:deadline": datetime.fromtimestamp(deadline, UTC).isoformat(timespec="seconds"),
            f"{TAG}:work-hours": f"{self.work / 3600:.5f}",
        }
        self.hands.client("sagemaker").create_training_job(
            TrainingJobName=self.name,
            RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/training",
            AlgorithmSpecification={
                "TrainingImage": f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/train:1",
                "TrainingInputMode": "File",
            },
            OutputDataConfig={"S3OutputPath": "s3://models/out"},
            CheckpointConfig={"S3Uri": f"s3://models/checkpoints/{self.name}"},
            ResourceConfig={
                "InstanceType": self.instance_type,
                "InstanceCount": 1,
                "VolumeSizeInGB": 100,
            },
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": RUNTIME, "MaxWaitTimeInSeconds": WAIT},
            Tags=[{"Key": key, "Value": value} for key, value in told.items()],
        )
        work = {"seconds": self.work, "checkpoint_every_seconds": self.checkpoint_every}
        control("PUT", f"/sagemaker/training-jobs/{self.name}/work", work)

    def lose_spot(self) -> None:
        """AWS takes its instances back, and has no others on Spot."""
        self.spot(0)
        self.hands.account.control("POST", f"/sagemaker/training-jobs/{self.name}/interrupt")

    def spot(self, instances: int | None) -> None:
        """What AWS has on Spot of its type; None: any number."""
        body = {"instance_type": self.instance_type, "market": "spot", "instances": instances}
        self.hands.account.control("PUT", "/sagemaker/capacity", body)

    def look(self) -> None:
        """See who trains and how far it came, once a second at most."""
        if time.time() - self._looked < 1.0:
            return
        self._looked = time.time()
        found = self.hands.client("sagemaker").list_training_jobs(NameContains=self.name)
        names = [each["TrainingJobName"] for each in found["TrainingJobSummaries"]]
        self.heirs = [each for each in names if each != self.name]
        if not names:
            return
        path = f"/sagemaker/training-jobs/{self.last}/work"
        work = self.hands.account.control("GET", path)
        self.kept = work["checkpointed_seconds"]
        self.done = max(self.kept, work["done_seconds"])  # an heir begins where that one ended
        self.seen.append((time.time(), self.done, self.kept))

    @property
    def last(self) -> str:
        """Who took over, the job itself before anybody did."""
        return self.heirs[-1] if self.heirs else self.name

    @property
    def taken_over(self) -> bool:
        self.look()
        return bool(self.heirs)

    def described(self, name: str = "") -> Mapping[str, Any]:
        """DescribeTrainingJob of the job, or of the one of that name."""
        found: Mapping[str, Any] = self.hands.client("sagemaker").describe_training_job(
            TrainingJobName=name or self.name
        )
        return found

    @property
    def trains(self) -> bool:
        self.look()
        return bool(self.described()["SecondaryStatus"] == "Training")

    def shown(self) -> str:
        """How far it came, in words."""
        return f"{self.done:.0f} of {self.work} s trained, {self.kept:.0f} s in checkpoints"

    def chart(self) -> Chart:
        """What was trained, and what of it would outlive the instances, over the run."""
        return Chart(
            f"seconds of work of {self.name}",
            [
                Line("trained", "#16a34a", [(at, done) for at, done, _ in self.seen]),
                Line("in checkpoints", "#2563eb", [(at, kept) for at, _, kept in self.seen]),
            ],
        )
