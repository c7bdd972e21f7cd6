"""Scheduled actions: botocore model, PutScheduledAction; user guide, scheduled scaling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.applicationautoscaling import schedules
from tests.cloud.applicationautoscaling.conftest import (
    INSTANCES,
    activities,
    instances,
    register,
)
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused


def put(scaling: Any, schedule: str | None = "at(2026-03-02T12:30:00)", **more: Any) -> None:
    """Put the action "morning", which raises the minimum to 4 at half past twelve (the tests begin
    at noon) unless told otherwise."""
    request = {
        **INSTANCES,
        "ScheduledActionName": "morning",
        "Schedule": schedule,
        "ScalableTargetAction": {"MinCapacity": 4},
        **more,
    }
    given = {name: value for name, value in request.items() if value is not None}
    scaling.put_scheduled_action(**given)


def bounds(scaling: Any) -> tuple[int, int]:
    [told] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return told["MinCapacity"], told["MaxCapacity"]


def actions(scaling: Any, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.describe_scheduled_actions(
        ServiceNamespace="sagemaker", **more
    )["ScheduledActions"]
    return found


@pytest.fixture
def registered(scaling: Any, sagemaker: Any) -> Any:
    """SageMaker, with two instances that may become one to ten."""
    register(scaling)
    return sagemaker


def test_at_its_time_an_action_moves_the_bounds_and_they_stay(
    account: Account, scaling: Any, registered: Any
) -> None:
    put(scaling)
    account.wait(29 * 60)
    assert bounds(scaling) == (1, 10)
    account.wait(60)
    assert bounds(scaling) == (4, 10)
    assert instances(registered) == 4
    moved, told = activities(scaling)
    assert moved["Cause"] == "minimum capacity was set to 4"
    assert told["Description"] == "Setting min capacity to 4"
    assert told["Cause"] == "scheduled action name morning was triggered"
    assert (told["StatusCode"], told["StatusMessage"]) == (
        "Successful",
        "Successfully set min capacity to 4",
    )
    account.wait(86_400)
    assert bounds(scaling) == (4, 10)


def test_a_capacity_within_the_bounds_is_left(
    account: Account, scaling: Any, registered: Any
) -> None:
    """A scheduled action sets bounds, never a capacity."""
    put(scaling, ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3})
    account.wait(31 * 60)
    assert bounds(scaling) == (2, 3)
    assert instances(registered) == 2
    assert (
        activities(scaling)[0]["Description"] == "Setting min capacity to 2 and max capacity to 3"
    )


def test_a_time_is_local_to_the_time_zone(account: Account, scaling: Any, registered: Any) -> None:
    """Timezone, for at and cron expressions; UTC otherwise. 13:30 in Berlin is 12:30 UTC."""
    put(scaling, "at(2026-03-02T13:30:00)", Timezone="Europe/Berlin")
    assert actions(scaling)[0]["Timezone"] == "Europe/Berlin"
    account.wait(29 * 60)
    assert bounds(scaling) == (1, 10)
    account.wait(60)
    assert bounds(scaling) == (4, 10)


@pytest.mark.parametrize(
    ("day", "utc_hour"), [("2026-03-28", 6), ("2026-03-29", 5), ("2026-10-25", 6)]
)
def test_local_time_follows_the_clock_change(day: str, utc_hour: int) -> None:
    schedule = schedules.parse(f"at({day}T07:00:00)", "Europe/Berlin")
    expected = datetime.fromisoformat(f"{day}T{utc_hour:02}:00:00").replace(tzinfo=UTC)
    assert schedule == schedules.Once(expected.timestamp())


def test_a_rate_runs_again_and_again(account: Account, scaling: Any, registered: Any) -> None:
    put(scaling, "rate(10 minutes)")
    for _ in range(3):
        account.wait(600)
        register(scaling)
    triggered = [each for each in activities(scaling) if "scheduled action" in each["Cause"]]
    gaps = [newer["StartTime"] - older["StartTime"] for newer, older in pairwise(triggered)]
    assert gaps == [timedelta(minutes=10)] * 2


def test_start_and_end_bound_a_rate(account: Account, scaling: Any, registered: Any) -> None:
    """ "they form the boundaries for when the recurring action starts and stops"."""
    start = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    put(scaling, "rate(1 hour)", StartTime=start, EndTime=start + timedelta(minutes=90))
    account.wait(5 * 3600)
    triggered = [each for each in activities(scaling) if "scheduled action" in each["Cause"]]
    assert [each["StartTime"] for each in reversed(triggered)] == [
        start,
        start + timedelta(hours=1),
    ]


def test_an_update_deletes_start_and_end_and_keeps_the_rest(scaling: Any, registered: Any) -> None:
    """ "If you don't specify start and end times, the old values are deleted"."""
    start = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    put(scaling, "rate(1 hour)", StartTime=start, EndTime=start + timedelta(hours=3))
    [before] = actions(scaling)
    assert (before["StartTime"], before["EndTime"]) == (start, start + timedelta(hours=3))
    put(scaling, None, ScalableTargetAction=None)
    [after] = actions(scaling)
    assert "StartTime" not in after
    assert "EndTime" not in after
    kept = ("ScheduledActionARN", "Schedule", "ScalableTargetAction")
    assert [after[name] for name in kept] == [before[name] for name in kept]


def test_an_update_takes_the_place_of_the_time_before(
    account: Account, scaling: Any, registered: Any
) -> None:
    put(scaling)
    put(scaling, "at(2026-03-02T13:00:00)")
    account.wait(31 * 60)
    assert bounds(scaling) == (1, 10)
    account.wait(30 * 60)
    assert bounds(scaling) == (4, 10)


def test_a_run_that_was_suspended_is_missed(
    account: Account, scaling: Any, registered: Any
) -> None:
    """botocore model, SuspendedState: actions missed meanwhile are not replayed."""
    put(scaling)
    suspended = {"ScheduledScalingSuspended": True}
    scaling.register_scalable_target(**INSTANCES, SuspendedState=suspended)
    account.wait(31 * 60)
    assert bounds(scaling) == (1, 10)
    resumed = {"ScheduledScalingSuspended": False}
    scaling.register_scalable_target(**INSTANCES, SuspendedState=resumed)
    account.wait(31 * 60)
    assert bounds(scaling) == (1, 10)


def test_a_run_fails_while_the_endpoint_cannot_be_scaled(
    account: Account, scaling: Any, registered: Any
) -> None:
    """User guide, "Considerations": the resource must be in a scalable state."""
    put(scaling)
    account.wait(29 * 60)
    WORLD.durations.endpoint_update = 300
    registered.update_endpoint(EndpointName="shop", EndpointConfigName="config")
    account.wait(600)
    assert bounds(scaling) == (1, 10)
    assert activities(scaling)[0]["StatusCode"] == "Failed"


def test_a_run_fails_when_the_bounds_would_cross(
    account: Account, scaling: Any, registered: Any
) -> None:
    put(scaling, ScalableTargetAction={"MinCapacity": 11})
    account.wait(31 * 60)
    assert bounds(scaling) == (1, 10)
    assert activities(scaling)[0]["StatusMessage"].endswith(
        "Maximum capacity cannot be less than minimum capacity"
    )


def test_a_deleted_action_does_not_run(account: Account, scaling: Any, registered: Any) -> None:
    put(scaling)
    name = {"ScheduledActionName": "morning", **INSTANCES}
    scaling.delete_scheduled_action(**name)
    account.wait(31 * 60)
    assert bounds(scaling) == (1, 10)
    code, message = refused(scaling.delete_scheduled_action, **name)
    assert code == "ObjectNotFoundException"
    assert message.endswith("scheduled action name: morning")


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"Schedule": "cron(0 8 * * ? *)"}, "UnsupportedByPocketAccount", "cron"),
        ({"Schedule": "0 8 * * ? *"}, "ValidationException", "Invalid schedule expression"),
        ({"Schedule": "rate(1 week)"}, "ValidationException", "Invalid schedule expression"),
        ({"Schedule": "rate(0 minutes)"}, "ValidationException", "Invalid schedule frequency"),
        ({"Schedule": "at(2026-03-02)"}, "ValidationException", "Invalid schedule at DateTime"),
        ({"Schedule": "at(2026-03-02T12:30:00Z)"}, "ValidationException", "Invalid schedule at"),
        ({"Schedule": None}, "ValidationException", "Schedule"),
        ({"Timezone": "Mars/Olympus"}, "ValidationException", "Invalid timezone"),
        ({"ScalableTargetAction": {}}, "ValidationException", "At least one of minimum capacity"),
        ({"ScalableTargetAction": None}, "ValidationException", "At least one of minimum capacity"),
        (
            {"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}},
            "ValidationException",
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            {"ScalableTargetAction": {"MinCapacity": -1}},
            "ValidationException",
            "less than 0",
        ),
    ],
)
def test_actions_that_are_refused(
    scaling: Any, registered: Any, change: dict[str, Any], code: str, word: str
) -> None:
    """Texts: as users quote PutScheduledAction's answers, e.g.
    github.com/aws-cloudformation/community-registry-extensions/issues/255."""
    refusal = refused(
        put, scaling=scaling, schedule=change.pop("Schedule", "rate(1 hour)"), **change
    )
    assert refusal[0] == code
    assert word in refusal[1]
    assert actions(scaling) == []


def test_an_action_needs_a_registered_target(scaling: Any, sagemaker: Any) -> None:
    code, message = refused(put, scaling=scaling)
    assert code == "ObjectNotFoundException"
    assert message.startswith("No scalable target registered for service namespace: sagemaker")


def test_actions_are_found_by_name(scaling: Any, registered: Any) -> None:
    put(scaling)
    put(scaling, ScheduledActionName="evening")
    [found] = actions(scaling, ScheduledActionNames=["evening"])
    assert found["ScheduledActionName"] == "evening"
    assert found["ScheduledActionARN"].startswith(
        "arn:aws:autoscaling:us-east-1:123456789012:scheduledAction:"
    )
