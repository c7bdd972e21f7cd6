"""CreateFleet of the type instant.

Sources: EC2 user guide, "Configure an EC2 Fleet of type instant"; botocore service model,
`CreateFleet`, `SpotAllocationStrategy`, `TargetCapacitySpecificationRequest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import Control, states
from tests.cloud.hosting import refused

Fleet = Callable[..., Any]


@pytest.fixture
def fleet(ec2: Any, image: str) -> Fleet:
    """Asks for a fleet of the given types."""
    ec2.create_launch_template(
        LaunchTemplateName="train",
        LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"},
    )

    def create(*overrides: Any, total: int = 1, market: str = "on-demand", **more: Any) -> Any:
        capacity = {"TotalTargetCapacity": total, "DefaultTargetCapacityType": market}
        specification = {"LaunchTemplateName": "train", "Version": "$Latest"}
        pools = [{"InstanceType": o} if isinstance(o, str) else o for o in overrides]
        config: dict[str, Any] = {"LaunchTemplateSpecification": specification}
        if pools:
            config["Overrides"] = pools
        asked = {
            "Type": "instant",
            "TargetCapacitySpecification": capacity,
            "LaunchTemplateConfigs": [config],
            **more,
        }
        return ec2.create_fleet(**asked)

    return create


def got(answer: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in answer["Instances"]:
        kind = each["InstanceType"]
        found[kind] = found.get(kind, 0) + len(each["InstanceIds"])
    return found


def errors(answer: Any) -> list[tuple[str, str]]:
    return [
        (each["LaunchTemplateAndOverrides"]["Overrides"]["InstanceType"], each["ErrorCode"])
        for each in answer["Errors"]
    ]


def leave(control: Control, instance_type: str, remaining: int, **more: Any) -> None:
    body = {"instance_type": instance_type, "remaining": remaining, **more}
    control("PUT", "/ec2/capacity", body)


def test_it_launches_from_the_template_and_says_what(ec2: Any, fleet: Fleet) -> None:
    answer = fleet(total=2)
    [launched] = answer["Instances"]
    assert len(launched.pop("InstanceIds")) == 2
    template = launched["LaunchTemplateAndOverrides"]["LaunchTemplateSpecification"]
    assert template.pop("LaunchTemplateId").startswith("lt-")
    assert launched == {
        "LaunchTemplateAndOverrides": {"LaunchTemplateSpecification": {"Version": "1"}},
        "Lifecycle": "on-demand",
        "InstanceType": "m5.large",
    }
    assert answer["Errors"] == []
    assert states(ec2) == ["pending"] * 2


def test_a_pool_without_capacity_is_told_and_the_next_one_is_taken(
    control: Control, fleet: Fleet
) -> None:
    leave(control, "c5.large", 0)
    answer = fleet("c5.large", "m5.large", total=3)
    assert got(answer) == {"m5.large": 3}
    assert errors(answer) == [("c5.large", "InsufficientInstanceCapacity")]


def test_as_many_as_can_be_had_are_launched(control: Control, fleet: Fleet) -> None:
    leave(control, "c5.large", 0)
    leave(control, "c5.large", 2, availability_zone="us-east-1b")
    leave(control, "m5.large", 0)
    answer = fleet("c5.large", "m5.large", total=5)
    assert got(answer) == {"c5.large": 2}
    assert errors(answer) == [
        ("c5.large", "InsufficientInstanceCapacity"),
        ("m5.large", "InsufficientInstanceCapacity"),
    ]


def test_when_nothing_can_be_had_the_call_succeeds_all_the_same(fleet: Fleet) -> None:
    answer = fleet(
        "p4d.24xlarge", {"InstanceType": "p5.48xlarge", "AvailabilityZone": "us-east-1a"}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["Instances"] == []
    assert errors(answer) == [
        ("p4d.24xlarge", "VcpuLimitExceeded"),
        ("p5.48xlarge", "VcpuLimitExceeded"),
    ]
    second = answer["Errors"][1]
    assert second["Lifecycle"] == "on-demand"
    assert "your current vCPU limit of 0 allows" in second["ErrorMessage"]
    assert second["LaunchTemplateAndOverrides"]["Overrides"]["AvailabilityZone"] == "us-east-1a"


def test_cloudtrail_is_told_of_what_could_not_be_launched(account: Account, fleet: Fleet) -> None:
    fleet("m5.large")
    assert account.events == []
    fleet("p4d.24xlarge")
    [event] = account.events
    detail = event["detail"]
    assert detail["eventName"] == "CreateFleet"
    assert "errorCode" not in detail
    request = detail["requestParameters"]["CreateFleetRequest"]
    assert request["LaunchTemplateConfigs"]["Overrides"] == {
        "InstanceType": "p4d.24xlarge",
        "tag": 1,
    }
    item = detail["responseElements"]["CreateFleetResponse"]["errorSet"]["item"]
    assert item["errorCode"] == "VcpuLimitExceeded"
    assert item["launchTemplateAndOverrides"]["overrides"] == {"instanceType": "p4d.24xlarge"}


def test_spot_and_on_demand_have_their_targets(ec2: Any, fleet: Fleet) -> None:
    capacity = {
        "TotalTargetCapacity": 6,
        "OnDemandTargetCapacity": 1,
        "SpotTargetCapacity": 2,
        "DefaultTargetCapacityType": "spot",
    }
    answer = fleet("m5.large", TargetCapacitySpecification=capacity)
    counts = {each["Lifecycle"]: len(each["InstanceIds"]) for each in answer["Instances"]}
    assert counts == {"on-demand": 1, "spot": 5}
    assert len(ec2.describe_spot_instance_requests()["SpotInstanceRequests"]) == 5


def test_weights_count_towards_the_target(fleet: Fleet) -> None:
    answer = fleet({"InstanceType": "m5.xlarge", "WeightedCapacity": 2}, total=5)
    assert got(answer) == {"m5.xlarge": 3}


def test_prioritized_takes_the_lowest_priority_first(fleet: Fleet) -> None:
    answer = fleet(
        {"InstanceType": "c5.large", "Priority": 2},
        {"InstanceType": "m5.large", "Priority": 1},
        OnDemandOptions={"AllocationStrategy": "prioritized"},
    )
    assert got(answer) == {"m5.large": 1}


def test_capacity_optimized_takes_the_pool_with_most_capacity(
    control: Control, fleet: Fleet
) -> None:
    leave(control, "c5.large", 3, market="spot")
    leave(control, "m5.large", 5, market="spot")
    answer = fleet(
        "c5.large",
        "m5.large",
        market="spot",
        SpotOptions={"AllocationStrategy": "price-capacity-optimized"},
    )
    assert got(answer) == {"m5.large": 1}


def test_diversified_spreads_over_the_pools(control: Control, fleet: Fleet) -> None:
    leave(control, "r5.large", 0)
    answer = fleet(
        *("c5.large", "m5.large", "r5.large"),
        total=6,
        market="spot",
        SpotOptions={"AllocationStrategy": "diversified"},
    )
    assert got(answer) == {"c5.large": 3, "m5.large": 3}
    assert errors(answer) == [("r5.large", "InsufficientInstanceCapacity")]


def test_its_tags_are_given_to_its_instances(ec2: Any, fleet: Fleet) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    fleet(
        TagSpecifications=[
            {"ResourceType": "fleet", "Tags": [{"Key": "fleet", "Value": "only"}]},
            {"ResourceType": "instance", "Tags": tags},
        ]
    )
    [instance] = ec2.describe_instances()["Reservations"][0]["Instances"]
    kept = [each for each in instance["Tags"] if not each["Key"].startswith("aws:")]
    assert kept == tags


def test_the_same_request_under_a_token_is_done_once(ec2: Any, fleet: Fleet) -> None:
    """github.com/runs-on/runs-on/issues/251: a retry in another market is a mismatch."""
    first = fleet(ClientToken="token")
    assert fleet(ClientToken="token")["FleetId"] == first["FleetId"]
    assert len(states(ec2)) == 1
    code, _ = refused(fleet, ClientToken="token", market="spot")
    assert code == "IdempotentParameterMismatch"


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ({"Type": "maintain"}, "UnsupportedByPocketAccount", "a fleet of the type maintain"),
        (
            {"SpotOptions": {"MinTargetCapacity": 1}},
            "UnsupportedByPocketAccount",
            "SpotOptions.MinTargetCapacity",
        ),
        (
            {
                "LaunchTemplateConfigs": [
                    {"LaunchTemplateSpecification": {"LaunchTemplateName": "train"}}
                ]
            },
            "MissingParameter",
            "LaunchTemplateSpecification.Version",
        ),
        (
            {
                "LaunchTemplateConfigs": [
                    {
                        "LaunchTemplateSpecification": {
                            "LaunchTemplateName": "none",
                            "Version": "1",
                        }
                    }
                ]
            },
            "InvalidLaunchTemplateName.NotFoundException",
            "with template name none, does not exist.",
        ),
        ({"DryRun": True}, "DryRunOperation", "Request would have succeeded"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(
    fleet: Fleet, more: dict[str, Any], code: str, message: str
) -> None:
    found, text = refused(fleet, **more)
    assert found == code
    assert message in text


def test_what_nobody_simulates_is_no_error_of_a_pool(fleet: Fleet) -> None:
    pool = {"InstanceType": "m5.large", "Placement": {"GroupName": "g"}}
    specification = {"LaunchTemplateName": "train", "Version": "1"}
    config = {"LaunchTemplateSpecification": specification, "Overrides": [pool]}
    code, message = refused(fleet, LaunchTemplateConfigs=[config])
    assert code == "UnsupportedByPocketAccount"
    assert "Overrides.Placement" in message
