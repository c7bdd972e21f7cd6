"""Spot requests.

Source: EC2 user guide, "Get the status of a Spot Instance request" and "State changes for a Spot
request".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import NOON, Account
from tests.cloud.ec2.conftest import SPOT, Control, states
from tests.cloud.hosting import refused

Run = Callable[..., Any]


@pytest.fixture
def ask(ec2: Any, image: str) -> Callable[..., Any]:
    def request(**more: Any) -> Any:
        wanted = {"ImageId": image, "InstanceType": "m5.large"}
        answer = ec2.request_spot_instances(LaunchSpecification=wanted, **more)
        return answer["SpotInstanceRequests"]

    return request


def empty(control: Control, remaining: int | None = 0) -> None:
    body = {"instance_type": "m5.large", "market": "spot", "remaining": remaining}
    control("PUT", "/ec2/capacity", body)


def shown(ec2: Any) -> list[tuple[str, str]]:
    found = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    return [(each["State"], each["Status"]["Code"]) for each in found]


def persistent() -> dict[str, Any]:
    options = {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"}
    return {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": options}}


def test_a_request_is_evaluated_and_then_fulfilled(account: Account, ec2: Any, ask: Any) -> None:
    ask(InstanceCount=2, SpotPrice="0.5")
    assert shown(ec2) == [("open", "pending-evaluation")] * 2
    assert states(ec2) == []
    account.wait(WORLD.durations.spot_evaluation)
    assert shown(ec2) == [("active", "fulfilled")] * 2
    [request, _] = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert request["SpotPrice"] == "0.5"
    [instance] = ec2.describe_instances(InstanceIds=[request["InstanceId"]])["Reservations"][0][
        "Instances"
    ]
    assert instance["InstanceLifecycle"] == "spot"
    assert instance["SpotInstanceRequestId"] == request["SpotInstanceRequestId"]


def test_without_capacity_it_waits_until_there_is_some(
    account: Account, control: Control, ec2: Any, ask: Any
) -> None:
    empty(control)
    ask()
    account.wait(5 * WORLD.durations.spot_evaluation)
    assert shown(ec2) == [("open", "capacity-not-available")]
    empty(control, 1)
    account.wait(WORLD.durations.spot_evaluation)
    assert shown(ec2) == [("active", "fulfilled")]


def test_one_that_is_valid_no_longer_is_cancelled(
    account: Account, control: Control, ec2: Any, ask: Any
) -> None:
    empty(control)
    ask(ValidUntil=NOON + timedelta(minutes=1))
    account.wait(120)
    assert shown(ec2) == [("cancelled", "schedule-expired")]


def test_an_instance_launched_on_spot_has_its_request(ec2: Any, run: Run) -> None:
    [instance] = run(**SPOT)
    assert instance["InstanceLifecycle"] == "spot"
    [request] = ec2.describe_spot_instance_requests(
        SpotInstanceRequestIds=[instance["SpotInstanceRequestId"]]
    )["SpotInstanceRequests"]
    assert request["InstanceId"] == instance["InstanceId"]
    assert (request["State"], request["Type"]) == ("active", "one-time")


def test_fulfillment_is_announced(account: Account, run: Run) -> None:
    """Sample: the same page, "EC2 Spot Instance Request Fulfillment event"."""
    [instance] = run(**SPOT)
    [event] = account.events
    assert event["source"] == "aws.ec2"
    assert event["detail-type"] == "EC2 Spot Instance Request Fulfillment"
    assert event["detail"] == {
        "spot-instance-request-id": instance["SpotInstanceRequestId"],
        "instance-id": instance["InstanceId"],
    }
    assert event["resources"] == [
        f"arn:aws:ec2:us-east-1:123456789012:instance/{instance['InstanceId']}"
    ]


def test_a_one_time_request_closes_with_its_instance(ec2: Any, run: Run) -> None:
    [instance] = run(**SPOT)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert shown(ec2) == [("closed", "instance-terminated-by-user")]


def test_a_persistent_request_opens_again_with_its_instance_gone(
    account: Account, ec2: Any, run: Run
) -> None:
    [instance] = run(**persistent())
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert shown(ec2) == [("open", "pending-evaluation")]
    account.wait(WORLD.durations.spot_evaluation)
    assert shown(ec2) == [("active", "fulfilled")]
    assert sorted(states(ec2)) == ["pending", "terminated"]


def test_cancelling_keeps_the_instance(account: Account, ec2: Any, ask: Any) -> None:
    ask()
    account.wait(WORLD.durations.spot_evaluation)
    ask()
    every = [
        each["SpotInstanceRequestId"]
        for each in ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    ]
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=every)
    assert shown(ec2) == [
        ("cancelled", "request-canceled-and-instance-running"),
        ("cancelled", "canceled-before-fulfillment"),
    ]
    account.wait(60)
    assert states(ec2) == ["running"]


def test_a_one_time_instance_cannot_be_stopped(account: Account, ec2: Any, run: Run) -> None:
    ids = [each["InstanceId"] for each in (*run(**SPOT), *run(**persistent()))]
    account.wait(WORLD.durations.instance_boot)
    code, message = refused(ec2.stop_instances, InstanceIds=ids)
    assert code == "UnsupportedOperation"
    assert ids[0] in message
    ec2.stop_instances(InstanceIds=ids[1:])
    account.wait(WORLD.durations.instance_stop)
    assert states(ec2) == ["running", "stopped"]


def test_a_request_nobody_made_is_refused(ec2: Any) -> None:
    for call in (ec2.describe_spot_instance_requests, ec2.cancel_spot_instance_requests):
        assert refused(call, SpotInstanceRequestIds=["sir-1"]) == (
            "InvalidSpotInstanceRequestID.NotFound",
            "The spot instance request ID 'sir-1' does not exist",
        )


def test_requests_are_filtered_by_their_state(account: Account, ec2: Any, ask: Any) -> None:
    ask()
    account.wait(WORLD.durations.spot_evaluation)
    [request] = ask()
    [found] = ec2.describe_spot_instance_requests(Filters=[{"Name": "state", "Values": ["open"]}])[
        "SpotInstanceRequests"
    ]
    assert found["SpotInstanceRequestId"] == request["SpotInstanceRequestId"]
