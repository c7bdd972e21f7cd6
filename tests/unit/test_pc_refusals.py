"""What of an alias allows no change of its level, by name, and how long that is waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.core.decision import Act, Refuse, Wait
from functions.provisioned_concurrency import obstacles
from functions.provisioned_concurrency.decision import decide
from functions.provisioned_concurrency.observation import Seen, Status
from tests.unit.pc import NIGHT, NOON, RULES, alias, level_of, written


@pytest.mark.parametrize("code", ["weighted-alias", "deploying", "managed-instances"])
def test_an_obstacle_is_refused_by_its_name(code: str) -> None:
    refusal = Refuse(code, "it is so")
    assert decide(alias(0, obstacle=refusal), None, RULES) is refusal


def test_a_wish_that_cannot_be_followed_leaves_the_level_where_it_is() -> None:
    refusal = Refuse("bad-schedule", "it is no window")
    assert decide(alias(20, NIGHT, wish=refusal), written(0, 20, ago=[600]), RULES) is refusal


def allocating(level: int, minutes: float) -> Seen:
    """A level that was asked for so many minutes ago, and of which nothing is ready."""
    changed = NOON - timedelta(minutes=minutes)
    return alias(level, status=Status.IN_PROGRESS, available=0, changed_at=changed)


def test_what_is_being_allocated_is_waited_for() -> None:
    assert isinstance(decide(allocating(20, 3), None, RULES), Wait)
    assert isinstance(decide(allocating(30, 3), written(0, 30, ago=[3]), RULES), Wait)


def test_what_somebody_else_has_allocated_is_refused_by_name_while_it_stands_in_the_way() -> None:
    decision = decide(allocating(10, 3), None, RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page) == ("in-progress", False)


@pytest.mark.parametrize(("lead", "minutes"), [(None, 16), (timedelta(minutes=20), 45)])
def test_an_allocation_that_lasts_too_long_is_told_to_a_person(
    lead: timedelta | None, minutes: float
) -> None:
    seen = replace(allocating(20, minutes), lead=lead)
    decision = decide(seen, written(0, 20, ago=[minutes]), RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page) == ("in-progress", True)
    shorter = replace(allocating(20, minutes - 2), lead=lead)
    assert isinstance(decide(shorter, written(0, 20, ago=[minutes - 2]), RULES), Wait)


def test_a_failed_initialisation_is_never_tried_again_blindly() -> None:
    seen = alias(20, status=Status.FAILED, status_reason="FUNCTION_ERROR_INIT_FAILURE")
    decision = decide(seen, written(0, 20, ago=[5]), RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page) == ("init-failed", True)
    assert "FUNCTION_ERROR_INIT_FAILURE" in decision.reason


def test_a_deployment_that_does_not_start_is_told_as_such_and_not_as_its_weights() -> None:
    weights = Refuse(obstacles.WEIGHTED, "it has weights")
    seen = alias(20, obstacle=weights, status=Status.FAILED, available=0, status_reason="broken")
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page) == ("init-failed", True)
    assert decide(replace(seen, status=Status.READY), None, RULES) == weights
    gone = Refuse("alias-gone", "it is gone")
    assert decide(replace(seen, obstacle=gone), None, RULES) == gone


def test_a_failed_level_is_let_go_of_when_nobody_asks_for_it() -> None:
    seen = alias(20, NIGHT, status=Status.FAILED)
    assert level_of(decide(seen, written(0, 20, ago=[300], now=NIGHT), RULES)) == 0


@pytest.mark.parametrize(("allowed", "falls"), [(1, False), (2, True)])
def test_it_falls_only_so_often_an_hour_too(allowed: int, falls: bool) -> None:
    rules = replace(RULES, changes_per_hour=allowed)
    seen = alias(20, NIGHT, changed_at=NIGHT - timedelta(minutes=29))
    decision = decide(seen, written(0, 20, ago=[29], now=NIGHT), rules)
    if falls:
        assert level_of(decision) == 0
    else:
        assert isinstance(decision, Refuse)
        assert decision.code == "change-limit"


def test_a_target_is_changed_only_so_often_an_hour() -> None:
    rules = replace(RULES, changes_per_hour=2)
    incident = written(0, 20, 0, ago=[40, 20])
    decision = decide(alias(0), incident, rules)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page) == ("change-limit", True)
    assert isinstance(decide(alias(0), incident, replace(rules, changes_per_hour=3)), Act)
