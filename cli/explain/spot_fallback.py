"""What an event means to spot fallback."""

from __future__ import annotations

from typing import Any

from cli.explain.explanation import arn, explanation, refused, shown
from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Place, Signal
from functions.quota_increase.texts import short_type, short_zone, zone_hints
from functions.spot_fallback.reading import (
    LEVER_TAG,
    AtRisk,
    JobChanged,
    Launched,
    Reading,
    Warned,
    read,
)

MODE = (
    "the account's mode and the tag ml-remediation:spot-fallback are act "
    "(observe: only recorded; approve: asked first)"
)
ROLE = "the setting spot_fallback.roles lists the role that is passed on"
CAPS = "what is bought stays within the settings on_demand_units and on_demand_dollars_per_hour"
GROUP = [
    "the group has a mixed instances policy, without weights and distribution segments, and neither "
    "EKS, ECS nor an instance refresh has it in hand",
    "nobody else changed its distribution in the last hour",
]
INSTANCE = [
    "outside a group: it was launched from a launch template, and neither a fleet nor a persistent "
    "request brings it back"
]
JOB = [
    "it was without instances too long for its deadline, or without one for the setting "
    "patience_minutes, or ran out of wait time",
    "no tuning, AutoML or labeling job, pipeline or state machine waits for it",
    "it has checkpoints, or trained no longer than the setting unchecked_minutes; else a person is "
    "asked",
]


def concerns(signal: Signal) -> bool:
    """Whether the signal is one of Spot's.

    A training job's is if the job opted in, even where it cannot be read, or if the event says that it trains on Spot, which not
    every one does.
    """
    try:
        said = read(signal)
    except BadSignal as bad:
        tags = signal.detail.get("Tags")
        elsewhere = signal.source == "aws.sagemaker" and LEVER_TAG not in (tags or {})
        return bad.code != "unknown-signal" and not elsewhere
    on_spot = signal.detail.get("EnableManagedSpotTraining") is True
    return not isinstance(said, JobChanged) or said.opted_in or on_spot


def explain(signal: Signal) -> dict[str, Any]:
    """The instance, group or training job to look at, and what may come of it."""
    try:
        said = read(signal)
    except BadSignal as bad:
        return refused(bad, shown(signal))
    if isinstance(said, JobChanged) and not said.spot:
        why = Refuse("not-on-spot", f"the training job {said.name} does not train on Spot")
        return refused(why, shown(signal))
    here = signal.place
    assert here is not None  # no event comes without one
    target = _target(said, here)
    kind, told = _told(said, signal)
    return explanation(
        remediation="spot_fallback",
        target=target,
        signal=shown(signal),
        would=_would(said),
        conditions=[MODE, *_conditions(said), ROLE, CAPS],
        **_shortage(said),
        readings=[{"kind": kind, "target": target, **told}],
    )


def _target(said: Reading, here: Place) -> str:
    match said:
        case Warned(instance) | AtRisk(instance):
            return arn(here, "ec2", f"instance/{instance}")
        case Launched(group):
            # The ID in a group's ARN is left open, as it is in an incident's.
            return arn(here, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{group}")
        case JobChanged(name):
            return arn(here, "sagemaker", f"training-job/{name}")


def _would(said: Reading) -> str:
    match said:
        case Warned():
            return (
                "the Auto Scaling group it is in, which is looked up, gets On-Demand for exactly "
                "what it lacks and lets go of it; outside a group one On-Demand instance is "
                "launched in its place"
            )
        case AtRisk():
            return (
                "counts against the way back to Spot of the group it is in, which is looked up; no "
                "reason in itself to replace it"
            )
        case Launched(_, ""):
            return "the group is looked at: where Spot holds, the next step back to it is taken"
        case Launched():
            return "the group is looked at, and gets On-Demand for exactly what it lacks"
        case JobChanged():
            return (
                "the training job is looked at: if Spot lets it down it is stopped, and one "
                "On-Demand job goes on from its checkpoint"
            )


def _conditions(said: Reading) -> list[str]:
    match said:
        case Warned():
            return [*GROUP, *INSTANCE]
        case AtRisk() | Launched():
            return GROUP
        case JobChanged():
            return JOB


def _told(said: Reading, signal: Signal) -> tuple[str, dict[str, Any]]:
    """What kind of thing the signal says, and its words."""
    match said:
        case Warned(instance, action):
            return "warned", {"instance": instance, "action": action}
        case AtRisk(instance):
            return "at-risk", {"instance": instance}
        case Launched(_, ""):
            return "launched", {}
        case Launched(_, failure):
            return "launch-failed", {"text": failure, "zone": short_zone(failure) or None}
        case JobChanged():
            return "job", {
                "status": signal.detail.get("TrainingJobStatus"),
                "secondary_status": signal.detail.get("SecondaryStatus"),
            }


def _shortage(said: Reading) -> dict[str, Any]:
    """The instance type that a failed launch names, and the zones that AWS would try instead."""
    if not isinstance(said, Launched) or not (named := short_type(said.failure)):
        return {}
    return {"instance_type": named, "az_hints": list(zone_hints(said.failure))}
