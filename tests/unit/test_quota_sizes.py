"""How much of a quota is requested: what the refused call needs, or room, and within the caps."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.decision import Act, Refuse, Settled
from functions.quota_increase.decision import decide
from functions.quota_increase.observation import QuotaSeen
from functions.quota_increase.settings import QuotaRule
from tests.unit.quotas import (
    NAME,
    NOON,
    RULE,
    RULES,
    act,
    ago,
    ask,
    desired,
    refusal,
    request,
    said,
    seen,
    settled,
)

# a refused call whose text tells use and delta: SageMaker's


@pytest.mark.parametrize(
    ("limit", "use", "delta", "needed"),
    [
        (0, 0, 1, 1),  # the default of most GPU types
        (0, 0, 16, 16),
        (8, 8, 1, 9),
        (8, 7, 2, 9),
        (8, 0, 9, 9),
        (2, 3, 1, 4),  # use may be above the limit: aws/amazon-sagemaker-examples#1543
    ],
)
def test_what_a_text_says_is_requested_exactly(
    limit: float, use: float, delta: float, needed: float
) -> None:
    decision = act(decide(seen(limit, ask(limit, use, delta)), None, RULES))

    assert decision.write["desired"] == needed
    assert f"a call was refused that needs {needed}" in decision.reason
    assert f"{NAME} is {limit}, {needed} is requested" in decision.reason


def test_what_cloudwatch_says_does_not_change_what_the_text_says() -> None:
    assert desired(seen(8, ask(8, 8, 1), usage=500)) == 9
    assert desired(seen(8, ask(8, 8, 1), usage=0)) == 9


def test_of_several_refused_calls_the_largest_counts() -> None:
    assert desired(seen(8, ask(8, 8, 1), ask(8, 6, 16), ask(8, 8, 4))) == 22


@pytest.mark.parametrize(("value", "still_short"), [(8, True), (8.5, True), (9, False)])
def test_a_value_that_has_risen_to_the_need_settles_it(value: float, still_short: bool) -> None:
    decision = decide(seen(value, ask(8, 8, 1)), None, RULES)

    assert isinstance(decision, Act) is still_short
    if not still_short:
        assert "its value, 9, allows what was refused" in settled(decision).reason


def test_a_value_that_has_risen_too_little_is_requested_on() -> None:
    assert desired(seen(8, ask(4, 4, 8))) == 12


@pytest.mark.parametrize(("hours", "counts"), [(23.99, True), (24, False), (48, False)])
def test_a_refused_call_counts_for_a_day(hours: float, counts: bool) -> None:
    decision = decide(seen(8, ask(8, 8, 1, ago(hours=hours))), None, RULES)

    assert isinstance(decision, Act if counts else Settled)


def test_a_stale_call_adds_nothing_to_a_fresh_one() -> None:
    assert desired(seen(8, ask(8, 8, 100, ago(days=2)), ask(8, 8, 1))) == 9


def test_a_request_adds_a_whole_unit_at_least() -> None:
    """Service Quotas takes no value that is not above the current one (API reference,
    RequestServiceQuotaIncrease; cloud-custodian/cloud-custodian#8939)."""
    assert desired(seen(8, ask(8, 7.5, 0.75))) == 9
    assert desired(seen(7.5, ask(7.5, 7, 0.75))) == 9


# a refused call of EC2, which tells no use; quotas count vCPUs


@pytest.mark.parametrize(
    ("usage", "needed"),
    [
        (384.0, 480),  # all in use: one p4d.24xlarge more
        (300.0, 396),  # 84 vCPUs are left of it
        (289.0, 385),
        (400.0, 496),  # use above the limit
        (None, 480),  # unknown: as if used up
        (0.0, 480),  # lags behind, else the call would have passed
        (288.0, 480),  # just as much: 288 + 96 fit
    ],
)
def test_vcpus_are_requested_over_what_is_in_use(usage: float | None, needed: float) -> None:
    assert desired(seen(384, ask(384, None, 96), usage=usage)) == needed


def test_more_vcpus_than_the_whole_limit_are_requested_with_what_is_in_use() -> None:
    assert desired(seen(8, ask(8, None, 192), usage=4)) == 196
    assert desired(seen(0, ask(0, None, 192))) == 192


def test_a_limit_that_has_risen_since_settles_what_its_text_says() -> None:
    settled(decide(seen(385, ask(384, None, 96), usage=384), None, RULES))


def test_where_the_text_names_no_limit_the_value_stands_for_it() -> None:
    """MaxSpotInstanceCountExceeded: "Max spot instance count exceeded"."""
    assert desired(seen(64, ask(None, None, 32), usage=64)) == 96


@pytest.mark.parametrize("status", ["APPROVED", "CASE_CLOSED"])
def test_an_increase_granted_since_settles_a_text_without_a_limit(status: str) -> None:
    """A closed case is no approval, but where the value has come to what was asked it is."""
    granted = request(status, desired=64, updated=ago(minutes=1))

    settled(decide(seen(64, ask(None, None, 32), usage=64, requests=[granted]), None, RULES))


@pytest.mark.parametrize(
    "other",
    [
        request("APPROVED", desired=64, updated=ago(minutes=2)),
        request("CASE_CLOSED", desired=64, updated=ago(minutes=2)),
        request("DENIED", desired=300, updated=ago(seconds=1)),
        request("CASE_CLOSED", desired=300, updated=ago(seconds=1)),
    ],
    ids=["approved before", "closed before", "denied since", "closed for nothing since"],
)
def test_no_other_request_settles_it(other: Any) -> None:
    assert desired(seen(64, ask(None, None, 32), usage=64, requests=[other])) == 96


# a need that nobody tells


def test_a_need_that_nobody_tells_is_for_a_person() -> None:
    unknown = refusal(decide(seen(8, ask(None, None, None)), None, RULES))

    assert (unknown.code, unknown.page, unknown.again) == ("need-unknown", True, 900)
    assert "Service Quotas console" in unknown.next_steps[0]


@pytest.mark.parametrize("known", [ask(8, 8, 1), ask(8, None, 1)], ids=["text", "vCPUs"])
def test_a_need_that_is_known_is_requested_beside_one_that_is_not(known: Any) -> None:
    assert desired(seen(8, ask(None, None, None), known)) == 9


def test_use_that_is_near_is_answered_beside_a_need_that_nobody_tells() -> None:
    assert desired(seen(10, ask(None, None, None), near=[said()], usage=9)) == 16


def test_a_need_of_long_ago_that_nobody_told_is_over() -> None:
    settled(decide(seen(8, ask(None, None, None, ago(hours=24))), None, RULES))


def test_a_need_that_nobody_tells_is_over_once_the_quota_was_raised() -> None:
    """What a person was asked to do in the console is done."""
    granted = request("APPROVED", desired=12, updated=ago(seconds=1))

    settled(decide(seen(12, ask(8, None, None)), None, RULES))
    settled(decide(seen(12, ask(None, None, None), requests=[granted]), None, RULES))


# use near the quota


@pytest.mark.parametrize(
    ("value", "use", "room"),
    [
        (10, 8, 14),  # 57 % of 14 are in use, 61 % would be of 13
        (10, 9, 16),  # 60 % of 15 are not below 60 %
        (10, 10, 17),
        (10, 12, 21),
        (5, 4, 7),
        (1, 1, 2),
        (1000, 801, 1336),
    ],
)
def test_use_that_is_near_is_brought_below_the_target_share(
    value: float, use: float, room: float
) -> None:
    decision = act(decide(seen(value, near=[said()], usage=use), None, RULES))

    assert decision.write["desired"] == room
    assert f"{use} are in use, {100 * use / value:.0f} %" in decision.reason
    assert 100 * use < RULES.target_percent * room


@pytest.mark.parametrize(("use", "near"), [(7.99, False), (8, True), (8.01, True)])
def test_use_is_near_from_the_hot_share_on(use: float, near: bool) -> None:
    decision = decide(seen(10, near=[said()], usage=use), None, RULES)

    assert isinstance(decision, Act) is near
    if not near:
        assert "7.99 are in use, less than 80 % of 10" in settled(decision).reason


def test_nobody_can_be_near_a_quota_of_nothing() -> None:
    settled(decide(seen(0, near=[said(100.0)], usage=0), None, RULES))


def test_use_that_nobody_knows_is_near_nothing() -> None:
    assert "its use is unknown" in settled(decide(seen(near=[said()]), None, RULES)).reason


def test_use_that_nobody_complains_of_is_left_alone() -> None:
    settled(decide(seen(8, ask(4, 4, 1), usage=8), None, RULES))


def test_what_is_said_in_percent_is_of_the_value_as_it_is() -> None:
    assert desired(seen(10, near=[said(80.0)])) == 14
    assert desired(seen(10, near=[said(80.0, limit=10)])) == 14


def test_the_most_of_what_is_said_counts() -> None:
    assert desired(seen(10, near=[said(80.0), said(), said(100.0), said(90.0)])) == 17


def test_what_is_said_of_another_value_says_nothing() -> None:
    settled(decide(seen(14, near=[said(95.0, limit=10)]), None, RULES))


@pytest.mark.parametrize(("hours", "counts"), [(23.99, True), (24, False)])
def test_what_is_said_counts_for_a_day(hours: float, counts: bool) -> None:
    decision = decide(seen(10, near=[said(90.0, at=ago(hours=hours))]), None, RULES)

    assert isinstance(decision, Act if counts else Settled)


@pytest.mark.parametrize("status", ["APPROVED", "CASE_CLOSED"])
def test_what_was_said_before_an_increase_says_nothing_of_the_new_value(status: str) -> None:
    """AWS Health names percent alone; its events may come late, and more than once."""
    granted = request(status, desired=14, updated=ago(minutes=5))
    before, since = said(90.0, at=ago(minutes=6)), said(90.0, at=ago(minutes=4))

    settled(decide(seen(14, near=[before], requests=[granted]), None, RULES))
    assert desired(seen(14, near=[since], requests=[granted])) == 22


def test_cloudwatch_is_believed_before_anybody() -> None:
    settled(decide(seen(10, near=[said(95.0, limit=10)], usage=4), None, RULES))
    assert desired(seen(10, near=[said(10.0, limit=10)], usage=9)) == 16


def test_a_refused_call_and_use_that_is_near_are_answered_as_one() -> None:
    assert desired(seen(10, ask(10, 10, 1), near=[said()], usage=10)) == 17
    assert desired(seen(10, ask(10, 10, 20), near=[said()], usage=10)) == 30


# caps


def capped(
    value: float, *asks: Any, max: int = 1000, growth: int = 500, **different: Any
) -> QuotaSeen:
    return seen(value, *asks, rule=replace(RULE, max=max, max_growth=growth), **different)


@pytest.mark.parametrize("caps", [{"max": 9}, {"growth": 1}, {"max": 9, "growth": 1}], ids=str)
def test_a_need_up_to_the_cap_is_requested(caps: dict[str, int]) -> None:
    assert desired(capped(8, ask(8, 8, 1), **caps)) == 9


@pytest.mark.parametrize("caps", [{"max": 9}, {"growth": 1}], ids=str)
def test_a_need_of_one_more_than_the_cap_is_refused(caps: dict[str, int]) -> None:
    above = refusal(decide(capped(8, ask(8, 8, 2), **caps), None, RULES))

    assert (above.code, above.page, above.again) == ("above-cap", True, 900)
    assert "10 would have to be requested, the rule for it allows 9" in above.reason
    assert "max or max_growth of the rule under quota_increase.quotas" in above.next_steps[0]
    assert above.evidence["needed"] == 10


@pytest.mark.parametrize(
    "caps", [{"growth": 0}, {"max": 0}, {"max": 8}, {"max": 7}, {"max": 0, "growth": 0}], ids=str
)
@pytest.mark.parametrize(
    "why", [{"near": [said()], "usage": 8.0}, {"near": [said(100.0)]}, {}], ids=str
)
def test_a_cap_at_or_below_the_value_allows_nothing(
    caps: dict[str, int], why: dict[str, Any]
) -> None:
    found = capped(8, *(() if why else (ask(8, 8, 1),)), **caps, **why)

    assert refusal(decide(found, None, RULES)).code == "above-cap"


@pytest.mark.parametrize(("caps", "granted"), [({"max": 12}, 12), ({"growth": 1}, 11)], ids=str)
def test_of_mere_room_as_much_as_the_cap_allows_is_requested(
    caps: dict[str, int], granted: float
) -> None:
    assert desired(capped(10, near=[said()], usage=9, **caps)) == granted


def test_room_is_cut_to_the_cap_but_never_below_a_need() -> None:
    both = {"near": [said()], "usage": 9.0}
    assert desired(capped(10, ask(10, 9, 2), max=13, **both)) == 13
    assert desired(capped(10, ask(10, 9, 4), max=13, **both)) == 13
    assert refusal(decide(capped(10, ask(10, 9, 5), max=13, **both), None, RULES)).code == (
        "above-cap"
    )


def test_a_cap_within_a_unit_is_the_unit_below() -> None:
    assert desired(capped(7.5, near=[said()], usage=7, growth=2)) == 9


@pytest.mark.parametrize("unit", [1, 1_234_567])
def test_numbers_are_shown_whole(unit: int) -> None:
    """Tokens a minute go into millions, and a person may have to type the number."""
    found = capped(unit, ask(unit, unit, unit), max=10 * unit, growth=10 * unit)
    decision = act(decide(found, None, RULES))
    above = refusal(decide(capped(unit, ask(unit, unit, unit), max=unit), None, RULES))

    assert f"that needs {2 * unit}; {NAME} is {unit}, {2 * unit} is requested" in decision.reason
    assert f"{2 * unit} would have to be requested, the rule for it allows {unit}" in above.reason


# whatever is seen

NUMBERS = st.one_of(
    st.integers(0, 40).map(float),
    st.integers(0, 10**7).map(float),
    st.floats(0, 500, allow_nan=False),
)
MAYBE = st.none() | NUMBERS
TIMES = st.integers(0, 48 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
ASKS = st.builds(ask, MAYBE, MAYBE, MAYBE, TIMES)
SAID = st.builds(said, st.none() | st.floats(0, 200), MAYBE, TIMES)
ENDED = st.builds(
    request,
    st.sampled_from(["APPROVED", "DENIED", "CASE_CLOSED", "NOT_APPROVED", "INVALID_REQUEST"]),
    NUMBERS,
    st.text("ab", min_size=1, max_size=2),
    updated=TIMES,
)
RULE_OF_ANY_SIZE = st.builds(
    QuotaRule,
    service=st.just("*"),
    quota=st.just("*"),
    max=st.integers(0, 50) | st.integers(0, 10**9),
    max_growth=st.integers(0, 50) | st.integers(0, 10**9),
)
LOOKS = st.builds(
    lambda value, asks, near, usage, requests, rule, taken: seen(
        value, *asks, near=near, usage=usage, requests=requests, rule=rule, taken=taken
    ),
    NUMBERS,
    st.lists(ASKS, max_size=3),
    st.lists(SAID, max_size=2),
    MAYBE,
    st.lists(ENDED, max_size=2),
    RULE_OF_ANY_SIZE,
    st.integers(0, 21),
)


@given(LOOKS)
@settings(max_examples=500, deadline=None)
def test_never_more_than_the_rule_allows_and_never_less_than_the_value(found: QuotaSeen) -> None:
    decision = decide(found, None, RULES)
    assert found.quota is not None
    assert found.quota.value is not None

    if isinstance(decision, Act):
        asked = decision.write["desired"]
        assert asked <= found.rule.max
        assert asked <= found.quota.value + found.rule.max_growth
        assert asked >= found.quota.value + 1
        assert asked == math.floor(asked)
        assert decision.goal == decision.write


@given(LOOKS)
@settings(max_examples=500, deadline=None)
def test_what_a_fresh_text_needs_is_requested_in_full_or_nothing_is_done(found: QuotaSeen) -> None:
    decision = decide(found, None, RULES)

    if isinstance(decision, Act):
        for each in found.asks:
            if each.utilization is not None and each.delta is not None:
                fresh = found.now - each.at < timedelta(hours=24)
                enough = decision.write["desired"] >= each.utilization + each.delta
                assert enough or not fresh


@given(LOOKS)
@settings(max_examples=500, deadline=None)
def test_what_a_fresh_text_needs_is_never_called_settled(found: QuotaSeen) -> None:
    assert found.quota is not None
    assert found.quota.value is not None
    if isinstance(decide(found, None, RULES), Settled):
        for each in found.asks:
            if each.utilization is not None and each.delta is not None:
                fresh = found.now - each.at < timedelta(hours=24)
                assert each.utilization + each.delta <= found.quota.value or not fresh


@given(LOOKS)
@settings(max_examples=500, deadline=None)
def test_the_same_look_has_the_same_answer(found: QuotaSeen) -> None:
    assert decide(found, None, RULES) == decide(found, None, RULES)


@given(LOOKS)
@settings(max_examples=500, deadline=None)
def test_every_refusal_has_a_name_a_reason_and_a_way_out(found: QuotaSeen) -> None:
    decision = decide(found, None, RULES)

    if isinstance(decision, Refuse):
        assert decision.code in {"need-unknown", "above-cap", "denied-before"}
        assert decision.reason
        assert decision.next_steps
        assert decision.page
        assert decision.again
