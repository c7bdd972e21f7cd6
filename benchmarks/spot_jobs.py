"""Training jobs that lose Spot, every event of theirs ten times over and out of order.

`python -m benchmarks.spot_jobs` plays them once, in this process, and prints what became of them.
"""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3

from benchmarks.figures import Figure, Measurement
from benchmarks.in_process import NOON, Stage, stage
from local.account import ACCOUNT_ID, ROOT

SEED = 20260302
HOUR = 3600
JOBS = 24
COPIES = 10
LATEST = 30
"""Minutes by which the latest copy of an event is late."""
MOST_IN_A_BATCH = 60
TAG = "ml-remediation:spot-fallback"
TYPE, RETURNS = "ml.m5.xlarge", "ml.m5.2xlarge"
"""Types of which Spot is gone for good, and for a while."""
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/training"
SETTINGS = {
    "roles": [ROLE],
    "patience_minutes": 20,
    "changeover_minutes": 10,
    "unsaved_minutes": 15,
}
START, CHECKPOINTS, AWAY = 5, 10, 12
"""Minutes: to provision, between checkpoints, without Spot of RETURNS."""
MIN_WORK, MAX_WORK = 45, 180
MIN_SLACK, MAX_SLACK = 60, 120
"""Minutes of work, and of a deadline beyond it."""
MOST_MINUTES = 1500
CREATE, STOP = "CreateTrainingJob", "StopTrainingJob"
LIMITS = (
    "In one process on a clock set by hand, invocation after invocation: what two of them do at the"
    " same moment is left to the ledger's conditional writes, which tests hold.",
    "Deadlines leave room for the work, two changeovers and what a lost instance loses; one that"
    " does not is told as late, and is no promise.",
    "On-Demand has capacity, and provisioning takes 5 minutes of the 10 that the settings allow.",
    "A heartbeat comes every minute, as deployed.",
)


@dataclass(frozen=True)
class Job:
    """A job to be: minutes of work, of which it has done `lost_at` when Spot is taken from it.
    deadline: minutes from its start; None for none."""

    name: str
    type: str
    work: int
    lost_at: int
    deadline: int | None


@dataclass(frozen=True)
class Played:
    """What became of the jobs. created: CreateTrainingJob calls of the function. duplicates: heirs
    beyond one of a job. lost: jobs of which neither they nor an heir completed. late: names of those
    that ended after their deadlines."""

    jobs: int
    with_deadline: int
    fell_back: int
    left_alone: int
    created: int
    stopped: int
    duplicates: int
    lost: int
    late: Sequence[str]
    least_slack_minutes: float
    events: int
    delivered: int
    invocations: int


def draw(count: int, seed: int) -> list[Job]:
    """Two of three jobs have a deadline; Spot comes back to about one of three."""
    chance = random.Random(seed)
    jobs = []
    for number in range(count):
        work = chance.randint(MIN_WORK, MAX_WORK)
        slack = chance.randint(MIN_SLACK, MAX_SLACK)
        jobs.append(
            Job(
                name=f"job-{number}",
                type=chance.choice([TYPE, TYPE, RETURNS]),
                work=work,
                lost_at=chance.randint(5, work - 5),
                deadline=None if number % 3 == 0 else work + START + slack,
            )
        )
    return jobs


def measure(say: Callable[[str], None]) -> Measurement:
    """Plays the jobs in a process of their own."""
    say(f"{JOBS} training jobs, each event {COPIES} times")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.spot_jobs"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    played = Played(**json.loads(done.stdout.splitlines()[-1]))  # metrics are printed before
    return Measurement(
        figures=[
            Figure("Duplicate training jobs, each event ten times", played.duplicates, goal=0),
            Figure("Training jobs lost", played.lost, goal=0),
            Figure("Training jobs that missed a deadline", len(played.late), goal=0),
        ],
        parts=list(_parts(played)),
        settings={
            "jobs": JOBS,
            "seed": SEED,
            "copies_of_each_event": COPIES,
            "latest_copy_minutes": LATEST,
            "messages_in_a_batch": f"1 to {MOST_IN_A_BATCH}",
            "work_minutes": f"{MIN_WORK} to {MAX_WORK}",
            "deadline_slack_minutes": f"{MIN_SLACK} to {MAX_SLACK}",
            "late": list(played.late),
            "settings": SETTINGS,
        },
        limits=LIMITS,
    )


def _parts(played: Played) -> Iterator[Figure]:
    yield Figure("jobs with a deadline", played.with_deadline)
    yield Figure("jobs that went On-Demand", played.fell_back)
    yield Figure("jobs that got Spot again and were left alone", played.left_alone)
    yield Figure(CREATE, played.created)
    yield Figure(STOP, played.stopped)
    yield Figure("minutes between an end and its deadline, least", played.least_slack_minutes)
    yield Figure("events", played.events)
    yield Figure("messages delivered", played.delivered)
    yield Figure("invocations", played.invocations)


class Post:
    """Delivers every event of SageMaker in several copies, each late by its own while."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._waiting: list[tuple[int, Mapping[str, Any]]] = []
        self.events = self.delivered = 0

    def collect(self, minute: int, events: Sequence[Mapping[str, Any]]) -> None:
        """Take what SageMaker sent; the first copy of each is not the first to arrive."""
        for each in events:
            if each["source"] == "aws.sagemaker":
                self.events += 1
                for _ in range(COPIES):
                    self._waiting.append((minute + self._chance.randint(0, LATEST), each))

    def batches(self, minute: int) -> Iterator[list[Mapping[str, Any]]]:
        """What arrives now, in any order, in batches of any size."""
        due = [event for at, event in self._waiting if at <= minute]
        self._waiting = [(at, event) for at, event in self._waiting if at > minute]
        self._chance.shuffle(due)
        while due:
            size = self._chance.randint(1, MOST_IN_A_BATCH)
            self.delivered += len(due[:size])
            yield due[:size]
            due = due[size:]

    @property
    def is_empty(self) -> bool:
        return not self._waiting


def play() -> Played:
    """Every job from its start to its end, minute by minute."""
    from functions.spot_fallback.handler import handler

    jobs, post = draw(JOBS, SEED), Post(SEED)
    with stage(handler, SETTINGS) as world:
        world.control("PUT", "/durations", {"training_start": 60 * START})
        for job in jobs:
            _begin(world, job)
        market = Market(world, jobs)
        for minute in range(1, MOST_MINUTES):
            world.wait(60)
            market.move(minute)
            events, world.events = world.events, []
            post.collect(minute, events)
            for batch in post.batches(minute):
                world.batch(batch)
            world.heartbeat()
            if post.is_empty and not market.losing and all(_is_over(each) for each in _jobs()):
                return judge(jobs, _jobs(), post, world)
    raise AssertionError(f"jobs were not over after {MOST_MINUTES} minutes")


class Market:
    """Takes Spot from each job when its time has come; of RETURNS there is some again later."""

    def __init__(self, world: Stage, jobs: Sequence[Job]) -> None:
        self._world = world
        self.losing = list(jobs)
        self._back = 0

    def move(self, minute: int) -> None:
        """What happens to Spot in this minute."""
        if minute == self._back:
            self._set(RETURNS, None)
        for job in [each for each in self.losing if each.lost_at + START <= minute]:
            if _describe(job.name)["SecondaryStatus"] != "Training":
                continue  # it waits for its first instances, or again
            self._set(job.type, 0)
            self._world.control("POST", f"/sagemaker/training-jobs/{job.name}/interrupt")
            self.losing.remove(job)
            if job.type == RETURNS:
                self._back = minute + AWAY

    def _set(self, instance_type: str, instances: int | None) -> None:
        pool = {"instance_type": instance_type, "market": "spot", "instances": instances}
        self._world.control("PUT", "/sagemaker/capacity", pool)


def judge(
    jobs: Sequence[Job], ended: Sequence[Mapping[str, Any]], post: Post, world: Stage
) -> Played:
    """What became of the jobs. ended: DescribeTrainingJob's answers, heirs included."""
    heirs = {job.name: [e for e in ended if e["TrainingJobName"].startswith(f"{job.name}-od-")] for job in jobs}  # fmt: skip
    by_name = {each["TrainingJobName"]: each for each in ended}
    completed: dict[str, datetime] = {}
    for job in jobs:
        whole = [
            each["TrainingEndTime"]
            for each in (by_name[job.name], *heirs[job.name])
            if each["TrainingJobStatus"] == "Completed"
        ]
        if whole:
            completed[job.name] = min(whole)
    slack = {
        job.name: (NOON + timedelta(minutes=job.deadline) - completed[job.name])
        / timedelta(minutes=1)
        for job in jobs
        if job.deadline is not None and job.name in completed
    }
    operations = Counter(name for name, _ in world.calls)
    return Played(
        jobs=len(jobs),
        with_deadline=sum(job.deadline is not None for job in jobs),
        fell_back=sum(bool(each) for each in heirs.values()),
        left_alone=sum(not each for each in heirs.values()),
        created=operations[CREATE],
        stopped=operations[STOP],
        duplicates=sum(max(0, len(each) - 1) for each in heirs.values()),
        lost=len(jobs) - len(completed),
        late=sorted(name for name, minutes in slack.items() if minutes < 0),
        least_slack_minutes=min(slack.values()),
        events=post.events,
        delivered=post.delivered,
        invocations=world.invocations,
    )


def _begin(world: Stage, job: Job) -> None:
    tags = {TAG: "act"}
    if job.deadline is not None:
        deadline = NOON + timedelta(minutes=job.deadline)
        tags |= {f"{TAG}:deadline": deadline.isoformat(), f"{TAG}:work-hours": f"{job.work / 60}"}
    request: Any = {
        "TrainingJobName": job.name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
        "ResourceConfig": {"InstanceType": job.type, "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 8 * HOUR, "MaxWaitTimeInSeconds": 48 * HOUR},
        "CheckpointConfig": {"S3Uri": f"s3://bucket/checkpoints/{job.name}"},
        "EnableManagedSpotTraining": True,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    boto3.client("sagemaker").create_training_job(**request)
    work = {"seconds": 60 * job.work, "checkpoint_every_seconds": 60 * CHECKPOINTS}
    world.control("PUT", f"/sagemaker/training-jobs/{job.name}/work", work)


def _describe(name: str) -> Mapping[str, Any]:
    return boto3.client("sagemaker").describe_training_job(TrainingJobName=name)


def _jobs() -> list[Mapping[str, Any]]:
    """Every job of the account."""
    pages = boto3.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return [_describe(each["TrainingJobName"]) for page in pages for each in page["TrainingJobSummaries"]]  # fmt: skip


def _is_over(job: Mapping[str, Any]) -> bool:
    return job["TrainingJobStatus"] not in ("InProgress", "Stopping")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asdict(play())))
