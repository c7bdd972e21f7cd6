"""What RunInstances is asked for an On-Demand twin.

Source: botocore service model of EC2, 2016-11-15.
"""

from __future__ import annotations

import base64
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.stub import Stubber

from functions.spot_fallback.launch import KEPT, LEFT, UNSHARED, has_place, likeness, request

MODEL = botocore.session.get_session().get_service_model("ec2")
TEMPLATE = MODEL.shape_for("ResponseLaunchTemplateData")
REQUEST = MODEL.shape_for("RunInstancesRequest")
VERSION = {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "3"}
TOKEN = "i-0b1c2d3e4f5061728-on-demand"
SPOT = {"InstanceMarketOptions": {"MarketType": "spot"}}
DESCRIBED: dict[str, Any] = {
    "InstanceId": "i-0b1c2d3e4f5061728",
    "ImageId": "ami-1",
    "InstanceType": "g5.xlarge",
    "KeyName": "key",
    "SubnetId": "subnet-a",
    "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web"}],
    "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/nodes", "Id": "x"},
    "NetworkInterfaces": [
        {
            "Attachment": {"DeviceIndex": 0, "NetworkCardIndex": 0},
            "SubnetId": "subnet-a",
            "Groups": [{"GroupId": "sg-1"}],
        },
        {
            "Attachment": {"DeviceIndex": 1, "NetworkCardIndex": 0},
            "SubnetId": "subnet-b",
            "Groups": [{"GroupId": "sg-2"}],
        },
    ],
    "Tags": [
        {"Key": "Name", "Value": "worker"},
        {"Key": "aws:ec2launchtemplate:id", "Value": "lt-0123456789abcdef0"},
    ],
}
LIKE = likeness(DESCRIBED)


def asked(**template: Any) -> dict[str, Any]:
    made = request(VERSION, template, LIKE, TOKEN)
    assert made == request(VERSION, template, LIKE, TOKEN)
    accepted(made)
    return made


def accepted(made: dict[str, Any]) -> None:
    """boto3 takes it as RunInstances' parameters."""
    ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # fmt: skip
    with Stubber(ec2) as stub:
        stub.add_response("run_instances", {})
        ec2.run_instances(**made)


# the model


def test_every_member_that_a_template_has_is_either_passed_or_left_for_a_reason() -> None:
    assert isinstance(TEMPLATE, StructureShape)
    assert not set(KEPT) & set(LEFT)
    assert set(KEPT) | set(LEFT) == set(TEMPLATE.members)


def test_every_member_that_is_passed_has_the_same_name_in_a_request() -> None:
    assert isinstance(REQUEST, StructureShape)
    assert set(KEPT) <= set(REQUEST.members)
    unknown = set(LEFT) & set(REQUEST.members)
    assert unknown == {"InstanceMarketOptions", "Operator", "SecurityGroups"}


def test_what_a_request_has_beside_a_templates_members_is_known() -> None:
    """A new one may be what a template is told by, or what cannot be shared by two."""
    assert isinstance(REQUEST, StructureShape)
    assert set(REQUEST.members) - set(KEPT) - set(LEFT) == {
        *("AdditionalInfo", "ClientToken", "DryRun", "ElasticGpuSpecification"),
        *("EnablePrimaryIpv6", "Ipv6AddressCount", "Ipv6Addresses", "LaunchTemplate"),
        *("MaxCount", "MinCount", "PrivateIpAddress", "RamdiskId", "SubnetId"),
    }


def extra(mine: Shape, other: Shape, path: str) -> set[str]:
    """Members within `mine` that `other` does not have."""
    if isinstance(mine, ListShape) and isinstance(other, ListShape):
        return extra(mine.member, other.member, path)
    if not isinstance(mine, StructureShape) or not isinstance(other, StructureShape):
        return set() if mine.type_name == other.type_name else {path}
    return {f"{path}.{name}" for name in mine.members if name not in other.members}.union(
        *(
            extra(member, other.members[name], f"{path}.{name}")
            for name, member in mine.members.items()
            if name in other.members
        )
    )


def test_within_what_is_passed_a_request_lacks_only_the_state_of_metadata_options() -> None:
    assert isinstance(TEMPLATE, StructureShape)
    assert isinstance(REQUEST, StructureShape)
    lacking = {
        each for name in KEPT for each in extra(TEMPLATE.members[name], REQUEST.members[name], name)
    }
    assert lacking == {"MetadataOptions.State"}
    options = asked(**SPOT, MetadataOptions={"State": "applied", "HttpTokens": "required"})
    assert options["MetadataOptions"] == {"HttpTokens": "required"}


# an instance's own


def test_the_twin_is_like_the_instance_now_whatever_the_template_says() -> None:
    for more in ({}, SPOT):
        made = asked(
            InstanceType="t3.micro",
            ImageId="ami-0",
            KeyName="other",
            SecurityGroupIds=["sg-0"],
            IamInstanceProfile={"Name": "other"},
            **more,
        )
        assert made["InstanceType"] == "g5.xlarge"
        assert made["ImageId"] == "ami-1"
        assert made["KeyName"] == "key"
        assert made["SubnetId"] == "subnet-a"
        assert made["SecurityGroupIds"] == ["sg-1"]
        assert made["IamInstanceProfile"] == {"Arn": DESCRIBED["IamInstanceProfile"]["Arn"]}


def test_one_is_launched_under_the_token() -> None:
    for more in ({}, SPOT):
        made = asked(**more)
        assert (made["MinCount"], made["MaxCount"], made["ClientToken"]) == (1, 1, TOKEN)


def test_its_tags_are_the_instances_without_those_of_aws() -> None:
    own = {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "worker"}]}
    for more in ({}, SPOT):
        assert asked(**more)["TagSpecifications"] == [own]


def test_a_template_without_market_is_passed_by_id_and_version() -> None:
    made = asked(UserData="eA==", BlockDeviceMappings=[{"DeviceName": "/dev/sda1"}])
    assert made["LaunchTemplate"] == VERSION
    assert not {"UserData", "BlockDeviceMappings", "InstanceMarketOptions"} & made.keys()


def test_a_template_that_asks_for_spot_is_passed_in_parts_without_its_market() -> None:
    made = asked(
        **SPOT,
        UserData=base64.b64encode(b"#!/bin/sh\xff").decode(),
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 100}}],
        Placement={"Tenancy": "default"},
        Operator={"Managed": False},
        SecurityGroups=["web"],
        RamDiskId="ari-1",
    )
    assert not {"LaunchTemplate", "InstanceMarketOptions"} & made.keys()
    assert not {"Operator", "SecurityGroups", "RamDiskId"} & made.keys()
    assert made["BlockDeviceMappings"] == [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 100}}]
    assert made["Placement"] == {"Tenancy": "default"}
    assert made["UserData"] == b"#!/bin/sh\xff"


@pytest.mark.parametrize(
    "part",
    [
        {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]},
        {"SecurityGroups": ["web"]},
        {"InstanceRequirements": {"VCpuCount": {"Min": 4}}},
        {"NetworkInterfaces": [{"DeviceIndex": 0}]},
    ],
)
def test_what_a_request_cannot_take_the_place_of_is_passed_in_parts_as_well(
    part: dict[str, Any],
) -> None:
    assert "LaunchTemplate" not in asked(**part)


def test_what_the_template_describes_as_empty_is_not_there() -> None:
    assert asked(NetworkInterfaces=[], SecurityGroups=[])["LaunchTemplate"] == VERSION


def test_volumes_and_interfaces_have_the_templates_tags_and_the_spot_request_has_none() -> None:
    tags = [{"Key": "a", "Value": "b"}]
    kinds = ("instance", "volume", "network-interface", "spot-instances-request")
    made = asked(
        **SPOT, TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in kinds]
    )["TagSpecifications"]
    assert [each["ResourceType"] for each in made] == ["instance", "volume", "network-interface"]
    assert made[0]["Tags"] == [{"Key": "Name", "Value": "worker"}]


# what two cannot share


def test_interfaces_lose_their_addresses_but_not_their_number() -> None:
    made = asked(
        NetworkInterfaces=[
            {
                "NetworkInterfaceId": "eni-1",
                "PrivateIpAddress": "10.0.0.5",
                "PrivateIpAddresses": [
                    {"PrivateIpAddress": "10.0.0.5", "Primary": True},
                    {"PrivateIpAddress": "10.0.0.6", "Primary": False},
                ],
                "Ipv6Addresses": [{"Ipv6Address": "::1"}, {"Ipv6Address": "::2"}],
                "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.16/28"}],
                "Ipv6Prefixes": [{"Ipv6Prefix": "::10/80"}],
                "DeleteOnTermination": True,
            }
        ]
    )
    assert made["NetworkInterfaces"] == [
        {
            "DeleteOnTermination": True,
            "DeviceIndex": 0,
            "Groups": ["sg-1"],
            "Ipv4PrefixCount": 1,
            "Ipv6AddressCount": 2,
            "Ipv6PrefixCount": 1,
            "SecondaryPrivateIpAddressCount": 1,
            "SubnetId": "subnet-a",
        }
    ]


def test_every_kind_of_fixed_address_that_an_interface_may_have_is_known() -> None:
    shape = MODEL.shape_for("LaunchTemplateInstanceNetworkInterfaceSpecification")
    assert isinstance(shape, StructureShape)
    lists = {name for name, member in shape.members.items() if isinstance(member, ListShape)}
    assert lists == {*UNSHARED, "Groups"}
    assert set(UNSHARED.values()) <= set(shape.members)


def test_with_interfaces_subnet_and_groups_are_theirs_alone() -> None:
    made = asked(
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": "subnet-0"}, {"DeviceIndex": 1}],
        SecurityGroupIds=["sg-0"],
    )
    assert not {"SubnetId", "SecurityGroupIds"} & made.keys()
    places = [(each["SubnetId"], each["Groups"]) for each in made["NetworkInterfaces"]]
    assert places == [("subnet-a", ["sg-1"]), ("subnet-b", ["sg-2"])]


def test_secondary_interfaces_lose_their_addresses_too() -> None:
    made = asked(
        SecondaryInterfaces=[
            {"SecondarySubnetId": "s-1", "PrivateIpAddresses": [{"PrivateIpAddress": "10.1.0.5"}]}
        ]
    )
    assert made["SecondaryInterfaces"] == [{"SecondarySubnetId": "s-1", "PrivateIpAddressCount": 1}]


# an instance that is gone


def test_of_a_terminated_instance_what_ec2_still_tells_is_taken() -> None:
    gone = {
        "InstanceId": "i-1",
        "ImageId": "ami-1",
        "InstanceType": "g5.xlarge",
        "SecurityGroups": [],
        "NetworkInterfaces": [],
    }
    like = likeness(gone)
    assert like == {
        "ImageId": "ami-1",
        "InstanceType": "g5.xlarge",
        "Interfaces": [],
        "Tags": [],
    }
    assert not has_place({}, like)
    assert has_place({"NetworkInterfaces": [{"SubnetId": "subnet-a"}]}, like)
    assert has_place({}, LIKE)
