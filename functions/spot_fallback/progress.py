"""How far a training job came, and how much is left, as DescribeTrainingJob tells it. Pure.

Statuses: botocore service model of SageMaker, `DescribeTrainingJob.SecondaryStatus`, whose values
are "subject to change": one that nobody knows counts as running, because running jobs are left
alone. Messages are never read (same model, `SecondaryStatusTransition.StatusMessage`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.spot_fallback.observation import Rules

WITHOUT_INSTANCES = frozenset({"Starting", "Pending", "Interrupted", "Restarting"})
ON_INSTANCES = frozenset({"Downloading", "Training", "Uploading"})
MAX_WAIT, MAX_RUNTIME = "MaxWaitTimeExceeded", "MaxRuntimeExceeded"
CAPACITY = "CapacityError"
"""How the FailureReason of a job begins that AWS had no instances for
(github.com/DIAGNijmegen/rse-grand-challenge/issues/2631)."""
LONGEST = 28 * 24 * 60 * 60
"""Most seconds of MaxRuntimeInSeconds (botocore service model, `StoppingCondition`)."""
DAY = 24 * 60 * 60
"""MaxRuntimeInSeconds when none was given (same place)."""

Job = Mapping[str, Any]
"""DescribeTrainingJob's answer."""


def waits_for_instances(job: Job) -> bool:
    """Whether it has none and seeks some."""
    return job["TrainingJobStatus"] == "InProgress" and job["SecondaryStatus"] in WITHOUT_INSTANCES


def short_of_capacity(job: Job) -> bool:
    """Whether it failed because AWS had no instances."""
    reason = str(job.get("FailureReason", ""))
    return job["TrainingJobStatus"] == "Failed" and reason.startswith(CAPACITY)


def idle_since(job: Job) -> datetime:
    """Since when it has had no instances: it goes from Interrupted to Starting to Pending, and
    waits all the while."""
    since: datetime = job["CreationTime"]
    waited = True
    for stay in job.get("SecondaryStatusTransitions", ()):
        waits = stay["Status"] in WITHOUT_INSTANCES
        if waits and not waited:
            since = stay["StartTime"]
        waited = waits
    return since


def ended(job: Job) -> datetime:
    """When a job that is over ended."""
    end: datetime = job.get("TrainingEndTime") or job.get("LastModifiedTime") or job["CreationTime"]
    return end


def used(job: Job) -> timedelta:
    """How long it was on instances in all; where AWS does not tell, in the stays that are over."""
    seconds = job.get("TrainingTimeInSeconds")
    if seconds is not None:
        return timedelta(seconds=seconds)
    return timedelta(seconds=sum(_stays(job, ON_INSTANCES), timedelta()) // timedelta(seconds=1))


def _stays(job: Job, statuses: Collection[str]) -> list[timedelta]:
    """How long each stay in one of these statuses lasted that is over."""
    return [
        max(timedelta(), stay["EndTime"] - stay["StartTime"])
        for stay in job.get("SecondaryStatusTransitions", ())
        if stay["Status"] in statuses and "EndTime" in stay
    ]


def fleet(job: Job) -> Mapping[str, int]:
    """Instances by type; of a list of types the one that was chosen, the first until then."""
    config = job.get("ResourceConfig", {})
    if groups := config.get("InstanceGroups"):
        counts: dict[str, int] = {}
        for group in groups:
            type = group["InstanceType"]
            counts[type] = counts.get(type, 0) + group["InstanceCount"]
        return counts
    if type := config.get("SelectedInstanceType"):
        return {type: config.get("SelectedInstanceCount", config.get("InstanceCount", 0))}
    if listed := config.get("InstancePreferences"):
        count = listed[0].get("InstanceCount", config.get("InstanceCount", 0))
        return {listed[0]["InstanceType"]: count}
    if type := config.get("InstanceType"):
        return {type: config.get("InstanceCount", 0)}
    return {}


@dataclass(frozen=True)
class Progress:
    """used: time on instances, set-up included, which is what AWS bills and MaxRuntimeInSeconds
    counts. kept: work that outlives the instances, by checkpoints alone.
    left: work still to do, as its owner told by tag, else what MaxRuntimeInSeconds allows at most.
    allowance: MaxRuntimeInSeconds of the job that takes over.
    """

    used: timedelta
    kept: timedelta
    left: timedelta
    allowance: timedelta


def progress(job: Job, rules: Rules, work: timedelta | None) -> Progress:
    """work: what there is to do in all, None when nobody told.

    Only time in Training is work: every time it gets instances its data is fetched again. However
    such a stay ends, it costs the work since the last checkpoint, `rules.unsaved` at most and never
    more than the stay itself. The transitions are all there were (botocore service model,
    `SecondaryStatusTransitions`); should they say more than TrainingTimeInSeconds, that holds. The
    heir may run for what the kept work has left of MaxRuntimeInSeconds, and for the set-up it
    begins with once more: its owner's bound on the work stays what it was.
    """
    spent = used(job)
    kept = timedelta()
    if job.get("CheckpointConfig", {}).get("S3Uri"):
        stays = _stays(job, {"Training"})
        lost = sum((min(stay, rules.unsaved) for stay in stays), timedelta())
        kept = max(timedelta(), min(sum(stays, timedelta()), spent) - lost)
    longest = timedelta(seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY))
    left = max(timedelta(), (longest if work is None else work) - kept)
    rest = longest if not kept else max(timedelta(), longest - kept) + rules.changeover
    return Progress(spent, kept, left, min(rest, timedelta(seconds=LONGEST)))
