"""Spot Instances that EC2 takes back, with a group and without.

Source: EC2 user guide, "Spot Instance interruption notices" and "EC2 instance rebalance
recommendations"; EC2 Auto Scaling user guide, "Capacity Rebalancing in Auto Scaling to replace
at-risk Spot Instances".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import ALL_SPOT, Fleet, policy
from tests.cloud.ec2.conftest import SPOT

Run = Callable[..., Any]
WARNING = "EC2 Spot Instance Interruption Warning"
RECOMMENDATION = "EC2 Instance Rebalance Recommendation"
MODES = {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "persistent"}}


def reclaim(fleet: Fleet, status: int = 200, **body: Any) -> Any:
    return fleet.control("POST", "/ec2/spot/reclaim", body, status)


def state(fleet: Fleet, instance_id: str) -> Any:
    [reservation] = fleet.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return reservation["Instances"][0]


def request_of(fleet: Fleet, instance: Any) -> tuple[str, str]:
    ids = [instance["SpotInstanceRequestId"]]
    [found] = fleet.ec2.describe_spot_instance_requests(SpotInstanceRequestIds=ids)[
        "SpotInstanceRequests"
    ]
    return found["State"], found["Status"]["Code"]


def test_the_warning_comes_two_minutes_before_the_end(fleet: Fleet, run: Run) -> None:
    [instance] = run(**SPOT)
    fleet.account.wait(10)
    answer = reclaim(fleet, instance_ids=[instance["InstanceId"]])
    assert answer == {"instance_ids": [instance["InstanceId"]], "terminated_in_seconds": 120}
    [event] = fleet.heard(WARNING)
    assert event["source"] == "aws.ec2"
    assert event["detail"] == {
        "instance-id": instance["InstanceId"],
        "instance-action": "terminate",
    }
    assert request_of(fleet, instance) == ("closed", "instance-terminated-no-capacity")
    fleet.account.wait(119)
    assert state(fleet, instance["InstanceId"])["State"]["Name"] == "running"
    fleet.account.wait(1)
    assert state(fleet, instance["InstanceId"])["State"]["Name"] == "shutting-down"
    fleet.account.wait(WORLD.durations.instance_stop)
    ended = state(fleet, instance["InstanceId"])
    assert ended["State"]["Name"] == "terminated"
    assert ended["StateReason"] == {
        "Code": "Server.SpotInstanceTermination",
        "Message": "Server.SpotInstanceTermination: Spot instance termination",
    }
    assert request_of(fleet, instance) == ("closed", "instance-terminated-no-capacity")


def test_a_persistent_request_waits_for_another(fleet: Fleet, run: Run) -> None:
    [instance] = run(InstanceMarketOptions=MODES)
    reclaim(fleet, instance_ids=[instance["InstanceId"]])
    fleet.account.wait(WORLD.durations.spot_notice)
    assert request_of(fleet, instance) == ("open", "pending-evaluation")


@pytest.mark.parametrize(
    ("by_zone", "place"), [(False, "us-east-1:123456789012"), (True, "us-east-1{}:")]
)
def test_the_arn_has_the_account_or_the_zone(
    fleet: Fleet, run: Run, by_zone: bool, place: str
) -> None:
    WORLD.switches.interruption_arn_names_zone = by_zone
    [instance] = run(**SPOT, SubnetId=fleet.subnets[0])
    reclaim(fleet, instance_ids=[instance["InstanceId"]])
    [event] = fleet.heard(WARNING)
    place = place.format("a").rstrip(":")
    assert event["resources"] == [f"arn:aws:ec2:{place}:instance/{instance['InstanceId']}"]


def test_a_recommendation_may_come_first(fleet: Fleet, run: Run) -> None:
    [instance] = run(**SPOT)
    answer = reclaim(fleet, instance_ids=[instance["InstanceId"]], rebalance_first_seconds=60)
    assert answer["terminated_in_seconds"] == 180
    [event] = fleet.heard(RECOMMENDATION)
    assert event["detail"] == {"instance-id": instance["InstanceId"]}
    assert fleet.heard(WARNING) == []
    fleet.account.wait(60)
    assert len(fleet.heard(WARNING)) == 1


def test_one_warning_is_enough_and_what_ended_gets_none(fleet: Fleet, run: Run) -> None:
    warned, ended = (each["InstanceId"] for each in run(count=2, **SPOT))
    reclaim(fleet, instance_ids=[warned, ended], rebalance_first_seconds=60)
    reclaim(fleet, instance_ids=[warned])
    fleet.ec2.terminate_instances(InstanceIds=[ended])
    fleet.account.wait(300)
    [event] = fleet.heard(WARNING)
    assert event["detail"]["instance-id"] == warned


def test_what_its_user_ends_within_the_notice_is_not_taken(fleet: Fleet, run: Run) -> None:
    [instance] = run(**SPOT)
    fleet.limit(1, market="spot")
    reclaim(fleet, instance_ids=[instance["InstanceId"]])
    fleet.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    fleet.account.wait(300)
    ended = state(fleet, instance["InstanceId"])
    assert ended["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert request_of(fleet, instance) == ("closed", "instance-terminated-no-capacity")


def test_a_group_that_ends_an_instance_closes_its_request(fleet: Fleet) -> None:
    fleet.create(1)
    [instance] = fleet.instances()
    fleet.update(DesiredCapacity=0)
    assert request_of(fleet, instance) == ("closed", "instance-terminated-by-user")


def test_a_recommendation_may_be_all(fleet: Fleet) -> None:
    fleet.create(3)
    body = {"group": "workers", "count": 2}
    answer = fleet.control("POST", "/ec2/spot/rebalance", body)
    assert len(answer["instance_ids"]) == len(fleet.heard(RECOMMENDATION)) == 2
    fleet.account.wait(600)
    assert fleet.heard(WARNING) == []
    assert fleet.states() == ["InService"] * 3


def test_a_group_replaces_what_it_lost_once_it_is_gone(fleet: Fleet) -> None:
    fleet.create(3)
    [lost] = reclaim(fleet, group="workers", count=1)["instance_ids"]
    fleet.account.wait(119)
    assert len(fleet.group()["Instances"]) == 3
    fleet.account.wait(30)
    ids = [each["InstanceId"] for each in fleet.group()["Instances"]]
    assert len(ids) == 3
    assert lost not in ids
    assert fleet.markets() == {"spot": 3}


def test_by_its_division_it_waits_for_spot_that_does_not_come(fleet: Fleet) -> None:
    """The group itself never buys On-Demand in the place of Spot."""
    fleet.create(4)
    fleet.limit(0, market="spot")
    reclaim(fleet, group="workers", count=2)
    fleet.account.wait(300)
    assert fleet.markets() == {"spot": 2}
    assert fleet.heard("EC2 Instance Launch Unsuccessful")


def test_a_limited_pool_loses_what_is_taken(fleet: Fleet) -> None:
    fleet.create(2)
    fleet.limit(1, market="spot", availability_zone="us-east-1a")
    [lost] = reclaim(fleet, instance_type="m5.large", availability_zone="us-east-1a")[
        "instance_ids"
    ]
    assert state(fleet, lost)["Placement"]["AvailabilityZone"] == "us-east-1a"
    fleet.account.wait(300)
    [pool] = fleet.control("GET", "/ec2/capacity")["pools"]
    assert pool["remaining"] + pool["in_use"] == 1


def test_with_capacity_rebalancing_the_replacement_comes_first(fleet: Fleet) -> None:
    fleet.create(3, CapacityRebalance=True, MaxSize=3)
    reclaim(fleet, group="workers", count=1)
    assert fleet.states() == ["InService"] * 3 + ["Pending"]
    fleet.account.wait(WORLD.durations.instance_boot)
    fleet.account.wait(0)
    assert fleet.states() == ["InService"] * 3 + ["Terminating"]
    fleet.account.wait(300)
    assert fleet.states() == ["InService"] * 3
    assert len(fleet.heard("EC2 Instance Launch Successful")) == 4


def test_so_it_does_on_a_mere_recommendation(fleet: Fleet) -> None:
    fleet.create(2, CapacityRebalance=True)
    [risky] = fleet.control("POST", "/ec2/spot/rebalance", {"group": "workers", "count": 1})[
        "instance_ids"
    ]
    fleet.account.wait(30)
    assert fleet.states() == ["InService"] * 2
    assert risky not in [each["InstanceId"] for each in fleet.group()["Instances"]]


def test_without_another_the_one_at_risk_runs_to_its_end(fleet: Fleet) -> None:
    fleet.create(2, CapacityRebalance=True)
    fleet.limit(0, market="spot")
    reclaim(fleet, group="workers", count=1)
    fleet.account.wait(100)
    assert fleet.markets() == {"spot": 2}
    fleet.account.wait(60)
    assert fleet.markets() == {"spot": 1}


def test_all_at_risk_run_on_while_the_group_is_short(fleet: Fleet) -> None:
    fleet.create(3, CapacityRebalance=True)
    fleet.limit(0, market="spot")
    fleet.update(DesiredCapacity=5)
    fleet.control("POST", "/ec2/spot/rebalance", {"group": "workers"})
    fleet.account.wait(60)
    assert fleet.states() == ["InService"] * 3


def test_a_protected_instance_is_not_replaced_ahead(fleet: Fleet) -> None:
    fleet.create(2, CapacityRebalance=True, NewInstancesProtectedFromScaleIn=True)
    before = fleet.group()["Instances"]
    reclaim(fleet, group="workers", count=1)
    fleet.account.wait(60)
    assert fleet.group()["Instances"] == before
    fleet.account.wait(120)
    assert fleet.markets() == {"spot": 2}


def test_on_demand_is_never_taken(fleet: Fleet, run: Run) -> None:
    mixed = policy("m5.large", OnDemandBaseCapacity=1, OnDemandPercentageAboveBaseCapacity=0)
    fleet.create(3, MixedInstancesPolicy=mixed)
    assert len(reclaim(fleet, group="workers")["instance_ids"]) == 2
    [bought] = run()
    error = reclaim(fleet, 409, instance_ids=[bought["InstanceId"]])["error"]
    assert "is not a Spot Instance that can be taken back" in error


def test_nothing_is_taken_twice(fleet: Fleet) -> None:
    fleet.create(2)
    ids = reclaim(fleet, group="workers", count=1)["instance_ids"]
    assert reclaim(fleet, group="workers", count=1)["instance_ids"] != ids
    assert "0 Spot Instances of group 'workers'" in reclaim(fleet, 409, group="workers")["error"]
    assert "warned already" in reclaim(fleet, 409, instance_ids=ids)["error"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({}, 400, "one of instance_ids, group and instance_type"),
        ({"group": "g", "instance_type": "m5.large"}, 400, "one of instance_ids"),
        ({"group": "g", "availability_zone": "us-east-1a"}, 400, "goes with instance_type alone"),
        ({"instance_ids": ["i-1"], "count": 1}, 400, "does not go with instance_ids"),
        ({"instance_ids": ["i-1"]}, 404, "There is no instance i-1."),
        ({"group": "g", "count": 0}, 400, "at least 1"),
        ({"instance_type": "m5.large", "count": 1}, 409, "0 Spot Instances of instance_type"),
        ({"group": "g", "rebalance_first_seconds": -1}, 400, "at least 0"),
        ({"group": "g", "region": "mars-1"}, 400, "not in a Region 'mars-1'"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    fleet: Fleet, body: dict[str, Any], status: int, reason: str
) -> None:
    assert reason in reclaim(fleet, status, **body)["error"]


def test_other_ends_than_termination_are_not_simulated(fleet: Fleet, run: Run) -> None:
    options = {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"}
    [each] = run(InstanceMarketOptions={"MarketType": "spot", "SpotOptions": options})
    error = reclaim(fleet, 409, instance_ids=[each["InstanceId"]])["error"]
    assert "interruption behavior stop" in error


def test_a_storm_of_a_thousand_is_cheap(fleet: Fleet) -> None:
    fleet.create(1000, MaxSize=1000, MixedInstancesPolicy=policy("m5.large", **ALL_SPOT))
    fleet.limit(0, market="spot")
    began = time.perf_counter()
    reclaim(fleet, group="workers")
    warned = time.perf_counter()
    assert len(fleet.heard(WARNING)) == 1000
    fleet.account.wait(WORLD.durations.spot_notice)
    fleet.account.wait(WORLD.durations.asg_health_check + WORLD.durations.instance_stop)
    ended = time.perf_counter()
    assert fleet.group()["Instances"] == []
    assert warned - began < 1
    assert ended - warned < 3
