"""Order, time and the way out of the simulated services."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from local.cloud import World


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1000.0, tick=False) as traveller:
        yield traveller


class Inbox:
    """A sink that keeps what it gets and then does what it is told."""

    def __init__(self, then: Any = lambda: None) -> None:
        self.envelopes: list[Any] = []
        self.then = then

    def event(self, envelope: Any) -> None:
        self.envelopes.append(envelope)
        self.then()

    def invoke(self, arn: str, payload: Any) -> None:
        self.envelopes.append((arn, payload))

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        self.envelopes.append((topic_arn, subject, message))


def test_what_is_due_runs_in_the_order_of_its_times(clock: time_machine.Traveller) -> None:
    world, ran = World(), []
    world.later(2, lambda: ran.append("second"))
    world.later(1, lambda: ran.append("first"))
    world.later(60, lambda: ran.append("not yet"))
    clock.shift(10)
    with world.turn():
        assert ran == ["first", "second"]


def test_after_a_jump_each_step_sees_the_moment_it_fell_due(
    clock: time_machine.Traveller,
) -> None:
    world, moments = World(), []

    def step() -> None:
        moments.append(world.clock())
        world.later(60, step)

    world.later(60, step)
    clock.shift(200)
    with world.turn():
        assert moments == [1060, 1120, 1180]
        assert world.clock() == 1200


def test_nothing_leaves_before_the_outermost_turn_ends(clock: time_machine.Traveller) -> None:
    world, inbox = World(), Inbox()
    world.sinks.append(inbox)
    with world.turn():
        with world.turn():
            world.emit({"n": 1})
        world.invoke("arn:f", {"n": 2})
        world.notify("arn:t", "subject", "message")
        assert inbox.envelopes == []
    assert inbox.envelopes == [{"n": 1}, ("arn:f", {"n": 2}), ("arn:t", "subject", "message")]


def test_a_receiver_finds_the_lock_free(clock: time_machine.Traveller) -> None:
    world, took_a_turn = World(), threading.Event()

    def take_a_turn() -> None:
        with world.turn():
            took_a_turn.set()

    def in_another_thread() -> None:
        threading.Thread(target=take_a_turn, daemon=True).start()
        assert took_a_turn.wait(5), "the lock was held while the sink ran"

    world.sinks.append(Inbox(then=in_another_thread))
    with world.turn():
        world.emit({})


def test_a_failing_turn_does_not_keep_back_what_was_sent(clock: time_machine.Traveller) -> None:
    world, inbox = World(), Inbox()
    world.sinks.append(inbox)

    def fail_after_sending() -> None:
        with world.turn():
            world.emit({"n": 1})
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_sending()
    assert inbox.envelopes == [{"n": 1}]


def test_a_reset_forgets_what_was_due_and_what_was_set(clock: time_machine.Traveller) -> None:
    world, ran = World(), []
    world.later(1, lambda: ran.append("forgotten"))
    world.durations.weights_update = 99
    world.switches.duplicate_events = True
    world.reset()
    clock.shift(10)
    with world.turn():
        assert ran == []
    assert world.durations.weights_update != 99
    assert not world.switches.duplicate_events
