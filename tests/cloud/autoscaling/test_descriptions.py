"""Looking for groups, instances and tags.

Source: EC2 Auto Scaling API reference; the limits of 50 as users met them
(github.com/boto/botocore/issues/1444, github.com/hjacobs/kube-aws-autoscaler/issues/40).
"""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import Fleet
from tests.cloud.hosting import refused


def tag(key: str, value: str, group: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "ResourceId": group,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": False,
        **more,
    }


@pytest.fixture
def tagged(fleet: Fleet) -> Fleet:
    """Groups a, b and c; a and b bear a mode."""
    for name, mode in (("a", "act"), ("b", "observe"), ("c", None)):
        fleet.create(0, name)
        if mode:
            fleet.asg.create_or_update_tags(Tags=[tag("mode", mode, name)])
    return fleet


def found(fleet: Fleet, **asked: Any) -> list[str]:
    groups = fleet.asg.describe_auto_scaling_groups(**asked)["AutoScalingGroups"]
    return [each["AutoScalingGroupName"] for each in groups]


def test_groups_are_found_by_name_and_unknown_names_are_passed_over(tagged: Fleet) -> None:
    assert found(tagged, AutoScalingGroupNames=["c", "nobody", "a"]) == ["a", "c"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([("tag-key", ["mode"])], ["a", "b"]),
        ([("tag-value", ["act"])], ["a"]),
        ([("tag:mode", ["observe", "approve"])], ["b"]),
        ([("tag-key", ["mode"]), ("tag:mode", ["act"])], ["a"]),
        ([("tag:nothing", ["act"])], []),
    ],
)
def test_groups_are_found_by_their_tags(
    tagged: Fleet, filters: list[tuple[str, list[str]]], names: list[str]
) -> None:
    asked = [{"Name": name, "Values": values} for name, values in filters]
    assert found(tagged, Filters=asked) == names


def test_an_unknown_filter_is_refused(tagged: Fleet) -> None:
    code, message = refused(
        tagged.asg.describe_auto_scaling_groups, Filters=[{"Name": "name", "Values": ["a"]}]
    )
    assert (code, message.startswith("Filter type name is not correct.")) == (
        "ValidationError",
        True,
    )


def test_groups_are_paged(tagged: Fleet) -> None:
    pages = tagged.asg.get_paginator("describe_auto_scaling_groups").paginate(
        PaginationConfig={"PageSize": 2}
    )
    names = [[each["AutoScalingGroupName"] for each in page["AutoScalingGroups"]] for page in pages]
    assert names == [["a", "b"], ["c"]]
    call = tagged.asg.describe_auto_scaling_groups
    assert refused(call, NextToken="again")[0] == "InvalidNextToken"
    assert refused(call, MaxRecords=101)[0] == "ValidationError"


def test_groups_are_shown_without_their_instances_on_request(fleet: Fleet) -> None:
    fleet.create(1)
    [group] = fleet.asg.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"]
    assert group.get("Instances", []) == []


def test_fifty_names_and_fifty_ids_a_call(fleet: Fleet) -> None:
    for call, name, what in (
        (fleet.asg.describe_auto_scaling_groups, "AutoScalingGroupNames", "group names"),
        (fleet.asg.describe_auto_scaling_instances, "InstanceIds", "instance ids"),
    ):
        expected = f"The number of {what} that may be passed in is limited to 50"
        assert refused(call, **{name: ["i-1"] * 51}) == ("ValidationError", expected)
        call(**{name: ["i-1"] * 50})


def test_an_instance_is_found_in_its_group(fleet: Fleet) -> None:
    fleet.create(2)
    ids = [each["InstanceId"] for each in fleet.group()["Instances"]]
    call = fleet.asg.describe_auto_scaling_instances
    asked = call(InstanceIds=[ids[1], "i-0123456789abcdef0"])["AutoScalingInstances"]
    assert [each["InstanceId"] for each in asked] == [ids[1]]
    assert asked[0]["AutoScalingGroupName"] == "workers"
    assert asked[0]["LifecycleState"] == "InService"
    assert len(call()["AutoScalingInstances"]) == 2
    fleet.update(DesiredCapacity=0)
    fleet.account.wait(WORLD.durations.instance_stop)
    assert call(InstanceIds=ids)["AutoScalingInstances"] == []


def test_tags_are_listed_by_filter(tagged: Fleet) -> None:
    asked = [{"Name": "auto-scaling-group", "Values": ["a", "c"]}]
    assert tagged.asg.describe_tags(Filters=asked)["Tags"] == [tag("mode", "act")]
    asked = [{"Name": "propagate-at-launch", "Values": ["true"]}]
    assert tagged.asg.describe_tags(Filters=asked)["Tags"] == []
    assert len(tagged.asg.describe_tags()["Tags"]) == 2
    asked = [{"Name": "owner", "Values": ["me"]}]
    assert refused(tagged.asg.describe_tags, Filters=asked)[0] == "ValidationError"


def test_a_tag_is_replaced_and_deleted(tagged: Fleet) -> None:
    tagged.asg.create_or_update_tags(Tags=[tag("mode", "off")])
    assert tagged.group("a")["Tags"] == [tag("mode", "off")]
    tagged.asg.delete_tags(Tags=[tag("mode", "act")])
    assert tagged.group("a")["Tags"] == [tag("mode", "off")]
    tagged.asg.delete_tags(Tags=[tag("mode", "off")])
    assert tagged.group("a")["Tags"] == []


def test_tags_of_a_group_nobody_made_change_nothing(tagged: Fleet) -> None:
    tags = [tag("mode", "off"), tag("mode", "off", "nobody")]
    for call in (tagged.asg.create_or_update_tags, tagged.asg.delete_tags):
        assert refused(call, Tags=tags)[0] == "ValidationError"
    assert tagged.group("a")["Tags"] == [tag("mode", "act")]
