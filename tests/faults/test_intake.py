"""What an invocation brings harms nobody: bad signals are kept, and a sweep that waits goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.core import intake
from functions.core.decision import Decision, Refuse, Wait
from functions.core.incident import Intent
from functions.core.remediation import Busy, Sighting
from functions.core.signals import BadSignal
from tests.faults.dimmer import DARK, LAMP, Hall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:dimmer"
HEARTBEAT = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
EVENT = {
    "source": "aws.lamp",
    "detail-type": "Lamp State Change",
    "account": "123456789012",
    "region": "us-east-1",
    "time": "2026-03-02T12:00:00Z",
    "resources": [],
    "detail": {"lamp": "hall"},
}
UNKNOWN = BadSignal("unknown-lamp", "there is no lamp of that name")
DOWN = ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, "ListLamps")
CELLAR = Sighting("arn:aws:lamp:us-east-1:123456789012:lamp/cellar", "dark")


@dataclass
class Context:
    invoked_function_arn: str = FUNCTION

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


Invoke = Callable[[Any], dict[str, Any]]


@pytest.fixture
def invoke(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """One invocation of the function whose remediation is the hall's lamp."""
    ssm = boto3.client("ssm", region_name="us-east-1")
    ssm.put_parameter(Name="mode", Value="act", Type="String")
    clients = {"dynamodb": hall.dynamodb, "events": hall.hears, "sns": hall.hears, "ssm": ssm}
    monkeypatch.setattr(intake, "client", clients.__getitem__)

    def invoked(event: Any) -> dict[str, Any]:
        return intake.remediate(event, Context(), hall.dimmer, hall.environment, lambda: hall.now)

    intake._sweeping.clear()
    yield invoked
    intake._sweeping.clear()


def batch(*events: Any) -> dict[str, Any]:
    return {
        "Records": [{"messageId": f"m{n}", "body": json.dumps(e)} for n, e in enumerate(events)]
    }


def codes(answer: dict[str, Any]) -> list[str]:
    return [outcome["code"] for outcome in answer["outcomes"]]


def kept(hall: Hall) -> list[dict[str, Any]]:
    items = hall.dynamodb.scan(TableName="ledger")["Items"]
    return [item for item in items if item["pk"]["S"].startswith("refused#")]


# what a signal brings


def test_an_event_of_a_service_is_looked_at(hall: Hall, invoke: Invoke) -> None:
    assert codes(invoke(EVENT)) == ["acted"]
    assert hall.dimmer.writes == [10]


def test_a_signal_of_nothing_of_ours_is_looked_at_nowhere(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.sighted = ()

    assert invoke(EVENT) == {"batchItemFailures": [], "outcomes": []}
    assert kept(hall) == []


def test_a_refused_signal_is_counted_and_not_kept(
    hall: Hall, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    hall.dimmer.sighted = Refuse("not-a-lamp", "it speaks of no lamp")

    [outcome] = invoke(EVENT)["outcomes"]

    assert (outcome["target"], outcome["code"]) == ("Lamp State Change", "not-a-lamp")
    assert kept(hall) == []
    assert '"outcome":"not-a-lamp"' in capsys.readouterr().out.replace(" ", "")


def test_a_bad_signal_found_on_sight_is_kept_with_its_reason(
    hall: Hall, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    hall.dimmer.sighted = UNKNOWN

    assert codes(invoke(EVENT)) == ["unknown-lamp"]

    [item] = kept(hall)
    assert json.loads(item["body"]["S"]) == EVENT
    assert item["code"]["S"] == "unknown-lamp"
    assert item["reason"]["S"] == "there is no lamp of that name"
    assert item["remediation"]["S"] == "dimmer"
    assert '"outcome":"unknown-lamp"' in capsys.readouterr().out.replace(" ", "")


def test_a_bad_signal_in_a_batch_is_kept_and_not_tried_again(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.sighted = UNKNOWN

    answer = invoke(batch(EVENT))

    assert codes(answer) == ["unknown-lamp"]
    assert answer["batchItemFailures"] == []
    assert json.loads(kept(hall)[0]["body"]["S"]) == EVENT


def test_a_bad_signal_is_kept_once_however_often_it_comes(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.sighted = UNKNOWN
    for _ in range(3):
        invoke(batch(EVENT, EVENT))

    [item] = kept(hall)
    assert item["times_seen"]["N"] == "6"


def test_a_bad_signal_does_not_harm_its_batch_mates(
    hall: Hall, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sight(signal: Any) -> Any:
        match signal.detail["lamp"]:
            case "unknown":
                raise UNKNOWN
            case "broken":
                raise DOWN
        return [DARK]

    monkeypatch.setattr(hall.dimmer, "sight", sight)
    of = [EVENT | {"detail": {"lamp": lamp}} for lamp in ("unknown", "hall", "broken")]

    answer = invoke(batch(*of))

    assert sorted(codes(answer)) == ["acted", "unknown-lamp"]
    assert answer["batchItemFailures"] == [{"itemIdentifier": "m2"}]
    assert len(kept(hall)) == 1


def test_what_fails_on_sight_is_tried_again_and_not_kept(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.sighted = DOWN

    with pytest.raises(ClientError):
        invoke(EVENT)
    assert invoke(batch(EVENT))["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert kept(hall) == []


# sweeps


def beat(hall: Hall, invoke: Invoke, seconds: float = 60) -> list[str]:
    hall.later(seconds)
    return codes(invoke(HEARTBEAT))


def test_a_sweep_that_waits_goes_on_with_the_next_heartbeat(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.swept = Wait("the report is being made")
    assert [beat(hall, invoke) for _ in range(3)] == [[], [], []]

    hall.dimmer.swept = [DARK, CELLAR]
    assert beat(hall, invoke) == ["acted", "settled"]


def test_a_sweep_that_is_done_rests_as_long_as_is_set(hall: Hall, invoke: Invoke) -> None:
    """But for half a minute: no heartbeat comes to the second."""
    hall.dimmer.swept = Wait("the report is being made")
    beat(hall, invoke)
    hall.dimmer.swept = ()
    beat(hall, invoke)
    hall.dimmer.swept = [DARK]

    assert beat(hall, invoke, hall.sweep_seconds - 31) == []
    assert beat(hall, invoke, 1) == ["acted"]


@pytest.mark.parametrize("seconds", [59.2, 60.9])
def test_each_heartbeat_sweeps_where_that_is_set_however_it_wavers(
    hall: Hall, swept: Invoke, seconds: float
) -> None:
    hall.dimmer.says = Wait("it is being wired")
    hall.sweep_seconds = 60
    for _ in range(5):
        beat(hall, swept, seconds)

    assert hall.dimmer.sweeps == 5


def test_while_a_sweep_waits_what_is_due_is_looked_at(hall: Hall, invoke: Invoke) -> None:
    hall.dimmer.says = Wait("AWS decides on it")
    hall.look(DARK)
    hall.dimmer.swept = Wait("the report is being made")

    assert [beat(hall, invoke) for _ in range(3)] == [["waiting"]] * 3


def test_a_sweep_that_fails_comes_after_what_was_due_and_again_in_minutes(
    hall: Hall, invoke: Invoke
) -> None:
    hall.look(DARK)
    hall.dimmer.swept = DOWN
    with pytest.raises(ClientError):
        beat(hall, invoke)
    assert hall.incident().stage.value == "verified"

    hall.dimmer.swept = [Sighting(LAMP, "late")]
    assert beat(hall, invoke, 269) == []
    assert beat(hall, invoke, 1) == ["settled"]


# what a sweep finds again though it was refused

DUSK = Refuse("dusk", "not dark enough", again=300)
FULL = Busy("no current is left", "no-current", 300)
NONE: list[str] = []


@pytest.fixture
def swept(hall: Hall, invoke: Invoke) -> Invoke:
    """Each heartbeat sweeps, and finds the lamp dark."""
    hall.sweep_seconds = 60
    hall.dimmer.swept = [DARK]
    return invoke


def say(hall: Hall, decision: Decision | Busy) -> None:
    if isinstance(decision, Busy):
        hall.dimmer.failing = [decision] * 10
    else:
        hall.dimmer.says = decision


@pytest.mark.parametrize(("says", "code"), [(DUSK, "dusk"), (FULL, "waiting")])
def test_what_was_refused_is_looked_at_when_it_is_due_however_often_a_sweep_finds_it(
    hall: Hall, swept: Invoke, says: Decision | Busy, code: str
) -> None:
    say(hall, says)

    looks = [beat(hall, swept) for _ in range(11)]

    assert looks == [[code], *[NONE] * 4, [code], *[NONE] * 4, [code]]


def test_what_is_due_at_each_heartbeat_is_looked_at_once_in_it(hall: Hall, swept: Invoke) -> None:
    hall.dimmer.says = Refuse("dusk", "not dark enough")

    assert [beat(hall, swept) for _ in range(3)] == [["dusk"]] * 3
    assert len(hall.dimmer.seen_causes) == 3


@pytest.mark.parametrize(
    "news", [Sighting(LAMP, "burnt-out"), Sighting(LAMP, "dark", {"since": "noon"})]
)
def test_what_a_sweep_finds_new_of_it_is_looked_at_at_once_and_then_not_again(
    hall: Hall, swept: Invoke, news: Sighting
) -> None:
    hall.dimmer.says = DUSK
    beat(hall, swept)
    hall.dimmer.swept = [DARK, news] if news.cause != DARK.cause else [news]

    assert [beat(hall, swept) for _ in range(3)] == [["dusk"], [], []]


def test_a_signal_of_what_was_refused_is_looked_at_at_once(hall: Hall, swept: Invoke) -> None:
    hall.dimmer.says = DUSK
    beat(hall, swept)
    hall.later(60)

    assert codes(swept(EVENT)) == ["dusk"]


def test_an_operator_s_word_on_what_was_refused_is_answered_at_once(
    hall: Hall, swept: Invoke
) -> None:
    hall.dimmer.says = DUSK
    beat(hall, swept)
    word = Intent("intent-1", "reject", hall.incident().id, "jane")
    assert hall.ledger.ask(hall.incident(), word, hall.now.timestamp())

    assert beat(hall, swept) == ["not-awaiting"]


@pytest.mark.parametrize("between", [Wait("it is being wired", again=3600), Refuse("night", "-")])
def test_what_was_refused_before_something_else_was_said_is_news_again(
    hall: Hall, swept: Invoke, between: Decision
) -> None:
    hall.dimmer.says = DUSK
    beat(hall, swept)
    hall.dimmer.swept = ()
    hall.dimmer.says = between
    beat(hall, swept, 300)
    hall.dimmer.says = Refuse("dusk", "not dark enough", again=3600)
    hall.look()
    hall.dimmer.swept = [DARK]

    assert [beat(hall, swept) for _ in range(2)] == [["dusk"], []]


def test_what_only_waits_is_looked_at_whenever_a_sweep_finds_it(hall: Hall, swept: Invoke) -> None:
    hall.dimmer.says = Wait("it is being wired", code="wiring", again=3600)

    assert [beat(hall, swept) for _ in range(3)] == [["waiting"]] * 3
