"""DescribeCapacityBlockOfferings.

Sources: botocore service model, `DescribeCapacityBlockOfferings` and `CapacityBlockOffering`; EC2
user guide, "Capacity Blocks for ML".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud.conftest import NOON, Account
from tests.cloud.ec2.conftest import Control
from tests.cloud.hosting import refused

PATH = "/ec2/capacity-block-offerings"
OFFER = {
    "instance_type": "p5.48xlarge",
    "availability_zone": "us-east-1b",
    "instance_count": 8,
    "hourly_price": 31.464,
    "starts_in_hours": 20,
}


def offered(ec2: Any, **more: Any) -> Any:
    asked = {"InstanceType": "p5.48xlarge", "InstanceCount": 2, "CapacityDurationHours": 24}
    return ec2.describe_capacity_block_offerings(**{**asked, **more})["CapacityBlockOfferings"]


@pytest.fixture
def offer(control: Control) -> Any:
    def put(*offers: Any) -> Any:
        return control("PUT", PATH, {"offerings": [{**OFFER, **each} for each in offers]})

    return put


def test_an_offer_says_what_when_where_and_for_how_much(ec2: Any, offer: Any) -> None:
    offer({})
    [found] = offered(ec2, CapacityDurationHours=48)
    assert found.pop("CapacityBlockOfferingId").startswith("cb-")
    assert found == {
        "InstanceType": "p5.48xlarge",
        "AvailabilityZone": "us-east-1b",
        "InstanceCount": 2,
        "StartDate": datetime(2026, 3, 3, 11, 30, tzinfo=UTC),
        "EndDate": datetime(2026, 3, 5, 11, 30, tzinfo=UTC),
        "CapacityBlockDurationHours": 48,
        "CapacityBlockDurationMinutes": 0,
        "UpfrontFee": "3020.5440",
        "CurrencyCode": "USD",
        "Tenancy": "default",
        "ZoneType": "availability-zone",
    }


def test_an_instant_block_is_cut_short_at_half_past_eleven(ec2: Any, offer: Any) -> None:
    """`CapacityBlockDurationMinutes`: "if a Capacity Block starts at 08:55 and ends at 11:30, the
    minutes field would be 35"."""
    offer({"instant": True, "starts_in_hours": 20.0 + 55 / 60})
    [day] = offered(ec2)
    assert day["StartDate"] == datetime(2026, 3, 3, 8, 55, tzinfo=UTC)
    assert day["EndDate"] == datetime(2026, 3, 3, 11, 30, tzinfo=UTC)
    assert (day["CapacityBlockDurationHours"], day["CapacityBlockDurationMinutes"]) == (2, 35)
    [two] = offered(ec2, CapacityDurationHours=48)
    assert (two["CapacityBlockDurationHours"], two["CapacityBlockDurationMinutes"]) == (26, 35)


@pytest.mark.parametrize("hours", [24, 48, 13 * 24, 14 * 24, 21 * 24, 182 * 24])
def test_durations_are_days_and_then_weeks(ec2: Any, offer: Any, hours: int) -> None:
    offer({})
    [found] = offered(ec2, CapacityDurationHours=hours)
    assert found["CapacityBlockDurationHours"] == hours


@pytest.mark.parametrize("hours", [0, 1, 25, 15 * 24, 20 * 24, 183 * 24, 189 * 24])
def test_other_durations_are_refused(ec2: Any, hours: int) -> None:
    code, message = refused(offered, ec2=ec2, CapacityDurationHours=hours)
    assert code == "InvalidParameterValue"
    assert "duration is not valid" in message


@pytest.mark.parametrize("instance_type", ["m5.large", "g5.48xlarge", "p9.huge"])
def test_only_some_types_are_sold(ec2: Any, instance_type: str) -> None:
    code, message = refused(offered, ec2=ec2, InstanceType=instance_type)
    assert code == "InvalidParameterValue"
    assert f"'{instance_type}' is not supported" in message


@pytest.mark.parametrize("count", [0, 65])
def test_a_block_has_one_to_sixty_four_instances(ec2: Any, count: int) -> None:
    assert refused(offered, ec2=ec2, InstanceCount=count)[0] == "InvalidParameterValue"


def test_a_type_is_needed(ec2: Any) -> None:
    code, message = refused(ec2.describe_capacity_block_offerings, CapacityDurationHours=24)
    assert (code, "InstanceType" in message) == ("MissingParameter", True)


def test_several_types_may_do(ec2: Any, offer: Any) -> None:
    offer({}, {"instance_type": "p4d.24xlarge"}, {"instance_type": "trn1.32xlarge"})
    wanted = [{"InstanceType": "p5.48xlarge"}, {"InstanceType": "p4d.24xlarge"}]
    found = ec2.describe_capacity_block_offerings(
        InstanceTypePreferences=wanted, CapacityDurationHours=24
    )["CapacityBlockOfferings"]
    assert {each["InstanceType"] for each in found} == {"p5.48xlarge", "p4d.24xlarge"}


def test_nothing_is_found_when_no_block_is_as_large(ec2: Any, offer: Any) -> None:
    offer({})
    assert offered(ec2, InstanceCount=8)
    assert offered(ec2, InstanceCount=9) == []


def test_what_is_found_lies_between_the_dates(ec2: Any, offer: Any) -> None:
    offer({}, {"starts_in_hours": 72})
    first, second = offered(ec2)
    assert first["StartDate"] < second["StartDate"]
    assert offered(ec2, StartDateRange=NOON + timedelta(days=1)) == [second]
    assert offered(ec2, EndDateRange=NOON + timedelta(days=2)) == [first]


@pytest.mark.parametrize(
    "dates",
    [
        {"StartDateRange": NOON + timedelta(days=2), "EndDateRange": NOON + timedelta(days=1)},
        {"EndDateRange": NOON - timedelta(days=1)},
        {"StartDateRange": NOON + timedelta(weeks=9)},
    ],
)
def test_dates_that_cannot_be_are_refused(ec2: Any, dates: dict[str, datetime]) -> None:
    code, message = refused(offered, ec2=ec2, **dates)
    assert code == "InvalidParameterValue"
    assert "start date is not valid" in message


def test_blocks_start_within_eight_weeks(ec2: Any, offer: Any) -> None:
    offer({"starts_in_hours": 24 * 55}, {"starts_in_hours": 24 * 57})
    assert len(offered(ec2)) == 1


def test_what_has_started_is_not_sold_any_more(account: Account, ec2: Any, offer: Any) -> None:
    offer({})
    account.wait(24 * 3600)
    assert offered(ec2) == []


def test_offers_are_paged(ec2: Any, offer: Any) -> None:
    offer({}, {"starts_in_hours": 72}, {"starts_in_hours": 120})
    pages = ec2.get_paginator("describe_capacity_block_offerings").paginate(
        InstanceType="p5.48xlarge",
        InstanceCount=1,
        CapacityDurationHours=24,
        AllAvailabilityZones=True,
        PaginationConfig={"PageSize": 2},
    )
    assert [len(page["CapacityBlockOfferings"]) for page in pages] == [2, 1]


def test_an_offer_keeps_its_id_while_it_is_on_offer(account: Account, ec2: Any, offer: Any) -> None:
    offer({})
    [before] = offered(ec2)
    account.wait(3600)
    assert offered(ec2) == [before]


def test_p4d_and_p5_are_on_offer_until_somebody_says_otherwise(
    control: Control, ec2: Any, offer: Any
) -> None:
    assert offered(ec2)
    assert offered(ec2, InstanceType="p4d.24xlarge", InstanceCount=64)
    assert offered(ec2, InstanceType="p5en.48xlarge") == []
    offer()
    assert offered(ec2) == []
    control("DELETE", PATH)
    assert offered(ec2)


def test_nobody_buys(ec2: Any) -> None:
    code, _ = refused(
        ec2.purchase_capacity_block, CapacityBlockOfferingId="cb-1", InstancePlatform="Linux/UNIX"
    )
    assert code == "UnknownOperationException"


def test_the_control_interface_shows_what_is_on_offer(control: Control, offer: Any) -> None:
    shown = offer({})["offerings"]
    assert shown == [
        {
            "instance_type": "p5.48xlarge",
            "availability_zone": "us-east-1b",
            "instance_count": 8,
            "hourly_price": 31.464,
            "start": "2026-03-03T11:30:00+00:00",
        }
    ]
    assert control("GET", PATH)["offerings"] == shown


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instance_type": "m5.large"}, "must be one of"),
        ({"availability_zone": "us-east-1z"}, "not in 'us-east-1z'"),
        ({"instance_count": 65}, "at most 64"),
        ({"hourly_price": 0}, "more than 0"),
        ({"starts_in_hours": -1}, "at least 0"),
        ({"price": 1}, "no field 'price'"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused(
    control: Control, change: dict[str, Any], reason: str
) -> None:
    answer = control("PUT", PATH, {"offerings": [{**OFFER, **change}]}, status=400)
    assert reason in answer["error"]
