"""When a training job goes On-Demand, and when it is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.decision import Act, Move, Refuse, Settled, Wait
from functions.core.incident import Stage
from functions.spot_fallback.clone import heir_name
from functions.spot_fallback.jobs import decide
from tests.unit.spot_jobs import (
    LOST,
    NOON,
    RULES,
    TYPE,
    WAITING,
    acted,
    job,
    minutes,
    opened,
    over,
    seen,
    stopped_by_us,
)

HEIR = heir_name(job())
STOP = {"stopped": True, "heir": None}
DONE = {"stopped": True, "heir": HEIR}


def at(time: float) -> str:
    """So many minutes after noon, as a tag has it."""
    return (NOON + minutes(time)).isoformat()


# left alone


def test_a_job_on_demand_is_none_of_ours() -> None:
    assert isinstance(decide(seen(job(EnableManagedSpotTraining=None), 99), None, RULES), Settled)


@pytest.mark.parametrize("secondary", ["Downloading", "Training", "Uploading", "Thinking"])
def test_a_job_on_instances_stays_there_however_late_it_is(secondary: str) -> None:
    """Also in a status that nobody knows yet."""
    late = seen(job([*LOST, (secondary, 300)]), 2000, deadline=at(301))

    assert isinstance(decide(late, None, RULES), Settled)
    assert isinstance(decide(late, opened(), RULES), Wait)


def test_a_completed_job_needs_nothing() -> None:
    assert isinstance(
        decide(seen(job([*LOST, ("Completed", 900)], "Completed"), 901), None, RULES), Settled
    )


def test_a_job_that_failed_of_itself_is_its_owners() -> None:
    failed = job(
        [*LOST, ("Failed", 300)], "Failed", FailureReason="AlgorithmError: no CapacityError"
    )

    assert decide(seen(failed, 301), None, RULES) == Settled(
        "it failed of itself: AlgorithmError: no CapacityError"
    )


def test_a_job_that_a_person_stopped_is_not_begun_again() -> None:
    stopped = seen(job([*LOST, ("Stopping", 299), ("Stopped", 300)], "Stopped"), 301)

    assert isinstance(decide(stopped, None, RULES), Settled)
    assert isinstance(decide(stopped, opened(), RULES), Settled)


def test_a_job_that_ran_its_time_is_not_given_more() -> None:
    over = job([*LOST, ("Stopping", 299), ("MaxRuntimeExceeded", 300)], "Stopped")

    assert isinstance(decide(seen(over, 301), opened(), RULES), Settled)


def test_a_job_that_is_stopping_is_judged_by_its_end() -> None:
    stopping = seen(job([*LOST, ("Stopping", 300)], "Stopping"), 301)

    assert isinstance(decide(stopping, None, RULES), Settled)
    assert isinstance(decide(stopping, opened(), RULES), Wait)
    assert isinstance(decide(stopping, stopped_by_us(), RULES), Wait)


# patience


def test_a_job_waits_for_spot_as_long_as_its_patience() -> None:
    waiting = decide(seen(job(WAITING), 20), None, RULES)

    assert isinstance(waiting, Wait)
    assert "2026-03-02 12:30" in waiting.reason
    assert waiting.again == 600


def test_a_job_past_its_patience_is_stopped_first() -> None:
    act = acted(decide(seen(job(WAITING), 30), None, RULES))

    assert act.write == STOP
    assert act.goal == DONE
    assert act.move is Move.SAFETY
    assert not act.ask


def test_waiting_is_counted_from_when_the_instances_were_lost() -> None:
    assert isinstance(decide(seen(job(LOST), 279), None, RULES), Wait)
    act = acted(decide(seen(job(LOST), 280), None, RULES))
    assert act.write == STOP
    assert not act.ask  # its work is kept


@pytest.mark.parametrize("secondary", ["Starting", "Interrupted", "Pending", "Restarting"])
def test_every_status_without_instances_counts_as_waiting(secondary: str) -> None:
    assert acted(decide(seen(job([(secondary, 0)]), 31), None, RULES)).write == STOP


def test_the_next_look_is_within_an_hour_and_not_sooner_than_the_heartbeat() -> None:
    patient = replace(RULES, patience=minutes(1000))

    far, near = (decide(seen(job(WAITING), time), None, patient) for time in (20, 999.9))
    assert isinstance(far, Wait)
    assert isinstance(near, Wait)
    assert (far.again, near.again) == (3600, 60)


# deadline

# 10 h allowed, 240 min trained, of which one interruption may have cost 15: 375 min are left.
# With two changeovers of 10 min and 2 min of reaction it must begin 397 min before its deadline.


def test_a_deadline_far_away_lets_it_wait_beyond_its_patience() -> None:
    waiting = decide(seen(job(LOST), 400, deadline=at(400 + 398)), None, RULES)

    assert isinstance(waiting, Wait)
    assert waiting.again == 60


def test_a_deadline_that_would_be_missed_ends_the_waiting_before_its_patience() -> None:
    act = acted(decide(seen(job(LOST), 254, deadline=at(254 + 397)), None, RULES))

    assert act.write == STOP
    assert "just makes it" in act.reason


def test_the_look_that_is_said_to_be_next_comes_in_time() -> None:
    now = 260.0
    while isinstance(
        decision := decide(seen(job(LOST), now, deadline=at(3000)), None, RULES), Wait
    ):
        now += decision.again / 60
    assert 3000 - now >= 375 + 2 * 10
    assert 3000 - now < 375 + 2 * 10 + 2 + 1


def test_work_told_by_tag_counts_instead_of_the_longest_run() -> None:
    """300 min in all, 225 of them kept: 75 are left."""
    assert isinstance(decide(seen(job(LOST), 400, work="5", deadline=at(498)), None, RULES), Wait)
    act = acted(decide(seen(job(LOST), 400, work="5", deadline=at(497)), None, RULES))
    assert act.evidence["leftHours"] == pytest.approx(75 / 60, abs=0.001)
    assert act.evidence["keptHours"] == pytest.approx(225 / 60, abs=0.001)


def test_without_checkpoints_all_work_is_still_to_do() -> None:
    unchecked = job(LOST, CheckpointConfig=None)
    rules = replace(RULES, unchecked=minutes(300))

    assert isinstance(decide(seen(unchecked, 400, work="5", deadline=at(723)), None, rules), Wait)
    assert (
        acted(decide(seen(unchecked, 400, work="5", deadline=at(722)), None, rules)).write == STOP
    )


def test_each_interruption_may_have_cost_work() -> None:
    twice = job([*LOST, ("Training", 260), ("Interrupted", 300)])
    act = acted(decide(seen(twice, 400), None, RULES))

    assert act.evidence["trainedHours"] == pytest.approx(285 / 60, abs=0.001)
    assert act.evidence["keptHours"] == pytest.approx(250 / 60, abs=0.001)


def test_no_work_is_kept_that_was_never_done() -> None:
    short = job([("Starting", 0), ("Training", 5), ("Interrupted", 10)])
    act = acted(decide(seen(short, 400), None, RULES))

    assert (act.evidence["keptHours"], act.evidence["leftHours"]) == (0, 10)


def test_a_deadline_that_is_lost_is_met_as_well_as_can_be_and_it_is_said_by_how_much() -> None:
    act = acted(decide(seen(job(LOST), 254, deadline=at(254 + 280)), None, RULES))

    assert act.write == STOP
    assert "105 min late" in act.reason


def test_a_deadline_in_the_past_is_none_to_wait_for() -> None:
    assert "late" in acted(decide(seen(job(WAITING), 5, deadline=at(-60)), None, RULES)).reason


def test_a_deadline_may_name_any_zone() -> None:
    act = acted(decide(seen(job(WAITING), 5, deadline="2026-03-02T14:00:00+01:00"), None, RULES))

    assert act.evidence["deadline"] == "2026-03-02T14:00:00+01:00"
    assert isinstance(
        decide(seen(job(WAITING), 5, deadline="2026-03-03T14:00:00Z"), None, RULES), Wait
    )


@pytest.mark.parametrize("tag", ["tomorrow", "2026-03-02", "2026-03-02T18:00:00", ""])
def test_a_deadline_that_says_no_moment_is_refused_at_once(tag: str) -> None:
    refusal = decide(seen(job(WAITING), 1, deadline=tag), None, RULES)

    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.page) == ("bad-deadline", True)
    assert repr(tag) in refusal.reason


@pytest.mark.parametrize("tag", ["long", "0", "-1", "nan", "inf", "1e300", ""])
def test_hours_of_work_that_are_none_are_refused_at_once(tag: str) -> None:
    refusal = decide(seen(job(WAITING), 1, work=tag), None, RULES)

    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.page) == ("bad-work-hours", True)


@given(
    trained=st.integers(0, 600),
    idle=st.integers(0, 3000),
    rest=st.integers(-100, 3000),
    changeover=st.integers(0, 60),
    reaction=st.integers(0, 10),
)
def test_it_waits_exactly_as_long_as_the_deadline_can_still_be_met(
    trained: int, idle: int, rest: int, changeover: int, reaction: int
) -> None:
    rules = replace(RULES, changeover=minutes(changeover), reaction=minutes(reaction))
    stays = [("Starting", 0.0), ("Training", 5.0), ("Interrupted", 5.0 + trained)]
    now = 5 + trained + idle
    decision = decide(seen(job(stays), now, deadline=at(now + rest)), None, rules)

    left = 600 - max(0, trained - 15)
    assert isinstance(decision, Wait if rest - reaction > left + 2 * changeover else Act)
    if isinstance(decision, Act):
        assert ("late" in decision.reason) == (rest < left + changeover)


# the second write


def test_once_stopped_for_it_the_heir_is_created() -> None:
    act = acted(decide(seen(over("Stopped"), 301), stopped_by_us(), RULES))

    assert act.goal == DONE
    assert act.write == {
        **DONE,
        "seconds": 600 * 60 - 225 * 60 + 600,
        "types": [],
        "record_by": at(301 + 15),
    }
    assert act.move is Move.SAFETY


def test_the_record_of_its_creation_is_waited_for_from_the_first_try_on() -> None:
    trying = stopped_by_us().to(Stage.ACTING, NOON + minutes(301), "stopped for this")

    act = acted(decide(seen(over("Stopped"), 310), trying, RULES))

    assert act.write["record_by"] == at(301 + 15)


@pytest.mark.parametrize(("room", "waits"), [(60, 15), (5, 5), (-5, -5)])
def test_the_record_is_not_waited_for_past_the_last_moment_for_the_deadline(
    room: int, waits: int
) -> None:
    """Of 5 hours of work 225 min are kept."""
    left, changeover = 5 * 60 - 225, RULES.changeover.total_seconds() / 60
    deadline = at(301 + left + changeover + room)

    late = seen(over("Stopped"), 301, work="5", deadline=deadline)

    assert acted(decide(late, stopped_by_us(), RULES)).write["record_by"] == at(301 + waits)


def test_a_job_that_failed_as_it_was_stopped_is_taken_over_all_the_same() -> None:
    failed = over("Failed", "Failed", FailureReason="InternalServerError")

    assert acted(decide(seen(failed, 301), stopped_by_us(), RULES)).write["heir"] == HEIR


def test_while_it_is_not_over_there_is_no_heir() -> None:
    for stays, status in ((LOST, "InProgress"), ([*LOST, ("Stopping", 300)], "Stopping")):
        assert isinstance(decide(seen(job(stays, status), 300), stopped_by_us(), RULES), Wait)


def test_a_job_that_completed_though_it_was_stopped_needs_no_heir() -> None:
    completed = seen(job([*LOST, ("Completed", 300)], "Completed"), 301)

    assert isinstance(decide(completed, stopped_by_us(), RULES), Settled)


def test_a_job_out_of_wait_time_is_taken_over_in_one_write() -> None:
    act = acted(decide(seen(over(), 301), None, RULES))

    assert act.write["heir"] == HEIR
    assert act.goal == DONE


def test_a_job_that_failed_for_want_of_capacity_is_taken_over() -> None:
    failed = over("Failed", "Failed", FailureReason="CapacityError: Unable to provision requested")

    assert acted(decide(seen(failed, 301), None, RULES)).write["heir"] == HEIR


def test_an_end_found_late_is_its_owners() -> None:
    assert isinstance(decide(seen(over(), 360), None, RULES), Act)
    assert isinstance(decide(seen(over(), 361), None, RULES), Settled)


def test_an_end_found_in_time_waits_a_day_to_be_allowed() -> None:
    day = 24 * 60
    assert isinstance(decide(seen(over(), 300 + day), opened(), RULES), Act)
    assert isinstance(decide(seen(over(), 301 + day), opened(), RULES), Settled)


def test_what_was_stopped_by_us_is_taken_over_however_late() -> None:
    assert isinstance(decide(seen(over("Stopped"), 9999), stopped_by_us(), RULES), Act)


def test_an_heir_may_run_for_what_is_left_and_the_set_up() -> None:
    def seconds(**more: Any) -> Any:
        return acted(decide(seen(over(**more), 301), None, RULES)).write["seconds"]

    assert seconds() == (600 - 225 + 10) * 60
    assert seconds(StoppingCondition={"MaxRuntimeInSeconds": 200 * 60}) == 10 * 60
    assert seconds(StoppingCondition={"MaxRuntimeInSeconds": 60 * 86_400}) == 28 * 86_400


def test_an_heir_without_checkpoints_may_run_as_long_as_its_original() -> None:
    rules = replace(RULES, unchecked=minutes(300))
    act = acted(decide(seen(over(CheckpointConfig=None), 301), None, rules))

    assert act.write["seconds"] == 600 * 60


def test_an_heir_may_be_tried_on_further_types() -> None:
    rules = replace(RULES, fallback_types=("ml.p5.48xlarge", "ml.g5.48xlarge"))

    act = acted(decide(seen(over(), 301), None, rules))
    assert act.write["types"] == [TYPE, "ml.p5.48xlarge", "ml.g5.48xlarge"]


def test_a_lateness_is_told_when_the_heir_is_created() -> None:
    assert "late" in acted(decide(seen(over(), 301, deadline=at(302)), None, RULES)).reason
    assert "late" not in acted(decide(seen(over(), 301, deadline=at(999)), None, RULES)).reason
