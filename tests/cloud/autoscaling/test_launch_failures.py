"""Launches that fail: tried elsewhere first, then told, then tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import ALL_SPOT, Fleet, policy

UNSUCCESSFUL = "EC2 Instance Launch Unsuccessful"
PLAIN = {"LaunchTemplateName": "plain"}
FAILED = "Launching EC2 instance failed."


def kinds(fleet: Fleet) -> list[str]:
    return sorted(each["InstanceType"] for each in fleet.group()["Instances"])


def test_the_next_type_is_taken_where_the_first_is_short(fleet: Fleet) -> None:
    fleet.limit(0, availability_zone="us-east-1a")
    fleet.create(3, MixedInstancesPolicy=policy("m5.large", "m5a.large", **ALL_SPOT))
    by_zone = {x["AvailabilityZone"]: x["InstanceType"] for x in fleet.group()["Instances"]}
    assert by_zone == {
        "us-east-1a": "m5a.large",
        "us-east-1b": "m5.large",
        "us-east-1c": "m5.large",
    }
    assert fleet.heard(UNSUCCESSFUL) == []


def test_another_zone_is_taken_where_one_is_short_of_all(fleet: Fleet) -> None:
    fleet.limit(0, availability_zone="us-east-1a")
    fleet.create(4)
    assert {x["AvailabilityZone"] for x in fleet.group()["Instances"]} == {
        "us-east-1b",
        "us-east-1c",
    }
    assert len(fleet.group()["Instances"]) == 4


def test_a_pool_is_used_to_its_end(fleet: Fleet) -> None:
    fleet.limit(2, market="spot")
    fleet.create(12, MixedInstancesPolicy=policy("m5.large", "m5a.large", **ALL_SPOT))
    assert kinds(fleet) == ["m5.large"] * 6 + ["m5a.large"] * 6


def test_the_call_succeeds_and_the_activity_fails(fleet: Fleet) -> None:
    fleet.limit(0)
    fleet.create(2)
    assert fleet.group()["Instances"] == []
    [activity] = fleet.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["Description"] == "Launching a new EC2 instance"
    assert activity["Progress"] == 100
    assert "increasing the capacity from 0 to 2" in activity["Cause"]


def test_what_can_be_had_is_launched_and_the_rest_fails(fleet: Fleet) -> None:
    fleet.limit(1, market="spot")
    fleet.create(5)
    assert len(fleet.group()["Instances"]) == 3
    assert "Failed" in [each["StatusCode"] for each in fleet.activities()]


def test_a_failure_is_told(fleet: Fleet) -> None:
    """Shape: EC2 Auto Scaling user guide, ec2-auto-scaling-event-reference."""
    fleet.limit(0)
    fleet.create(1)
    [event] = fleet.heard(UNSUCCESSFUL)
    assert event["source"] == "aws.autoscaling"
    assert event["resources"] == [fleet.group()["AutoScalingGroupARN"]]
    [activity] = fleet.activities()
    detail = event["detail"]
    assert detail == {
        "StatusCode": "Failed",
        "AutoScalingGroupName": "workers",
        "ActivityId": activity["ActivityId"],
        "Description": "Launching a new EC2 instance",
        "Details": {"Availability Zone": "us-east-1c", "Subnet ID": fleet.subnets[2]},
        "RequestId": detail["RequestId"],
        "StatusMessage": activity["StatusMessage"],
        "Cause": activity["Cause"],
        "EC2InstanceId": "",
        "StartTime": "2026-03-02T12:00:00Z",
        "EndTime": "2026-03-02T12:00:00Z",
        "Origin": "EC2",
        "Destination": "AutoScalingGroup",
    }


def test_a_success_is_told_when_the_instance_serves(fleet: Fleet) -> None:
    fleet.create(1)
    [event] = fleet.heard("EC2 Instance Launch Successful")
    [instance] = fleet.group()["Instances"]
    assert event["detail"]["EC2InstanceId"] == instance["InstanceId"]
    assert event["detail"]["Details"] == {
        "Availability Zone": "us-east-1a",
        "Subnet ID": fleet.subnets[0],
    }
    arn = f"arn:aws:ec2:us-east-1:123456789012:instance/{instance['InstanceId']}"
    assert event["resources"] == [fleet.group()["AutoScalingGroupARN"], arn]
    [activity] = fleet.activities()
    assert activity["StatusCode"] == "Successful"


SPOT_TEXT = "There is no Spot capacity available that matches your request."


@pytest.mark.parametrize(
    ("mixed", "subnets", "message"),
    [
        (
            policy("m5.large", **ALL_SPOT),
            1,
            f"Could not launch Spot Instances. InsufficientInstanceCapacity - {SPOT_TEXT}",
        ),
        (
            policy("m5.large", "m5a.large", **ALL_SPOT),
            3,
            "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity "
            "due to your request configuration. Please adjust your request and try again.",
        ),
        (
            policy("m5.large"),
            1,
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do "
            "not have sufficient m5.large capacity in the Availability Zone you requested "
            "(us-east-1a). Our system will be working on provisioning additional capacity.",
        ),
    ],
)
def test_groups_with_a_policy_name_market_and_code(
    fleet: Fleet, mixed: dict[str, Any], subnets: int, message: str
) -> None:
    for kind in ("m5.large", "m5a.large"):
        fleet.limit(0, kind)
    where = ",".join(fleet.subnets[:subnets])
    fleet.create(1, MixedInstancesPolicy=mixed, VPCZoneIdentifier=where)
    [activity] = fleet.activities()
    assert activity["StatusMessage"] == f"{message} {FAILED}"


def test_plain_groups_say_what_ec2_said(fleet: Fleet, quota: Callable[[str, float], None]) -> None:
    quota("Standard", 3)
    fleet.create(2, LaunchTemplate=PLAIN)
    assert len(fleet.group()["Instances"]) == 1
    [event] = fleet.heard(UNSUCCESSFUL)
    message = event["detail"]["StatusMessage"]
    assert message.startswith("You have requested more vCPU capacity than your current vCPU limit")
    assert message.endswith(f"an adjustment to this limit. {FAILED}")


def test_it_is_tried_again_until_it_succeeds(fleet: Fleet) -> None:
    fleet.limit(0)
    fleet.create(1)
    fleet.account.wait(3 * WORLD.durations.asg_retry)
    failures = len(fleet.heard(UNSUCCESSFUL))
    assert failures == 4
    fleet.limit(None)
    fleet.account.wait(WORLD.durations.asg_retry)
    fleet.account.wait(WORLD.durations.instance_boot)
    assert fleet.states() == ["InService"]
    fleet.account.wait(60)
    assert len(fleet.heard(UNSUCCESSFUL)) == failures


def cloudtrail(fleet: Fleet) -> Any:
    return fleet.heard("AWS API Call via CloudTrail")[0]["detail"]


def test_cloudtrail_tells_a_plain_groups_refused_launch(
    fleet: Fleet, quota: Callable[[str, float], None]
) -> None:
    quota("Standard", 0)
    fleet.create(1, LaunchTemplate=PLAIN)
    told = cloudtrail(fleet)
    assert (told["eventName"], told["errorCode"]) == ("RunInstances", "Client.VcpuLimitExceeded")
    assert told["userIdentity"]["invokedBy"] == "autoscaling.amazonaws.com"
    assert told["sourceIPAddress"] == "autoscaling.amazonaws.com"


def test_cloudtrail_tells_a_mixed_groups_fleet(
    fleet: Fleet, quota: Callable[[str, float], None]
) -> None:
    quota("Standard Spot", 0)
    fleet.create(2)
    told = cloudtrail(fleet)
    assert told["eventName"] == "CreateFleet"
    assert "errorCode" not in told
    errors = told["responseElements"]["CreateFleetResponse"]["errorSet"]["item"]
    assert {each["errorCode"] for each in errors} == {"MaxSpotInstanceCountExceeded"}
    asked = told["requestParameters"]["CreateFleetRequest"]["TargetCapacitySpecification"]
    assert asked["TotalTargetCapacity"] == 2


def test_activities_are_paged_and_outlive_their_group(fleet: Fleet) -> None:
    fleet.create(3)
    first = fleet.asg.describe_scaling_activities(AutoScalingGroupName="workers", MaxRecords=2)
    rest = fleet.asg.describe_scaling_activities(
        AutoScalingGroupName="workers", MaxRecords=2, NextToken=first["NextToken"]
    )
    assert (len(first["Activities"]), len(rest["Activities"])) == (2, 1)
    assert "NextToken" not in rest
    fleet.asg.delete_auto_scaling_group(AutoScalingGroupName="workers", ForceDelete=True)
    fleet.account.wait(60)
    call = fleet.asg.describe_scaling_activities
    assert call()["Activities"] == []
    kept = call(AutoScalingGroupName="workers", IncludeDeletedGroups=True)["Activities"]
    assert len(kept) == 6
    assert kept[0]["Description"].startswith("Terminating EC2 instance: i-")


def test_what_cannot_be_played_fails_visibly_and_is_no_refusal_of_aws(
    fleet: Fleet, image: str
) -> None:
    """A template's newer version may hold what the group's first one did not."""
    fleet.create(0)
    data = {"ImageId": image, "CreditSpecification": {"CpuCredits": "standard"}}
    fleet.ec2.create_launch_template_version(LaunchTemplateName="plain", LaunchTemplateData=data)
    fleet.update(DesiredCapacity=1)
    [activity] = fleet.activities()
    assert "UnsupportedByPocketAccount" in activity["StatusMessage"]
    assert fleet.heard("AWS API Call via CloudTrail") == []
