"""What instance types there are, and where.

Source: EC2 API reference, `DescribeInstanceTypes` and `DescribeInstanceTypeOfferings`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.ec2.conftest import zone
from tests.cloud.hosting import refused


def test_a_type_says_how_many_vcpus_it_has(ec2: Any) -> None:
    [found] = ec2.describe_instance_types(InstanceTypes=["p4d.24xlarge"])["InstanceTypes"]
    assert found["VCpuInfo"]["DefaultVCpus"] == 96


def test_types_are_paged_by_the_hundred(ec2: Any) -> None:
    pages = list(ec2.get_paginator("describe_instance_types").paginate())
    assert len(pages[0]["InstanceTypes"]) == 100
    names = [each["InstanceType"] for page in pages for each in page["InstanceTypes"]]
    assert len(names) == len(set(names)) > 800


@pytest.mark.parametrize("missing", ["p5e.48xlarge", "p9.huge"])
def test_a_type_that_the_region_lacks_is_refused(ec2: Any, missing: str) -> None:
    assert refused(ec2.describe_instance_types, InstanceTypes=["m5.large", missing]) == (
        "InvalidInstanceType",
        f"The following supplied instance types do not exist: [{missing}]",
    )


def test_names_and_pages_exclude_each_other(ec2: Any) -> None:
    code, _ = refused(ec2.describe_instance_types, InstanceTypes=["m5.large"], MaxResults=5)
    assert code == "InvalidParameterCombination"


def test_types_are_filtered(ec2: Any) -> None:
    wanted = [{"Name": "instance-type", "Values": ["p4d.*"]}]
    found = ec2.describe_instance_types(Filters=wanted)["InstanceTypes"]
    assert [each["InstanceType"] for each in found] == ["p4d.24xlarge"]


def test_where_a_type_is_offered_is_where_it_can_be_launched(ec2: Any, run: Any) -> None:
    wanted = [{"Name": "instance-type", "Values": ["m5.large"]}]
    found = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=wanted)
    zones = sorted(each["Location"] for each in found["InstanceTypeOfferings"])
    assert zones == [f"us-east-1{letter}" for letter in "abcdf"]
    assert run("m5.large", **zone("f"))
    assert refused(run, instance_type="m5.large", **zone("e"))[0] == "Unsupported"
