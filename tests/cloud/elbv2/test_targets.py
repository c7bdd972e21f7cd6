"""What may be registered in a target group, and what becomes of it.

Source: botocore service model of Elastic Load Balancing v2, 2015-12-01, and the reports that
`local.cloud.elbv2.targets` names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused

Groups = Callable[..., str]


@pytest.fixture
def ec2(account: Account) -> Any:
    return account.client("ec2")


@pytest.fixture
def elb(account: Account) -> Any:
    return account.client("elbv2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    found: str = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0][
        "VpcId"
    ]
    return found


@pytest.fixture
def group(elb: Any, vpc: str) -> Groups:
    def create(name: str = "web", type: str = "instance", port: int = 80, **more: Any) -> str:
        asked = {"Name": name, "Protocol": "HTTP", "Port": port, "VpcId": vpc, "TargetType": type}
        made = elb.create_target_group(**asked | more)
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        return arn

    return create


@pytest.fixture
def instance(account: Account, ec2: Any) -> Any:
    image = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"]
    [made] = ec2.run_instances(
        ImageId=image[0]["ImageId"], InstanceType="m5.large", MinCount=1, MaxCount=1
    )["Instances"]
    return made


@pytest.fixture
def running(account: Account, instance: Any) -> str:
    account.wait(WORLD.durations.instance_boot)
    id: str = instance["InstanceId"]
    return id


def health(elb: Any, arn: str, *ids: str) -> list[tuple[str, int, str]]:
    asked = {"Targets": [{"Id": id} for id in ids]} if ids else {}
    answer = elb.describe_target_health(TargetGroupArn=arn, **asked)
    return [
        (each["Target"]["Id"], each["Target"]["Port"], each["TargetHealth"]["State"])
        for each in answer["TargetHealthDescriptions"]
    ]


def test_an_instance_that_runs_is_registered_with_the_groups_port_or_its_own(
    elb: Any, group: Groups, running: str
) -> None:
    arn = group()
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": running}])
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": running, "Port": 8080}])
    assert [each[:2] for each in health(elb, arn)] == [(running, 80), (running, 8080)]


def test_registering_again_changes_nothing(elb: Any, group: Groups, running: str) -> None:
    arn = group()
    for _ in range(2):
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": running}])
    assert len(health(elb, arn)) == 1


def test_one_that_still_boots_is_refused_and_with_it_the_others(
    account: Account, ec2: Any, elb: Any, group: Groups, running: str, instance: Any
) -> None:
    arn = group()
    [booting] = ec2.run_instances(
        ImageId=instance["ImageId"], InstanceType="m5.large", MinCount=1, MaxCount=1
    )["Instances"]
    targets = [{"Id": running}, {"Id": booting["InstanceId"]}]
    code, text = refused(elb.register_targets, TargetGroupArn=arn, Targets=targets)
    assert (code, text) == (
        "InvalidTarget",
        "The following targets are not in a running state and cannot be registered: "
        f"'{booting['InstanceId']}'",
    )
    assert health(elb, arn) == []


def test_an_unknown_group_is_refused(elb: Any, group: Groups, running: str) -> None:
    arn = group()
    elb.delete_target_group(TargetGroupArn=arn)
    targets = [{"Id": running}]
    for call in (elb.register_targets, elb.deregister_targets, elb.describe_target_health):
        code, text = refused(call, TargetGroupArn=arn, Targets=targets)
        assert (code, text) == ("TargetGroupNotFound", "One or more target groups not found")


def test_an_unknown_instance_is_refused(elb: Any, group: Groups) -> None:
    code, text = refused(
        elb.register_targets, TargetGroupArn=group(), Targets=[{"Id": "i-0123456789abcdef0"}]
    )
    assert code == "InvalidTarget"
    assert text == "The following instances do not exist: 'i-0123456789abcdef0'"


def test_an_instance_of_another_vpc_is_refused(
    ec2: Any, elb: Any, group: Groups, running: str
) -> None:
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    code, _ = refused(
        elb.register_targets, TargetGroupArn=group(VpcId=other), Targets=[{"Id": running}]
    )
    assert code == "InvalidTarget"


def test_a_group_takes_ids_or_addresses_as_its_type_is(
    elb: Any, group: Groups, running: str, instance: Any
) -> None:
    by_id, by_address = group(), group("pods", "ip")
    address = instance["PrivateIpAddress"]
    code, text = refused(elb.register_targets, TargetGroupArn=by_id, Targets=[{"Id": address}])
    assert (code, text) == ("ValidationError", f"Instance ID '{address}' is not valid")
    code, text = refused(elb.register_targets, TargetGroupArn=by_address, Targets=[{"Id": running}])
    assert code == "ValidationError"
    assert text == f"The IP address '{running}' is not a valid IPv4 address"
    elb.register_targets(TargetGroupArn=by_address, Targets=[{"Id": address}])
    assert [each[:2] for each in health(elb, by_address)] == [(address, 80)]


def test_a_terminated_instance_is_taken_out_by_itself_and_an_address_stays(
    account: Account, ec2: Any, elb: Any, group: Groups, running: str, instance: Any
) -> None:
    by_id, by_address = group(), group("pods", "ip")
    elb.register_targets(TargetGroupArn=by_id, Targets=[{"Id": running}])
    address = instance["PrivateIpAddress"]
    elb.register_targets(TargetGroupArn=by_address, Targets=[{"Id": address}])
    ec2.terminate_instances(InstanceIds=[running])
    assert health(elb, by_id) == [(running, 80, "draining")]
    account.wait(WORLD.durations.instance_stop)
    assert health(elb, by_id) == []
    assert len(health(elb, by_address)) == 1


def test_a_target_is_healthy_once_a_load_balancer_uses_the_group(
    ec2: Any, elb: Any, group: Groups, vpc: str, running: str
) -> None:
    arn = group()
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": running}])
    assert health(elb, arn) == [(running, 80, "unused")]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    [balancer] = elb.create_load_balancer(
        Name="front", Subnets=[each["SubnetId"] for each in subnets[:2]]
    )["LoadBalancers"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    assert health(elb, arn) == [(running, 80, "healthy")]


def test_what_is_taken_out_is_not_registered_any_more_and_once_more_is_no_error(
    elb: Any, group: Groups, running: str
) -> None:
    arn = group()
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": running}])
    for _ in range(2):
        elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": running}])
    assert health(elb, arn) == []
    assert health(elb, arn, running) == [(running, 80, "unused")]


def test_what_is_not_simulated_says_so(elb: Any, account: Account) -> None:
    code, _ = refused(elb.describe_account_limits)
    assert code == "UnknownOperationException"
