"""When a training job on Spot goes On-Demand, and what becomes of the job that takes over. Pure.

A job that has no instances waits for Spot as long as that is safe: with a deadline until the rest
of the work, done On-Demand, would only just be ready in time (the Safety Net of Wu et al., "Can't
Be Late", NSDI 2024, with the time that nobody looks taken off), without one for a set patience.
On instances it is left alone. It goes On-Demand in two writes: it is stopped, and when it is over
for good its heir is created, for two jobs must never write to the same checkpoints (SageMaker
developer guide, model-checkpoints: what one deletes is deleted in S3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Move, Refuse, Settled, Wait
from functions.core.incident import Incident, Stage
from functions.spot_fallback.clone import MOST_TAGS, heir_name, kept_tags, types_to_try
from functions.spot_fallback.heirs import follow
from functions.spot_fallback.observation import JobSeen, Rates, Rules
from functions.spot_fallback.progress import (
    MAX_RUNTIME,
    MAX_WAIT,
    Progress,
    ended,
    fleet,
    idle_since,
    progress,
    short_of_capacity,
    used,
    waits_for_instances,
)
from functions.spot_fallback.reading import LEVER_TAG, ORIGINAL_TAG

DEADLINE_TAG, WORK_TAG = f"{LEVER_TAG}:deadline", f"{LEVER_TAG}:work-hours"
PARENTS = {
    "TuningJobArn": "a hyperparameter tuning job",
    "AutoMLJobArn": "an Autopilot job",
    "LabelingJobArn": "a labeling job",
}
PARENT_TAGS = {
    "sagemaker:pipeline-execution-arn": "a SageMaker pipeline",
    "AWS_STEP_FUNCTIONS_EXECUTION_ARN": "a Step Functions execution",
}
"""Pipelines: sagemaker-python-sdk, `sagemaker.lineage`, reads this tag of its jobs. Step Functions:
tags of the events that users recorded; it adds them beside MANAGED_BY_AWS."""
LATE = timedelta(hours=1)
"""A job that ended by itself is taken over when that is found within this time; later, whoever
wanted it may have begun it anew."""
LATEST = timedelta(hours=24)
"""The same for a job whose end was found in time, but which nobody has let us take over since."""
RECORD_PATIENCE = timedelta(minutes=15)
"""How long the heir may wait for the record of its original's creation, which tells a field that is
seldom used; with a deadline only as long as that leaves room."""
SOONEST, LATEST_LOOK = 60, 3600
"""Seconds until the next look: the heartbeat's own pace, and the most we rely on no event for."""
RUNNING_LOOK, REFUSED_LOOK = 600, 900


def decide(seen: JobSeen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the job now. incident: the open one, if any."""
    job = seen.description
    if seen.heir is not None:
        return follow(seen, incident, rules)
    if not job.get("EnableManagedSpotTraining"):
        return Settled("it does not train on Spot")
    ours = bool(incident and incident.written and incident.written.get("stopped"))
    match job["TrainingJobStatus"], job["SecondaryStatus"]:
        case "Completed", _:
            return Settled("it completed")
        case "InProgress", _ if ours:
            return Wait("it was told to stop, and AWS has not begun with that yet", again=SOONEST)
        case "InProgress", _ if waits_for_instances(job):
            return _while_it_waits(seen, rules)
        case "InProgress", secondary if incident is not None:
            return Wait(f"it has its instances and is {secondary}", again=RUNNING_LOOK)
        case "InProgress", secondary:
            return Settled(f"it has its instances and is {secondary}")
        case "Stopping", _ if incident is not None:
            return Wait("it is stopping; what comes next depends on why", again=SOONEST)
        case "Stopping", _:
            return Settled("it is stopping; if it ran out of wait time, its end will tell")
        case "Stopped" | "Failed", _ if ours:
            return _take_over(seen, incident, rules, "it was stopped for this", owed=True)
        case "Stopped", secondary if secondary == MAX_WAIT:
            return _if_in_time(seen, incident, rules, "it got no Spot within MaxWaitTimeInSeconds")
        case "Failed", _ if short_of_capacity(job):
            return _if_in_time(seen, incident, rules, "AWS had no instances for it")
        case "Stopped", secondary if secondary == MAX_RUNTIME:
            return Settled("it ran as long as its MaxRuntimeInSeconds allows; Spot was not short")
        case "Stopped", _:
            return Settled("somebody stopped it")
        case _:
            return Settled(f"it failed of itself: {job.get('FailureReason', 'no reason given')}")


def _while_it_waits(seen: JobSeen, rules: Rules) -> Decision:
    plan = _plan(seen, rules)
    if isinstance(plan, Refuse):
        return plan
    job, now = seen.description, seen.now
    idle = now - idle_since(job)
    if plan.deadline is None:
        left = rules.patience - idle
        if left > timedelta():
            return Wait(
                f"it has waited for Spot for {_hours(idle)}, and may until "
                f"{now + left:%Y-%m-%d %H:%M %Z}",
                evidence=plan.evidence,
                again=_until(left),
            )
        why = (
            f"it had no instances for {_hours(idle)}, and its patience is {_hours(rules.patience)}"
        )
    else:
        rest = plan.deadline - now
        need = plan.progress.left + 2 * rules.changeover
        left = rest - rules.reaction - need
        if left > timedelta():
            return Wait(
                f"{_hours(plan.progress.left)} of work are left and {_hours(rest)} until its "
                f"deadline: it may wait for Spot until {now + left:%Y-%m-%d %H:%M %Z}",
                evidence=plan.evidence,
                again=_until(left),
            )
        late = plan.late(now, rules)
        why = (
            f"{_hours(plan.progress.left)} of work are left and {_hours(rest)} until its deadline: "
            + (f"it will be {_hours(late)} late" if late else "it just makes it On-Demand")
        )
    goal = {"stopped": True, "heir": heir_name(job)}
    return Act(
        reason=f"{why}. It is stopped, then goes on as {goal['heir']} On-Demand",
        write={"stopped": True, "heir": None},
        goal=goal,
        move=Move.SAFETY,
        evidence=plan.evidence,
        ask=_ask(plan, rules),
    )


def _if_in_time(seen: JobSeen, incident: Incident | None, rules: Rules, why: str) -> Decision:
    since = seen.now - ended(seen.description)
    if since > (LATE if incident is None else LATEST):
        return Settled(f"{why}, {_hours(since)} ago: that is its owner's to take up now")
    return _take_over(seen, incident, rules, why, owed=False)


def _take_over(
    seen: JobSeen, incident: Incident | None, rules: Rules, why: str, owed: bool
) -> Decision:
    """owed: it was stopped by us, so nobody is asked again."""
    plan = _plan(seen, rules)
    if isinstance(plan, Refuse):
        return plan
    job = seen.description
    write = {
        "stopped": True,
        "heir": heir_name(job),
        "seconds": math.ceil(plan.progress.allowance.total_seconds()),
        "types": list(types_to_try(job, _affordable(seen, rules))),
        "record_by": _record_by(seen, incident, plan, rules).isoformat(),
    }
    late = plan.late(seen.now, rules)
    tail = f", which makes it {_hours(late)} late" if late else ""
    return Act(
        reason=f"{why}; it goes on as {write['heir']} On-Demand{tail}",
        write=write,
        goal={"stopped": True, "heir": write["heir"]},
        move=Move.SAFETY,
        evidence={
            **plan.evidence,
            "maxRuntimeInSeconds": write["seconds"],
            "types": write["types"],
        },
        ask="" if owed else _ask(plan, rules),
    )


@dataclass(frozen=True)
class _Plan:
    """What taking over would come to. deadline: its owner's, None without one."""

    progress: Progress
    deadline: datetime | None
    checkpoints: bool
    evidence: Mapping[str, Any]

    def late(self, now: datetime, rules: Rules) -> timedelta:
        """By how much the deadline is missed if it goes On-Demand now; zero if it is not."""
        if self.deadline is None:
            return timedelta()
        return max(timedelta(), now + self.progress.left + rules.changeover - self.deadline)


def _plan(seen: JobSeen, rules: Rules) -> _Plan | Refuse:
    """Everything that forbids it is said before anything is stopped."""
    job = seen.description
    if refusal := _forbidden(seen, rules):
        return refusal
    deadline = _deadline(seen.tags.get(DEADLINE_TAG))
    if isinstance(deadline, Refuse):
        return deadline
    work = _work(seen.tags.get(WORK_TAG))
    if isinstance(work, Refuse):
        return work
    done = progress(job, rules, work)
    evidence = {
        "job": job["TrainingJobName"],
        "status": job["TrainingJobStatus"],
        "secondaryStatus": job["SecondaryStatus"],
        "instances": dict(fleet(job)),
        "idleSince": idle_since(job).isoformat(),
        "trainedHours": _number(done.used),
        "keptHours": _number(done.kept),
        "leftHours": _number(done.left),
        "deadline": deadline.isoformat() if deadline else None,
        "dollarsAnHour": _dollars(fleet(job), seen.rates),
    }
    return _Plan(done, deadline, bool(job.get("CheckpointConfig", {}).get("S3Uri")), evidence)


def _record_by(seen: JobSeen, incident: Incident | None, plan: _Plan, rules: Rules) -> datetime:
    """Until when the heir may wait for a record, from the first try to create it on."""
    tried = seen.now
    if incident is not None and incident.stage is Stage.ACTING:
        tried = datetime.fromisoformat(incident.timeline[-1]["at"])
    latest = tried + RECORD_PATIENCE
    if plan.deadline is None:
        return latest
    return min(latest, plan.deadline - plan.progress.left - rules.changeover)


def _forbidden(seen: JobSeen, rules: Rules) -> Refuse | None:
    job = seen.description
    parents = [name for member, name in PARENTS.items() if job.get(member)]
    parents += [name for tag, name in PARENT_TAGS.items() if tag in seen.tags]
    if parents:
        return Refuse(
            "owned-by-parent",
            f"it belongs to {parents[0]}, which waits for a job of this name and knows no other",
            next_steps=("Let the parent itself ask for On-Demand, or take the tag off its jobs",),
            again=REFUSED_LOOK,
        )
    if refusal := rules.forbid(job["RoleArn"], job["TrainingJobName"]):
        return replace(refusal, again=REFUSED_LOOK)
    if len(kept_tags(seen.tags).keys() | {ORIGINAL_TAG}) > MOST_TAGS:
        return Refuse(
            "too-many-tags",
            f"it has {MOST_TAGS} tags, and its heir needs one more to be known by",
            page=True,
            next_steps=("Take a tag off the job",),
            again=REFUSED_LOOK,
        )
    cost = _dollars(fleet(job), seen.rates)
    if cost is not None and cost > rules.on_demand_dollars_per_hour:
        return Refuse(
            "above-cap",
            f"On-Demand it costs {cost:.2f} dollars an hour, and "
            f"{rules.on_demand_dollars_per_hour:.2f} are allowed",
            page=True,
            next_steps=("Raise spot_fallback.on_demand_dollars_per_hour and deploy",),
            again=REFUSED_LOOK,
        )
    return None


def _ask(plan: _Plan, rules: Rules) -> str:
    if plan.checkpoints or plan.progress.used <= rules.unchecked:
        return ""
    return (
        f"it keeps no checkpoints, so {_hours(plan.progress.used)} of work would be done again, and "
        f"{_hours(rules.unchecked)} are allowed unasked"
    )


def _affordable(seen: JobSeen, rules: Rules) -> list[str]:
    """The further types that may be tried: those without a price, and those within the cap."""
    count = sum(fleet(seen.description).values())
    costs = {each: _dollars({each: count}, seen.rates) for each in rules.fallback_types}
    cap = rules.on_demand_dollars_per_hour
    return [each for each, cost in costs.items() if cost is None or cost <= cap]


def _deadline(text: str | None) -> datetime | Refuse | None:
    if text is None:
        return None
    try:
        deadline = datetime.fromisoformat(text)
    except ValueError:
        return _bad_tag("bad-deadline", DEADLINE_TAG, text, "2026-03-02T18:00:00+00:00")
    if deadline.tzinfo is None:
        return _bad_tag("bad-deadline", DEADLINE_TAG, text, "2026-03-02T18:00:00+00:00")
    return deadline


def _work(text: str | None) -> timedelta | Refuse | None:
    if text is None:
        return None
    try:
        work = timedelta(hours=float(text))
    except (ValueError, OverflowError):
        work = timedelta()
    return work if work > timedelta() else _bad_tag("bad-work-hours", WORK_TAG, text, "36.5")


def _bad_tag(code: str, tag: str, text: str, example: str) -> Refuse:
    return Refuse(
        code,
        f"its tag {tag} is {text!r:.80}; it must be like {example}. Until then nothing is done for it",
        page=True,
        next_steps=(f"Set the tag {tag} right, or take it off",),
        again=SOONEST,
    )


def tally(seen: JobSeen, incident: Incident) -> Mapping[str, float]:
    """Hours and dollars of the job and its heir in all, as AWS tells their times.

    BillableTimeInSeconds is one instance's, with the Spot discount in it (botocore service model,
    `DescribeTrainingJob`). Whether it is told while the job runs is not documented; until it is,
    no dollars are counted of it: a total only grows, so nothing can be taken back. fallbackDollars:
    what the heir cost more than it would have on Spot at the discount that the job had. Without a
    price of every type: hours alone.
    """
    job, heir = seen.description, seen.heir.description if seen.heir else None
    hours = used(job).total_seconds() / 3600
    seconds = job.get("BillableTimeInSeconds")
    billed = None if seconds is None else seconds / 3600
    now = {"spotHours": hours * sum(fleet(job).values())}
    rate = _dollars(fleet(job), seen.rates)
    if rate is not None and billed is not None:
        now |= {"spotDollars": billed * rate, "savedDollars": max(0.0, hours - billed) * rate}
    if heir is not None:
        hours_of_heir = used(heir).total_seconds() / 3600
        now["onDemandHours"] = hours_of_heir * sum(fleet(heir).values())
        rate_of_heir = _dollars(fleet(heir), seen.rates)
        if rate_of_heir is not None:
            dollars = now["onDemandDollars"] = hours_of_heir * rate_of_heir
            if billed is not None and hours:
                now["fallbackDollars"] = dollars * max(0.0, 1 - billed / hours)
    return {**incident.tally, **{k: max(v, incident.tally.get(k, 0.0)) for k, v in now.items()}}


def _dollars(instances: Mapping[str, int], rates: Mapping[str, Rates]) -> float | None:
    """Dollars an hour of so many instances On-Demand; None without a price of every type."""
    total = 0.0
    for type, count in instances.items():
        rate = rates.get(type, Rates()).on_demand
        if rate is None:
            return None
        total += rate * count
    return total


def _until(left: timedelta) -> int:
    return min(LATEST_LOOK, max(SOONEST, math.ceil(left.total_seconds())))


def _number(time: timedelta) -> float:
    return round(time.total_seconds() / 3600, 3)


def _hours(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    return f"{minutes} min" if abs(minutes) < 120 else f"{minutes / 60:.1f} h"
