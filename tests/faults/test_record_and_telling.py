"""What was done is recorded, and told in the end, whatever fails on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.decision import Move
from functions.core.incident import Intent, Stage
from functions.core.mode import Mode
from functions.core.remediation import Busy, Gone
from tests.faults.dimmer import DARK, LAMP, Hall


def refused(code: str = "ValidationException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SetLamp")


def ask(hall: Hall, command: str) -> None:
    incident = hall.incidents()[-1]
    intent = Intent("intent-1", command, incident.id, "jane")
    assert hall.ledger.ask(incident, intent, hall.now.timestamp())


# telling


@pytest.mark.parametrize("beats_down", [0, 1, 5])
def test_while_the_topic_is_down_it_acts_and_tells_later(hall: Hall, beats_down: int) -> None:
    hall.hears.topic_down = True
    assert hall.look(DARK).code == "acted"
    for _ in range(beats_down):
        hall.beat()
    assert hall.dimmer.writes == [10]
    assert hall.hears.messages == []

    hall.hears.topic_down = False
    hall.beat()
    hall.beat()

    told = [json.loads(message)["metadata"]["eventType"] for message in hall.hears.messages]
    assert told == ["Remediation Acted", "Remediation Verified"]
    assert hall.at_rest()


def test_a_topic_that_stays_down_has_no_event_told_twice(hall: Hall) -> None:
    hall.hears.topic_down = True
    hall.look(DARK)
    for _ in range(5):
        hall.beat()

    assert hall.hears.events == [
        "Remediation Decided",
        "Remediation Acted",
        "Remediation Verified",
    ]


@pytest.mark.parametrize("beats_down", [0, 1, 5])
def test_while_the_bus_is_down_it_acts_and_tells_later(hall: Hall, beats_down: int) -> None:
    hall.hears.events_down = True
    assert hall.look(DARK).code == "acted"
    for _ in range(beats_down):
        hall.beat()
    assert hall.dimmer.writes == [10]

    hall.hears.events_down = False
    hall.beat()
    hall.beat()

    assert hall.hears.events == [
        "Remediation Decided",
        "Remediation Acted",
        "Remediation Verified",
    ]
    assert hall.at_rest()


def test_what_an_ended_incident_has_to_tell_outlives_hands_off(hall: Hall) -> None:
    hall.look(DARK)
    hall.dimmer.level = 3  # a person
    hall.hears.topic_down = True
    hall.beat()
    assert hall.incident().stage is Stage.SUPERSEDED
    for _ in range(3):
        hall.beat()

    hall.hears.topic_down = False
    hall.beat()

    assert "somebody else changed it" in hall.hears.messages[-1]
    assert hall.at_rest()


def test_what_an_ended_incident_has_to_tell_outlives_the_next_one(hall: Hall) -> None:
    hall.look(DARK)
    hall.hears.topic_down = True
    hall.beat()
    assert hall.incident().stage is Stage.VERIFIED
    hall.dimmer.level = 1
    hall.look(DARK)
    assert len(hall.incidents()) == 2

    hall.hears.topic_down = False
    hall.beat()

    kinds = [json.loads(message)["metadata"]["eventType"] for message in hall.hears.messages]
    assert kinds[:3] == ["Remediation Acted", "Remediation Verified", "Remediation Acted"]


@pytest.mark.parametrize("tag", ["off", "act"])
def test_what_is_untold_when_the_target_goes_is_told(hall: Hall, tag: str) -> None:
    hall.hears.topic_down = True
    hall.look(DARK)
    hall.hears.topic_down = False
    if tag == "off":
        hall.dimmer.tag = tag
    else:

        def gone(target: str) -> Mode:
            raise Gone("the lamp is gone")

        hall.dimmer.opt_in = gone  # type: ignore[method-assign]
    hall.beat()

    assert hall.incident().stage is Stage.RECOVERED
    assert "Remediation Acted" in hall.hears.messages[0]
    assert hall.at_rest()


def test_a_refusal_is_told_once(hall: Hall) -> None:
    hall.mode = Mode.OBSERVE
    hall.look(DARK)
    for _ in range(5):
        hall.beat()

    assert hall.hears.events == ["Remediation Decided"]


# the write


def test_a_write_that_must_wait_is_done_by_the_next_look(hall: Hall) -> None:
    hall.dimmer.failing = [Busy("still moving"), Busy("still moving")]
    assert hall.look(DARK).code == "waiting"
    hall.beat()
    assert hall.dimmer.writes == []
    hall.beat()

    assert hall.dimmer.writes == [10]
    assert hall.incident().before == {"lamp": {"level": 1}}
    assert hall.hears.events.count("Remediation Decided") == 1


def test_what_somebody_changed_while_it_waited_is_left_alone(hall: Hall) -> None:
    hall.dimmer.failing = [Busy("still moving")]
    hall.look(DARK)
    hall.dimmer.level = 4
    hall.beat()

    assert hall.dimmer.writes == []
    assert hall.incident().stage is Stage.SUPERSEDED


def test_a_change_between_look_and_write_is_left_alone_for_an_hour(hall: Hall) -> None:
    hall.dimmer.gate = lambda step: setattr(hall.dimmer, "level", 4) if step == "act" else None
    assert hall.look(DARK).code == "superseded"
    assert hall.dimmer.writes == []
    hall.dimmer.gate = lambda step: None

    hall.later(hall.settings.superseded_seconds - 1)
    assert hall.look(DARK).code == "hands-off"
    hall.later(2)
    assert hall.look(DARK).code == "acted"


def test_three_failures_in_a_row_open_the_breaker(hall: Hall) -> None:
    hall.dimmer.failing = [refused()] * 3
    codes = [hall.look(DARK).code, *(outcome.code for _ in range(2) for outcome in hall.beat())]
    assert codes == ["failed", "failed", "breaker-open"]
    assert hall.incident().stage is Stage.FAILED
    assert hall.look(DARK).code == "hands-off"
    assert len(hall.hears.messages) == 2  # the first failure and the breaker

    hall.later(hall.settings.superseded_seconds + 1)
    assert hall.look(DARK).code == "acted"


def test_a_success_forgets_the_failures_before_it(hall: Hall) -> None:
    hall.dimmer.failing = [refused(), refused()]
    hall.look(DARK)
    hall.beat()
    hall.beat()
    hall.beat()
    assert hall.dimmer.writes == [10]

    hall.dimmer.level, hall.dimmer.failing = 1, [refused(), refused()]
    assert [hall.look(DARK).code, hall.beat()[0].code, hall.beat()[0].code] == [
        "failed",
        "failed",
        "acted",
    ]


def test_what_was_held_back_after_a_failure_begins_with_the_dial_as_it_is_then(hall: Hall) -> None:
    hall.dimmer.failing = [refused()]
    hall.look(DARK)
    hall.mode = Mode.OBSERVE
    hall.beat()
    hall.dimmer.level = 3  # a person, while it is only observed
    hall.mode = Mode.ACT
    hall.beat()

    assert hall.dimmer.writes == [10]
    assert hall.incident().before == {"lamp": {"level": 3}}


def test_safety_moves_have_a_cap_that_pages(hall: Hall) -> None:
    limits = replace(hall.settings.limits, safety_moves_per_hour=1)
    hall.settings = replace(hall.settings, limits=limits)
    hall.look(DARK)
    hall.beat()
    hall.dimmer.level = 1

    assert hall.look(DARK).code == "limit-reached"
    assert "Refused" in hall.hears.messages[-1]
    assert "safety_moves_per_hour" in hall.hears.messages[-1]
    hall.later(3601)
    assert hall.look(DARK).code == "acted"


def test_a_limit_of_nothing_allows_nothing(hall: Hall) -> None:
    limits = replace(hall.settings.limits, safety_moves_per_hour=0)
    hall.settings = replace(hall.settings, limits=limits)

    assert hall.look(DARK).code == "limit-reached"
    assert hall.dimmer.writes == []


def test_a_forward_move_rests_between_actions_and_has_a_limit_of_its_target(hall: Hall) -> None:
    hall.dimmer.move = Move.FORWARD
    limits = replace(hall.settings.limits, actions_per_hour_per_target=2)
    hall.settings = replace(hall.settings, limits=limits)
    assert hall.look(DARK).code == "acted"
    hall.beat()
    hall.dimmer.level = 1
    assert hall.look(DARK).code == "cooldown"
    hall.later(hall.settings.cooldown_seconds)
    assert hall.look(DARK).code == "acted"
    hall.beat()
    hall.dimmer.level = 1
    hall.later(hall.settings.cooldown_seconds)
    assert hall.look(DARK).code == "target-limit"
    hall.later(3600)
    assert hall.look(DARK).code == "acted"


# operators


def test_a_revert_asked_for_while_a_write_is_in_flight_waits_for_its_end(hall: Hall) -> None:
    class Crash(BaseException):
        pass

    def crash(step: str) -> None:
        if step == "transact_write_items" and hall.dimmer.writes:
            raise Crash

    with pytest.raises(Crash):
        hall.order(crash).look(LAMP, (DARK,), 60)
    ask(hall, "revert")
    hall.beat(61)
    hall.beat()
    assert hall.dimmer.writes == [10, 1]
    hall.beat()

    assert hall.incident().stage is Stage.REVERTED
    assert hall.at_rest()


def test_a_signal_that_comes_with_a_refused_intent_is_looked_at_all_the_same(hall: Hall) -> None:
    hall.look(DARK)
    hall.beat()
    ask(hall, "approve")
    hall.dimmer.level = 1

    hall.look(DARK)

    assert hall.dimmer.writes == [10, 10]
    assert "awaits no approval" in hall.hears.messages[-2]


def test_an_answer_is_told_once(hall: Hall) -> None:
    hall.look(DARK)
    hall.beat()
    hall.dimmer.level = 5
    ask(hall, "revert")
    hall.beat()
    for _ in range(3):
        hall.beat()

    refusals = [message for message in hall.hears.messages if "Refused" in message]
    assert len(refusals) == 1
    assert "no longer stands" in refusals[0]


def test_an_intent_for_a_target_opted_out_since_is_answered(hall: Hall) -> None:
    hall.look(DARK)
    hall.beat()
    ask(hall, "revert")
    hall.dimmer.tag = "off"
    hall.beat()

    assert hall.dimmer.writes == [10]
    assert "its tag ml-remediation:dimmer is off" in hall.hears.messages[-1]
    assert hall.at_rest()


# the claim


@contextmanager
def checked_sets(hall: Hall) -> Iterator[None]:
    """DynamoDB refuses a set with duplicates; the simulated one does not."""
    update = hall.dynamodb.update_item

    def strict(**call: Any) -> Any:
        for value in call["ExpressionAttributeValues"].values():
            assert len(set(value.get("SS", ()))) == len(value.get("SS", ())), "duplicates"
        return update(**call)

    hall.dynamodb.update_item = strict
    yield
    hall.dynamodb.update_item = update


def test_an_error_gives_the_claim_back(hall: Hall) -> None:
    hall.dimmer.gate = lambda step: (_ for _ in ()).throw(refused()) if step == "observe" else None
    with pytest.raises(ClientError):
        hall.look(DARK)

    hall.dimmer.gate = lambda step: None
    assert hall.look(DARK).code == "acted"


def test_duplicates_that_come_during_a_look_are_left_to_its_holder(hall: Hall) -> None:
    assert hall.ledger.claim(
        LAMP, "dimmer", (), "a", hall.now.timestamp(), hall.now.timestamp() + 60
    )

    with checked_sets(hall):
        assert hall.look(DARK, DARK, DARK).code == "claimed"
    hall.beat(61)

    assert hall.dimmer.writes == [10]


def test_a_lease_ends_with_its_function(hall: Hall) -> None:
    start = hall.now.timestamp()
    assert hall.ledger.claim(LAMP, "dimmer", (), "dead", start, start + 60)
    hall.later(59.9)
    assert hall.look(DARK).code == "claimed"
    hall.later(0.1)
    assert hall.look(DARK).code == "acted"


def test_what_is_made_due_for_a_target_that_needs_nothing_is_at_rest_again(hall: Hall) -> None:
    hall.ledger.make_due(LAMP, "dimmer", hall.now.timestamp())
    assert [outcome.code for outcome in hall.beat()] == ["settled"]

    assert hall.at_rest()


def test_what_another_lever_asks_of_the_holder_is_made_due_for_it(hall: Hall) -> None:
    start = hall.now.timestamp()
    claim = hall.ledger.claim(LAMP, "dimmer", (), "me", start, start + 60)
    assert claim
    assert hall.ledger.claim(LAMP, "shutter", (), "other", start, start + 60) is None

    assert not hall.ledger.release(claim)
    assert hall.ledger.take_left(claim, start) == []
    assert hall.ledger.release(claim)
    assert [each["pk"] for each in hall.ledger.due("shutter", start)] == [LAMP]


def test_what_another_lever_asked_of_a_dead_holder_is_made_due_for_it(hall: Hall) -> None:
    start = hall.now.timestamp()
    assert hall.ledger.claim(LAMP, "dimmer", (), "dead", start, start + 60)
    assert hall.ledger.claim(LAMP, "shutter", (), "other", start, start + 60) is None
    hall.later(60)
    hall.beat(1)

    due = hall.ledger.due("shutter", hall.now.timestamp())
    assert [each["pk"] for each in due] == [LAMP]
