"""How much of a training job's work is sure to outlive its instances."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.spot_fallback.progress import progress
from tests.unit.spot_jobs import NOON, RULES, job, minutes

Rounds = list[tuple[int, int]]


def broken(rounds: Rounds, last: str = "Interrupted") -> list[tuple[str, float]]:
    """A job that lost its instances after each round of so many minutes of set-up and training, and
    waited ten for others; `last` is what ended the last round."""
    stays: list[tuple[str, float]] = []
    now = 0.0
    for number, (set_up, trained) in enumerate(rounds, start=1):
        stays += [("Starting", now), ("Downloading", now + 10), ("Training", now + 10 + set_up)]
        now += 10 + set_up + trained
        stays.append(("Interrupted" if number < len(rounds) else last, now))
    return stays


def test_set_up_is_no_progress_however_often_it_is_done() -> None:
    rounds = [(10, 60)] * 4
    done = progress(job(broken(rounds)), RULES, minutes(600))

    assert done.used == minutes(4 * 70)
    assert done.kept == minutes(4 * (60 - 15))
    assert done.left == minutes(600 - 180)


def test_the_heirs_time_is_not_shortened_by_the_set_ups_of_its_original() -> None:
    """10 h allowed, 3 h kept, 10 min for its own set-up."""
    done = progress(job(broken([(10, 60)] * 4)), RULES, None)

    assert done.allowance == minutes(600 - 180 + 10)


def test_a_job_stopped_while_it_trains_loses_work_as_one_that_is_interrupted() -> None:
    out_of_time = progress(job(broken([(10, 60)], "Stopping"), "Stopping"), RULES, None)

    assert out_of_time.kept == minutes(45)


def test_no_break_costs_more_than_was_done_since_the_last_one() -> None:
    assert progress(job(broken([(5, 100), (5, 3), (5, 0)])), RULES, None).kept == minutes(85)


def test_what_sagemaker_counted_holds_when_the_stays_say_more() -> None:
    told = job(broken([(0, 100)]), TrainingTimeInSeconds=50 * 60)

    assert progress(told, RULES, None).kept == minutes(35)


@pytest.mark.parametrize("stay", [{"Status": "Training", "StartTime": NOON}, {}])
def test_a_stay_that_is_not_over_keeps_nothing_yet(stay: dict[str, Any]) -> None:
    description = job(SecondaryStatusTransitions=[stay] if stay else None)

    assert progress(description, RULES, None).kept == minutes(0)


@given(
    rounds=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 200)), min_size=1, max_size=8),
    every=st.integers(1, 15),
    last=st.sampled_from(["Interrupted", "Stopping"]),
    told=st.booleans(),
)
def test_no_more_is_thought_kept_than_its_checkpoints_hold(
    rounds: Rounds, every: int, last: str, told: bool
) -> None:
    """Each round goes on from the last checkpoint, and writes one every so many minutes."""
    hidden: dict[str, Any] = {} if told else {"TrainingTimeInSeconds": None}
    status = "InProgress" if last == "Interrupted" else last
    done = progress(job(broken(rounds, last), status, **hidden), RULES, None)

    held = sum(trained // every * every for _, trained in rounds)
    assert done.kept <= minutes(held)
    assert done.kept >= minutes(held - 15 * len(rounds))
