"""What becomes of the job that took over, and what both jobs come to in hours and dollars."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.decision import Decision, Fail, Refuse, Settled, Wait
from functions.spot_fallback.clone import heir_name
from functions.spot_fallback.jobs import decide, tally
from functions.spot_fallback.observation import Rates
from functions.spot_fallback.progress import fleet, idle_since, used
from tests.unit.spot_jobs import (
    LOST,
    NOON,
    RULES,
    TYPE,
    WAITING,
    heir_job,
    job,
    minutes,
    opened,
    over,
    seen,
)

DONE = {"stopped": True, "heir": heir_name(job())}


# the heir


def followed(heir: Any, time: float = 320, incident: Any = None) -> Decision:
    known = seen(over("Stopped"), time, heir)
    return decide(known, incident or opened(written=DONE), RULES)


def test_an_heir_under_way_is_waited_for() -> None:
    assert isinstance(followed(heir_job([("Starting", 310), ("Training", 315)])), Wait)
    assert isinstance(
        followed(heir_job([("Starting", 310)], CreationTime=NOON + minutes(310))), Wait
    )


def test_an_heir_that_completed_is_the_end_of_it() -> None:
    assert isinstance(followed(heir_job([("Completed", 500)], "Completed")), Settled)


def test_an_heir_without_instances_beyond_all_patience_is_told_with_ways_out() -> None:
    created = NOON + minutes(290)
    heir = heir_job([("Starting", 290), ("Pending", 291)], CreationTime=created)

    assert isinstance(followed(heir, 320), Wait)
    refusal = followed(heir, 321)
    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.page, refusal.again) == ("on-demand-short", True, 60)
    assert TYPE in refusal.reason
    assert any("Training Plans" in step for step in refusal.next_steps)
    assert any("fallback_types" in step for step in refusal.next_steps)


@pytest.mark.parametrize(
    ("heir", "code"),
    [
        (
            heir_job([("Failed", 300)], "Failed", FailureReason="CapacityError: none"),
            "on-demand-short",
        ),
        (heir_job([("Failed", 300)], "Failed", FailureReason="AlgorithmError"), "heir-failed"),
        (heir_job([("Stopped", 300)], "Stopped"), "heir-stopped"),
        (heir_job([("MaxRuntimeExceeded", 300)], "Stopped"), "heir-stopped"),
    ],
)
def test_an_heir_that_came_to_a_bad_end_is_told_by_name(heir: Any, code: str) -> None:
    fail = followed(heir)

    assert isinstance(fail, Fail)
    assert fail.code == code
    assert fail.next_steps


@pytest.mark.parametrize(
    "heir", [heir_job(), heir_job([("Failed", 1)], "Failed"), heir_job([("Stopped", 1)], "Stopped")]
)
def test_an_heir_that_no_incident_is_about_is_nobodys_trouble(heir: Any) -> None:
    assert isinstance(decide(seen(over("Stopped"), 900, heir), None, RULES), Settled)


def test_there_is_one_heir_whatever_the_original_says() -> None:
    assert isinstance(decide(seen(over(), 301, heir_job()), None, RULES), Settled)


# hours and dollars

HOUR: dict[str, Any] = {"TrainingTimeInSeconds": 3600, "BillableTimeInSeconds": 1080}
TWO_HOURS: dict[str, Any] = {"TrainingTimeInSeconds": 7200, "BillableTimeInSeconds": 7200}
PRICED = {TYPE: Rates(on_demand=10.0)}


def test_hours_count_every_instance() -> None:
    both = seen(job(LOST, **HOUR), 300, heir_job(**TWO_HOURS))

    assert tally(both, opened()) == {"spotHours": 2.0, "onDemandHours": 4.0}


def test_dollars_are_what_sagemaker_bills() -> None:
    both = seen(job(LOST, **HOUR), 300, heir_job(**TWO_HOURS), rates=PRICED)

    assert tally(both, opened()) == pytest.approx(
        {
            "spotHours": 2.0,
            "spotDollars": 0.3 * 2 * 10,
            "savedDollars": 0.7 * 2 * 10,
            "onDemandHours": 4.0,
            "onDemandDollars": 40.0,
            "fallbackDollars": 0.7 * 40,
        }
    )


def test_without_a_discount_known_nobody_says_what_the_heir_cost_more() -> None:
    never_began = job(WAITING, TrainingTimeInSeconds=None)
    both = seen(never_began, 300, heir_job(**TWO_HOURS), rates=PRICED)

    counted = tally(both, opened())
    assert counted["onDemandDollars"] == 40.0
    assert "fallbackDollars" not in counted


@pytest.mark.parametrize("early", [{}, {"TrainingTimeInSeconds": 3600}])
def test_no_dollars_are_counted_before_the_billed_time_is_told(early: dict[str, int]) -> None:
    running = {"TrainingTimeInSeconds": None, **early}
    counted = tally(seen(job(LOST, **running), 300, rates=PRICED), opened())
    assert counted.keys() == {"spotHours"}

    later = tally(seen(job(LOST, **HOUR), 300, rates=PRICED), opened(tally=counted))
    assert later["spotDollars"] == pytest.approx(0.3 * 2 * 10)
    assert later["savedDollars"] == pytest.approx(0.7 * 2 * 10)


def test_an_heir_is_counted_on_the_type_it_got() -> None:
    config = {
        "InstancePreferences": [{"InstanceType": TYPE}, {"InstanceType": "ml.g5.48xlarge"}],
        "InstanceCount": 2,
        "SelectedInstanceType": "ml.g5.48xlarge",
        "SelectedInstanceCount": 2,
    }
    rates = {**PRICED, "ml.g5.48xlarge": Rates(on_demand=5.0)}
    both = seen(job(LOST, **HOUR), 300, heir_job(ResourceConfig=config, **TWO_HOURS), rates=rates)

    assert tally(both, opened())["onDemandDollars"] == 20.0


def test_what_is_counted_never_shrinks() -> None:
    before = {"spotHours": 99.0, "_state": 1.0}

    assert tally(seen(job(LOST, **HOUR), 300), opened(tally=before)) == before


# what DescribeTrainingJob tells


def test_mixed_instances_are_counted_by_type() -> None:
    groups = [
        {"InstanceType": TYPE, "InstanceCount": 1, "InstanceGroupName": "a"},
        {"InstanceType": "ml.m5.large", "InstanceCount": 4, "InstanceGroupName": "b"},
        {"InstanceType": TYPE, "InstanceCount": 2, "InstanceGroupName": "c"},
    ]
    assert fleet(job(ResourceConfig={"InstanceGroups": groups})) == {TYPE: 3, "ml.m5.large": 4}


def test_without_a_training_time_the_stays_on_instances_are_added_up() -> None:
    """Those that are over: what still runs is not known yet, and a total cannot be taken back."""
    assert used(job(LOST, TrainingTimeInSeconds=None)) == minutes(245)
    again = [*LOST, ("Downloading", 300), ("Training", 310)]
    assert used(job(again, TrainingTimeInSeconds=None)) == minutes(255)


def test_a_job_that_never_had_instances_waits_since_it_was_created() -> None:
    assert idle_since(job(WAITING)) == NOON
    assert idle_since(job(LOST)) == NOON + minutes(250)
    assert idle_since(job(SecondaryStatusTransitions=None)) == NOON
    assert idle_since(over()) == NOON + minutes(250)
