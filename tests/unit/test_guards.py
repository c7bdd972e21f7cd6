"""What stands between a decision and an action."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.decision import Act, Move
from functions.core.guards import check, recent
from functions.core.incident import Incident, Standing
from functions.core.mode import Mode, lower, of_tag
from functions.core.settings import Limits, Settings
from tests.unit.endpoints import SHOP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON.timestamp()
INCIDENT = Incident.opened("traffic_shift", SHOP, NOON)
STANDING = Standing(SHOP, "traffic_shift")
RESTING = replace(STANDING, cooldown_until=NOW + 100)
FULL = replace(STANDING, actions=(NOW - 10, NOW - 20, NOW - 30, NOW - 40))


def held(
    move: Move = Move.FORWARD,
    mode: Mode = Mode.ACT,
    standing: Standing = STANDING,
    incident: Incident = INCIDENT,
    settings: Settings | None = None,
    now: float = NOW,
) -> str | None:
    act = Act("why", {}, {}, move)
    refusal = check(act, standing, incident, mode, settings or Settings(), now)
    return refusal.code if refusal else None


def changed(**changes: Any) -> Incident:
    return replace(INCIDENT, **changes)


@pytest.mark.parametrize("move", Move)
def test_nothing_is_done_in_observe(move: Move) -> None:
    assert held(move, Mode.OBSERVE) == "observe"
    assert held(move, Mode.OBSERVE, incident=changed(approved_by="jane")) == "observe"
    assert held(move, Mode.OBSERVE, incident=changed(attempts=3)) == "observe"


@pytest.mark.parametrize("move", Move)
def test_nothing_is_done_in_approve_before_a_person_said_yes(move: Move) -> None:
    assert held(move, Mode.APPROVE) == "needs-approval"
    assert held(move, Mode.APPROVE, incident=changed(approved_by="jane")) is None
    assert held(move, Mode.APPROVE, incident=changed(reverted_by="jane")) is None


def test_a_forward_move_waits_for_the_rest_of_its_target() -> None:
    assert held(standing=RESTING) == "cooldown"
    assert held(standing=RESTING, now=NOW + 99.9) == "cooldown"
    assert held(standing=RESTING, now=NOW + 100) is None


def test_a_move_to_safety_waits_for_nothing() -> None:
    assert held(Move.SAFETY, standing=RESTING) is None
    assert held(Move.SAFETY, standing=FULL) is None


def test_a_further_step_and_what_a_person_asked_for_wait_for_no_rest() -> None:
    assert held(standing=RESTING, incident=changed(attempts=1)) is None
    assert held(standing=RESTING, incident=changed(reverted_by="jane")) is None


def test_a_target_has_so_many_forward_moves_an_hour() -> None:
    assert held(standing=FULL) == "target-limit"
    assert held(standing=replace(FULL, actions=FULL.actions[1:])) is None
    assert held(standing=FULL, now=NOW + 3600) is None


def test_a_revert_counts_against_the_targets_limit() -> None:
    assert held(standing=FULL, incident=changed(reverted_by="jane")) == "target-limit"


def test_a_limit_of_nothing_allows_nothing() -> None:
    none = Settings(limits=Limits(actions_per_hour_per_target=0))

    assert held(settings=none) == "target-limit"


def test_an_action_counts_for_an_hour() -> None:
    standing = replace(STANDING, actions=(NOW - 3600, NOW - 3599.9, NOW))

    assert recent(standing, NOW) == (NOW - 3599.9, NOW)


# mode and tag

KEY = "ml-remediation:traffic-shift"


@pytest.mark.parametrize("account", Mode)
@pytest.mark.parametrize("tag", Mode)
def test_the_lower_of_the_accounts_mode_and_the_tag_counts(account: Mode, tag: Mode) -> None:
    found = lower(account, of_tag({KEY: tag.word}, "traffic-shift"))

    if Mode.OFF in (account, tag):
        assert not isinstance(found, Mode)
        assert found.code == ("tag-off" if tag is Mode.OFF else "account-off")
    else:
        assert found is min(account, tag)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, "not-opted-in"),
        ({"ml-remediation:spot-fallback": "act"}, "not-opted-in"),
        ({KEY.upper(): "act"}, "not-opted-in"),
        ({KEY: ""}, "bad-tag"),
        ({KEY: "Act"}, "bad-tag"),
        ({KEY: "act "}, "bad-tag"),
        ({KEY: "on"}, "bad-tag"),
    ],
)
def test_a_tag_that_is_missing_or_unknown_opts_nothing_in(
    tags: dict[str, str], expected: str
) -> None:
    found = lower(Mode.ACT, of_tag(tags, "traffic-shift"))

    assert not isinstance(found, Mode)
    assert found.code == expected
