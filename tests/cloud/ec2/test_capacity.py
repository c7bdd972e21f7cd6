"""What AWS answers when it has no more instances of a type.

Texts: github.com/aws/aws-parallelcluster-node/pull/604 (a zone asked for, with hints),
github.com/fedora-copr/copr/issues/3279 (no zone asked for),
github.com/osbuild/osbuild-composer/pull/4507 (Spot).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import SPOT, Control, limit, states, zone
from tests.cloud.hosting import refused

Run = Callable[..., Any]
TYPE = "p4d.24xlarge"
CODE = "InsufficientInstanceCapacity"
WORKING = "Our system will be working on provisioning additional capacity."
IN_D = f"We currently do not have sufficient {TYPE} capacity in the Availability Zone you requested (us-east-1d). {WORKING}"  # fmt: skip


@pytest.fixture(autouse=True)
def quotas_are_wide(quota: Callable[[str, float], None]) -> None:
    for name in ("P", "P Spot"):
        quota(name, 10_000)


def test_without_a_limit_there_is_capacity_without_end(run: Run) -> None:
    assert len(run(TYPE, 50)) == 50


def test_a_zone_without_capacity_hints_at_those_that_have_some(control: Control, run: Run) -> None:
    limit(control, 0, "c")
    limit(control, 0, "d")
    assert refused(run, instance_type=TYPE, **zone("d")) == (
        CODE,
        f"{IN_D} You can currently get {TYPE} capacity by not specifying an Availability Zone in "
        "your request or choosing us-east-1a, us-east-1b.",
    )


def test_no_zone_is_hinted_at_that_has_too_few(control: Control, run: Run) -> None:
    limit(control, 1)
    limit(control, 2, "b")
    _, message = refused(run, instance_type=TYPE, count=2, **zone("d"))
    assert message.endswith("or choosing us-east-1b.")


def test_without_capacity_anywhere_there_is_no_hint(control: Control, run: Run) -> None:
    limit(control, 0)
    assert refused(run, instance_type=TYPE, **zone("d")) == (CODE, IN_D)


def test_it_is_the_servers_error(control: Control, run: Run) -> None:
    limit(control, 0)
    with pytest.raises(ClientError) as refusal:
        run(TYPE)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_subnet_asks_for_its_zone(control: Control, ec2: Any, run: Run) -> None:
    limit(control, 0)
    where = [{"Name": "availability-zone", "Values": ["us-east-1d"]}]
    [subnet] = ec2.describe_subnets(Filters=where)["Subnets"]
    assert refused(run, instance_type=TYPE, SubnetId=subnet["SubnetId"]) == (CODE, IN_D)


def test_without_a_zone_asked_for_the_volumes_are_named(control: Control, run: Run) -> None:
    limit(control, 0)
    expected = f"We currently do not have sufficient {TYPE} capacity in zones with support for '{{}}' volumes. {WORKING}"  # fmt: skip
    assert refused(run, instance_type=TYPE) == (CODE, expected.format("gp2"))
    disk = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "gp3", "VolumeSize": 8}}]
    asked = refused(run, instance_type=TYPE, BlockDeviceMappings=disk)
    assert asked == (CODE, expected.format("gp3"))


def test_without_a_zone_asked_for_one_with_capacity_is_chosen(control: Control, run: Run) -> None:
    limit(control, 0)
    limit(control, 4, "c")
    assert {each["Placement"]["AvailabilityZone"] for each in run(TYPE, 4)} == {"us-east-1c"}


def test_as_many_are_launched_as_there_are_from_the_minimum_on(control: Control, run: Run) -> None:
    limit(control, 3, "a")
    assert len(run(TYPE, MinCount=2, MaxCount=8, **zone("a"))) == 3
    assert refused(run, instance_type=TYPE, **zone("a"))[0] == CODE


def test_what_ends_can_be_launched_again(
    account: Account, control: Control, ec2: Any, run: Run
) -> None:
    limit(control, 1, "a")
    [first] = run(TYPE, **zone("a"))
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    assert refused(run, instance_type=TYPE, **zone("a"))[0] == CODE
    account.wait(WORLD.durations.instance_stop)
    assert run(TYPE, **zone("a"))


def test_quotas_are_looked_at_before_capacity(
    control: Control, quota: Callable[[str, float], None], run: Run
) -> None:
    quota("P", 0)
    limit(control, 0)
    assert refused(run, instance_type=TYPE)[0] == "VcpuLimitExceeded"


def test_spot_capacity_is_another(control: Control, run: Run) -> None:
    limit(control, 0, market="spot")
    assert refused(run, instance_type=TYPE, **SPOT) == (
        CODE,
        "There is no Spot capacity available that matches your request.",
    )
    assert run(TYPE)


def test_a_market_left_out_limits_both(control: Control, run: Run) -> None:
    limit(control, 0)
    assert refused(run, instance_type=TYPE, **SPOT)[0] == CODE
    assert refused(run, instance_type=TYPE)[0] == CODE


def test_a_stopped_instance_may_find_no_capacity_to_start(
    account: Account, control: Control, ec2: Any, run: Run
) -> None:
    """EC2 user guide, "Troubleshoot instance launch issues": on start as on launch; text:
    github.com/cloud-custodian/cloud-custodian/issues/5235."""
    [each] = run(TYPE, **zone("d"))
    account.wait(WORLD.durations.instance_boot)
    ec2.stop_instances(InstanceIds=[each["InstanceId"]])
    account.wait(WORLD.durations.instance_stop)
    limit(control, 0)
    assert refused(ec2.start_instances, InstanceIds=[each["InstanceId"]]) == (CODE, IN_D)
    assert states(ec2) == ["stopped"]
    limit(control, 1, "d")
    ec2.start_instances(InstanceIds=[each["InstanceId"]])
    assert states(ec2) == ["pending"]


def test_the_limit_counts_what_can_be_launched_from_now_on(control: Control, run: Run) -> None:
    run(TYPE, 2, **zone("a"))
    [pool] = limit(control, 1, "a", market="on-demand")
    assert pool == {
        "instance_type": TYPE,
        "availability_zone": "us-east-1a",
        "market": "on-demand",
        "remaining": 1,
        "in_use": 2,
    }
    run(TYPE, **zone("a"))
    [pool] = control("GET", "/ec2/capacity")["pools"]
    assert (pool["remaining"], pool["in_use"]) == (0, 3)


def test_null_takes_the_limit_away(control: Control, run: Run) -> None:
    limit(control, 0)
    assert limit(control, None) == []
    assert run(TYPE)
    limit(control, 0)
    assert control("DELETE", "/ec2/capacity")["pools"] == []
    assert run(TYPE)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"instance_type": TYPE}, "needs the field 'remaining'"),
        ({"instance_type": TYPE, "remaining": -1}, "a whole number or null, not -1"),
        ({"instance_type": TYPE, "remaining": True}, "a whole number or null, not True"),
        ({"instance_type": TYPE, "remaining": 1.5}, "a whole number or null, not 1.5"),
        ({"instance_type": "p9.huge", "remaining": 0}, "us-east-1 has no instance type 'p9.huge'"),
        (
            {"instance_type": TYPE, "remaining": 0, "availability_zone": "us-east-1e"},
            "is offered in ['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1d'], not in",
        ),
        ({"instance_type": TYPE, "remaining": 0, "market": "reserved"}, "must be one of"),
        ({"instance_type": TYPE, "remaining": 0, "region": "mars-1"}, "not in a Region 'mars-1'"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    control: Control, body: dict[str, Any], reason: str
) -> None:
    assert reason in control("PUT", "/ec2/capacity", body, status=400)["error"]
