"""A shortage of capacity is told with what a person could do, and nothing is bought."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.decision import Refuse, Settled
from functions.quota_increase.observation import Offer, ShortageSeen
from functions.quota_increase.offers import decide, over, rank

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
P4D = "p4d.24xlarge"


def offer(id: str = "cb-1", fee: float = 2400.0, **different: Any) -> Offer:
    """One instance for a day from tomorrow, $100 an hour."""
    values: dict[str, Any] = {
        "kind": "Capacity Block",
        "id": id,
        "instance_type": P4D,
        "instances": 1,
        "zone": "us-east-1b",
        "start": NOON + timedelta(days=1),
        "hours": 24.0,
        "fee": fee,
    }
    return Offer(**values | different)


def shortage(*offers: Offer, **different: Any) -> ShortageSeen:
    """A minute ago AWS had no p4d.24xlarge in us-east-1a, and named no zone that has some."""
    values: dict[str, Any] = {
        "target": f"arn:aws:ec2:us-east-1:123456789012:instance-type/{P4D}",
        "now": NOON,
        "last": NOON - timedelta(minutes=1),
        "instance_type": P4D,
        "instances": 1,
        "zone": "us-east-1a",
        "hints": (),
        "zones": (),
        "offers": offers,
        "errors": (),
    }
    return ShortageSeen(**values | different)


def told(seen: ShortageSeen) -> Refuse:
    decision = decide(seen)
    assert isinstance(decision, Refuse), decision
    assert (decision.code, decision.page, decision.again) == ("capacity-short", True, 900)
    return decision


# rank


def test_the_cheapest_instance_hour_comes_first() -> None:
    dear, cheap = offer("a", 2400), offer("b", 2399)

    assert rank([dear, cheap]) == [cheap, dear]


def test_it_is_the_price_of_one_instance_for_one_hour_that_counts() -> None:
    """The fee is of the whole block (EC2 API reference, CapacityBlockOffering)."""
    one = offer("one", 2400)
    eight = offer("eight", 16_000, instances=8)  # $83.33
    a_week = offer("week", 15_000, hours=168.0)  # $89.29

    assert rank([one, a_week, eight]) == [eight, a_week, one]
    assert eight.hourly == pytest.approx(83.3333, abs=0.0001)


def test_of_equal_prices_the_one_that_starts_first_comes_first() -> None:
    late, soon = offer("a"), offer("b", start=NOON + timedelta(hours=2))

    assert rank([late, soon]) == [soon, late]


def test_a_price_alike_to_a_hundredth_of_a_cent_is_equal() -> None:
    late, soon = offer("a", 2399.999), offer("b", start=NOON + timedelta(hours=2))

    assert rank([late, soon]) == [soon, late]


OFFERS = st.lists(
    st.builds(
        offer,
        st.text("abc", min_size=1, max_size=2),
        st.sampled_from([2400.0, 2400.001, 100.0, 9_999.99]),
        instances=st.integers(1, 4),
        hours=st.sampled_from([24.0, 48.0]),
        start=st.sampled_from([NOON, NOON + timedelta(days=1)]),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)


@given(OFFERS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_in_which_aws_lists_them_does_not_matter(
    offers: list[Offer], chance: random.Random
) -> None:
    shuffled = list(offers)
    chance.shuffle(shuffled)
    ranked = rank(shuffled)

    assert ranked == rank(offers)
    assert sorted(each.id for each in ranked) == sorted(each.id for each in offers)
    hourly = [round(each.hourly, 4) for each in ranked]
    assert hourly == sorted(hourly)


# how long a shortage lasts


@pytest.mark.parametrize(
    ("passed", "is_over"),
    [
        (timedelta(0), False),
        (timedelta(hours=1), False),
        (timedelta(hours=1, seconds=1), True),
        (timedelta(seconds=-30), False),  # the event's clock is ahead
    ],
    ids=str,
)
def test_a_shortage_is_over_when_nobody_met_it_for_more_than_an_hour(
    passed: timedelta, is_over: bool
) -> None:
    assert over(NOON - passed, NOON) is is_over
    assert isinstance(decide(shortage(offer(), last=NOON - passed)), Settled) is is_over


# zones


def test_zones_that_aws_names_come_before_all_else() -> None:
    found = told(shortage(offer(), hints=("us-east-1b", "us-east-1c"), zones=("us-east-1d",)))

    assert "AWS has not enough p4d.24xlarge in us-east-1a; the quota is not the limit" in (
        found.reason
    )
    assert "AWS says it has some in us-east-1b, us-east-1c" in found.reason
    assert found.next_steps[0] == "Ask for it in us-east-1b or us-east-1c, or name no zone at all"
    assert "us-east-1d" not in f"{found.reason} {found.next_steps}"


def test_else_zones_that_offer_the_type_are_named_without_a_promise() -> None:
    found = told(shortage(zones=("us-east-1a", "us-east-1b", "us-east-1c")))

    assert "also offered in us-east-1b, us-east-1c" in found.reason
    assert found.next_steps == (
        "Try us-east-1b, us-east-1c, without a word from AWS that they have any",
    )


def test_the_zone_that_is_short_is_no_way_out() -> None:
    found = told(shortage(zones=("us-east-1a",)))

    assert found.next_steps == ()
    assert "also offered" not in found.reason


def test_a_call_that_named_no_zone_was_refused_in_all_of_them() -> None:
    found = told(shortage(zone="", zones=("us-east-1a", "us-east-1b")))

    assert found.reason.startswith("AWS has not enough p4d.24xlarge; the quota")
    assert found.next_steps == ()
    assert found.evidence["availabilityZone"] is None


# offers


def test_the_cheapest_offer_is_told_in_full() -> None:
    found = told(shortage(offer("dear", 4800), offer("cheap", 2400, instances=2)))

    shown = (
        "Capacity Block of 2 x p4d.24xlarge in us-east-1b for 24 h from 2026-03-03 12:00 UTC at "
        "$2,400.00 ($50.00 an instance hour)"
    )
    assert f"the cheapest of 2 offers is {shown}" in found.reason
    assert found.next_steps[0] == f"{shown}: cheap"
    assert found.next_steps[1].endswith(": dear")


def test_who_could_buy_is_told_that_it_cannot_be_undone() -> None:
    """A Capacity Block cannot be modified or cancelled (EC2 user guide, "Capacity Blocks for
    ML")."""
    assert "cannot be cancelled" in told(shortage(offer())).next_steps[-1]
    assert "buying it is up to you" in told(shortage(offer())).next_steps[-1]


def test_five_offers_are_shown_and_the_others_counted() -> None:
    found = told(shortage(*(offer(f"cb-{n}", 2400 + n) for n in range(7, 0, -1))))

    assert [each["offeringId"] for each in found.evidence["offers"]] == [
        "cb-1", "cb-2", "cb-3", "cb-4", "cb-5",
    ]  # fmt: skip
    assert found.evidence["offersFound"] == 7
    assert len(found.next_steps) == 6


def test_a_start_is_shown_in_utc_whatever_the_clients_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    start = (NOON + timedelta(days=1)).astimezone(tokyo)

    assert "from 2026-03-03 12:00 UTC" in told(shortage(offer(start=start))).reason


def test_the_evidence_holds_what_can_be_bought() -> None:
    found = told(
        shortage(offer("cb-1", 4800, instances=2), instances=2, zones=("us-east-1a",)),
    )

    assert found.evidence == {
        "instanceType": P4D,
        "instances": 2,
        "availabilityZone": "us-east-1a",
        "azHints": [],
        "offeredInZones": ["us-east-1a"],
        "offers": [
            {
                "kind": "Capacity Block",
                "offeringId": "cb-1",
                "instanceType": P4D,
                "instances": 2,
                "availabilityZone": "us-east-1b",
                "start": "2026-03-03T12:00:00+00:00",
                "hours": 24.0,
                "upfrontFee": 4800,
                "feePerInstanceHour": 100.0,
            }
        ],
        "offersFound": 1,
        "errors": [],
    }


def test_without_an_offer_aws_has_the_word() -> None:
    error = "InvalidParameterValue: 'm5.large' is not supported"
    found = told(shortage(errors=(error,)))

    assert f"no offer of reserved capacity fits: {error}" in found.reason
    assert found.evidence["errors"] == [error]
    assert told(shortage()).reason.endswith("no offer of reserved capacity fits")
