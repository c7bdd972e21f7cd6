"""Spot prices and their history.

Source: botocore service model of EC2, `DescribeSpotPriceHistory`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.cloud.conftest import NOON, Account
from tests.cloud.ec2.conftest import Control
from tests.cloud.hosting import refused


def prices(ec2: Any, **asked: Any) -> list[tuple[str, float]]:
    asked = {"InstanceTypes": ["m5.large"], "ProductDescriptions": ["Linux/UNIX"]} | asked
    found = ec2.describe_spot_price_history(**asked)["SpotPriceHistory"]
    return [(each["AvailabilityZone"][-1], float(each["SpotPrice"])) for each in found]


def put(control: Control, dollars: float, status: int = 200, **more: Any) -> Any:
    body = {"instance_type": "m5.large", "spot": dollars, **more}
    return control("PUT", "/ec2/prices", body, status)


def test_a_start_of_now_gives_the_price_of_each_zone_and_nothing_else(
    account: Account, ec2: Any, control: Control
) -> None:
    account.wait(60)
    put(control, 0.03)
    put(control, 0.05, availability_zone="us-east-1a")
    account.wait(60)
    found = prices(ec2, StartTime=NOON + timedelta(seconds=120))
    assert dict(found) == {"a": 0.05, **dict.fromkeys("bcdf", 0.03)}
    assert len(found) == len(dict(found))


def test_a_start_in_the_past_gives_the_price_then_and_every_change_since_newest_first(
    account: Account, ec2: Any, control: Control
) -> None:
    account.wait(60)
    put(control, 0.03, availability_zone="us-east-1a")
    account.wait(60)
    put(control, 0.05, availability_zone="us-east-1a")
    found = prices(ec2, StartTime=NOON, AvailabilityZone="us-east-1a")
    assert found == [("a", 0.05), ("a", 0.03), ("a", 0.04)]
    until = prices(
        ec2, StartTime=NOON, EndTime=NOON + timedelta(seconds=90), AvailabilityZone="us-east-1a"
    )
    assert until == [("a", 0.03), ("a", 0.04)]


def test_filters_narrow_it_down_and_unknown_ones_are_refused(ec2: Any, account: Account) -> None:
    named = [{"Name": "availability-zone", "Values": ["us-east-1b", "*-1c"]}]
    assert {zone for zone, _ in prices(ec2, Filters=named)} == {"b", "c"}
    code, _ = refused(ec2.describe_spot_price_history, Filters=[{"Name": "zone", "Values": ["x"]}])
    assert code == "InvalidParameterValue"


def test_windows_has_no_prices_here(ec2: Any, account: Account) -> None:
    assert prices(ec2, ProductDescriptions=["Windows"]) == []


def test_it_is_paged(ec2: Any, account: Account) -> None:
    pages = ec2.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=["m5.large"], StartTime=NOON, PaginationConfig={"PageSize": 2}
    )
    assert [len(page["SpotPriceHistory"]) for page in pages] == [2, 2, 1]


def test_a_type_that_is_not_sold_on_spot_can_have_no_price(control: Control) -> None:
    answer = control("PUT", "/ec2/prices", {"instance_type": "u-6tb1.metal", "spot": 1}, 400)
    assert "on Spot" in answer["error"]
    assert "us-east-1e" in put(control, 1, 400, availability_zone="us-east-1e")["error"]


def test_an_instance_is_found_by_the_token_it_was_launched_under(
    ec2: Any, run: Any, account: Account
) -> None:
    [made] = run(ClientToken="mine")
    run()
    filters = [{"Name": "client-token", "Values": ["mine"]}]
    [found] = ec2.describe_instances(Filters=filters)["Reservations"]
    assert [each["InstanceId"] for each in found["Instances"]] == [made["InstanceId"]]
