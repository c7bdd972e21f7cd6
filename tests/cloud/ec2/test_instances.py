"""An instance from launch to end.

Sources: botocore service model, `RunInstances`; EC2 user guide, "Amazon EC2 instance state
changes"; EC2 API developer guide, "Ensuring idempotency in Amazon EC2 API requests".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import SPOT, states, zone
from tests.cloud.hosting import refused

Run = Callable[..., Any]


def describe(ec2: Any, instance: Any) -> Any:
    found = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])
    return found["Reservations"][0]["Instances"][0]


def booted(account: Account, run: Run, **more: Any) -> str:
    [instance] = run(**more)
    account.wait(WORLD.durations.instance_boot)
    return str(instance["InstanceId"])


def test_it_is_pending_before_it_runs(account: Account, ec2: Any, run: Run) -> None:
    [instance] = run()
    assert instance["State"] == {"Code": 0, "Name": "pending"}
    assert states(ec2) == ["pending"]
    account.wait(WORLD.durations.instance_boot)
    assert states(ec2) == ["running"]


def test_it_is_what_was_asked_for(ec2: Any, run: Run) -> None:
    [instance] = run(
        "g5.xlarge",
        **zone("b"),
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
        IamInstanceProfile={"Name": "trainer"},
        KeyName="key",
    )
    shown = describe(ec2, instance)
    assert shown["InstanceType"] == "g5.xlarge"
    assert shown["Placement"]["AvailabilityZone"] == "us-east-1b"
    assert shown["Tags"] == [{"Key": "a", "Value": "b"}]
    assert shown["KeyName"] == "key"
    assert shown["IamInstanceProfile"]["Arn"].endswith(":instance-profile/trainer")
    assert "InstanceLifecycle" not in shown


def test_it_stops_and_starts_again(account: Account, ec2: Any, run: Run) -> None:
    ids = [booted(account, run)]
    [change] = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"]
    assert change["PreviousState"]["Name"] == "running"
    assert change["CurrentState"] == {"Code": 64, "Name": "stopping"}
    account.wait(WORLD.durations.instance_stop)
    assert states(ec2) == ["stopped"]
    [change] = ec2.start_instances(InstanceIds=ids)["StartingInstances"]
    assert change["CurrentState"]["Name"] == "pending"
    account.wait(WORLD.durations.instance_boot)
    assert states(ec2) == ["running"]


def test_starting_what_runs_changes_nothing(account: Account, ec2: Any, run: Run) -> None:
    ids = [booted(account, run)]
    [change] = ec2.start_instances(InstanceIds=ids)["StartingInstances"]
    assert change["PreviousState"] == change["CurrentState"] == {"Code": 16, "Name": "running"}


def test_a_start_that_is_refused_for_one_starts_none(
    account: Account, ec2: Any, run: Run, quota: Callable[[str, float], None]
) -> None:
    ids = [each["InstanceId"] for each in run(count=2)]
    account.wait(WORLD.durations.instance_boot)
    ec2.stop_instances(InstanceIds=ids)
    account.wait(WORLD.durations.instance_stop)
    quota("Standard", 2)
    assert refused(ec2.start_instances, InstanceIds=ids)[0] == "VcpuLimitExceeded"
    assert states(ec2) == ["stopped", "stopped"]


def test_it_ends_by_shutting_down(account: Account, ec2: Any, run: Run) -> None:
    ids = [booted(account, run)]
    [change] = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
    assert change["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    account.wait(WORLD.durations.instance_stop)
    [instance] = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert instance["State"] == {"Code": 48, "Name": "terminated"}
    assert instance["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    [change] = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
    assert change["PreviousState"] == change["CurrentState"] == {"Code": 48, "Name": "terminated"}


def test_one_that_ends_while_it_boots_never_runs(account: Account, ec2: Any, run: Run) -> None:
    [instance] = run()
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    account.wait(60)
    assert states(ec2) == ["terminated"]


def test_what_still_boots_cannot_stop(ec2: Any, run: Run) -> None:
    """Text: github.com/cloud-custodian/cloud-custodian/pull/6014."""
    [instance] = run()
    identity = instance["InstanceId"]
    assert refused(ec2.stop_instances, InstanceIds=[identity]) == (
        "IncorrectInstanceState",
        f"Instance '{identity}' cannot be stopped as it has never reached the 'running' state.",
    )


def test_what_ended_neither_stops_nor_starts(account: Account, ec2: Any, run: Run) -> None:
    """Text: github.com/burstable-ai/burst/issues/42."""
    ids = [booted(account, run)]
    ec2.terminate_instances(InstanceIds=ids)
    account.wait(WORLD.durations.instance_stop)
    assert refused(ec2.stop_instances, InstanceIds=ids)[0] == "IncorrectInstanceState"
    assert refused(ec2.start_instances, InstanceIds=ids) == (
        "IncorrectInstanceState",
        f"The instance '{ids[0]}' is not in a state from which it can be started.",
    )


def test_what_is_protected_is_not_terminated(ec2: Any, run: Run) -> None:
    [instance] = run(DisableApiTermination=True)
    code, _ = refused(ec2.terminate_instances, InstanceIds=[instance["InstanceId"]])
    assert code == "OperationNotPermitted"
    assert states(ec2) == ["pending"]


@pytest.mark.parametrize("call", ["start_instances", "stop_instances", "terminate_instances"])
def test_an_instance_nobody_launched_is_refused(ec2: Any, call: str) -> None:
    missing = "i-0123456789abcdef0"
    assert refused(getattr(ec2, call), InstanceIds=[missing]) == (
        "InvalidInstanceID.NotFound",
        f"The instance ID '{missing}' does not exist",
    )
    assert refused(getattr(ec2, call), InstanceIds=["x"])[0] == "InvalidInstanceID.Malformed"


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (
            {"ImageId": "ami-26fc345b"},
            "InvalidAMIID.NotFound",
            "The image id '[ami-26fc345b]' does not exist",
        ),
        (
            {"instance_type": "p9.huge"},
            "InvalidParameterValue",
            "Invalid value 'p9.huge' for InstanceType.",
        ),
        (
            zone("z"),
            "InvalidParameterValue",
            "Invalid availability zone: [us-east-1z]",
        ),
        (
            {"SubnetId": "subnet-1"},
            "InvalidSubnetID.NotFound",
            "The subnet ID 'subnet-1' does not exist",
        ),
        (
            {"instance_type": "m5.large", **zone("e")},
            "Unsupported",
            "Your requested instance type (m5.large) is not supported in your requested "
            "Availability Zone (us-east-1e). Please retry your request by not specifying an "
            "Availability Zone or choosing us-east-1a, us-east-1b, us-east-1c, us-east-1d, "
            "us-east-1f.",
        ),
        (
            {"instance_type": "p5e.48xlarge"},
            "Unsupported",
            "The requested configuration is currently not supported. Please check the "
            "documentation for supported configurations.",
        ),
        ({"count": 0}, "InvalidParameterValue", "Value (0) for parameter minCount is invalid."),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue", "Value (3) for parameter"),
        (
            {"LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0"}},
            "InvalidLaunchTemplateId.NotFound",
            "The specified launch template, with template ID lt-0123456789abcdef0, does not exist.",
        ),
        (
            {"InstanceMarketOptions": {"SpotOptions": {"MaxPrice": "1"}}},
            "MissingParameter",
            "The request must contain the parameter MarketType",
        ),
        (
            {
                "SubnetId": "subnet-1",
                "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1"}],
            },
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID may not be specified on the same",
        ),
        ({"DryRun": True}, "DryRunOperation", "Request would have succeeded, but DryRun flag is"),
        (
            {"InstanceMarketOptions": {"MarketType": "capacity-block"}},
            "UnsupportedByPocketAccount",
            "the market capacity-block",
        ),
        (
            {"Placement": {"GroupName": "cluster"}},
            "UnsupportedByPocketAccount",
            "Placement.GroupName",
        ),
        ({"CpuOptions": {"CoreCount": 1}}, "UnsupportedByPocketAccount", "CpuOptions"),
        ({"instance_type": "mac2.metal"}, "UnsupportedByPocketAccount", "Dedicated Hosts"),
    ],
)
def test_a_launch_that_cannot_be_is_refused(
    ec2: Any, run: Run, more: dict[str, Any], code: str, message: str
) -> None:
    found, text = refused(run, **more)
    assert found == code
    assert message in text
    assert states(ec2) == []


def test_an_image_is_needed(ec2: Any) -> None:
    asked = {"MinCount": 1, "MaxCount": 1, "InstanceType": "m5.large"}
    assert refused(ec2.run_instances, **asked) == (
        "MissingParameter",
        "The request must contain the parameter ImageId",
    )


def test_what_a_client_leaves_out_is_named(account: Account, image: str) -> None:
    """A client that does not look at its own requests."""
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    careless = session.client("ec2", config=Config(parameter_validation=False))
    assert refused(careless.run_instances, ImageId=image, MaxCount=1) == (
        "MissingParameter",
        "The request must contain the parameter MinCount",
    )


def test_a_zone_and_a_subnet_must_agree(ec2: Any, run: Run) -> None:
    where = [{"Name": "availability-zone", "Values": ["us-east-1a"]}]
    [subnet] = ec2.describe_subnets(Filters=where)["Subnets"]
    code, _ = refused(run, SubnetId=subnet["SubnetId"], **zone("b"))
    assert code == "InvalidParameterValue"


def test_high_memory_is_not_sold_as_spot(account: Account, run: Run) -> None:
    assert refused(run, instance_type="u7i-12tb.224xlarge", **SPOT)[0] == "Unsupported"


def test_the_same_request_under_a_token_is_done_once(ec2: Any, run: Run) -> None:
    [first] = run(ClientToken="token")
    [again] = run(ClientToken="token")
    assert first["InstanceId"] == again["InstanceId"]
    assert len(states(ec2)) == 1


def test_another_request_under_a_token_is_a_mismatch(ec2: Any, run: Run) -> None:
    run(ClientToken="token")
    assert refused(run, ClientToken="token", instance_type="m5.xlarge") == (
        "IdempotentParameterMismatch",
        "Arguments on this idempotent request are inconsistent with arguments used in previous "
        "request(s).",
    )
    assert len(states(ec2)) == 1


def test_a_token_is_bound_even_by_a_refused_request(
    run: Run, quota: Callable[[str, float], None]
) -> None:
    """github.com/ubicloud/ubicloud/pull/5898: another family after a refusal is a mismatch."""
    quota("Standard", 0)
    assert refused(run, ClientToken="token")[0] == "VcpuLimitExceeded"
    other = refused(run, ClientToken="token", instance_type="m5.xlarge")
    assert other[0] == "IdempotentParameterMismatch"
    quota("Standard", 2)
    assert run(ClientToken="token")


def test_a_zone_has_its_tokens_for_itself(run: Run) -> None:
    """The same guide: zonal idempotency when the zone is named."""
    [first] = run(ClientToken="token", **zone("a"))
    [other] = run(ClientToken="token", **zone("b"))
    assert first["InstanceId"] != other["InstanceId"]


def test_the_token_of_a_terminated_instance_is_used_up(
    account: Account, ec2: Any, run: Run
) -> None:
    """github.com/boto/boto3/issues/4406."""
    [instance] = run(ClientToken="token")
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    account.wait(WORLD.durations.instance_stop)
    assert refused(run, ClientToken="token")[0] == "IdempotentInstanceTerminated"


def test_tags_are_found_by_the_tagging_api_and_nothing_untagged(account: Account, run: Run) -> None:
    [instance] = run(
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
    )
    found = account.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    [resource] = found
    assert resource["ResourceARN"].endswith(f":instance/{instance['InstanceId']}")
    assert resource["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_terminated_instance_is_shown_without_its_network(
    account: Account, ec2: Any, run: Run
) -> None:
    tags = [{"Key": "Name", "Value": "worker"}]
    [made] = run(TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    assert describe(ec2, made)["SubnetId"] == made["SubnetId"]
    account.wait(WORLD.durations.instance_stop)
    ended = describe(ec2, made)
    assert not {"SubnetId", "VpcId", "PrivateIpAddress"} & ended.keys()
    assert (ended.get("SecurityGroups", []), ended.get("NetworkInterfaces", [])) == ([], [])
    assert (ended["InstanceType"], ended["Tags"]) == (made["InstanceType"], tags)
