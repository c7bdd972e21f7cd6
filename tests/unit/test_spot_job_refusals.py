"""What keeps a training job from going On-Demand, and what a person is asked first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.core.decision import Act, Refuse
from functions.spot_fallback.jobs import decide
from functions.spot_fallback.observation import Rates
from tests.unit.spot_jobs import (
    LOST,
    ROLE,
    RULES,
    TYPE,
    WAITING,
    Stays,
    acted,
    job,
    over,
    seen,
    stopped_by_us,
)

# what forbids it


@pytest.mark.parametrize("member", ["TuningJobArn", "AutoMLJobArn", "LabelingJobArn"])
def test_a_job_that_another_waits_for_is_refused(member: str) -> None:
    refusal = decide(seen(job(WAITING) | {member: "arn"}, 31), None, RULES)

    assert isinstance(refusal, Refuse)
    assert refusal.code == "owned-by-parent"


@pytest.mark.parametrize(
    "tag", ["sagemaker:pipeline-execution-arn", "AWS_STEP_FUNCTIONS_EXECUTION_ARN"]
)
def test_a_job_of_a_pipeline_or_a_state_machine_is_refused(tag: str) -> None:
    refusal = decide(seen(job(WAITING), 31, tags={tag: "arn"}), None, RULES)

    assert isinstance(refusal, Refuse)
    assert refusal.code == "owned-by-parent"


@pytest.mark.parametrize("stays", [WAITING, LOST])
def test_a_role_that_nobody_allowed_is_refused_before_anything_is_stopped(stays: Stays) -> None:
    others = replace(RULES, roles=("arn:aws:iam::1:role/other",))
    refusal = decide(seen(job(stays), 254), None, others)

    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.page) == ("role-not-allowed", True)
    assert ROLE in refusal.reason
    assert "spot_fallback.roles" in refusal.reason
    assert refusal.evidence == {"role": ROLE, "roles": ["arn:aws:iam::1:role/other"]}


def test_a_role_is_allowed_by_its_pattern_and_no_other() -> None:
    allowed = replace(RULES, roles=("arn:aws:iam::*:role/train*",))
    assert isinstance(decide(seen(job(WAITING), 31), None, allowed), Act)
    others = replace(RULES, roles=("arn:aws:iam::*:role/Train*", ROLE[:-1]))
    assert isinstance(decide(seen(job(WAITING), 31), None, others), Refuse)


def test_a_role_is_checked_again_before_the_heir_is_created() -> None:
    refusal = decide(seen(over("Stopped"), 301), stopped_by_us(), replace(RULES, roles=()))

    assert isinstance(refusal, Refuse)


def test_a_job_whose_heir_could_bear_no_name_is_refused() -> None:
    tags = {f"tag{number}": "" for number in range(49)}  # and the one that opts it in

    refusal = decide(seen(job(WAITING), 31, tags=tags), None, RULES)
    assert isinstance(refusal, Refuse)
    assert refusal.code == "too-many-tags"
    del tags["tag0"]
    assert isinstance(decide(seen(job(WAITING), 31, tags=tags), None, RULES), Act)
    tags["aws:own"] = ""
    assert isinstance(decide(seen(job(WAITING), 31, tags=tags), None, RULES), Act)


def test_what_costs_more_than_is_allowed_an_hour_is_refused() -> None:
    rates = {TYPE: Rates(on_demand=50.01)}

    refusal = decide(seen(job(WAITING), 31, rates=rates), None, RULES)
    assert isinstance(refusal, Refuse)
    assert (refusal.code, refusal.page) == ("above-cap", True)
    rates = {TYPE: Rates(on_demand=50.0)}
    assert isinstance(decide(seen(job(WAITING), 31, rates=rates), None, RULES), Act)


def test_further_types_that_cost_too_much_are_not_tried() -> None:
    rules = replace(RULES, fallback_types=("ml.p5.48xlarge", "ml.g5.48xlarge"))
    rates = {TYPE: Rates(on_demand=10.0), "ml.p5.48xlarge": Rates(on_demand=60.0)}

    act = acted(decide(seen(over(), 301, rates=rates), None, rules))
    assert act.write["types"] == [TYPE, "ml.g5.48xlarge"]


# no checkpoints


def unchecked(trained: float, *ending: tuple[str, float]) -> list[tuple[str, float]]:
    return [("Starting", 0), ("Training", 0), ("Interrupted", trained), *ending]


def test_little_work_without_checkpoints_is_begun_again_unasked() -> None:
    act = acted(decide(seen(job(unchecked(60), CheckpointConfig=None), 99), None, RULES))

    assert not act.ask


def test_much_work_without_checkpoints_is_begun_again_only_when_a_person_agrees() -> None:
    act = acted(decide(seen(job(unchecked(61), CheckpointConfig=None), 99), None, RULES))
    assert "61 min of work would be done again" in act.ask

    ended = job(unchecked(61, ("MaxWaitTimeExceeded", 99)), "Stopped", CheckpointConfig=None)
    assert acted(decide(seen(ended, 99), None, RULES)).ask


def test_nobody_is_asked_twice() -> None:
    stopped = job(unchecked(61, ("Stopped", 99)), "Stopped", CheckpointConfig=None)

    assert not acted(decide(seen(stopped, 99), stopped_by_us(), RULES)).ask
