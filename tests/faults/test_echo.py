"""The heartbeat comes a second time, half a minute after the first, where a remediation has it so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from functions.core import intake
from functions.core.decision import Refuse, Wait
from tests.faults.dimmer import DARK, LAMP, Hall
from tests.faults.test_intake import CELLAR, EVENT, HEARTBEAT, Context, batch, codes

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/dimmer"
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
SLOW = ConnectTimeoutError(endpoint_url=QUEUE)


@dataclass
class Queue:
    """SQS, as far as the function sends to it."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)
    fails: Exception | None = None

    def send_message(self, **message: Any) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)


class Hurried(Context):
    """An invocation that has so many seconds left."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


Invoke = Callable[[Any], dict[str, Any]]


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def invoke(hall: Hall, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """One invocation of a function that sweeps twice a minute."""
    ssm = boto3.client("ssm", region_name="us-east-1")
    ssm.put_parameter(Name="mode", Value="act", Type="String")
    told = {"events": hall.hears, "sns": hall.hears}
    clients = {"dynamodb": hall.dynamodb, "ssm": ssm, "sqs": queue, **told}
    monkeypatch.setattr(intake, "client", clients.__getitem__)
    intake._sweeping.clear()
    hall.echo_queue, hall.sweep_seconds = QUEUE, 30
    yield lambda event: intake.remediate(
        event, Context(), hall.dimmer, hall.environment, lambda: hall.now
    )
    intake._sweeping.clear()


def test_each_heartbeat_is_sent_once_more_to_come_half_a_minute_later(
    hall: Hall, queue: Queue, invoke: Invoke
) -> None:
    invoke(HEARTBEAT)

    [sent] = queue.sent
    assert (sent["QueueUrl"], sent["DelaySeconds"]) == (QUEUE, 30)
    assert json.loads(sent["MessageBody"]) == HEARTBEAT


def test_an_echo_sweeps_and_has_no_echo(hall: Hall, queue: Queue, invoke: Invoke) -> None:
    invoke(HEARTBEAT)
    hall.later(30)
    hall.dimmer.swept = [DARK]

    assert codes(invoke(batch(HEARTBEAT))) == ["acted"]
    assert len(queue.sent) == 1


def test_echoes_sweep_between_heartbeats(hall: Hall, invoke: Invoke) -> None:
    for _ in range(3):
        hall.later(29.5)
        invoke(HEARTBEAT)
        hall.later(30.5)
        invoke(batch(HEARTBEAT))

    assert hall.dimmer.sweeps == 6


def test_an_echo_that_comes_twice_sweeps_once(hall: Hall, invoke: Invoke) -> None:
    """SQS delivers at least once."""
    invoke(HEARTBEAT)
    hall.later(30)
    invoke(batch(HEARTBEAT, HEARTBEAT))
    invoke(batch(HEARTBEAT))

    assert hall.dimmer.sweeps == 2


def test_what_is_due_is_left_to_the_heartbeat(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.says = Refuse("dusk", "not dark enough")
    hall.look(DARK)
    invoke(HEARTBEAT)
    hall.later(30)
    assert codes(invoke(batch(HEARTBEAT))) == []

    hall.later(30)
    assert codes(invoke(HEARTBEAT)) == ["dusk"]


def test_what_fails_is_tried_again_at_the_heartbeat_though_the_echo_finds_it(
    hall: Hall, invoke: Invoke
) -> None:
    """As many failures in a row as open the breaker take as many minutes."""
    hall.dimmer.swept = [DARK]
    hall.dimmer.failing = [DENIED] * 3
    assert codes(invoke(HEARTBEAT)) == ["failed"]
    hall.later(30)
    assert codes(invoke(batch(HEARTBEAT))) == []

    hall.later(30)
    assert codes(invoke(HEARTBEAT)) == ["failed"]


def test_what_an_echo_finds_and_is_due_again_in_seconds_is_looked_at_then(
    hall: Hall, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke(HEARTBEAT)
    hall.later(30)
    hall.dimmer.swept = [DARK]
    hall.dimmer.says = Wait("it is being wired", again=4)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        hall.later(seconds)
        hall.dimmer.says = None

    monkeypatch.setattr(intake, "sleep", sleep)

    assert codes(invoke(batch(HEARTBEAT))) == ["acted"]
    assert slept == [4]


def test_signals_that_came_with_an_echo_are_looked_at_first(hall: Hall, invoke: Invoke) -> None:
    invoke(HEARTBEAT)
    hall.later(30)
    hall.dimmer.swept = [DARK, CELLAR]

    answer = invoke(batch(HEARTBEAT, EVENT))

    targets = [(each["target"], each["code"]) for each in answer["outcomes"]]
    assert targets[0] == (LAMP, "acted")
    assert (CELLAR.target, "settled") in targets[1:]
    assert answer["batchItemFailures"] == []


def test_signals_are_not_risked_for_an_echo_that_has_no_time(hall: Hall, invoke: Invoke) -> None:
    """A function that times out gives its whole batch back."""
    invoke(HEARTBEAT)
    hall.later(30)

    for seconds, sweeps in ((29.9, 1), (30, 2)):
        event, context = batch(EVENT, HEARTBEAT), Hurried(seconds)
        remediate = intake.remediate
        answer = remediate(event, context, hall.dimmer, hall.environment, lambda: hall.now)
        assert answer["batchItemFailures"] == []
        assert hall.dimmer.sweeps == sweeps


@pytest.mark.parametrize("fails", [DENIED, SLOW])
def test_a_heartbeat_without_an_echo_does_its_work_and_counts_it(
    hall: Hall, queue: Queue, invoke: Invoke, fails: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.fails = fails
    hall.dimmer.swept = [DARK]

    assert codes(invoke(HEARTBEAT)) == ["acted"]
    assert '"outcome":"echo-failed"' in capsys.readouterr().out.replace(" ", "")


def test_an_echo_that_fails_is_counted_and_not_tried_again(
    hall: Hall, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next heartbeat is there before it would be."""
    invoke(HEARTBEAT)
    hall.later(30)
    hall.dimmer.swept = DENIED

    answer = invoke(batch(EVENT, HEARTBEAT))

    assert codes(answer) == ["acted"]
    assert answer["batchItemFailures"] == []
    assert '"outcome":"echo-failed"' in capsys.readouterr().out.replace(" ", "")


def test_where_there_is_no_queue_for_it_there_is_no_echo(
    hall: Hall, queue: Queue, invoke: Invoke
) -> None:
    hall.echo_queue = ""
    invoke(HEARTBEAT)

    assert queue.sent == []
