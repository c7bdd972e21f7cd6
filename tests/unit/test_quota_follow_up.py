"""A request is followed to its end, and only the value that applies says what it brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.core.decision import Decision, Fail, Settled, Wait
from functions.core.incident import Incident
from functions.quota_increase.decision import decide
from functions.quota_increase.observation import QuotaSeen, Request
from tests.unit.quotas import (
    CODE,
    NAME,
    NOON,
    RULES,
    ago,
    ask,
    following,
    request,
    seen,
    settled,
    wait,
)

ENDS = [
    ("DENIED", "denied", "AWS denied it"),
    ("NOT_APPROVED", "not-approved", "AWS did not approve it"),
    ("CASE_CLOSED", "closed-without-grant", "case 4711 was closed"),
    ("INVALID_REQUEST", "invalid-request", "AWS found it invalid"),
    ("WITHDRAWN", "ended", "it ended as WITHDRAWN"),  # a status that AWS may add
]


def follow(status: str, value: float | None = 8, **different: Any) -> Decision:
    """What is decided of our request for 10, the quota standing at `value`."""
    incident, ours = following(status, 10, **different)
    return decide(seen(value, requests=[ours]), incident, RULES)


def failed(decision: Decision) -> Fail:
    assert isinstance(decision, Fail), decision
    return decision


# under way


def test_while_aws_decides_it_waits_and_says_nothing() -> None:
    assert wait(follow("PENDING")).code == ""


def test_a_case_is_told_with_what_a_person_can_do() -> None:
    """A case may wait for an answer of the account's (API reference, RequestedServiceQuotaChange,
    Status)."""
    waiting = wait(follow("CASE_OPENED", case="4711"))

    assert waiting.code == "case-opened"
    assert "support case 4711" in waiting.reason
    assert "Answer questions in the case" in waiting.next_steps[0]
    assert waiting.evidence == {
        "usage": 8.0,
        "request": "r1",
        "status": "CASE_OPENED",
        "case": "4711",
    }


def test_a_case_without_a_number_yet_is_told_without() -> None:
    waiting = wait(follow("CASE_OPENED"))

    assert waiting.code == "case-opened-without-id"
    assert "case" not in waiting.evidence


@pytest.mark.parametrize("status", ["PENDING", "CASE_OPENED"])
def test_what_is_refused_meanwhile_changes_nothing(status: str) -> None:
    incident, ours = following(status)
    found = replace(seen(8, requests=[ours]), asks=[ask(8, 8, 100)])

    assert decide(found, incident, RULES) == decide(seen(8, requests=[ours]), incident, RULES)


# granted


@pytest.mark.parametrize("status", ["APPROVED", *(status for status, _, _ in ENDS)])
@pytest.mark.parametrize("value", [10, 12])
def test_where_the_value_has_come_to_it_the_request_is_settled(status: str, value: float) -> None:
    """Whatever its status: a closed case is no denial, and a person may have raised it by a case
    of their own."""
    done = settled(follow(status, value))

    assert done.reason == f"{NAME} is {value} now"
    assert done.evidence["status"] == status
    assert done.evidence["usage"] == 8.0


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), Wait),
        (timedelta(hours=1), Wait),
        (timedelta(hours=1, seconds=1), "approved-not-applied"),
        (timedelta(hours=24), "approved-not-applied"),
        (timedelta(hours=24, seconds=1), Fail),
    ],
    ids=str,
)
def test_an_approval_is_given_an_hour_then_told_and_a_day_later_ended(
    after: timedelta, expected: Any
) -> None:
    """An approval of less than was asked for would otherwise be waited for for ever, and every
    call that is refused meanwhile with it."""
    decision = follow("APPROVED", 9, updated=NOON - after)

    if expected is Fail:
        failure = failed(decision)
        assert failure.code == "approved-not-applied"
        assert "10 of" in failure.reason
        assert "9 is applied" in failure.reason
    else:
        waiting = wait(decision)
        assert waiting.code == ("" if expected is Wait else expected)
        assert waiting.reason == "10 is approved, 9 is applied so far"


def test_a_value_that_cannot_be_read_is_waited_for() -> None:
    for status in ("APPROVED", "DENIED", "CASE_CLOSED"):
        incident, ours = following(status)
        found = seen(None, requests=[ours], error="DEPENDENCY_THROTTLING_ERROR")
        assert "DEPENDENCY_THROTTLING_ERROR" in wait(decide(found, incident, RULES)).reason


# not granted


@pytest.mark.parametrize(("status", "code", "how"), ENDS)
@pytest.mark.parametrize("value", [8, 9.5])
def test_an_end_that_brought_less_than_was_asked_for_fails(
    status: str, code: str, how: str, value: float
) -> None:
    failure = failed(follow(status, value, case="4711"))

    assert failure.code == code
    assert failure.reason == f"10 of {NAME} was requested; {how}, and {value} is applied"
    assert failure.evidence["status"] == status
    assert failure.evidence["case"] == "4711"


@pytest.mark.parametrize("status", [status for status, _, _ in ENDS])
def test_who_is_told_of_the_end_finds_a_text_to_paste(status: str) -> None:
    open_a_case, text = failed(follow(status)).next_steps

    assert f"{NAME} ({CODE})" in open_a_case
    assert text.startswith("Text to paste: ")
    assert f"{NAME} at 10; it is 8 now. 8 were in use. The increase was requested" in text


def test_the_text_tells_of_the_latest_refused_call_and_of_no_other() -> None:
    incident, ours = following("DENIED", 2_000_000)
    calls = [{"at": at} for at in ("2026-03-01T09:00:00+00:00", "2026-03-02T11:59:00+00:00")]
    for refused in (calls, calls[::-1]):
        told = replace(incident, evidence={"usage": None, "refusedCalls": refused})
        text = failed(decide(seen(8, requests=[ours]), told, RULES)).next_steps[1]

        assert f"{NAME} at 2000000; it is 8 now. A call was refused for it on 2026-03-02." in text


# which request is ours


def shown(incident: Incident, *requests: Request, value: float = 8) -> QuotaSeen:
    return seen(value, requests=requests)


@pytest.mark.parametrize("shows", [(), (request("APPROVED", 4, "r0"),)], ids=["none", "r0"])
def test_a_history_that_shows_the_request_late_is_waited_for(shows: tuple[Request, ...]) -> None:
    incident, _ = following("PENDING")
    waiting = wait(decide(shown(incident, *shows), incident, RULES))

    assert "the history does not show it yet" in waiting.reason
    assert waiting.code == ""


def test_a_request_that_the_history_no_longer_shows_is_given_up() -> None:
    """It goes back 90 days (API reference, ListRequestedServiceQuotaChangeHistory)."""
    incident, _ = following("CASE_OPENED")
    wait(decide(seen(8, now=NOON + timedelta(days=90)), incident, RULES))

    failure = failed(decide(seen(8, now=NOON + timedelta(days=90, seconds=1)), incident, RULES))
    assert failure.code == "out-of-sight"
    assert "10 was requested too long ago" in failure.reason
    assert "support case" in failure.next_steps[0]


def test_a_request_that_is_still_shown_is_followed_however_old_it_is() -> None:
    incident, ours = following("CASE_OPENED")

    wait(decide(seen(8, requests=[ours], now=NOON + timedelta(days=100)), incident, RULES))


def test_an_older_request_for_the_same_is_not_ours_while_ours_is_not_shown_yet() -> None:
    incident, _ = following("PENDING")
    older = [request("APPROVED", 4, "r0"), request("DENIED", 10, "old")]

    assert isinstance(decide(shown(incident, *older), incident, RULES), Wait)


def test_our_request_is_known_by_its_id() -> None:
    incident, ours = following("APPROVED")
    denied = request("DENIED", 10, "r0")

    assert isinstance(decide(shown(incident, denied, ours, value=10), incident, RULES), Settled)
    assert isinstance(decide(shown(incident, denied, value=8), incident, RULES), Wait)


def unnamed() -> Incident:
    """Its request was made, and the function died before it could write down the id."""
    incident, _ = following("PENDING")
    return replace(incident, written={"desired": 10.0, "after": "r0"})


def test_a_request_whose_id_was_lost_is_known_by_its_value() -> None:
    found = shown(unnamed(), request("DENIED", 10, "r1"), request("DENIED", 4, "r0"))

    assert failed(decide(found, unnamed(), RULES)).code == "denied"


@pytest.mark.parametrize(
    "other",
    [request("DENIED", 10, "r0"), request("DENIED", 12, "r2")],
    ids=["the one before, for the same value", "one for another value"],
)
def test_no_other_request_is_taken_for_it(other: Request) -> None:
    assert isinstance(decide(shown(unnamed(), other), unnamed(), RULES), Wait)


@pytest.mark.parametrize("status", ["APPROVED", "DENIED", "CASE_CLOSED"])
def test_while_another_request_on_the_quota_is_open_the_end_of_ours_waits(status: str) -> None:
    """A quota has one open request, and one for each resource that has a value of its own
    (Service Quotas user guide, "Service Quotas endpoints and quotas"): nothing is read then."""
    incident, ours = following(status, created=ago(minutes=5))
    of_a_resource = request("PENDING", 50, "r9", created=ago(hours=9))
    found = seen(8, requests=[ours, of_a_resource])

    assert found.quota is None
    assert "another request" in wait(decide(found, incident, RULES)).reason


@pytest.mark.parametrize(("minutes", "expected"), [(9, Wait), (11, Fail)])
def test_a_closed_case_is_given_minutes_in_which_its_grant_may_come(
    minutes: int, expected: type
) -> None:
    assert isinstance(follow("CASE_CLOSED", updated=ago(minutes=minutes)), expected)
