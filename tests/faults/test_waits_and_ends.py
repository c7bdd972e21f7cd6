"""What a look may come to beside an action: a wait with a word, a rest, a bad end; and what stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.decision import Decision, Fail, Refuse, Settled, Wait
from functions.core.incident import Intent, Stage
from functions.core.mode import Mode
from functions.core.remediation import Busy
from tests.faults.dimmer import DARK, LAMP, Hall

CASE = Wait(
    "AWS opened case 4711 for it",
    code="case-opened",
    evidence={"case": "4711"},
    next_steps=("Answer questions in case 4711",),
)
DENIED = Fail(
    "denied",
    "AWS denied it",
    evidence={"status": "DENIED"},
    next_steps=("Open a support case", "Text to paste: please"),
)


def codes(hall: Hall, seconds: float = 60) -> list[str]:
    return [outcome.code for outcome in hall.beat(seconds)]


def heard(hall: Hall) -> list[dict[str, Any]]:
    """What people were told in chat."""
    return [json.loads(each) for each in hall.hears.messages]


def subjects(hall: Hall) -> list[str]:
    """What people were told of, by type and code."""
    return [
        f"{each['metadata']['eventType']}: {each['content']['keywords'][1]}" for each in heard(hall)
    ]


def ask(hall: Hall, command: str) -> None:
    incident = hall.incidents()[-1]
    intent = Intent("intent-1", command, incident.id, "jane")
    assert hall.ledger.ask(incident, intent, hall.now.timestamp())


# a wait with a word


def test_a_wait_that_has_a_name_is_told_once(hall: Hall) -> None:
    hall.dimmer.says = CASE
    assert hall.look(DARK).code == "waiting"
    for _ in range(5):
        assert codes(hall) == ["waiting"]
    hall.look(DARK)

    assert subjects(hall) == ["Remediation Decided: case-opened"]
    assert hall.hears.events == ["Remediation Decided"]


def test_who_is_told_of_a_wait_reads_what_to_do_meanwhile(hall: Hall) -> None:
    hall.dimmer.says = CASE
    hall.look(DARK)

    [message] = heard(hall)
    assert message["content"]["nextSteps"] == ["Answer questions in case 4711"]
    assert message["content"]["description"].startswith("AWS opened case 4711 for it")
    assert message["metadata"]["threadId"] == hall.incident().id


def test_a_wait_keeps_its_incident_open_with_what_is_known(hall: Hall) -> None:
    hall.dimmer.says = CASE
    hall.look(DARK)

    incident = hall.incident()
    assert incident.stage is Stage.OPEN
    assert (incident.reason, incident.evidence) == (CASE.reason, {"case": "4711"})
    assert incident.told == ("case-opened",)


def test_each_stage_on_the_way_is_told(hall: Hall) -> None:
    for code in ("no-slot", "case-opened", "no-slot", "approved-not-applied"):
        hall.dimmer.says = Wait(code, code=code)
        hall.look(DARK)

    assert [each.split(": ")[1] for each in subjects(hall)] == [
        "no-slot",
        "case-opened",
        "approved-not-applied",
    ]


def test_a_wait_without_a_name_is_told_to_nobody(hall: Hall) -> None:
    hall.dimmer.says = Wait("AWS decides on it")
    assert hall.look(DARK).code == "waiting"
    assert codes(hall) == ["waiting"]

    assert hall.hears.events == hall.hears.messages == []
    assert hall.incident().stage.is_open


def test_what_was_told_before_an_action_is_told_again_after_it(hall: Hall) -> None:
    hall.dimmer.says = CASE
    hall.look(DARK)
    hall.dimmer.says = None
    assert codes(hall) == ["acted"]
    hall.dimmer.says = CASE
    codes(hall)

    assert subjects(hall) == [
        "Remediation Decided: case-opened",
        "Remediation Acted: acted",
        "Remediation Decided: case-opened",
    ]


def test_a_wait_that_could_not_be_told_is_told_later_and_once(hall: Hall) -> None:
    hall.dimmer.says = CASE
    hall.hears.topic_down = True
    hall.look(DARK)
    assert codes(hall) == ["waiting"]
    hall.hears.topic_down = False
    for _ in range(3):
        codes(hall)

    assert subjects(hall) == ["Remediation Decided: case-opened"]
    assert hall.hears.events == ["Remediation Decided"]


def test_a_wait_ends_with_the_trouble(hall: Hall) -> None:
    hall.dimmer.says = CASE
    hall.look(DARK)
    hall.dimmer.says = Settled("it is light")

    assert codes(hall) == ["recovered"]
    assert hall.incident().stage is Stage.RECOVERED
    assert hall.at_rest()


# when the next look is due

RESTING = [
    Wait("not yet", again=900),
    Wait("not yet", code="no-slot", again=900),
    Refuse("above-cap", "too much", again=900),
    Refuse("above-cap", "too much", page=True, again=900),
]


def due(hall: Hall) -> bool:
    return bool(hall.ledger.due("dimmer", hall.now.timestamp()))


@pytest.mark.parametrize("decision", RESTING, ids=repr)
def test_a_target_rests_as_long_as_it_was_told_and_no_longer(
    hall: Hall, decision: Decision
) -> None:
    hall.dimmer.says = decision
    hall.look(DARK)
    for _ in range(2):
        hall.later(899)
        assert not due(hall)
        hall.later(1)
        assert due(hall)
        assert len(codes(hall, 0)) == 1


@pytest.mark.parametrize("decision", RESTING, ids=repr)
def test_a_signal_is_looked_at_though_the_target_rests(hall: Hall, decision: Decision) -> None:
    hall.dimmer.says = decision
    hall.look(DARK)
    hall.later(1)
    hall.dimmer.says = None

    assert hall.look(DARK).code == "acted"


@pytest.mark.parametrize("decision", RESTING, ids=repr)
def test_an_operators_word_is_looked_at_though_the_target_rests(
    hall: Hall, decision: Decision
) -> None:
    hall.dimmer.says = decision
    hall.look(DARK)
    ask(hall, "approve")
    hall.later(1)

    assert due(hall)
    codes(hall, 0)
    assert "not-awaiting" in subjects(hall)[-1]


@pytest.mark.parametrize(
    "decision",
    [Wait("not yet"), Wait("not yet", code="no-slot"), Refuse("muted", "muted")],
    ids=repr,
)
def test_without_a_rest_it_is_due_at_the_next_heartbeat(hall: Hall, decision: Decision) -> None:
    hall.dimmer.says = decision
    hall.look(DARK)

    assert due(hall)


@pytest.mark.parametrize(
    "decision",
    [
        Wait("not yet", code="no-slot", again=900),
        Refuse("above-cap", "too much", page=True, again=900),
    ],
    ids=repr,
)
def test_what_could_not_be_told_does_not_rest(hall: Hall, decision: Decision) -> None:
    hall.dimmer.says = decision
    hall.hears.topic_down = True
    hall.look(DARK)
    assert due(hall)

    hall.hears.topic_down = False
    codes(hall)
    assert len(hall.hears.messages) == 1
    hall.later(899)
    assert not due(hall)


def test_a_refusal_that_clears_is_acted_on_when_it_is_due(hall: Hall) -> None:
    hall.dimmer.says = Refuse("above-cap", "too much", again=900)
    hall.look(DARK)
    hall.dimmer.says = None
    assert codes(hall, 899) == []

    assert codes(hall, 1) == ["acted"]
    assert hall.dimmer.writes == [10]


def test_a_refusal_says_what_a_person_could_do(hall: Hall) -> None:
    steps = ("Raise max", "Or request it by hand")
    hall.dimmer.says = Refuse("above-cap", "too much", page=True, next_steps=steps)
    hall.look(DARK)

    assert heard(hall)[0]["content"]["nextSteps"] == list(steps)


def test_what_nobody_can_do_anything_about_has_no_next_steps(hall: Hall) -> None:
    hall.dimmer.says = Refuse("above-cap", "too much", page=True)
    hall.look(DARK)

    assert "nextSteps" not in heard(hall)[0]["content"]


def test_a_refusal_that_pages_nobody_is_an_event_alone(hall: Hall) -> None:
    hall.dimmer.says = Refuse("muted", "muted", next_steps=("Unmute it",))
    hall.look(DARK)

    assert hall.hears.events == ["Remediation Refused"]
    assert hall.hears.messages == []


# a bad end


@pytest.mark.parametrize("after_an_action", [False, True])
def test_a_bad_end_is_told_and_closed(hall: Hall, after_an_action: bool) -> None:
    if after_an_action:
        hall.look(DARK)
    hall.dimmer.says = DENIED
    assert hall.look(DARK).code == "denied"

    incident = hall.incident()
    assert incident.stage is Stage.FAILED
    assert (incident.reason, incident.evidence) == ("AWS denied it", {"status": "DENIED"})
    assert incident.closed_at
    assert hall.at_rest()
    assert subjects(hall)[-1] == "Remediation Failed: denied"
    assert hall.hears.events[-1] == "Remediation Failed"


def test_a_bad_end_says_what_a_person_could_do(hall: Hall) -> None:
    hall.dimmer.says = DENIED
    hall.look(DARK)

    assert heard(hall)[0]["content"]["nextSteps"] == list(DENIED.next_steps)


def test_after_a_bad_end_it_is_hands_off_for_a_while(hall: Hall) -> None:
    hall.dimmer.says = DENIED
    hall.look(DARK)
    hall.dimmer.says = None

    hall.later(hall.settings.superseded_seconds - 1)
    left_alone = hall.look(DARK)
    assert (left_alone.code, left_alone.reason) == ("hands-off", "AWS denied it")
    assert hall.dimmer.writes == []
    hall.later(1)
    assert hall.look(DARK).code == "acted"


def test_a_bad_end_is_not_looked_at_again(hall: Hall) -> None:
    hall.dimmer.says = DENIED
    hall.look(DARK)

    assert codes(hall, hall.settings.superseded_seconds + 1) == []
    assert len(hall.hears.messages) == 1


def test_a_bad_end_that_could_not_be_told_is_told_later(hall: Hall) -> None:
    hall.hears.topic_down = True
    hall.dimmer.says = DENIED
    hall.look(DARK)
    assert hall.incident().stage is Stage.FAILED
    codes(hall)
    hall.hears.topic_down = False
    codes(hall)

    assert subjects(hall) == ["Remediation Failed: denied"]
    assert heard(hall)[0]["content"]["nextSteps"] == list(DENIED.next_steps)
    assert hall.at_rest()


def test_a_bad_end_is_no_failure_to_write(hall: Hall) -> None:
    """The breaker counts what AWS refuses to write, not what comes of it."""
    hall.dimmer.says = DENIED
    hall.look(DARK)
    hall.dimmer.says = None
    hall.later(hall.settings.superseded_seconds)
    refused = ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "SetLamp")
    hall.dimmer.failing = [refused] * 2

    assert [hall.look(DARK).code, *codes(hall)] == ["failed", "failed"]


# what cannot be undone


def test_what_cannot_be_undone_is_not_said_to_be(hall: Hall) -> None:
    hall.dimmer.irreversible_because = "a lamp cannot be darkened"
    hall.look(DARK)
    codes(hall)

    assert subjects(hall) == ["Remediation Acted: acted", "Remediation Verified: verified"]
    assert not any("nextSteps" in each["content"] for each in heard(hall))


def test_what_can_be_undone_is_said_to_be(hall: Hall) -> None:
    hall.look(DARK)
    codes(hall)

    for each in heard(hall):
        [step] = each["content"]["nextSteps"]
        assert f"`remediation revert {hall.incident().id}`" in step


def test_who_asks_to_undo_it_all_the_same_is_told_why_not(hall: Hall) -> None:
    hall.dimmer.irreversible_because = "a lamp cannot be darkened"
    hall.look(DARK)
    codes(hall)
    ask(hall, "revert")
    codes(hall)

    assert hall.dimmer.writes == [10]
    assert hall.incident().stage is Stage.VERIFIED
    assert subjects(hall)[-1] == "Remediation Refused: cannot-be-undone"
    assert "a lamp cannot be darkened" in heard(hall)[-1]["content"]["description"]
    assert hall.at_rest()


def test_an_approval_of_what_cannot_be_undone_is_asked_for_as_ever(hall: Hall) -> None:
    hall.dimmer.irreversible_because = "a lamp cannot be darkened"
    hall.mode = Mode.APPROVE
    hall.look(DARK)

    [message] = heard(hall)
    assert [step.split("`")[1].split()[1] for step in message["content"]["nextSteps"]] == [
        "approve",
        "reject",
    ]


# what AWS answers to a write


def test_the_dial_is_recorded_as_aws_says_it_was_written(hall: Hall) -> None:
    hall.dimmer.serial = 6
    hall.look(DARK)

    incident = hall.incident()
    assert incident.written == {"lamp": {"level": 10}, "serial": 7}
    assert incident.goal == {"lamp": {"level": 10}}
    assert '"serial": 7' in heard(hall)[0]["content"]["description"]
    assert codes(hall) == ["verified"]


def test_somebodys_later_write_of_the_same_is_told_from_ours_by_the_answer(hall: Hall) -> None:
    hall.dimmer.serial = 6
    hall.look(DARK)
    hall.dimmer.serial = 8

    assert codes(hall) == ["superseded"]


def test_where_aws_answers_nothing_what_was_to_be_written_is_recorded(hall: Hall) -> None:
    hall.look(DARK)

    assert hall.incident().written == {"lamp": {"level": 10}}


def test_a_write_whose_answer_was_lost_is_recorded_as_it_was_to_be(hall: Hall) -> None:
    class Crash(BaseException):
        pass

    def crash(step: str) -> None:
        if step == "transact_write_items" and hall.dimmer.writes:
            raise Crash

    hall.dimmer.serial = 6
    with pytest.raises(Crash):
        hall.order(crash).look(LAMP, (DARK,), 60)

    assert codes(hall, 61) == ["verified"]
    assert hall.dimmer.writes == [10]
    assert hall.incident().written == {"lamp": {"level": 10}}


def test_a_wait_after_a_write_that_had_to_wait_leaves_it_to_be_done(hall: Hall) -> None:
    hall.dimmer.failing = [Busy("too many requests are open")]
    assert hall.look(DARK).code == "waiting"
    hall.dimmer.says = Wait("no slot", code="no-slot")
    assert codes(hall) == ["waiting"]
    hall.dimmer.says = None

    assert codes(hall) == ["acted"]
    assert hall.dimmer.writes == [10]
