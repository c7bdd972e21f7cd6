"""Training jobs when AWS has not enough instances."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.sagemaker.conftest import Control
from tests.cloud.sagemaker.training import (
    CPU,
    P4,
    P5,
    described,
    grant_training,
    request,
    resources,
    spot,
    state,
    until_training,
)

CAPACITY = "/sagemaker/capacity"
PLAN = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/plan"
CAPACITY_ERROR = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a "
    "different ML instance type."
)
INSUFFICIENT = "Insufficient capacity error from EC2 while launching instances, retrying!"


def limit(control: Control, instances: int | None, instance_type: str = CPU, **more: Any) -> None:
    """Let AWS have so many instances of a type."""
    body = {"instance_type": instance_type, "market": "on-demand", "instances": instances, **more}
    status, answer = control("PUT", CAPACITY, body)
    assert status == 200, answer


def message(account: Account) -> str:
    text: str = described(account)["SecondaryStatusTransitions"][-1]["StatusMessage"]
    return text


def test_an_on_demand_job_waits_and_then_fails(account: Account, control: Control) -> None:
    """botocore model, StatusMessage; DIAGNijmegen/rse-grand-challenge/issues/2631; AWS Batch
    user guide, sm_job_stuck_in_runnable_capacity: the reason begins with CapacityError."""
    limit(control, 0)
    account.client("sagemaker").create_training_job(**request())
    assert state(account) == ("InProgress", "Pending")
    assert message(account) == INSUFFICIENT
    account.wait(WORLD.durations.capacity_patience - 1)
    assert state(account) == ("InProgress", "Pending")
    account.wait(1)
    assert state(account) == ("Failed", "Failed")
    job = described(account)
    assert job["FailureReason"] == CAPACITY_ERROR
    assert "TrainingEndTime" in job
    assert not {"TrainingStartTime", "TrainingTimeInSeconds"} & job.keys()


def test_capacity_that_comes_in_time_launches_the_job(account: Account, control: Control) -> None:
    limit(control, 0)
    account.client("sagemaker").create_training_job(**request())
    account.wait(10)
    limit(control, 1)
    assert message(account) == "Preparing the instances for training"
    account.wait(WORLD.durations.capacity_patience)
    assert state(account) == ("InProgress", "Training")


def test_a_job_launches_wholly_or_not_at_all(account: Account, control: Control) -> None:
    """Whoever holds instances keeps them until the job is over."""
    sagemaker = account.client("sagemaker")
    limit(control, 3)
    sagemaker.create_training_job(**request("small"))
    sagemaker.create_training_job(**request(ResourceConfig=resources(count=3)))
    assert state(account) == ("InProgress", "Pending")
    assert control("GET", CAPACITY)[1]["pools"] == [
        {"instance_type": CPU, "market": "on-demand", "instances": 3, "in_use": 1}
    ]
    WORLD.durations.capacity_patience = 1000
    until_training(account)
    sagemaker.stop_training_job(TrainingJobName="small")
    assert message(account) == INSUFFICIENT
    account.wait(WORLD.durations.training_stop)
    assert message(account) == "Preparing the instances for training"


def test_the_oldest_job_is_served_first(account: Account, control: Control) -> None:
    sagemaker = account.client("sagemaker")
    limit(control, 0)
    for name in ("b", "a"):
        sagemaker.create_training_job(**request(name))
        account.wait(1)
    limit(control, 1)
    account.wait(WORLD.durations.training_start)
    assert state(account, "b") == ("InProgress", "Downloading")
    assert state(account, "a") == ("InProgress", "Pending")


def test_markets_and_regions_have_their_own_capacity(account: Account, control: Control) -> None:
    sagemaker = account.client("sagemaker")
    limit(control, 0)
    limit(control, 0, market="spot", region="eu-west-1")
    sagemaker.create_training_job(**spot())
    account.wait(WORLD.durations.training_start)
    assert state(account) == ("InProgress", "Downloading")
    assert len(control("GET", f"{CAPACITY}?region=eu-west-1")[1]["pools"]) == 1


def test_a_spot_job_waits_without_failing(account: Account, control: Control) -> None:
    limit(control, 0, market="spot")
    account.client("sagemaker").create_training_job(**spot())
    account.wait(7000)
    assert state(account) == ("InProgress", "Pending")
    assert message(account) == INSUFFICIENT
    limit(control, None, market="spot")
    account.wait(WORLD.durations.training_start)
    assert state(account) == ("InProgress", "Downloading")


def test_what_one_job_loses_another_may_get(account: Account, control: Control) -> None:
    sagemaker = account.client("sagemaker")
    limit(control, 1, market="spot")
    sagemaker.create_training_job(**spot("first"))
    until_training(account)
    sagemaker.create_training_job(**spot())
    assert message(account) == INSUFFICIENT
    control("POST", "/sagemaker/training-jobs/first/interrupt")
    assert message(account) == "Preparing the instances for training"
    account.wait(10)
    assert state(account, "first") == ("InProgress", "Interrupted")


def test_who_runs_is_not_touched_when_capacity_ends(account: Account, control: Control) -> None:
    account.client("sagemaker").create_training_job(**spot())
    until_training(account)
    limit(control, 0, market="spot")
    account.wait(61)
    assert state(account) == ("Completed", "Completed")


def test_a_job_that_waits_can_be_stopped(account: Account, control: Control) -> None:
    limit(control, 0)
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request())
    sagemaker.stop_training_job(TrainingJobName="bert")
    limit(control, 1)
    account.wait(WORLD.durations.capacity_patience)
    assert state(account) == ("Stopped", "Stopped")


def preferring(**more: Any) -> dict[str, Any]:
    """A job that would rather have P5, and takes P4."""
    entries = [{"InstanceType": P5}, {"InstanceType": P4}]
    return request(ResourceConfig={"InstanceCount": 2, "InstancePreferences": entries}, **more)


def test_the_first_type_that_has_capacity_is_taken(account: Account, control: Control) -> None:
    """Developer guide, train-instance-preferences, also for what DescribeTrainingJob shows."""
    grant_training(account, P4, P5)
    limit(control, 1, P5)
    limit(control, 0, P4)
    account.client("sagemaker").create_training_job(**preferring())
    config = preferring()["ResourceConfig"]
    assert described(account)["ResourceConfig"] == config
    limit(control, 2, P4)
    chosen = {"SelectedInstanceType": P4, "SelectedInstanceCount": 2}
    assert described(account)["ResourceConfig"] == {**config, **chosen}
    account.wait(200)
    assert described(account)["ResourceConfig"] == {**config, **chosen}
    assert described(account)["TrainingJobStatus"] == "Completed"


def test_the_preferred_type_is_taken_when_it_has_capacity(account: Account) -> None:
    grant_training(account, P4, P5)
    account.client("sagemaker").create_training_job(**preferring())
    assert described(account)["ResourceConfig"]["SelectedInstanceType"] == P5


def test_a_plan_of_the_job_is_the_first_types(account: Account, control: Control) -> None:
    """Developer guide, train-instance-preferences: it applies to the entry whose type it has.
    Which that is nobody knows here; "Put the plan-backed entry first", it says."""
    grant_training(account, P4, P5)
    job = preferring()
    job["ResourceConfig"]["TrainingPlanArn"] = PLAN
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**job)
    assert described(account)["ResourceConfig"]["SelectedInstanceType"] == P4
    limit(control, 2, P5, market="training-plan")
    sagemaker.create_training_job(**{**job, "TrainingJobName": "other"})
    assert described(account, "other")["ResourceConfig"]["SelectedInstanceType"] == P5


def test_a_pending_time_bounds_the_wait_of_accelerated_types(
    account: Account, control: Control
) -> None:
    """botocore model, MaxPendingTimeInSeconds; AWS Batch user guide,
    sm_job_stuck_in_runnable_capacity: such a job is STOPPED and its secondary status tells."""
    grant_training(account, P4, P5)
    limit(control, 0, P5)
    limit(control, 0, P4)
    bound = {"MaxRuntimeInSeconds": 3600, "MaxPendingTimeInSeconds": 1800}
    account.client("sagemaker").create_training_job(**preferring(StoppingCondition=bound))
    account.wait(1799)
    assert state(account) == ("InProgress", "Pending")
    account.wait(1 + WORLD.durations.training_stop)
    assert state(account) == ("Stopped", "MaxWaitTimeExceeded")


def test_a_pending_time_has_no_effect_on_cpu_types(account: Account, control: Control) -> None:
    """botocore model, MaxPendingTimeInSeconds."""
    limit(control, 0)
    bound = {"MaxRuntimeInSeconds": 3600, "MaxPendingTimeInSeconds": 1800}
    account.client("sagemaker").create_training_job(**request(StoppingCondition=bound))
    account.wait(WORLD.durations.capacity_patience)
    assert state(account) == ("Failed", "Failed")


def test_a_list_of_cpu_types_is_evaluated_once(account: Account, control: Control) -> None:
    """Developer guide, train-instance-preferences, note."""
    limit(control, 0)
    config = {"InstancePreferences": [{"InstanceType": CPU, "InstanceCount": 1}]}
    account.client("sagemaker").create_training_job(**request(ResourceConfig=config))
    account.wait(0)
    assert state(account) == ("Failed", "Failed")


def test_a_plan_without_capacity_is_passed_over(account: Account, control: Control) -> None:
    """Developer guide, train-instance-preferences: SageMaker moves on to the next entry. Nobody
    bought a plan, so none has capacity unless told."""
    grant_training(account, P4, P5)
    config = {
        "InstancePreferences": [
            {"InstanceType": P5, "InstanceCount": 1, "TrainingPlanArns": [PLAN]},
            {"InstanceType": P4, "InstanceCount": 2},
        ]
    }
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(ResourceConfig=config))
    assert described(account)["ResourceConfig"]["SelectedInstanceType"] == P4
    limit(control, 1, P5, market="training-plan")
    sagemaker.create_training_job(**request("other", ResourceConfig=config))
    assert described(account, "other")["ResourceConfig"]["SelectedInstanceType"] == P5


def test_a_job_of_a_plan_waits_for_the_plan(account: Account, control: Control) -> None:
    grant_training(account, P5)
    sagemaker = account.client("sagemaker")
    config = resources(P5, TrainingPlanArn=PLAN)
    sagemaker.create_training_job(**request(ResourceConfig=config))
    assert message(account) == INSUFFICIENT
    limit(control, 1, P5, market="training-plan")
    assert message(account) == "Preparing the instances for training"
    [listed] = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert listed["TrainingPlanArn"] == PLAN


def test_all_groups_of_a_cluster_are_needed(account: Account, control: Control) -> None:
    """botocore model, InstanceGroups: a heterogeneous cluster."""
    other = "ml.m5.2xlarge"
    limit(control, 1, other)
    groups = [
        {"InstanceType": CPU, "InstanceCount": 1, "InstanceGroupName": "a"},
        {"InstanceType": other, "InstanceCount": 1, "InstanceGroupName": "b"},
        {"InstanceType": other, "InstanceCount": 1, "InstanceGroupName": "c"},
    ]
    account.client("sagemaker").create_training_job(
        **request(ResourceConfig={"InstanceGroups": groups})
    )
    assert message(account) == INSUFFICIENT
    limit(control, 2, other)
    assert message(account) == "Preparing the instances for training"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instances": -1}, "whole number"),
        ({"instances": 1.5}, "whole number"),
        ({"instances": True}, "whole number"),
        ({"market": "reserved"}, "one of"),
        ({"region": "mars-north-1"}, "not in a Region"),
        ({"zone": "a"}, "no field"),
    ],
)
def test_capacity_that_makes_no_sense_is_refused(
    control: Control, change: dict[str, Any], reason: str
) -> None:
    body = {"instance_type": CPU, "market": "spot", "instances": 1, **change}
    status, answer = control("PUT", CAPACITY, body)
    assert status == 400
    assert reason in answer["error"]
