"""Recorded calls can be asked for, and do not grow without end."""

from __future__ import annotations

from local.calls import Call, CallLog


def a_call(number: float = 0, service: str = "sqs") -> Call:
    return Call(number, "AKIAUSER", None, service, "SendMessage", 200, None, 1.0)


def test_the_oldest_calls_are_forgotten() -> None:
    log = CallLog(kept=3)
    for number in range(5):
        log.add(a_call(number))
    assert [call.time for call in log.select()] == [2, 3, 4]


def test_filters_narrow_by_caller_service_and_moment() -> None:
    log = CallLog()
    log.add(a_call(1))
    log.add(a_call(2, "sns"))
    log.add(a_call(3))
    assert [call.time for call in log.select(service="sqs", since=2)] == [3]
    assert log.select(caller="somebody-else") == []


def test_clearing_forgets_everything() -> None:
    log = CallLog()
    log.add(a_call())
    log.clear()
    assert log.select() == []


def test_times_are_shown_in_utc_with_milliseconds() -> None:
    assert a_call(1767225600.5).as_json()["time"] == "2026-01-01T00:00:00.500Z"
