"""What an operator may ask, of which incident, in which mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.core.decision import Refuse
from functions.core.incident import Incident, Intent, Stage
from functions.core.intents import COMMANDS, Accepted, Rejected, answer
from functions.core.mode import Mode
from tests.unit.endpoints import SHOP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = {"green": {"weight": 1, "count": 1}}
WRITTEN = {"green": {"weight": 0, "count": 1}}
FRESH = Incident.opened("traffic_shift", SHOP, NOON)
CHANGED = replace(FRESH, before=BEFORE, written=WRITTEN, goal=WRITTEN, attempts=2)


def asked(
    command: str, incident: Incident | None, mode: Mode = Mode.ACT, irreversible: str = ""
) -> str:
    intent = Intent("i", command, FRESH.id, "jane")
    match answer(intent, incident, mode, irreversible, NOON):
        case Accepted():
            return "accepted"
        case Rejected():
            return "rejected"
        case Refuse(code):
            return code


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("command", ["approve", "reject"])
def test_only_what_awaits_approval_is_approved_or_rejected(
    command: str, stage: Stage, mode: Mode
) -> None:
    expected = {"approve": "accepted", "reject": "rejected"}[command]
    if stage is not Stage.AWAITING_APPROVAL:
        expected = "not-awaiting"

    assert asked(command, replace(FRESH, stage=stage), mode) == expected


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stage", Stage)
def test_what_changed_something_is_reverted_where_something_may_be_changed(
    stage: Stage, mode: Mode
) -> None:
    expected = "accepted" if mode >= Mode.APPROVE else "observe"

    assert asked("revert", replace(CHANGED, stage=stage), mode) == expected


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stage", Stage)
def test_what_changed_nothing_is_not_reverted(stage: Stage, mode: Mode) -> None:
    assert asked("revert", replace(FRESH, stage=stage), mode) == "nothing-to-revert"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stage", Stage)
def test_what_was_reverted_is_not_reverted_again(stage: Stage, mode: Mode) -> None:
    done = replace(CHANGED, stage=stage, reverted_by="joe")

    assert asked("revert", done, mode) == "reverted-already"


@pytest.mark.parametrize("command", [*COMMANDS, "delete", ""])
def test_no_incident_and_another_one_are_told_apart(command: str) -> None:
    assert asked(command, None) == "unknown-incident"
    assert asked(command, replace(CHANGED, id="other")) == "another-open"


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("command", ["", "delete", "Revert", "shift"])
def test_unknown_commands_are_refused(command: str, stage: Stage) -> None:
    assert asked(command, replace(CHANGED, stage=stage)) == "unknown-command"


def test_an_approval_is_recorded_with_the_name_given() -> None:
    waiting = replace(FRESH, stage=Stage.AWAITING_APPROVAL)
    accepted = answer(Intent("i", "approve", FRESH.id, "jane"), waiting, Mode.APPROVE, "", NOON)

    assert isinstance(accepted, Accepted)
    assert accepted.incident.approved_by == "jane"


def test_a_revert_goes_back_to_the_dial_before_as_a_new_action() -> None:
    done = replace(CHANGED, stage=Stage.VERIFIED, closed_at=NOON.isoformat())
    accepted = answer(Intent("i", "revert", FRESH.id, "jane"), done, Mode.ACT, "", NOON)

    assert isinstance(accepted, Accepted)
    reopened = accepted.incident
    assert reopened.goal == BEFORE
    assert reopened.reverted_by == "jane"
    assert reopened.attempts == 0
    assert reopened.stage.is_open
    assert reopened.closed_at is None


def test_what_cannot_be_undone_is_not_reverted() -> None:
    assert asked("revert", CHANGED, irreversible="a request cannot be taken back") == (
        "cannot-be-undone"
    )
