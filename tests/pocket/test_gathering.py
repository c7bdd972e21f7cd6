"""Events that come while others are on their way go together, and none is lost or late."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from local.gathering import TOGETHER, Gathering

SOON = 10
"""Seconds that a test waits at most."""


class Bus:
    """Takes events, the first of them only when it is let go."""

    def __init__(self) -> None:
        self.taken: list[list[Any]] = []
        self.busy, self.released = threading.Event(), threading.Event()
        self.changed = threading.Condition()

    def put(self, together: Sequence[Any]) -> None:
        self.busy.set()
        assert self.released.wait(SOON)
        with self.changed:
            self.taken.append(list(together))
            self.changed.notify_all()

    def until(self, count: int) -> list[list[Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: sum(map(len, self.taken)) == count, SOON)
        return self.taken


@pytest.fixture
def bus() -> Bus:
    return Bus()


def events(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": str(number)} for number in range(first, last)]


def test_what_comes_meanwhile_goes_together_in_its_order(bus: Bus) -> None:
    gathering = Gathering(bus.put)
    gathering.send({"id": "0"})
    assert bus.busy.wait(SOON)
    for each in events(1, TOGETHER + 11):
        gathering.send(each)
    bus.released.set()
    assert bus.until(TOGETHER + 11) == [
        events(0, 1),
        events(1, TOGETHER + 1),
        events(TOGETHER + 1, TOGETHER + 11),
    ]


def test_an_event_that_comes_alone_waits_for_no_other(bus: Bus) -> None:
    bus.released.set()
    Gathering(bus.put).send({"id": "0"})
    assert bus.until(1) == [events(0, 1)]


def test_events_that_cannot_be_sent_are_logged_and_the_next_are_sent(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()

    def put(together: Sequence[Any]) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("the bus is down")
        bus.put(together)

    bus.released.set()
    gathering = Gathering(put)
    with caplog.at_level(logging.ERROR):
        gathering.send({"id": "0"})
        assert failed.wait(SOON)
        gathering.send({"id": "1"})
        assert bus.until(1) == [events(1, 2)]
    assert "1 events are lost" in caplog.text
    assert "the bus is down" in caplog.text
