"""Groups: made, changed, looked at, deleted.

Source: EC2 Auto Scaling API reference, the operations named.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import Fleet, policy
from tests.cloud.hosting import refused

PLAIN = {"LaunchTemplateName": "plain"}
CODE = "ValidationError"


def create(fleet: Fleet, **more: Any) -> tuple[str, str]:
    """What a new group is refused with."""
    asked = {
        "AutoScalingGroupName": "workers",
        "MinSize": 0,
        "MaxSize": 4,
        "VPCZoneIdentifier": fleet.subnets[0],
        "LaunchTemplate": PLAIN,
    }
    given = {key: value for key, value in {**asked, **more}.items() if value is not None}
    return refused(fleet.asg.create_auto_scaling_group, **given)


def test_a_group_launches_its_desired_capacity(fleet: Fleet) -> None:
    fleet.create(3, LaunchTemplate=PLAIN)
    group = fleet.group()
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 20, 3)
    assert group["LaunchTemplate"]["LaunchTemplateName"] == "plain"
    assert "MixedInstancesPolicy" not in group
    assert fleet.markets() == {"on-demand": 3}


def test_its_instances_are_pending_until_they_have_booted(fleet: Fleet) -> None:
    fleet.create(0)
    fleet.asg.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=2)
    assert fleet.states() == ["Pending", "Pending"]
    fleet.account.wait(WORLD.durations.instance_boot)
    assert fleet.states() == ["InService", "InService"]


def test_instances_are_described_with_what_they_came_from(fleet: Fleet) -> None:
    fleet.create(1)
    [instance] = fleet.group()["Instances"]
    template = instance.pop("LaunchTemplate")
    assert (template["LaunchTemplateName"], template["Version"]) == ("plain", "1")
    assert instance == {
        "InstanceId": instance["InstanceId"],
        "InstanceType": "m5.large",
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }


def test_instances_bear_the_groups_tags_that_propagate_and_those_of_aws(fleet: Fleet) -> None:
    tags = [
        {"Key": "team", "Value": "ml", "PropagateAtLaunch": True},
        {"Key": "secret", "Value": "yes", "PropagateAtLaunch": False},
    ]
    fleet.create(1, Tags=tags)
    [instance] = fleet.instances()
    borne = {each["Key"]: each["Value"] for each in instance["Tags"]}
    template = borne.pop("aws:ec2launchtemplate:id")
    assert template.startswith("lt-")
    assert borne == {
        "team": "ml",
        "aws:autoscaling:groupName": "workers",
        "aws:ec2launchtemplate:version": "1",
    }


def test_instances_are_balanced_over_the_zones(fleet: Fleet) -> None:
    fleet.create(7)
    zones = Counter(each["AvailabilityZone"] for each in fleet.group()["Instances"])
    assert sorted(zones.values()) == [2, 2, 3]


def test_a_smaller_capacity_takes_from_the_fullest_zone(fleet: Fleet) -> None:
    fleet.create(7)
    fleet.update(DesiredCapacity=3)
    assert fleet.states().count("Terminating") == 4
    fleet.account.wait(WORLD.durations.instance_stop)
    zones = Counter(each["AvailabilityZone"] for each in fleet.group()["Instances"])
    assert list(zones.values()) == [1, 1, 1]


def test_protected_instances_stay(fleet: Fleet) -> None:
    fleet.create(3, NewInstancesProtectedFromScaleIn=True)
    fleet.update(DesiredCapacity=1)
    assert fleet.states() == ["InService"] * 3


def test_what_an_update_does_not_name_stays(fleet: Fleet) -> None:
    fleet.create(3)
    before = fleet.group()
    fleet.update(MaxSize=9)
    assert fleet.group() == {**before, "MaxSize": 9}


def test_a_size_alone_moves_the_desired_capacity(fleet: Fleet) -> None:
    fleet.create(3)
    fleet.update(MinSize=5)
    assert fleet.group()["DesiredCapacity"] == 5
    fleet.update(MinSize=0, MaxSize=2)
    assert fleet.group()["DesiredCapacity"] == 2


def test_a_changed_template_leaves_running_instances_alone(fleet: Fleet) -> None:
    fleet.create(1, LaunchTemplate={**PLAIN, "Version": "$Latest"})
    [before] = fleet.group()["Instances"]
    fleet.ec2.create_launch_template_version(
        LaunchTemplateName="plain",
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "m5.xlarge"},
    )
    fleet.account.wait(60)
    assert fleet.group()["Instances"] == [before]
    fleet.update(DesiredCapacity=2)
    kinds = {each["InstanceType"] for each in fleet.group()["Instances"]}
    assert kinds == {"m5.large", "m5.xlarge"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"DesiredCapacity": 5},
            "Desired capacity:5 must be between the specified min size:0 and max size:4",
        ),
        ({"MinSize": 5}, "Max bound, 4, must be greater than or equal to min bound, 5"),
        (
            {"MixedInstancesPolicy": policy(OnDemandBaseCapacity=5), "LaunchTemplate": None},
            "Max bound, 4, must be greater than or equal to OnDemandBaseCapacity, 5.",
        ),
        (
            {"LaunchTemplate": {"LaunchTemplateName": "plain", "LaunchTemplateId": "lt-1"}},
            "Valid requests must contain either launchTemplateId or LaunchTemplateName",
        ),
        ({"VPCZoneIdentifier": None}, "At least one Availability Zone or VPC Subnet is required."),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(
    fleet: Fleet, more: dict[str, Any], message: str
) -> None:
    assert create(fleet, **more) == (CODE, message)


def test_a_group_needs_one_source_of_instances(fleet: Fleet) -> None:
    none = create(fleet, LaunchTemplate=None)
    assert none == create(fleet, MixedInstancesPolicy=policy())
    assert none[1].startswith("Valid requests must contain either LaunchTemplate")


def test_a_template_nobody_made_is_refused(fleet: Fleet) -> None:
    code, message = create(fleet, LaunchTemplate={"LaunchTemplateName": "nobody"})
    assert code == CODE
    assert message.startswith("You must use a valid fully-formed launch template. ")


def test_a_policy_leaves_no_market_to_its_template(fleet: Fleet, image: str) -> None:
    data = {"ImageId": image, "InstanceMarketOptions": {"MarketType": "spot"}}
    fleet.ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData=data)
    mixed = {
        "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "spot"}},
    }
    code, message = create(fleet, LaunchTemplate=None, MixedInstancesPolicy=mixed)
    assert code == CODE
    assert "set to request Spot Instances (InstanceMarketOptions)" in message


def test_a_plain_group_buys_what_its_template_says(fleet: Fleet, image: str) -> None:
    data = {
        "ImageId": image,
        "InstanceType": "m5.large",
        "InstanceMarketOptions": {"MarketType": "spot"},
    }
    fleet.ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData=data)
    fleet.create(2, LaunchTemplate={"LaunchTemplateName": "spot"})
    assert fleet.markets() == {"spot": 2}


def test_a_template_that_cannot_be_played_says_so_at_once(fleet: Fleet, image: str) -> None:
    data = {"ImageId": image, "CreditSpecification": {"CpuCredits": "standard"}}
    fleet.ec2.create_launch_template(LaunchTemplateName="credits", LaunchTemplateData=data)
    code, message = create(fleet, LaunchTemplate={"LaunchTemplateName": "credits"})
    assert code == "UnsupportedByPocketAccount"
    assert "CreditSpecification" in message


def test_a_name_may_have_characters_beyond_the_basic_plane(fleet: Fleet) -> None:
    """The model's pattern writes them as pairs of surrogates."""
    fleet.create(0, "workers \U0001f680")


def test_a_name_is_given_once(fleet: Fleet) -> None:
    fleet.create(0)
    assert create(fleet)[0] == "AlreadyExists"


def test_capacity_is_set_within_the_bounds(fleet: Fleet) -> None:
    fleet.create(3, MinSize=2, MaxSize=4)
    call = fleet.asg.set_desired_capacity
    assert refused(call, AutoScalingGroupName="workers", DesiredCapacity=5) == (
        CODE,
        "New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.",
    )
    assert refused(call, AutoScalingGroupName="workers", DesiredCapacity=1) == (
        CODE,
        "New SetDesiredCapacity value 1 is below min value 2 for the AutoScalingGroup.",
    )


def test_an_instance_terminated_through_the_group_is_replaced_or_not(fleet: Fleet) -> None:
    fleet.create(3, MinSize=2)
    call = fleet.asg.terminate_instance_in_auto_scaling_group
    first, second, third = (each["InstanceId"] for each in fleet.group()["Instances"])
    activity = call(InstanceId=first, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {first}"
    fleet.account.wait(10)
    assert [each["InstanceId"] for each in fleet.group()["Instances"]] == [second, third]
    _, message = refused(call, InstanceId=second, ShouldDecrementDesiredCapacity=True)
    assert message.startswith("Currently, desiredSize equals minSize (2).")
    call(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    fleet.account.wait(10)
    assert len(fleet.group()["Instances"]) == 2
    assert refused(call, InstanceId=second, ShouldDecrementDesiredCapacity=True) == (
        CODE,
        f"Instance Id not found - No managed instance found for instance ID: {second}",
    )


def test_an_instance_that_ends_otherwise_fails_its_health_check_and_is_replaced(
    fleet: Fleet,
) -> None:
    fleet.create(2)
    gone = fleet.group()["Instances"][0]["InstanceId"]
    fleet.ec2.terminate_instances(InstanceIds=[gone])
    assert fleet.states() == ["InService", "InService"]
    fleet.account.wait(WORLD.durations.asg_health_check)
    [unhealthy] = [each for each in fleet.group()["Instances"] if each["InstanceId"] == gone]
    assert (unhealthy["LifecycleState"], unhealthy["HealthStatus"]) == ("Terminating", "Unhealthy")
    fleet.account.wait(10)
    assert fleet.states() == ["InService", "InService"]
    assert gone not in [each["InstanceId"] for each in fleet.group()["Instances"]]
    [told] = fleet.heard("EC2 Instance Terminate Successful")
    assert told["detail"]["EC2InstanceId"] == gone
    assert "in response to an EC2 health check" in told["detail"]["Cause"]


def test_a_group_with_instances_is_deleted_by_force_alone(fleet: Fleet) -> None:
    fleet.create(2)
    call = fleet.asg.delete_auto_scaling_group
    assert refused(call, AutoScalingGroupName="workers")[0] == "ResourceInUse"
    call(AutoScalingGroupName="workers", ForceDelete=True)
    assert fleet.group()["Status"] == "Delete in progress"
    code, _ = refused(fleet.asg.update_auto_scaling_group, AutoScalingGroupName="workers")
    assert code == "ScalingActivityInProgress"
    ids = [each["InstanceId"] for each in fleet.group()["Instances"]]
    fleet.account.wait(WORLD.durations.instance_stop)
    assert fleet.asg.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    found = fleet.ec2.describe_instances(InstanceIds=ids)["Reservations"]
    assert {each["State"]["Name"] for r in found for each in r["Instances"]} == {"terminated"}
    fleet.account.wait(60)
    fleet.create(0)
    fleet.asg.delete_auto_scaling_group(AutoScalingGroupName="workers")
    assert fleet.asg.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_a_group_nobody_made_is_refused(fleet: Fleet) -> None:
    for call in (fleet.asg.update_auto_scaling_group, fleet.asg.delete_auto_scaling_group):
        code, message = refused(call, AutoScalingGroupName="nobody")
        assert (code, "nobody not found" in message) == (CODE, True)


@pytest.mark.parametrize(
    "more",
    [
        {"HealthCheckType": "ELB"},
        {"TerminationPolicies": ["NewestInstance"]},
        {"MaxInstanceLifetime": 86_400},
        {"MixedInstancesPolicy": policy("m5.large"), "LaunchTemplate": None, "PlacementGroup": "x"},
    ],
)
def test_what_is_not_simulated_says_so(fleet: Fleet, more: dict[str, Any]) -> None:
    assert create(fleet, **more)[0] == "UnsupportedByPocketAccount"


def test_weights_are_not_simulated(fleet: Fleet) -> None:
    mixed = policy()
    mixed["LaunchTemplate"]["Overrides"] = [{"InstanceType": "m5.large", "WeightedCapacity": "2"}]
    code, message = create(fleet, LaunchTemplate=None, MixedInstancesPolicy=mixed)
    assert code == "UnsupportedByPocketAccount"
    assert "Overrides.WeightedCapacity" in message


def test_a_look_over_a_thousand_instances_is_quick(fleet: Fleet) -> None:
    for number in range(10):
        fleet.create(100, f"g{number}", MaxSize=100, Tags=[{"Key": "fleet", "Value": "ml"}])
    began = time.perf_counter()
    answer = fleet.asg.describe_auto_scaling_groups(
        Filters=[{"Name": "tag:fleet", "Values": ["ml"]}]
    )
    took = time.perf_counter() - began
    assert sum(len(each["Instances"]) for each in answer["AutoScalingGroups"]) == 1000
    assert took < 1
