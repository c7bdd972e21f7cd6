"""What an operator may ask of an incident, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from functions.core.decision import Refuse
from functions.core.incident import Incident, Intent, Stage
from functions.core.mode import Mode

COMMANDS = ("approve", "reject", "revert")


@dataclass(frozen=True)
class Accepted:
    """The incident with the operator's word in it; the next decision follows it."""

    incident: Incident


@dataclass(frozen=True)
class Rejected:
    """The operator does not want it done."""

    reason: str


def answer(
    intent: Intent, incident: Incident | None, mode: Mode, irreversible: str, now: datetime
) -> Accepted | Rejected | Refuse:
    """Whether an operator's intent is followed. incident: the open one, else the one asked for.

    irreversible: why what was done cannot be undone; empty if it can.
    """
    if incident is None:
        return Refuse("unknown-incident", f"there is no incident {intent.incident}")
    if incident.id != intent.incident:
        return Refuse(
            "another-open",
            f"incident {incident.id} is open on this target; end that one first",
        )
    match intent.command:
        case "approve" if incident.stage is Stage.AWAITING_APPROVAL:
            return Accepted(replace(incident, approved_by=intent.by))
        case "reject" if incident.stage is Stage.AWAITING_APPROVAL:
            return Rejected(f"rejected by {intent.by}")
        case "approve" | "reject":
            return Refuse("not-awaiting", f"it awaits no approval, it is {incident.stage.value}")
        case "revert" if incident.reverted_by:
            return Refuse("reverted-already", f"{incident.reverted_by} had it reverted already")
        case "revert" if incident.written is None or incident.before is None:
            return Refuse("nothing-to-revert", "it has changed nothing")
        case "revert" if irreversible:
            return Refuse("cannot-be-undone", irreversible)
        case "revert" if mode < Mode.APPROVE:
            return Refuse("observe", "the mode is observe: nothing is changed, nor put back")
        case "revert":
            note = f"{intent.by} asks to put it back"
            asked = incident.to(
                Stage.ACTED,
                now,
                note,
                goal=incident.before,
                reverted_by=intent.by,
                attempts=0,
            )
            return Accepted(asked)
        case _:
            known = ", ".join(COMMANDS)
            return Refuse("unknown-command", f"{intent.command!r} is none of {known}")
