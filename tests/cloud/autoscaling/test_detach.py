"""Instances that are taken out of a group and run on.

Source: EC2 Auto Scaling user guide, "Detach or attach instances from your Auto Scaling group"; API
reference, DetachInstances.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.autoscaling.conftest import Fleet, policy
from tests.cloud.hosting import refused


def ids(fleet: Fleet) -> list[str]:
    return [each["InstanceId"] for each in fleet.group()["Instances"]]


def detach(fleet: Fleet, *instances: str, decrement: bool = False) -> Any:
    return fleet.asg.detach_instances(
        AutoScalingGroupName="workers",
        InstanceIds=list(instances),
        ShouldDecrementDesiredCapacity=decrement,
    )["Activities"]


def refusal(fleet: Fleet, *instances: str, decrement: bool = False) -> tuple[str, str]:
    code, message = refused(
        fleet.asg.detach_instances,
        AutoScalingGroupName="workers",
        InstanceIds=list(instances),
        ShouldDecrementDesiredCapacity=decrement,
    )
    return code, message


def described(fleet: Fleet, instance: str) -> Any:
    [reservation] = fleet.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    return reservation["Instances"][0]


def test_what_is_detached_runs_on_and_is_replaced(fleet: Fleet) -> None:
    fleet.create(3)
    gone, *kept = ids(fleet)
    detach(fleet, gone)
    fleet.account.wait(60)
    assert described(fleet, gone)["State"]["Name"] == "running"
    assert gone not in ids(fleet)
    assert set(kept) < set(ids(fleet))
    assert fleet.states() == ["InService"] * 3


def test_it_no_longer_bears_the_groups_name(fleet: Fleet) -> None:
    fleet.create(1)
    [gone] = ids(fleet)
    detach(fleet, gone)
    assert "aws:autoscaling:groupName" not in {t["Key"] for t in described(fleet, gone)["Tags"]}
    found = fleet.asg.describe_auto_scaling_instances(InstanceIds=[gone])
    assert found["AutoScalingInstances"] == []


def test_with_the_capacity_less_it_is_not_replaced(fleet: Fleet) -> None:
    fleet.create(3)
    gone, *kept = ids(fleet)
    detach(fleet, gone, decrement=True)
    fleet.account.wait(60)
    assert ids(fleet) == kept
    assert fleet.group()["DesiredCapacity"] == 2


def test_each_is_an_activity_and_no_event(fleet: Fleet) -> None:
    fleet.create(3)
    first, second, _ = ids(fleet)
    before = len(fleet.account.events)
    told = detach(fleet, first, second)
    assert [each["Description"] for each in told] == [
        f"Detaching EC2 instance: {first}",
        f"Detaching EC2 instance: {second}",
    ]
    assert {(each["StatusCode"], each["Progress"]) for each in told} == {("InProgress", 50)}
    assert f"instance {first} was detached in response to a user request." in told[0]["Cause"]
    assert len(fleet.account.events) == before
    by_id = {each["ActivityId"]: each for each in fleet.activities()}
    assert by_id[told[0]["ActivityId"]]["StatusCode"] == "Successful"


def test_when_spot_takes_it_the_group_is_not_concerned(fleet: Fleet) -> None:
    fleet.create(3)
    gone = ids(fleet)[0]
    fleet.control("POST", "/ec2/spot/reclaim", {"instance_ids": [gone]})
    detach(fleet, gone)
    fleet.account.wait(60)
    now, activities = ids(fleet), len(fleet.activities())
    fleet.account.wait(120)
    assert described(fleet, gone)["State"]["Name"] == "terminated"
    assert (ids(fleet), len(fleet.activities())) == (now, activities)


def test_one_that_ended_before_its_group_noticed_can_still_be_let_go(fleet: Fleet) -> None:
    fleet.create(2)
    gone, kept = ids(fleet)
    fleet.ec2.terminate_instances(InstanceIds=[gone])
    detach(fleet, gone, decrement=True)
    fleet.account.wait(60)
    assert ids(fleet) == [kept]
    assert fleet.states() == ["InService"]


def test_what_is_detached_at_once_with_a_raised_base_is_all_that_is_replaced(fleet: Fleet) -> None:
    fleet.create(6)
    warned, *healthy = ids(fleet)
    distribution = {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0}
    fleet.asg.update_auto_scaling_group(
        AutoScalingGroupName="workers",
        MixedInstancesPolicy=policy("m5.large", **distribution),
    )
    detach(fleet, warned)
    fleet.account.wait(120)
    assert fleet.markets() == {"spot": 5, "on-demand": 1}
    assert set(healthy) < set(ids(fleet))


def test_only_what_is_in_service_in_the_group_can_be(fleet: Fleet) -> None:
    fleet.create(1, name="others")
    fleet.create(1)
    [other] = [each["InstanceId"] for each in fleet.group("others")["Instances"]]
    assert refusal(fleet, other) == (
        "ValidationError",
        f"The instance {other} is not part of Auto Scaling group workers.",
    )
    fleet.update(DesiredCapacity=2)
    [pending] = [i["InstanceId"] for i in fleet.group()["Instances"] if i["LifecycleState"] == "Pending"]  # fmt: skip
    assert refusal(fleet, pending) == (
        "ValidationError",
        f"The instance {pending} is not in InService or Standby.",
    )


def test_one_that_cannot_be_keeps_all_of_the_call(fleet: Fleet) -> None:
    fleet.create(2)
    before = ids(fleet)
    refusal(fleet, before[0], "i-0123456789abcdef0")
    assert ids(fleet) == before


def test_no_capacity_is_taken_below_the_minimum(fleet: Fleet) -> None:
    fleet.create(2, MinSize=1)
    assert refusal(fleet, *ids(fleet), decrement=True) == (
        "ValidationError",
        "AutoScalingGroup workers has min-size=1, max-size=20, and desired-size=2. To detach 2 "
        "instances, please update the AutoScalingGroup sizes appropriately.",
    )
    detach(fleet, *ids(fleet))


@pytest.mark.parametrize(("many", "fits"), [(19, True), (20, False)])
def test_nineteen_are_the_most_at_once(fleet: Fleet, many: int, fits: bool) -> None:
    fleet.create(20)
    before = ids(fleet)
    if fits:
        assert len(detach(fleet, *before[:many])) == many
    else:
        code, message = refusal(fleet, *before[:many])
        assert code == "ValidationError"
        assert message.startswith("List exceeds the maximum number of instances to detach.")
    assert set(before) & set(ids(fleet)) == set(before[many:] if fits else before)


def test_none_or_of_no_group_is_refused(fleet: Fleet) -> None:
    fleet.create(1)
    assert refusal(fleet)[0] == "UnsupportedByPocketAccount"
    assert (
        refused(
            fleet.asg.detach_instances,
            AutoScalingGroupName="nobody",
            InstanceIds=["i-0123456789abcdef0"],
            ShouldDecrementDesiredCapacity=False,
        )[0]
        == "ValidationError"
    )
