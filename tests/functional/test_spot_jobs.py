"""A training job that Spot lets down goes on On-Demand: in time, from its checkpoints, once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.training import (
    CHECKPOINTS,
    CREATE,
    HOUR,
    LEVER,
    ROLE,
    STOP,
    TYPE,
    Training,
    in_hours,
    settings,
    training,
)
from tests.functional.world import Stage


@pytest.fixture
def jobs(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Training]:
    environment.setenv("LEVER_SETTINGS", settings())
    with training(stage) as scene:
        yield scene


# patience


@pytest.mark.parametrize("pending", [True, False])
def test_a_job_that_lost_spot_goes_on_after_its_patience(jobs: Training, pending: bool) -> None:
    """Whether a job without instances is Pending or stays Starting."""
    WORLD.switches.jobs_wait_in_pending = pending
    jobs.begin(work=HOUR)
    jobs.minutes(40)
    jobs.lose_spot()

    waited = jobs.until(lambda: STOP in jobs.writes())
    assert waited == 10
    jobs.until(lambda: bool(jobs.heir()), most=3)
    before = jobs.job()
    after = jobs.job(jobs.heir())
    assert before["SecondaryStatus"] == "Stopped"
    assert after["EnableManagedSpotTraining"] is False
    assert after["CheckpointConfig"] == CHECKPOINTS
    assert after["HyperParameters"] == {"epochs": "3"}
    assert after["CreationTime"] >= before["TrainingEndTime"]

    jobs.finish()
    assert jobs.status(jobs.heir()) == "Completed"
    assert jobs.incident_stage() == "verified"
    assert jobs.writes() == [STOP, CREATE]
    assert jobs.stage.told() == [
        "Remediation Decided: decided",
        "Remediation Acted: acted",
        "Remediation Acted: acted",
        "Remediation Verified: verified",
    ]


def test_the_heir_goes_on_from_the_last_checkpoint(jobs: Training) -> None:
    jobs.begin(work=HOUR)
    jobs.minutes(35)  # of which 30 are in a checkpoint
    jobs.lose_spot()
    jobs.finish()

    trained = jobs.job(jobs.heir())["TrainingTimeInSeconds"]
    assert trained == pytest.approx(30 * 60, abs=30)


def test_a_job_that_gets_spot_again_in_time_is_left_alone(jobs: Training) -> None:
    jobs.begin(work=HOUR)
    jobs.minutes(20)
    jobs.lose_spot()
    jobs.minutes(8)
    jobs.capacity(None)
    jobs.until(lambda: jobs.status() == "Completed")
    jobs.minutes(12)

    assert jobs.writes() == []
    assert jobs.names() == ["bert"]
    assert jobs.incident_stage() == "recovered"


def test_a_job_that_never_got_spot_is_found_though_no_event_comes(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=HOUR)
    jobs.until(lambda: bool(jobs.heir()), most=13, deliver=False)

    assert jobs.writes() == [STOP, CREATE]


@pytest.mark.parametrize("early", [True, False])
def test_hours_and_dollars_are_what_sagemaker_tells(jobs: Training, early: bool) -> None:
    """Whether it tells a job's times while that runs, or once it is over."""
    WORLD.switches.job_times_told_early = early
    jobs.begin(work=HOUR)
    jobs.minutes(35)
    jobs.lose_spot()
    jobs.minutes(3)
    assert ("savedDollars" in jobs.stage.incident()["tally"]) == early
    jobs.finish()

    tally = jobs.stage.incident()["tally"]
    spot, heir = jobs.job(), jobs.job(jobs.heir())
    assert tally["spotHours"] == pytest.approx(2 * spot["TrainingTimeInSeconds"] / 3600)
    assert tally["spotDollars"] == pytest.approx(2 * spot["BillableTimeInSeconds"] / 3600)
    assert tally["onDemandHours"] == pytest.approx(2 * heir["TrainingTimeInSeconds"] / 3600)
    assert tally["spotDollars"] + tally["savedDollars"] == pytest.approx(tally["spotHours"])
    assert tally["fallbackDollars"] == pytest.approx(0.7 * tally["onDemandDollars"], abs=0.01)


# deadline


def test_a_deadline_is_waited_for_to_the_last_and_met(jobs: Training) -> None:
    """An hour of work, 20 min kept at least: 40 left, 20 for two changeovers, 2 until somebody looks."""
    deadline = in_hours(2)
    jobs.begin(work=HOUR, tags={f"{LEVER}:deadline": deadline, f"{LEVER}:work-hours": "1"})
    jobs.minutes(35)
    jobs.lose_spot()
    jobs.until(lambda: STOP in jobs.writes())

    stopped = datetime.fromisoformat(jobs.stage.incident()["acts"][0]["at"])
    left = datetime.fromisoformat(deadline) - stopped
    assert timedelta(minutes=40 + 20) <= left <= timedelta(minutes=40 + 20 + 3)

    control("PUT", "/durations", {"training_start": 9 * 60})  # its changeover, all of it
    jobs.finish()
    ended = jobs.job(jobs.heir())["TrainingEndTime"]
    assert ended <= datetime.fromisoformat(deadline)
    assert jobs.incident_stage() == "verified"


def test_a_deadline_is_met_though_every_start_had_its_data_to_fetch(jobs: Training) -> None:
    """Three stays of 15 min set-up and 19 of training, of which 10 each are in a checkpoint."""
    control("PUT", "/durations", {"training_download": 15 * 60})
    deadline = in_hours(5)
    jobs.begin(work=HOUR, tags={f"{LEVER}:deadline": deadline, f"{LEVER}:work-hours": "1"})
    for _ in range(3):
        jobs.capacity(None)
        jobs.until(lambda: jobs.secondary() == "Training", most=20)
        jobs.minutes(19)
        jobs.lose_spot()
        jobs.minutes(2)
    jobs.until(lambda: STOP in jobs.writes())

    stopped = datetime.fromisoformat(jobs.stage.incident()["acts"][0]["at"])
    kept = timedelta(minutes=3 * (19 - 15))
    left = datetime.fromisoformat(deadline) - stopped
    sure = timedelta(minutes=60 + 20) - kept
    assert sure - timedelta(minutes=3) <= left <= sure + timedelta(minutes=3)

    control("PUT", "/durations", {"training_start": 5 * 60})
    jobs.finish()
    heir = jobs.job(jobs.heir())
    assert heir["SecondaryStatus"] == "Completed"
    assert heir["TrainingEndTime"] <= datetime.fromisoformat(deadline)


def test_a_job_that_makes_its_deadline_on_spot_is_left_alone(jobs: Training) -> None:
    tags = {f"{LEVER}:deadline": in_hours(2), f"{LEVER}:work-hours": "1"}
    jobs.begin(work=HOUR, tags=tags)
    jobs.minutes(35)
    jobs.lose_spot()
    jobs.minutes(20)  # far beyond any patience
    jobs.capacity(None)
    jobs.until(lambda: jobs.status() == "Completed")

    assert jobs.writes() == []


def test_a_deadline_that_cannot_be_met_any_more_is_not_waited_for(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=HOUR, tags={f"{LEVER}:deadline": in_hours(1), f"{LEVER}:work-hours": "1"})
    jobs.until(lambda: bool(jobs.heir()), most=3)

    assert "11 min late" in jobs.stage.incident()["timeline"][0]["note"]


def test_a_bad_deadline_is_told_at_once_and_mended_by_its_owner(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=HOUR, tags={f"{LEVER}:deadline": "tomorrow"})
    jobs.minutes(12)
    assert jobs.writes() == []
    assert jobs.stage.told() == ["Remediation Refused: bad-deadline"]
    assert [m["metadata"]["eventType"] for m in jobs.stage.messages()] == ["Remediation Refused"]

    arn = jobs.job()["TrainingJobArn"]
    right = {"Key": f"{LEVER}:deadline", "Value": in_hours(1)}
    jobs.sagemaker.add_tags(ResourceArn=arn, Tags=[right])
    jobs.until(lambda: bool(jobs.heir()), most=3)


# ends


def test_a_job_out_of_wait_time_is_taken_over_in_one_write(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=200, longest=300, longest_wait=400)
    jobs.until(lambda: jobs.secondary() == "MaxWaitTimeExceeded")
    jobs.until(lambda: bool(jobs.heir()), most=1)
    jobs.finish()

    assert jobs.writes() == [CREATE]
    assert jobs.incident_stage() == "verified"


def test_the_event_of_its_end_is_enough(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=200, longest=300, longest_wait=300)
    jobs.stage.pretend_swept("spot_fallback")
    jobs.stage.wait(360)
    jobs.deliver()

    assert jobs.writes() == [CREATE]


def test_a_job_out_of_wait_time_is_found_though_no_event_comes(jobs: Training) -> None:
    """Opted in only then, so that no look was under way."""
    jobs.capacity(0)
    jobs.begin(work=600, longest=900, longest_wait=900, tags={LEVER: "off"})
    jobs.until(lambda: jobs.secondary() == "MaxWaitTimeExceeded", deliver=False)
    arn = jobs.job()["TrainingJobArn"]
    jobs.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": LEVER, "Value": "act"}])
    jobs.minutes(2, deliver=False)

    assert jobs.writes() == [CREATE]


def test_a_job_that_a_person_stops_stays_stopped(jobs: Training) -> None:
    jobs.begin(work=HOUR)
    jobs.minutes(5)
    jobs.lose_spot()
    jobs.minutes(5)
    jobs.sagemaker.stop_training_job(TrainingJobName="bert")
    jobs.minutes(20)

    assert jobs.writes() == []
    assert jobs.names() == ["bert"]
    assert jobs.incident_stage() == "recovered"


def test_an_heir_without_capacity_is_told_with_ways_out(jobs: Training) -> None:
    control("PUT", "/durations", {"capacity_patience": 9 * HOUR})
    jobs.capacity(0)
    jobs.capacity(0, "on-demand")
    jobs.begin(work=600)
    jobs.until(lambda: "Remediation Refused: on-demand-short" in jobs.stage.told(), most=70)
    assert any(
        "Training Plans" in step for step in jobs.stage.messages()[-1]["content"]["nextSteps"]
    )

    jobs.capacity(None, "on-demand")
    jobs.finish()
    assert jobs.incident_stage() == "verified"


def test_an_heir_that_fails_for_want_of_capacity_ends_the_incident(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.capacity(0, "on-demand")
    jobs.begin(work=600)
    jobs.finish()

    assert jobs.stage.told()[-1] == "Remediation Failed: on-demand-short"
    jobs.minutes(75)
    assert jobs.writes() == [STOP, CREATE]
    assert jobs.stage.told().count("Remediation Failed: on-demand-short") == 1


def test_further_types_are_tried_in_one_request(
    jobs: Training, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(fallback_types=["ml.m5.2xlarge"]))
    jobs.capacity(0)
    jobs.capacity(0, "on-demand")
    jobs.begin(work=600)
    jobs.finish()

    config = jobs.job(jobs.heir())["ResourceConfig"]
    assert [each["InstanceType"] for each in config["InstancePreferences"]] == [
        TYPE,
        "ml.m5.2xlarge",
    ]
    assert config["SelectedInstanceType"] == "ml.m5.2xlarge"
    assert jobs.incident_stage() == "verified"


# duplicates, disorder


@pytest.mark.parametrize("seed", range(4))
def test_events_ten_times_over_and_in_any_order_make_one_heir(jobs: Training, seed: int) -> None:
    shuffle = random.Random(seed)
    jobs.begin(work=HOUR)
    jobs.minutes(20)
    jobs.lose_spot()
    kept = list(jobs.events)
    for _ in range(25):
        jobs.stage.wait(60)
        kept += jobs.events
        jobs.events.clear()
        again = kept * 10
        shuffle.shuffle(again)
        jobs.stage.batch(*again[:10])
        if shuffle.random() < 0.3:
            jobs.stage.heartbeat()
    jobs.until(lambda: jobs.incident_stage() == "verified")
    late = kept * 10
    shuffle.shuffle(late)
    for start in range(0, len(late), 10):
        jobs.stage.batch(*late[start : start + 10])

    assert jobs.writes() == [STOP, CREATE]
    assert jobs.names() == ["bert", jobs.heir()]
    assert len(jobs.stage.incidents()) == 1


def test_jobs_that_are_stranded_together_have_an_heir_each(jobs: Training) -> None:
    jobs.capacity(0)
    names = [f"bert-{number}" for number in range(5)]
    for name in names:
        jobs.begin(name, work=600, CheckpointConfig={"S3Uri": f"s3://bucket/{name}"})
    jobs.until(lambda: len(jobs.names()) == 10, most=15)

    assert all(jobs.heir(name) for name in names)
    assert sorted(jobs.writes()) == [CREATE] * 5 + [STOP] * 5


def test_role_is_passed_on_as_it_was(jobs: Training) -> None:
    jobs.capacity(0)
    jobs.begin(work=600)
    jobs.until(lambda: bool(jobs.heir()), most=13)

    assert jobs.job(jobs.heir())["RoleArn"] == ROLE
