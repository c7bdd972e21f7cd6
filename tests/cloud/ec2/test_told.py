"""What EventBridge hears, through CloudTrail, of launches that were refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import SPOT, Control, limit, zone
from tests.cloud.hosting import refused

Run = Callable[..., Any]


def detail(account: Account) -> Any:
    [event] = account.events
    assert event["source"] == "aws.ec2"
    assert event["detail-type"] == "AWS API Call via CloudTrail"
    return event["detail"]


def test_a_quota_that_was_reached(account: Account, run: Run) -> None:
    code, message = refused(run, instance_type="p4d.24xlarge", count=2)
    told = detail(account)
    assert told["eventSource"] == "ec2.amazonaws.com"
    assert told["eventName"] == "RunInstances"
    assert told["errorCode"] == f"Client.{code}"
    assert told["errorMessage"] == message
    asked = told["requestParameters"]
    assert asked["instanceType"] == "p4d.24xlarge"
    [item] = asked["instancesSet"]["items"]
    assert (item["minCount"], item["maxCount"]) == (2, 2)
    assert "instanceMarketOptions" not in asked


def test_a_spot_quota_that_was_reached(account: Account, run: Run) -> None:
    refused(run, instance_type="p5.48xlarge", **SPOT)
    told = detail(account)
    assert told["errorCode"] == "Client.MaxSpotInstanceCountExceeded"
    assert told["requestParameters"]["instanceMarketOptions"] == {"marketType": "spot"}


def test_capacity_that_is_missing(
    account: Account, control: Control, quota: Callable[[str, float], None], run: Run
) -> None:
    quota("P", 1000)
    limit(control, 0, "d")
    _, message = refused(run, instance_type="p4d.24xlarge", **zone("d"))
    told = detail(account)
    assert told["errorCode"] == "Server.InsufficientInstanceCapacity"
    assert told["errorMessage"] == message
    assert told["requestParameters"]["availabilityZone"] == "us-east-1d"


def test_a_template_hides_the_type(account: Account, ec2: Any, image: str) -> None:
    """The type stands in the template, so the request does not tell it."""
    ec2.create_launch_template(
        LaunchTemplateName="train",
        LaunchTemplateData={"ImageId": image, "InstanceType": "p4d.24xlarge"},
    )
    template = {"LaunchTemplateName": "train", "Version": "1"}
    refused(ec2.run_instances, MinCount=1, MaxCount=1, LaunchTemplate=template)
    asked = detail(account)["requestParameters"]
    assert asked["launchTemplate"] == {"launchTemplateName": "train", "version": "1"}
    assert "instanceType" not in asked


def test_a_start_that_was_refused(
    account: Account, ec2: Any, run: Run, quota: Callable[[str, float], None]
) -> None:
    [instance] = run()
    account.wait(60)
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    account.wait(60)
    quota("Standard", 0)
    refused(ec2.start_instances, InstanceIds=[instance["InstanceId"]])
    told = detail(account)
    assert told["eventName"] == "StartInstances"
    assert told["errorCode"] == "Client.VcpuLimitExceeded"
    assert told["requestParameters"] == {
        "instancesSet": {"items": [{"instanceId": instance["InstanceId"]}]}
    }


def test_what_moto_refuses_is_told_alike(account: Account, ec2: Any) -> None:
    refused(ec2.delete_security_group, GroupId="sg-1")
    assert detail(account)["errorCode"] == "Client.InvalidGroup.NotFound"
