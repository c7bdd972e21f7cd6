"""What an hour costs: On-Demand as settings say, Spot as EC2 does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.spot_fallback.observation import Rates
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.settings import Price

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Ec2:
    """Answers DescribeSpotPriceHistory with one page for each list of changes."""

    def __init__(self, *pages: Sequence[Mapping[str, Any]]) -> None:
        self.pages, self.asked = pages, list[Mapping[str, Any]]()

    def get_paginator(self, operation: str) -> Ec2:
        assert operation == "describe_spot_price_history"
        return self

    def paginate(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        self.asked.append(asked)
        for page in self.pages:
            yield {"SpotPriceHistory": page}


class Refusing(Ec2):
    def paginate(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        self.asked.append(asked)
        raise ClientError({"Error": {"Code": "RequestLimitExceeded"}}, "DescribeSpotPriceHistory")


def change(zone: str, dollars: str, minutes: int = 0, type: str = "g5.xlarge") -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    return {
        "InstanceType": type,
        "AvailabilityZone": f"us-east-1{zone}",
        "SpotPrice": dollars,
        "Timestamp": at,
    }


G5 = Price("g5.xlarge", 1.006)


def test_a_price_that_is_set_is_not_asked_for() -> None:
    ec2 = Ec2()
    rates = RateCard((Price("g5.xlarge", 1.006, 0.4),), ec2).of(["g5.xlarge"], NOW)
    assert rates == {"g5.xlarge": Rates(1.006, 0.4)}
    assert ec2.asked == []


def test_a_spot_price_of_0_is_the_mean_over_the_zones_that_ec2_tells_of() -> None:
    ec2 = Ec2([change("a", "0.3"), change("b", "0.5")], [change("c", "0.7")])
    rates = RateCard((G5,), ec2).of(["g5.xlarge"], NOW)["g5.xlarge"]
    assert rates.on_demand == 1.006
    assert rates.spot == pytest.approx(0.5)
    assert ec2.asked == [
        {
            "InstanceTypes": ["g5.xlarge"],
            "ProductDescriptions": ["Linux/UNIX"],
            "StartTime": NOW,
        }
    ]


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_several_changes_in_a_zone_the_newest_counts(newest_first: bool) -> None:
    changes = [change("a", "0.3", minutes=0), change("a", "0.9", minutes=5)]
    ec2 = Ec2(changes if newest_first else changes[::-1])
    assert RateCard((G5,), ec2).of(["g5.xlarge"], NOW)["g5.xlarge"].spot == 0.3


def test_all_types_are_asked_for_at_once_and_only_once() -> None:
    ec2 = Ec2([change("a", "0.3"), change("a", "0.1", type="m5.large")])
    card = RateCard((G5, Price("m5.large", 0.096)), ec2)
    for _ in range(2):
        rates = card.of(["g5.xlarge", "m5.large", "g5.xlarge"], NOW)
    assert {type: rate.spot for type, rate in rates.items()} == {"g5.xlarge": 0.3, "m5.large": 0.1}
    [asked] = ec2.asked
    assert asked["InstanceTypes"] == ["g5.xlarge", "m5.large"]


def test_a_type_without_a_price_has_no_rates_and_is_not_asked_for() -> None:
    ec2 = Ec2()
    assert RateCard((G5,), ec2).of(["p4d.24xlarge"], NOW) == {"p4d.24xlarge": Rates()}
    assert ec2.asked == []


@pytest.mark.parametrize("spot", [0, 0.5])
def test_types_of_sagemaker_have_no_spot_price(spot: float) -> None:
    ec2 = Ec2()
    rates = RateCard((Price("ml.g5.xlarge", 1.4, spot),), ec2).of(["ml.g5.xlarge"], NOW)
    assert rates == {"ml.g5.xlarge": Rates(1.4, None)}
    assert ec2.asked == []


def test_without_an_answer_the_spot_price_is_unknown_and_asked_for_again() -> None:
    ec2 = Refusing()
    card = RateCard((G5,), ec2)
    for _ in range(2):
        assert card.of(["g5.xlarge"], NOW) == {"g5.xlarge": Rates(1.006, None)}
    assert len(ec2.asked) == 2
