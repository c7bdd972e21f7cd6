"""What becomes of the On-Demand job that took over. Pure."""

from __future__ import annotations

from functions.core.decision import Decision, Fail, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.spot_fallback.observation import JobSeen, Rules
from functions.spot_fallback.progress import (
    fleet,
    idle_since,
    short_of_capacity,
    waits_for_instances,
)

RUNNING_LOOK, WAITING_LOOK = 300, 60
SHORT = "on-demand-short"


def follow(seen: JobSeen, incident: Incident | None, rules: Rules) -> Decision:
    """How the heir fares. incident: the open one; without one nobody waits for it here."""
    assert seen.heir is not None
    heir, name = seen.heir.description, seen.heir.name
    status, secondary = heir["TrainingJobStatus"], heir["SecondaryStatus"]
    if status == "Completed":
        return Settled(f"{name} completed On-Demand")
    if incident is None:
        return Settled(f"{name} took over, and is {secondary}")
    if waits_for_instances(heir):
        idle = seen.now - idle_since(heir)
        if idle <= rules.patience:
            return Wait(f"{name} waits for On-Demand instances", again=WAITING_LOOK)
        return Refuse(
            SHORT,
            f"{name} had no On-Demand instances for {idle.total_seconds() / 60:.0f} min: "
            f"{_types(seen)} is short",
            page=True,
            next_steps=_ways_out(seen),
            again=WAITING_LOOK,
        )
    reason = str(heir.get("FailureReason", "no reason given"))
    if short_of_capacity(heir):
        return Fail(
            SHORT, f"{name} failed for want of {_types(seen)}: {reason}", next_steps=_ways_out(seen)
        )
    if status == "Failed":
        return Fail(
            "heir-failed",
            f"{name} failed: {reason}",
            next_steps=(
                f"See the logs of {name}, and begin the job anew once they are understood",
            ),
        )
    if status == "Stopped":
        return Fail(
            "heir-stopped",
            f"{name} was stopped ({secondary}) before it completed",
            next_steps=("Begin the job anew if it is still wanted; its checkpoints are kept",),
        )
    return Wait(f"{name} is {secondary} On-Demand", again=RUNNING_LOOK)


def _types(seen: JobSeen) -> str:
    assert seen.heir is not None
    return ", ".join(fleet(seen.heir.description)) or "capacity"


def _ways_out(seen: JobSeen) -> tuple[str, ...]:
    return (
        f"Have quota_increase answer for {_types(seen)}: when capacity is short it offers Training "
        "Plans, best first",
        "Name other types in spot_fallback.fallback_types and deploy; later jobs then try them",
    )
