"""What is asked of SageMaker about training jobs, and what is never done to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.clients import client
from functions.core.remediation import Busy, Changed, Gone
from functions.core.signals import Place
from functions.spot_fallback.clone import heir_name
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.training import TrainingJobs
from tests.functional.training import LEVER, Training, arn, training
from tests.functional.world import Stage


@pytest.fixture
def jobs(stage: Stage) -> Iterator[Training]:
    with training(stage) as scene:
        scene.capacity(0)
        yield scene


@pytest.fixture
def adapter(jobs: Training) -> TrainingJobs:
    return TrainingJobs(client, RateCard((), client("ec2")), Place.of_arn(arn()))


def swept(adapter: TrainingJobs) -> list[str]:
    return sorted(each.target for each in adapter.sweep(datetime.now(UTC)))


def heir_of(jobs: Training) -> dict[str, Any]:
    """The second write for the job as it is."""
    return {"stopped": True, "heir": heir_name(jobs.job()), "seconds": 600, "types": []}


def stop(jobs: Training) -> None:
    jobs.sagemaker.stop_training_job(TrainingJobName="bert")
    jobs.stage.wait(10)


def test_the_sweep_finds_every_job_that_waits_a_hundred_to_a_call(
    jobs: Training, adapter: TrainingJobs
) -> None:
    names = [f"job-{number}" for number in range(101)]
    for name in names:
        jobs.begin(name)
    jobs.begin("unasked", tags={LEVER: "off"})

    assert swept(adapter) == sorted(arn(name) for name in names)


def test_the_sweep_leaves_jobs_on_instances_alone(jobs: Training, adapter: TrainingJobs) -> None:
    jobs.begin("waits")
    jobs.capacity(None)
    jobs.stage.wait(60)
    assert jobs.secondary("waits") == "Training"
    jobs.capacity(2)
    jobs.begin("late")

    assert swept(adapter) == [arn("late")]


def test_the_sweep_finds_what_ended_for_want_of_spot_for_an_hour(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin("short", longest=60, longest_wait=60)
    jobs.begin("stopped")
    jobs.sagemaker.stop_training_job(TrainingJobName="stopped")
    jobs.stage.wait(120)
    assert swept(adapter) == [arn("short")]

    jobs.stage.wait(3500)
    assert swept(adapter) == [arn("short")]
    jobs.stage.wait(120)
    assert swept(adapter) == []


def test_an_heir_that_waits_is_looked_at_through_its_original(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.capacity(0, "on-demand")
    jobs.begin()
    stop(jobs)
    adapter.act(arn(), {}, heir_of(jobs))

    assert swept(adapter) == [arn()]


def test_no_heir_is_created_while_the_job_is_not_over(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin()
    with pytest.raises(Busy):
        adapter.act(arn(), {}, heir_of(jobs))
    jobs.sagemaker.stop_training_job(TrainingJobName="bert")
    assert jobs.status() == "Stopping"
    with pytest.raises(Busy):
        adapter.act(arn(), {}, heir_of(jobs))

    assert jobs.names() == ["bert"]


def test_an_heir_that_is_there_already_is_not_created_again(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin()
    stop(jobs)
    write = heir_of(jobs)

    assert adapter.act(arn(), {}, write) == adapter.act(arn(), {}, write) == write
    assert len(jobs.names()) == 2


def test_an_heir_of_another_job_by_the_same_name_is_not_created(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin()
    stop(jobs)
    with pytest.raises(Changed):
        adapter.act(arn(), {}, {**heir_of(jobs), "heir": "bert-od-00000000"})

    assert jobs.names() == ["bert"]


def test_a_job_by_the_heirs_name_is_no_heir_unless_its_tag_says_so(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin()
    stop(jobs)
    jobs.begin(heir_name(jobs.job()))
    now = datetime.now(UTC)
    assert adapter.observe(arn(), {}, now).heir is None

    tag = {"Key": f"{LEVER}:original", "Value": "bert"}
    heir = jobs.job(heir_name(jobs.job()))
    jobs.sagemaker.add_tags(ResourceArn=heir["TrainingJobArn"], Tags=[tag])
    found = adapter.observe(arn(), {}, now)
    assert found.heir is not None
    assert found.dial == {"stopped": True, "heir": heir["TrainingJobName"]}


def test_a_job_that_does_not_exist_is_gone(jobs: Training, adapter: TrainingJobs) -> None:
    for target in (arn("nobody"), arn().replace("training-job", "endpoint")):
        with pytest.raises(Gone):
            adapter.opt_in(target)
        with pytest.raises(Gone):
            adapter.observe(target, {}, datetime.now(UTC))
        with pytest.raises(Gone):
            adapter.act(target, {}, {"stopped": True, "heir": None})


def test_a_job_that_ran_out_of_wait_time_before_it_was_stopped_is_looked_at_again(
    jobs: Training, adapter: TrainingJobs
) -> None:
    jobs.begin(longest=60, longest_wait=60)
    jobs.stage.wait(120)

    with pytest.raises(Busy):
        adapter.act(arn(), {}, {"stopped": True, "heir": None})


def test_nothing_is_created_for_a_job_that_completed(jobs: Training, adapter: TrainingJobs) -> None:
    jobs.capacity(None)
    jobs.begin(work=10)
    jobs.stage.wait(60)
    assert jobs.status() == "Completed"

    with pytest.raises(Busy):
        adapter.act(arn(), {}, heir_of(jobs))
    assert jobs.names() == ["bert"]
