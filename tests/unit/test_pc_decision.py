"""Which level an alias or a serverless variant is to have, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.decision import Act, Move, Refuse, Settled, Wait
from functions.provisioned_concurrency.decision import decide, glance, stands, tally
from functions.provisioned_concurrency.observation import (
    Glance,
    Owner,
    Service,
    Status,
    Wish,
)
from functions.provisioned_concurrency.schedule import parse
from tests.unit.pc import (
    ALWAYS,
    NIGHT,
    NOON,
    OFFICE,
    RULES,
    alias,
    bursting,
    follow,
    level_of,
    steady,
    variant,
    written,
)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=UTC)


# the schedule


def test_inside_a_window_the_level_is_raised_to_its() -> None:
    decision = decide(alias(0), None, RULES)
    assert level_of(decision) == 20
    assert isinstance(decision, Act)
    assert decision.move is Move.FORWARD
    assert "the schedule of shop:live asks for 20" in decision.reason


def test_of_traffic_before_its_window_a_rise_says_nothing() -> None:
    decision = decide(alias(5, minutes=steady(1)), None, RULES)
    assert "from 5 to 20, which so many invocations at once find warm" in decision.reason
    assert "20 cost $0.30 an hour and pay when busy 60% of the time" in decision.reason


@pytest.mark.parametrize(
    ("lead", "minutes_before", "raised"),
    [(None, 5, True), (None, 6, False), (timedelta(minutes=8), 10, True)],
)
def test_a_rise_is_ahead_of_its_window_by_what_allocation_lasts_and_two_minutes(
    lead: timedelta | None, minutes_before: int, raised: bool
) -> None:
    now = at(8, 0) - timedelta(minutes=minutes_before)
    decision = decide(alias(0, now, lead=lead), None, RULES)
    assert isinstance(decision, Act if raised else Settled)


def test_outside_all_windows_nothing_is_provisioned() -> None:
    assert level_of(decide(alias(20, NIGHT), written(0, 20, ago=[840], now=NIGHT), RULES)) == 0
    assert isinstance(decide(alias(0, NIGHT), None, RULES), Settled)


def test_outside_all_windows_the_level_is_the_minimum() -> None:
    wish = replace(OFFICE, minimum=3)
    incident = written(3, 20, ago=[840], now=NIGHT)
    assert level_of(decide(alias(20, NIGHT, wish=wish), incident, RULES)) == 3
    assert level_of(decide(alias(0, NIGHT, wish=wish), None, RULES)) == 3


def test_a_level_that_somebody_else_left_too_high_follows_the_schedule_too() -> None:
    assert level_of(decide(alias(30, NIGHT), None, RULES)) == 0


@pytest.mark.parametrize(("minutes", "theirs"), [(1, True), (59, True), (60, False)])
def test_what_somebody_else_has_just_asked_for_is_left_to_them_for_an_hour(
    minutes: int, theirs: bool
) -> None:
    changed = NIGHT - timedelta(minutes=minutes)
    decision = decide(alias(30, NIGHT, changed_at=changed), None, RULES)
    if theirs:
        assert isinstance(decision, Refuse)
        assert decision.code == "asked-for-by-others"
        assert decision.again == (60 - minutes) * 60
    else:
        assert level_of(decision) == 0


def test_nobody_is_left_a_level_that_failed() -> None:
    changed = NIGHT - timedelta(minutes=9)
    seen = alias(30, NIGHT, changed_at=changed, status=Status.FAILED, available=0)
    assert level_of(decide(seen, None, RULES)) == 0


def test_a_fall_by_the_schedule_waits_for_no_edge() -> None:
    now = at(18, 1)
    changed = now - timedelta(minutes=601)
    seen = alias(20, now, changed_at=changed, wish=replace(OFFICE, minimum=19))
    assert level_of(decide(seen, written(19, 20, ago=[601], now=now), RULES)) == 19


@pytest.mark.parametrize(
    ("lead", "again_at", "falls"),
    [(None, 14, False), (None, 16, True), (timedelta(minutes=15), 26, False)],
)
def test_the_level_does_not_fall_when_it_would_be_raised_within_ten_minutes(
    lead: timedelta | None, again_at: int, falls: bool
) -> None:
    """A rise is asked for ahead of its window: by 5 minutes, or by what was measured and 2."""
    wish = Wish(parse(f"mon@08:00-12:00=20 mon@12:{again_at}-18:00=20"))
    now = at(12, 0)
    decision = decide(
        alias(20, now, wish=wish, lead=lead), written(0, 20, ago=[240], now=now), RULES
    )
    if falls:
        assert level_of(decision) == 0
    else:
        assert isinstance(decision, Wait)


@pytest.mark.parametrize("gap", range(1, 40, 3))
@pytest.mark.parametrize("lead", [None, 1, 15])
def test_between_two_windows_no_level_is_left_and_come_back_to_within_ten_minutes(
    gap: int, lead: int | None
) -> None:
    wish = Wish(parse(f"mon@08:00-12:00=20 mon@12:{gap:02}-18:00=20"))
    measured = None if lead is None else timedelta(minutes=lead)
    level, incident, moves = 20, written(0, 20, ago=[240]), []
    for minute in range(gap + 1):
        now = NOON + timedelta(minutes=minute)
        seen = alias(level, now, wish=wish, lead=measured)
        decision, incident = follow(seen, incident, RULES)  # type: ignore[assignment]
        if isinstance(decision, Act):
            level = level_of(decision)
            moves.append(minute)
    assert level == 20
    assert moves == [] or moves[1] - moves[0] >= 10


def test_a_level_that_stands_as_the_schedule_wants_is_nobodys_business() -> None:
    assert isinstance(decide(alias(20), None, RULES), Settled)


def test_our_level_is_kept_and_told_once_with_what_it_costs_and_buys() -> None:
    seen = alias(20, minutes=steady(15))
    decision = decide(seen, written(0, 20, ago=[120]), RULES)
    assert isinstance(decision, Wait)
    assert decision.code == "kept"
    assert "13500 invocations of the last 15 minutes started warm" in decision.reason
    assert "20 cost $0.30 an hour and pay: busy 75% of the time, 60% are needed" in decision.reason


def test_a_level_that_does_not_pay_is_said_so() -> None:
    decision = decide(alias(20, minutes=steady(3)), written(0, 20, ago=[120]), RULES)
    assert isinstance(decision, Wait)
    assert "does not pay: busy 15% of the time, 60% are needed" in decision.reason
    assert decision.evidence["pays"] is False


def test_a_kept_level_is_looked_at_again_before_the_schedule_changes() -> None:
    now = at(17, 50)
    decision = decide(alias(20, now), written(0, 20, ago=[590], now=now), RULES)
    assert isinstance(decision, Wait)
    assert decision.again == 300  # by then a rise at 18:00 would be due
    noon = decide(alias(20), written(0, 20, ago=[240]), RULES)
    assert isinstance(noon, Wait)
    assert noon.again == (6 * 60 - 5) * 60


def test_what_is_back_at_rest_is_settled_once_it_has_stood_for_ten_minutes() -> None:
    fresh = written(0, 20, 0, ago=[600, 9], now=NIGHT)
    waiting = decide(alias(0, NIGHT), fresh, RULES)
    assert isinstance(waiting, Wait)
    assert waiting.code == ""  # that nothing is kept is nothing to tell
    assert waiting.again == 60
    stood = written(0, 20, 0, ago=[600, 10], now=NIGHT)
    assert isinstance(decide(alias(0, NIGHT), stood, RULES), Settled)


# the scalable target's dial


def test_of_an_owned_dial_only_the_floor_is_moved() -> None:
    seen = alias(7, owner=Owner(2, 50))
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"provisioned": 7, "minimum": 20}


def test_the_floor_that_stood_before_is_put_back_after_the_window() -> None:
    seen = alias(20, NIGHT, owner=Owner(20, 50))
    incident = written(2, 20, ago=[840], owned=True, now=NIGHT)
    assert level_of(decide(seen, incident, RULES)) == 2


@pytest.mark.parametrize("traffic", [10, 18])
def test_the_floor_is_put_back_whatever_the_traffic(traffic: float) -> None:
    """Within the bounds the owner's policies follow the traffic."""
    incident = written(2, 20, ago=[600], owned=True, now=NIGHT)
    seen = alias(20, NIGHT, owner=Owner(20, 50), minutes=steady(traffic, NIGHT))
    assert decide(seen, incident, RULES).write == {"provisioned": 20, "minimum": 2}  # type: ignore


def test_what_a_scalable_target_did_a_moment_ago_was_asked_for_by_nobody() -> None:
    moved = NIGHT - timedelta(minutes=4)
    wish = replace(OFFICE, minimum=2)
    seen = alias(30, NIGHT, owner=Owner(20, 50), changed_at=moved, wish=wish)
    assert decide(seen, None, RULES).write == {"provisioned": 30, "minimum": 2}  # type: ignore


def test_a_floor_at_rest_is_settled() -> None:
    assert isinstance(decide(alias(9, NIGHT, owner=Owner(2, 50)), None, RULES), Settled)


@pytest.mark.parametrize(
    ("dial", "same"),
    [
        ({"provisioned": 20, "minimum": None}, True),
        ({"provisioned": 19, "minimum": None}, False),
        ({"provisioned": 20, "minimum": 20}, False),
    ],
)
def test_a_dial_stands_where_it_was_written(dial: dict[str, Any], same: bool) -> None:
    assert stands(dial, {"provisioned": 20, "minimum": None}) is same


def test_what_a_scalable_target_does_within_its_bounds_is_its_own_affair() -> None:
    assert stands({"provisioned": 31, "minimum": 5}, {"provisioned": 7, "minimum": 5})
    assert not stands({"provisioned": 7, "minimum": 6}, {"provisioned": 7, "minimum": 5})


# SageMaker's least level


def test_a_serverless_variant_falls_to_one_and_is_told_what_would_remove_it() -> None:
    incident = written(0, 20, ago=[840], now=NIGHT)
    assert level_of(decide(variant(20, now=NIGHT), incident, RULES)) == 1
    decision = decide(variant(1, now=NIGHT), written(0, 20, 1, ago=[840, 20], now=NIGHT), RULES)
    assert isinstance(decision, Refuse)
    assert decision.code == "at-least-one"
    assert any("ProvisionedConcurrency" in step for step in decision.next_steps)


def test_a_variant_without_any_is_at_rest_without_any() -> None:
    assert isinstance(decide(variant(0, now=NIGHT), None, RULES), Settled)


# putting back


def test_what_a_person_has_put_back_goes_back_and_is_settled_there() -> None:
    asked = replace(
        written(4, 20, ago=[30]), reverted_by="ann", goal={"provisioned": 4, "minimum": None}
    )
    assert level_of(decide(alias(20), asked, RULES)) == 4
    assert isinstance(decide(alias(4), asked, RULES), Settled)


def test_what_is_put_back_waits_for_an_obstacle_to_pass() -> None:
    asked = replace(
        written(4, 20, ago=[30]), reverted_by="ann", goal={"provisioned": 4, "minimum": None}
    )
    refusal = Refuse("weighted-alias", "it has weights")
    assert decide(alias(20, obstacle=refusal), asked, RULES) is refusal
    assert isinstance(decide(alias(20, status=Status.IN_PROGRESS), asked, RULES), Wait)


# what a person was asked


def test_what_a_variant_cannot_put_back_is_settled_where_it_goes_no_further() -> None:
    incident = replace(
        written(0, 1, ago=[30]), reverted_by="ann", goal={"provisioned": 0, "minimum": None}
    )
    decision = decide(variant(1), incident, RULES)
    assert isinstance(decision, Settled)
    assert "1 is kept" in decision.reason


def test_a_question_that_was_answered_is_no_question_any_more() -> None:
    """A rise by traffic, over what a person agreed to."""
    approved = replace(written(0, 20, ago=[60]), asked_goal={"provisioned": 20, "minimum": None})
    seen = alias(20, wish=ALWAYS, minutes=bursting(20, 600, 15))
    assert level_of(decide(seen, approved, RULES)) == 29


def test_a_question_stays_the_same_while_it_is_about_as_much() -> None:
    first = decide(alias(5, wish=ALWAYS, minutes=bursting(30, 300, 4)), None, RULES)
    assert level_of(first) == 41
    asked = replace(written(5, 5, ago=[30]), written=None, acts=(), asked_goal=first.goal)  # type: ignore[union-attr]
    again = decide(alias(5, wish=ALWAYS, minutes=bursting(32, 330, 4)), asked, RULES)
    assert level_of(again) == 41
    more = decide(alias(5, wish=ALWAYS, minutes=bursting(50, 900, 4)), asked, RULES)
    assert level_of(more) == 60


# a glance


def seen_from_afar(level: int, **different: Any) -> Glance:
    found = Glance("t", Service.LAMBDA, NOON, OFFICE, level, False, False, steady(0), None)
    return replace(found, **different)


@pytest.mark.parametrize(
    ("afar", "cause"),
    [
        (seen_from_afar(20), ""),
        (seen_from_afar(19), "schedule"),
        (seen_from_afar(0, now=NIGHT), ""),
        (seen_from_afar(20, wish=Refuse("bad-schedule", "no")), "settings"),
        (seen_from_afar(20, failed=True), "failed"),
        (seen_from_afar(20, minutes=bursting(30, 600, 5)), "spill"),
        (seen_from_afar(7, wish=Wish()), ""),
        (seen_from_afar(20, owned=True), ""),
        (seen_from_afar(3, owned=True, now=NIGHT), ""),
        (seen_from_afar(1, service=Service.SAGEMAKER, now=NIGHT), ""),
        (seen_from_afar(2, service=Service.SAGEMAKER, now=NIGHT), "schedule"),
        (seen_from_afar(0, service=Service.SAGEMAKER, now=NIGHT), ""),
    ],
)
def test_a_glance_tells_what_is_worth_a_look(afar: Glance, cause: str) -> None:
    assert glance(afar, RULES) == cause


# what is counted


def test_hours_and_dollars_grow_with_the_level_from_look_to_look() -> None:
    first = replace(written(0, 20, ago=[5]), tally={})
    begun = tally(alias(20), first)
    assert begun["ProvisionedHours"] == 0
    later = tally(alias(20, NOON + timedelta(minutes=30)), replace(first, tally=begun))
    assert later["ProvisionedHours"] == pytest.approx(10)
    assert later["ProvisionedDollars"] == pytest.approx(10 * 3600 * 0.0000041667)


def test_evidence_can_be_written_down() -> None:
    for seen in (alias(0), alias(20, minutes=steady(3)), variant(1, now=NIGHT)):
        decision = decide(seen, written(0, 20, ago=[120]), RULES)
        assert json.dumps(decision.evidence)  # type: ignore[union-attr]
