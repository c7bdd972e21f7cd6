"""A look that is due again within seconds, batches prepared at once, and what an incident adds up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.core import intake
from functions.core.decision import Act, Decision, Dial, Move, Refuse, Settled, Wait
from functions.core.incident import Incident, Intent, Stage
from functions.core.remediation import Busy
from tests.faults.dimmer import DARK, LAMP, Hall
from tests.faults.test_intake import EVENT, FUNCTION, HEARTBEAT

BRIGHT: Dial = {"lamp": {"level": 10}}
DOWN = ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, "ListLamps")


@dataclass
class Night:
    """Invocations of the lamp's function, and what it waited for itself."""

    hall: Hall
    seconds: float = 60.0
    pauses: tuple[float, ...] = ()

    invoked_function_arn: str = FUNCTION

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)

    def pause(self, seconds: float) -> None:
        self.pauses = (*self.pauses, seconds)
        self.seconds -= seconds
        self.hall.now += timedelta(seconds=seconds)


@pytest.fixture
def night(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    ssm = boto3.client("ssm", region_name="us-east-1")
    ssm.put_parameter(Name="mode", Value="act", Type="String")
    clients = {"dynamodb": hall.dynamodb, "events": hall.hears, "sns": hall.hears, "ssm": ssm}
    monkeypatch.setattr(intake, "client", clients.__getitem__)
    found = Night(hall)
    monkeypatch.setattr(intake, "sleep", found.pause)
    intake._sweeping.clear()
    yield found
    intake._sweeping.clear()


def invoke(night: Night, *bodies: Any) -> dict[str, Any]:
    event: Any = {
        "Records": [
            {
                "messageId": f"m{i}",
                "body": each if isinstance(each, str) else json.dumps(each),
                "eventSource": "aws:sqs",
            }
            for i, each in enumerate(bodies)
        ]
    }
    hall = night.hall
    return intake.remediate(event, night, hall.dimmer, hall.environment, lambda: hall.now)


def one_after(*decisions: Decision, last: Decision) -> Callable[[Any, Incident | None], Decision]:
    left = list(decisions)
    return lambda observation, incident: left.pop(0) if left else last


# again


def test_a_look_due_in_seconds_is_waited_for(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    act = Act("now", BRIGHT, BRIGHT, Move.SAFETY)
    says = one_after(Wait("not yet", again=4), last=act)
    monkeypatch.setattr(night.hall.dimmer, "decide", says)
    [outcome] = invoke(night, EVENT)["outcomes"]

    assert night.pauses == (4,)
    assert outcome["code"] == "acted"
    assert night.hall.dimmer.writes == [10]


def test_what_came_of_an_action_may_be_looked_at_in_seconds(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Act("now", BRIGHT, BRIGHT, Move.SAFETY, again=5)
    says = one_after(act, last=Settled("it stands"))
    monkeypatch.setattr(night.hall.dimmer, "decide", says)
    [outcome] = invoke(night, EVENT)["outcomes"]

    assert night.pauses == (5,)
    assert outcome["code"] == "verified"


def test_a_write_that_aws_is_busy_for_is_tried_again_in_seconds(night: Night) -> None:
    night.hall.dimmer.failing = [Busy("the lamp is being changed", again=5)]
    [outcome] = invoke(night, EVENT)["outcomes"]

    assert night.pauses == (5,)
    assert outcome["code"] == "acted"
    assert night.hall.dimmer.writes == [10]


@pytest.mark.parametrize("again", [0, 11, 60])
def test_a_look_due_later_is_left_to_the_heartbeat(night: Night, again: int) -> None:
    night.hall.dimmer.says = Wait("not yet", again=again)
    invoke(night, EVENT)

    assert night.pauses == ()
    [due] = night.hall.ledger.due("dimmer", night.hall.now.timestamp() + again)
    assert due["pk"] == LAMP


def test_nothing_is_waited_for_that_leaves_no_time_to_look(night: Night) -> None:
    night.hall.dimmer.says = Wait("not yet", again=5)
    night.seconds = 24
    invoke(night, EVENT)

    assert night.pauses == ()


def test_waiting_ends_with_the_time_there_is(night: Night) -> None:
    night.hall.dimmer.says = Refuse("dusk", "not dark enough", again=10)
    invoke(night, EVENT)

    assert night.pauses == (10, 10, 10, 10)


# prepare


def test_a_batch_is_prepared_at_once(night: Night) -> None:
    invoke(night, EVENT, "{", EVENT, EVENT)

    assert night.hall.dimmer.prepared == [3]


def test_an_operators_word_is_not_the_remediations_to_prepare(night: Night) -> None:
    word = {
        "source": "ml-capacity-remediation",
        "detail-type": "Operator Intent",
        "detail": {"target": LAMP},
    }
    invoke(night, word)
    intake.remediate(
        HEARTBEAT,
        night,
        night.hall.dimmer,
        night.hall.environment,
        lambda: night.hall.now,
    )

    assert night.hall.dimmer.prepared == []


def test_what_cannot_be_prepared_goes_back_to_the_queue_but_not_what_is_bad(night: Night) -> None:
    def fail(moment: str) -> None:
        if moment == "prepare":
            raise DOWN

    night.hall.dimmer.gate = fail
    answer = invoke(night, EVENT, "{", EVENT)

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m0", "m2"]
    assert [each["code"] for each in answer["outcomes"]] == ["not-json"]


# ask


def test_what_a_person_must_agree_to_waits_though_the_mode_is_act(hall: Hall) -> None:
    hall.dimmer.says = Act("glare", BRIGHT, BRIGHT, Move.SAFETY, ask="the neighbours sleep")
    outcome = hall.look(DARK)

    assert outcome.code == "needs-approval"
    assert hall.dimmer.writes == []
    assert hall.incident().stage is Stage.AWAITING_APPROVAL
    message = json.loads(hall.hears.messages[-1])
    assert message["content"]["description"].startswith("glare; the neighbours sleep")


def test_once_a_person_agreed_it_is_done(hall: Hall) -> None:
    hall.dimmer.says = Act("glare", BRIGHT, BRIGHT, Move.SAFETY, ask="the neighbours sleep")
    hall.look(DARK)
    intent = Intent("intent-1", "approve", hall.incident().id, "jane")
    assert hall.ledger.ask(hall.incident(), intent, hall.now.timestamp())
    hall.beat()

    assert hall.dimmer.writes == [10]


# what an incident adds up


def test_every_write_of_an_incident_is_kept_with_its_time(hall: Hall) -> None:
    for level in (10, 9, 8):
        dial = {"lamp": {"level": level}}
        hall.dimmer.says = Act("set", dial, BRIGHT, Move.SAFETY)
        hall.look(DARK)
        hall.now += timedelta(seconds=7)

    acts = hall.incident().acts
    assert [each["written"]["lamp"]["level"] for each in acts] == [10, 9, 8]
    assert acts[0]["at"] < acts[1]["at"] < acts[2]["at"]


def test_no_more_than_fifty_writes_are_kept(hall: Hall) -> None:
    for level in range(60):
        hall.dimmer.says = Act("set", {"lamp": {"level": level}}, BRIGHT, Move.SAFETY)
        hall.look(DARK)

    acts = hall.incident().acts
    assert [each["written"]["lamp"]["level"] for each in acts] == list(range(10, 60))


def test_what_it_adds_up_goes_on_from_look_to_look(hall: Hall) -> None:
    hall.dimmer.says = Wait("not yet")
    for _ in range(3):
        hall.look(DARK)

    assert hall.incident().tally == {"_looks": 3}


def test_by_how_much_hours_and_dollars_grew_is_a_metric_of_the_remediation(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tally(observation: Any, incident: Incident) -> dict[str, float]:
        hours = incident.tally.get("lampHours", 0.0)
        return {"_at": 1.0, "lampHours": hours + 0.5, "people": 3}

    monkeypatch.setattr(hall.dimmer, "tally", tally)
    hall.dimmer.says = Wait("not yet")
    hall.look(DARK)
    hall.look(DARK)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    grown = [each for each in printed if "LampHours" in each]

    assert [each["LampHours"] for each in grown] == [[0.5], [0.5]]
    [described] = grown[0]["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "MlCapacityRemediation"
    assert described["Dimensions"] == [["remediation"]]
    assert {each["Name"] for each in described["Metrics"]} == {"LampHours"}


def test_what_was_added_up_is_told_without_what_only_counting_needs(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    put = hall.hears.put_events
    monkeypatch.setattr(
        hall.dimmer, "tally", lambda observation, incident: {"_at": 1.0, "lampHours": 0.123456}
    )
    monkeypatch.setattr(
        hall.hears,
        "put_events",
        lambda Entries: said.extend(json.loads(e["Detail"]) for e in Entries) or put(Entries),
    )
    hall.look(DARK)

    assert [each["tally"] for each in said] == [{"lampHours": 0.1235}] * len(said)
    assert said
