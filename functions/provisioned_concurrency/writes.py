"""A change of the level, as it is asked for, and how often one may be. Pure."""

from __future__ import annotations

from datetime import timedelta

from functions.core.decision import Act, Dial, Move, Refuse
from functions.core.incident import Incident
from functions.provisioned_concurrency.demand import NEWEST, peak
from functions.provisioned_concurrency.history import at
from functions.provisioned_concurrency.money import Bill
from functions.provisioned_concurrency.observation import Rules, Seen

HOUR = timedelta(hours=1)


def write(seen: Seen, to: int, reason: str, cost: Bill, goal: Dial | None = None) -> Act:
    """The whole dial with a level in it: of a dial that a scalable target owns only the floor moves.
    goal: what is to stand in the end, where that is not the same."""
    if seen.owner is None:
        dial: Dial = {"provisioned": to, "minimum": None}
    else:
        dial = {"provisioned": seen.requested, "minimum": to}
    evidence = {
        "from": seen.level,
        "to": to,
        "demand": peak(seen.minutes[-NEWEST:]),
        **cost.evidence,
    }
    return Act(reason, dial, goal or dial, Move.FORWARD, evidence)


def too_often(seen: Seen, incident: Incident | None, rules: Rules) -> Refuse | None:
    """Why the target may not be changed once more within the hour, if so."""
    acts = incident.acts if incident is not None else ()
    recent = sum(seen.now - at(act) < HOUR for act in acts)
    if recent < rules.changes_per_hour:
        return None
    return Refuse(
        "change-limit",
        f"{seen.name} was changed {recent} times in the last hour; {rules.changes_per_hour} are allowed",
        page=True,
        again=300,
    )
