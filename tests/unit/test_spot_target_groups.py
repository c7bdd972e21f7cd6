"""What the target groups of a VPC hold is read once for a storm, and a twin registered in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from functions.core.remediation import Busy
from functions.spot_fallback.target_groups import TargetGroups

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WEB = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
TARGET = {"TargetGroupArn": WEB, "Port": 80, "Id": "i-0b1c2d3e4f5061728"}
TAKES = {"TargetGroupArn": WEB, "Targets": [{"Id": TARGET["Id"], "Port": 80}]}


@pytest.fixture
def elb() -> Iterator[Stubber]:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    with Stubber(boto3.client("elbv2", region_name="us-east-1", **keys)) as stub:
        yield stub
        stub.assert_no_pending_responses()


def holds(elb: Stubber, *ids: str) -> None:
    """The next reading of the VPC finds these."""
    group = {"TargetGroupArn": WEB, "VpcId": "vpc-1", "TargetType": "instance"}
    other = {**group, "TargetGroupArn": f"{WEB}0", "VpcId": "vpc-2"}
    elb.add_response("describe_target_groups", {"TargetGroups": [group, other]}, {})
    health = [{"Target": {"Id": id, "Port": 80}} for id in ids]
    answer = {"TargetHealthDescriptions": health}
    elb.add_response("describe_target_health", answer, {"TargetGroupArn": WEB})


def groups_of(elb: Stubber) -> TargetGroups:
    return TargetGroups(lambda service: {"elbv2": elb.client}[service])


def ids(groups: TargetGroups, seconds: float) -> list[Any]:
    return [each["Id"] for each in groups.of("vpc-1", NOW + timedelta(seconds=seconds))]


def test_a_vpcs_groups_are_read_once_in_half_a_minute(elb: Stubber) -> None:
    groups = groups_of(elb)
    holds(elb, "i-1")
    assert ids(groups, 0) == ids(groups, 29) == ["i-1"]
    holds(elb, "i-2")
    assert ids(groups, 30) == ["i-2"]


def test_they_are_read_again_after_a_registration_in_them(elb: Stubber) -> None:
    groups = groups_of(elb)
    holds(elb)
    assert ids(groups, 0) == []
    elb.add_response("register_targets", {}, TAKES)
    groups.register([TARGET])
    holds(elb, "i-1")
    assert ids(groups, 1) == ["i-1"]


def test_a_twin_that_elb_does_not_see_run_yet_is_registered_a_few_seconds_later(
    elb: Stubber,
) -> None:
    text = f"The following targets are not in a running state and cannot be registered: '{TARGET['Id']}'"
    elb.add_client_error("register_targets", "InvalidTarget", text, expected_params=TAKES)
    with pytest.raises(Busy) as busy:
        groups_of(elb).register([TARGET])
    assert busy.value.again == 5


def test_what_elb_refuses_otherwise_is_told_as_it_is(elb: Stubber) -> None:
    elb.add_client_error("register_targets", "TooManyTargets", "too many")
    with pytest.raises(ClientError):
        groups_of(elb).register([TARGET])


def test_a_group_that_was_deleted_takes_nothing_and_refuses_nothing(elb: Stubber) -> None:
    elb.add_client_error("register_targets", "TargetGroupNotFound", "gone")
    groups_of(elb).register([TARGET])
