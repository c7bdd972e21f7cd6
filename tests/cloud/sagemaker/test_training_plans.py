"""SearchTrainingPlanOfferings: what capacity could be reserved.

Source: SageMaker developer guide, search-training-plan-offerings-api-cli-sdk.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import refused
from tests.cloud.sagemaker.conftest import Control
from tests.cloud.sagemaker.training import P4, P5, grant

OFFERS = "/sagemaker/training-plan-offerings"
RESERVED = "Number of {} instances in reserved capacity across training plans per Region"
OFFER = {
    "instance_type": P4,
    "instance_count": 2,
    "availability_zone": "us-east-1c",
    "starts_in_hours": 1.5,
    "duration_hours": 48,
    "upfront_fee": "1248.00",
}


def search(account: Account, instance_type: str = P4, count: int = 2, **more: Any) -> Any:
    asked = {"InstanceType": instance_type, "InstanceCount": count, "DurationHours": 48}
    answer = account.client("sagemaker").search_training_plan_offerings(**{**asked, **more})
    return answer["TrainingPlanOfferings"]


@pytest.fixture
def allowed(account: Account) -> Account:
    """An account that may reserve."""
    for instance_type in (P4, P5):
        grant(account, RESERVED.format(instance_type), 8)
    return account


def test_what_is_on_offer_is_described_as_in_the_sample(allowed: Account) -> None:
    soon, later = search(allowed)
    assert len(soon["TrainingPlanOfferingId"]) == len("tpo-") + 64
    assert soon["TrainingPlanOfferingId"] != later["TrainingPlanOfferingId"]
    assert soon == {
        "TrainingPlanOfferingId": soon["TrainingPlanOfferingId"],
        "TargetResources": ["training-job", "hyperpod-cluster", "endpoint"],
        "DurationHours": 48,
        "DurationMinutes": 0,
        "UpfrontFee": "1248.00",
        "CurrencyCode": "USD",
        "ReservedCapacityOfferings": [
            {
                "InstanceType": P4,
                "InstanceCount": 2,
                "AvailabilityZone": "us-east-1a",
                "DurationHours": 48,
                "DurationMinutes": 0,
                "StartTime": datetime(2026, 3, 3, 11, 30, tzinfo=UTC),
                "EndTime": datetime(2026, 3, 5, 11, 30, tzinfo=UTC),
            }
        ],
    }


def test_an_offer_is_the_same_as_long_as_it_is_on_offer(allowed: Account) -> None:
    """Who approves an offer names it by the id that was shown."""
    before = [each["TrainingPlanOfferingId"] for each in search(allowed)]
    allowed.wait(600)
    assert [each["TrainingPlanOfferingId"] for each in search(allowed)] == before


def test_a_duration_is_rounded_up_to_whole_days(allowed: Account) -> None:
    first, _ = search(allowed, P5, 1, DurationHours=25)
    assert (first["DurationHours"], first["UpfrontFee"]) == (48, "2196.96")


def test_half_a_year_is_the_longest(allowed: Account) -> None:
    assert len(search(allowed, DurationHours=182 * 24)) == 2


def test_offers_lie_within_the_times_that_were_asked_for(allowed: Account) -> None:
    after, before = NOON + timedelta(days=2), NOON + timedelta(days=6)
    [offer] = search(allowed, StartTimeAfter=after, EndTimeBefore=before)
    assert offer["ReservedCapacityOfferings"][0]["StartTime"] >= after
    assert offer["RequestedStartTimeAfter"] == after
    assert offer["RequestedEndTimeBefore"] == before
    assert search(allowed, EndTimeBefore=NOON + timedelta(days=2)) == []
    capacity = offer["ReservedCapacityOfferings"][0]
    exactly = {"EndTimeBefore": capacity["EndTime"], "StartTimeAfter": after}
    assert len(search(allowed, **exactly)) == 1


def test_a_search_beyond_the_reservation_quota_is_refused(account: Account) -> None:
    """The words that aws-samples/sample-capacity-finder-for-ec2-capacity-block-and-
    sagemaker-training-plan looks for; the quota is another than that of training jobs."""
    client = account.client("sagemaker")
    asked = {"InstanceType": P5, "InstanceCount": 4, "DurationHours": 24}
    code, message = refused(client.search_training_plan_offerings, **asked)
    assert code == "ResourceLimitExceeded"
    assert f"reserved-capacity {P5} instance quota is not sufficient" in message
    grant(account, RESERVED.format(P5), 4)
    assert search(account, P5, 4)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"InstanceCount": 3}, f"Invalid instance count 3 for instance type {P4}."),
        ({"InstanceCount": 128}, f"Invalid instance count 128 for instance type {P4}."),
        (
            {"InstanceType": "ml.p5en.48xlarge", "TargetResources": ["hyperpod-cluster"]},
            "Invalid instance type ml.p5en.48xlarge for target resource hyperpod-cluster.",
        ),
        ({"DurationHours": 183 * 24}, "Invalid duration hours 4392."),
    ],
)
def test_what_is_not_sold_is_refused(allowed: Account, asked: dict[str, Any], text: str) -> None:
    """1, 2, 4, .. 64 instances, 1 to 182 days; the first two texts are those that tools parse."""
    call = allowed.client("sagemaker").search_training_plan_offerings
    full = {"InstanceType": P4, "InstanceCount": 1, "DurationHours": 24, **asked}
    assert refused(call, **full) == ("ValidationException", text)


@pytest.mark.parametrize("left_out", ["InstanceType", "InstanceCount", "DurationHours"])
def test_type_count_and_duration_are_required(account: Account, left_out: str) -> None:
    asked = {"InstanceType": P4, "InstanceCount": 1, "DurationHours": 24}
    del asked[left_out]
    call = account.client("sagemaker").search_training_plan_offerings
    assert refused(call, **asked)[0] == "ValidationException"


def test_extensions_and_ultraservers_are_refused_under_a_code_of_our_own(account: Account) -> None:
    call = account.client("sagemaker").search_training_plan_offerings
    for more in ({"TrainingPlanArn": "arn"}, {"UltraServerType": "ml.u-p6e-gb200x72"}):
        assert refused(call, **more)[0] == "UnsupportedByPocketAccount"


def test_nobody_can_buy(account: Account) -> None:
    create = account.client("sagemaker").create_training_plan
    answer = refused(create, TrainingPlanName="plan", TrainingPlanOfferingId="tpo-1")
    assert answer[0] == "UnknownOperationException"


def test_offers_can_be_put_and_taken_away(allowed: Account, control: Control) -> None:
    other = {**OFFER, "instance_type": "ml.p5en.48xlarge", "target_resources": ["endpoint"]}
    status, answer = control("PUT", OFFERS, {"offerings": [OFFER, other]})
    assert (status, len(answer["offerings"])) == (200, 2)
    [offer] = search(allowed)
    [capacity] = offer["ReservedCapacityOfferings"]
    # Quotas took ten seconds to be raised.
    assert capacity["StartTime"] == NOON + timedelta(hours=1.5, seconds=10)
    assert capacity["EndTime"] - capacity["StartTime"] == timedelta(days=2)
    assert offer["TargetResources"] == ["training-job"]
    assert len(search(allowed, StartTimeAfter=capacity["StartTime"])) == 1
    assert search(allowed, StartTimeAfter=capacity["StartTime"] + timedelta(seconds=1)) == []
    assert search(allowed, count=1) == []
    assert search(allowed, DurationHours=24) == []
    assert search(allowed, TargetResources=["endpoint"]) == []
    grant(allowed, RESERVED.format("ml.p5en.48xlarge"), 2)
    assert len(search(allowed, "ml.p5en.48xlarge", TargetResources=["endpoint"])) == 1
    allowed.wait(2 * 3600)
    assert search(allowed) == []
    control("PUT", OFFERS, {"offerings": []})
    assert search(allowed) == []
    assert control("DELETE", OFFERS) == (200, {"offerings": "built-in"})
    assert len(search(allowed)) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"duration_hours": 36}, "whole days"),
        ({"instance_count": 0}, "offerings[0].instance_count"),
        ({"upfront_fee": 12}, "offerings[0].upfront_fee"),
        ({"price": 12}, "no field 'price'"),
    ],
)
def test_offers_that_make_no_sense_are_refused(
    control: Control, change: dict[str, Any], reason: str
) -> None:
    status, answer = control("PUT", OFFERS, {"offerings": [{**OFFER, **change}]})
    assert status == 400
    assert reason in answer["error"]
