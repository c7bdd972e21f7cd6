"""What stands between a decision and an action: mode, hands-off, cooldown, limits. Pure."""

from __future__ import annotations

from functions.core.decision import Act, Move, Refuse
from functions.core.incident import Incident, Standing
from functions.core.mode import Mode
from functions.core.settings import Settings

HOUR = 3600.0
OBSERVE, NEEDS_APPROVAL = "observe", "needs-approval"


def check(
    act: Act,
    standing: Standing,
    incident: Incident,
    mode: Mode,
    settings: Settings,
    now: float,
) -> Refuse | None:
    """Why the action may not be taken now, or None. now: epoch seconds.

    A further step of an action under way, and what a person asked for, wait for no cooldown. A
    move to safety waits for neither cooldown nor the limit of its target.
    """
    if mode is Mode.OBSERVE:
        return Refuse(OBSERVE, "the mode is observe: this is what would be done")
    why = act.ask or ("the mode is approve" if mode is Mode.APPROVE else "")
    if why and not incident.approved_by and not incident.reverted_by:
        return Refuse(
            NEEDS_APPROVAL,
            f"{why}: say yes with `remediation approve {incident.id}`",
            page=True,
        )
    if act.move is Move.SAFETY or incident.attempts > 0:
        return None
    if now < standing.cooldown_until and not incident.reverted_by:
        left = round(standing.cooldown_until - now)
        return Refuse("cooldown", f"it was changed a short while ago; {left} s of rest are left")
    limit = settings.limits.actions_per_hour_per_target
    if len(recent(standing, now)) >= limit:
        return Refuse(
            "target-limit",
            f"{limit} actions on this target in an hour are allowed",
            page=True,
        )
    return None


def recent(standing: Standing, now: float) -> tuple[float, ...]:
    """The counted actions of the last hour."""
    return tuple(t for t in standing.actions if t > now - HOUR)
