"""Whether a quota may be requested: what AWS, its own limits and its earlier answers allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from functions.core.decision import Act, Dial, Move, Settled, Wait
from functions.core.incident import Incident
from functions.quota_increase.decision import ALWAYS_ON, decide, stands
from functions.quota_increase.observation import QuotaSeen
from tests.unit.quotas import (
    CODE,
    NAME,
    NOON,
    RULE,
    RULES,
    TARGET,
    act,
    ago,
    ask,
    desired,
    refusal,
    request,
    said,
    seen,
    settled,
    wait,
)

NEEDS_9 = ask(8, 8, 1)
ENDS = ["DENIED", "NOT_APPROVED", "CASE_CLOSED", "INVALID_REQUEST"]


def code(found: QuotaSeen, rules: Any = RULES) -> str:
    return refusal(decide(found, None, rules)).code


# the request


def test_a_request_names_the_one_before_it_so_that_it_is_known_for_ours() -> None:
    earlier = [request("APPROVED", 8, "new"), request("APPROVED", 4, "old")]

    assert act(decide(seen(8, NEEDS_9, requests=earlier), None, RULES)).write == {
        "desired": 9.0,
        "after": "new",
    }
    assert act(decide(seen(8, NEEDS_9), None, RULES)).write == {"desired": 9.0, "after": None}


def test_a_request_is_a_step_forward_in_one() -> None:
    decision = act(decide(seen(8, NEEDS_9), None, RULES))

    assert decision.move is Move.FORWARD
    assert decision.goal == decision.write


def test_the_evidence_says_what_was_known() -> None:
    evidence = act(decide(seen(8, NEEDS_9, usage=7, taken=3), None, RULES)).evidence

    assert evidence == {
        "quota": NAME,
        "code": CODE,
        "service": "sagemaker",
        "value": 8,
        "usage": 7,
        "needed": 9,
        "max": RULE.max,
        "maxGrowth": RULE.max_growth,
        "openRequests": 3,
        "refusedCalls": [
            {"at": "2026-03-02T11:59:00+00:00", "limit": 8, "utilization": 8, "delta": 1}
        ],
    }


def test_an_incident_that_has_written_nothing_decides_nothing() -> None:
    opened = replace(
        Incident.opened("quota_increase", TARGET, NOON),
        goal={"desired": 50.0, "after": None},
        writing={"desired": 50.0, "after": None},
        attempts=2,
    )

    assert decide(seen(8, NEEDS_9), opened, RULES) == decide(seen(8, NEEDS_9), None, RULES)


# a request that is open already: AWS takes one a quota


@pytest.mark.parametrize("status", ["PENDING", "CASE_OPENED"])
@pytest.mark.parametrize(
    ("kind", "by"),
    [("", "a request in this account"), ("AutomaticManagement", "Automatic Management")],
)
def test_while_anybodys_request_is_open_it_waits(status: str, kind: str, by: str) -> None:
    """ResourceAlreadyExistsException: "Only one open service quota increase request is allowed
    per quota" (hashicorp/terraform-provider-aws#19657)."""
    theirs = request(status, 10, "theirs", kind=kind, case="4711")
    waiting = wait(decide(seen(8, NEEDS_9, requests=[theirs]), None, RULES))

    assert waiting.code == "already-requested"
    assert "an increase to 10 is requested already" in waiting.reason
    assert f"{status} in case 4711 since 2026-03-02 10:00 UTC" in waiting.reason
    assert waiting.evidence == {"request": "theirs", "status": status, "by": by}


def test_a_request_whose_case_has_no_number_yet_is_shown_without() -> None:
    waiting = wait(decide(seen(8, NEEDS_9, requests=[request("PENDING")]), None, RULES))

    assert "PENDING since 2026-03-02 10:00 UTC" in waiting.reason


def test_a_request_is_shown_in_utc_whatever_the_clients_zone() -> None:
    berlin = timezone(timedelta(hours=1))
    theirs = request("PENDING", created=ago(hours=2).astimezone(berlin))

    assert "since 2026-03-02 10:00 UTC" in wait(decide(seen(requests=[theirs]), None, RULES)).reason


def test_an_open_request_counts_wherever_it_stands_in_the_history() -> None:
    ended = request("DENIED", 9, "newer")
    waiting = wait(decide(seen(8, NEEDS_9, requests=[ended, request()]), None, RULES))

    assert waiting.evidence["request"] == "r1"


@pytest.mark.parametrize("status", ["APPROVED", *ENDS])
def test_a_request_that_has_ended_holds_up_nothing_by_itself(status: str) -> None:
    assert desired(seen(8, NEEDS_9, requests=[request(status, 8)])) == 9


# a request that is approved and not applied yet


@pytest.mark.parametrize(("minutes", "waits"), [(0, True), (60, True), (60.1, False)])
def test_what_was_approved_is_given_an_hour_to_be_applied(minutes: float, waits: bool) -> None:
    """Else it is requested twice (hashicorp/terraform-provider-aws#14563)."""
    theirs = request("APPROVED", 16, updated=ago(minutes=minutes))
    decision = decide(seen(8, NEEDS_9, requests=[theirs]), None, RULES)

    assert isinstance(decision, Wait) is waits
    if isinstance(decision, Wait):
        assert decision.reason == "16 is approved, 8 is applied so far"
        assert not decision.code


def test_what_was_approved_and_never_applied_is_no_denial() -> None:
    theirs = request("APPROVED", 9, updated=ago(hours=2))

    assert desired(seen(8, NEEDS_9, requests=[theirs])) == 9


def test_an_approval_that_is_too_little_is_not_waited_for() -> None:
    theirs = request("APPROVED", 9, updated=NOON)

    assert desired(seen(8, ask(8, 8, 2), requests=[theirs])) == 10


def test_what_is_approved_and_applied_holds_up_nothing() -> None:
    assert desired(seen(8, NEEDS_9, requests=[request("APPROVED", 8, updated=NOON)])) == 9


# quotas that cannot be requested


def test_a_value_that_cannot_be_read_is_for_a_person() -> None:
    unreadable = seen(None, NEEDS_9, error="DEPENDENCY_ACCESS_DENIED_ERROR: no access")
    decision = refusal(decide(unreadable, None, RULES))

    assert (decision.code, decision.page, decision.again) == ("quota-unreadable", True, 900)
    assert "DEPENDENCY_ACCESS_DENIED_ERROR: no access" in decision.reason


@pytest.mark.parametrize(
    ("different", "expected", "step"),
    [
        ({"adjustable": False}, "not-adjustable", "another Region or account"),
        ({"level": "RESOURCE"}, "resource-level", "for the resource in the Service Quotas console"),
    ],
)
def test_a_quota_that_cannot_be_raised_is_for_a_person(
    different: dict[str, Any], expected: str, step: str
) -> None:
    decision = refusal(decide(seen(8, NEEDS_9, **different), None, RULES))

    assert (decision.code, decision.page, decision.again) == (expected, True, 900)
    assert step in decision.next_steps[0]
    assert NAME in decision.reason
    assert decision.evidence["needed"] == 9


def test_near_a_fixed_quota_a_person_is_told_as_well() -> None:
    decision = refusal(
        decide(seen(10, near=[said()], usage=9, adjustable=False), None, RULES),
    )

    assert decision.code == "not-adjustable"
    assert "9 are in use, 90 %" in decision.reason
    assert "fixed at 10" in decision.reason


def test_a_global_quota_is_requested_in_its_own_region_alone() -> None:
    """Global quotas are read and requested in US East (N. Virginia) (Service Quotas user guide,
    "Requesting a quota increase")."""
    elsewhere = replace(RULES, region="eu-west-1")
    decision = refusal(decide(seen(8, NEEDS_9, is_global=True), None, elsewhere))

    assert (decision.code, decision.page, decision.again) == ("global-quota", True, 900)
    assert "us-east-1" in decision.next_steps[0]
    assert desired(seen(8, NEEDS_9, is_global=True)) == 9
    assert desired(seen(8, NEEDS_9), elsewhere) == 9


@pytest.mark.parametrize(
    "different", [{"adjustable": False}, {"level": "RESOURCE"}, {"is_global": True}], ids=str
)
def test_what_needs_nothing_is_settled_though_it_could_not_be_raised(
    different: dict[str, Any],
) -> None:
    elsewhere = replace(RULES, region="eu-west-1")

    settled(decide(seen(9, NEEDS_9, **different), None, elsewhere))
    settled(decide(seen(10, near=[said()], usage=7, **different), None, elsewhere))


def test_what_cannot_be_raised_at_all_is_told_before_any_cap() -> None:
    none = replace(RULE, max=0)
    denied = request("DENIED", 9)

    assert code(seen(8, NEEDS_9, rule=none, adjustable=False)) == "not-adjustable"
    assert code(seen(8, NEEDS_9, adjustable=False, requests=[denied])) == "not-adjustable"
    assert code(seen(8, NEEDS_9, rule=none, requests=[denied], taken=20)) == "above-cap"
    assert code(seen(8, NEEDS_9, requests=[denied], taken=20)) == "denied-before"


# slots: Service Quotas' own limits on open requests


@pytest.mark.parametrize(
    ("region", "slots"),
    [
        ("us-east-1", 20),
        ("sa-east-1", 20),
        ("ap-northeast-3", 20),
        ("us-gov-west-1", 20),  # other partitions know no opt-in Regions
        ("cn-north-1", 20),
        ("af-south-1", 2),
        ("ap-east-1", 2),
        ("eu-south-1", 2),
        ("me-south-1", 2),
        ("il-central-1", 2),
        ("mx-central-1", 2),
    ],
)
def test_a_region_has_so_many_slots_and_with_all_taken_it_waits(region: str, slots: int) -> None:
    """User guide, "Service Quotas endpoints and quotas": 20 active requests an account, 2 in a
    Region that must be opted in."""
    rules = replace(RULES, region=region)

    assert desired(seen(8, NEEDS_9, taken=slots - 1), rules) == 9
    waiting = wait(decide(seen(8, NEEDS_9, taken=slots), None, rules))
    assert waiting.code == "no-slot"
    assert f"{slots} requests are open, and AWS allows {slots}" in waiting.reason
    assert waiting.evidence["needed"] == 9
    assert waiting.again == 300


def test_seventeen_regions_are_on_by_default() -> None:
    assert len(ALWAYS_ON) == 17


def test_what_needs_no_slot_waits_for_none() -> None:
    settled(decide(seen(9, NEEDS_9, taken=20), None, RULES))


# denied before


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("days", [0, 29.99])
def test_what_aws_did_not_grant_is_not_asked_again(status: str, days: float) -> None:
    denied = request(status, 9, updated=ago(days=days))
    decision = refusal(decide(seen(8, NEEDS_9, requests=[denied]), None, RULES))

    assert (decision.code, decision.page, decision.again) == ("denied-before", True, 900)
    assert f"a request for 9 without granting it ({status}" in decision.reason
    assert "not repeated for 30 days" in decision.reason
    assert "support case" in decision.next_steps[0]
    assert decision.evidence["needed"] == 9


@pytest.mark.parametrize("status", ENDS)
def test_after_some_days_it_may_be_asked_again(status: str) -> None:
    assert desired(seen(8, NEEDS_9, requests=[request(status, 9, updated=ago(days=30))])) == 9


def test_how_many_days_is_a_setting() -> None:
    denied = request("DENIED", 9, updated=ago(days=2))
    rules = replace(RULES, after_denial=timedelta(days=1))

    assert desired(seen(8, NEEDS_9, requests=[denied]), rules) == 9


@pytest.mark.parametrize(
    ("denied", "asked"), [(8.5, False), (9, False), (10, True)], ids=["less", "the same", "more"]
)
def test_only_less_than_was_denied_is_asked(denied: float, asked: bool) -> None:
    decision = decide(seen(8, NEEDS_9, requests=[request("DENIED", denied)]), None, RULES)

    assert isinstance(decision, Act) is asked


def test_what_was_denied_and_given_since_is_no_denial() -> None:
    assert desired(seen(8, NEEDS_9, requests=[request("CASE_CLOSED", 8)])) == 9
    assert desired(seen(8, NEEDS_9, requests=[request("DENIED", 4)])) == 9


def test_one_denial_among_other_requests_is_found() -> None:
    requests = [request("APPROVED", 8, "r3"), request("DENIED", 9, "r2"), request("APPROVED", 4)]

    assert code(seen(8, NEEDS_9, requests=requests)) == "denied-before"


def test_a_need_below_what_was_denied_is_asked_without_room() -> None:
    """Room of 15 was denied once; that a call needs 11 was not."""
    both = {"near": [said()], "usage": 9.0}

    assert desired(seen(10, ask(10, 9, 2), requests=[request("DENIED", 15)], **both)) == 11
    assert code(seen(10, ask(10, 9, 2), requests=[request("DENIED", 11)], **both)) == (
        "denied-before"
    )
    assert code(seen(10, requests=[request("DENIED", 15)], **both)) == "denied-before"


# whether a request still is the one that was written

R0: Dial = {"desired": 4.0, "request": "r0"}
R1: Dial = {"desired": 9.0, "request": "r1"}
NOTHING: Dial = {"desired": None, "request": None}
TO_WRITE: Dial = {"desired": 9.0, "after": "r0"}
WRITTEN: Dial = {"desired": 9.0, "after": "r0", "request": "r1"}
FIRST_TO_WRITE: Dial = {"desired": 9.0, "after": None}
FIRST_WRITTEN: Dial = {"desired": 9.0, "after": None, "request": "r1"}


@pytest.mark.parametrize(
    ("dial", "written", "answer"),
    [
        # a dial as it was seen before anything of ours was filed: what others file is awaited
        (R0, R0, True),
        (R1, R0, True),
        (R0, NOTHING, True),
        # one to be written, whose record may have been lost: a new request for that value is it
        (R1, TO_WRITE, True),
        (R0, TO_WRITE, False),
        ({"desired": 9.0, "request": "r0"}, TO_WRITE, False),  # the one before, for the same value
        ({"desired": 8.0, "request": "r1"}, TO_WRITE, False),  # somebody else's
        (NOTHING, TO_WRITE, False),
        (R1, FIRST_TO_WRITE, True),
        (NOTHING, FIRST_TO_WRITE, False),
        # one that was written, which the history may show late
        (R1, WRITTEN, True),
        (R0, WRITTEN, True),
        ({"desired": 8.0, "request": "r1"}, WRITTEN, True),  # AWS may word it anew, the id is ours
        ({"desired": 9.0, "request": "r2"}, WRITTEN, False),
        (NOTHING, WRITTEN, False),
        (R1, FIRST_WRITTEN, True),
        (NOTHING, FIRST_WRITTEN, True),
        (R0, FIRST_WRITTEN, False),
        # one goal and another: whether an approval of the one is an approval of the other
        (TO_WRITE, TO_WRITE, True),
        ({"desired": 10.0, "after": "r0"}, TO_WRITE, False),
        ({"desired": 9.0, "after": "r1"}, TO_WRITE, False),
        (FIRST_TO_WRITE, TO_WRITE, False),
    ],
)
def test_a_request_stands_while_it_is_the_newest(dial: Dial, written: Dial, answer: bool) -> None:
    assert stands(dial, written) is answer


def test_the_dial_is_the_newest_request() -> None:
    assert seen(requests=[request("DENIED", 9, "r1"), request("APPROVED", 4, "r0")]).dial == R1
    assert seen().dial == NOTHING
    assert isinstance(decide(seen(), None, RULES), Settled)
