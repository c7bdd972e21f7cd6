"""A yes is to what was asked and nothing else; what stays changed is told when nobody may go on."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from functions.core.decision import Act, Dial, Move, Wait
from functions.core.incident import Intent, Stage
from functions.core.mode import Mode
from functions.core.remediation import Sighting
from tests.faults.dimmer import DARK, LAMP, Hall
from tests.faults.test_intake import EVENT
from tests.faults.test_looking_again import Night, invoke, night

__all__ = ["night"]
DOWN = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "ListTags")


def brighter(level: int) -> Act:
    dial: Dial = {"lamp": {"level": level}}
    return Act(f"to {level}", dial, dial, Move.SAFETY)


def say(hall: Hall, command: str) -> None:
    incident = hall.incidents()[-1]
    intent = Intent(f"intent-{command}", command, incident.id, "jane")
    assert hall.ledger.ask(incident, intent, hall.now.timestamp())


def asked(hall: Hall) -> int:
    return sum("Approval Requested" in each for each in hall.hears.messages)


def test_a_goal_that_changed_is_asked_for_anew(hall: Hall) -> None:
    hall.mode = Mode.APPROVE
    hall.dimmer.says = brighter(3)
    hall.look(DARK)
    hall.dimmer.says = brighter(9)
    hall.look(DARK)
    hall.look(DARK)

    assert asked(hall) == 2
    assert "to 9" in hall.hears.messages[-1]


def test_a_yes_is_to_the_goal_that_was_asked_for_last(hall: Hall) -> None:
    hall.mode = Mode.APPROVE
    hall.dimmer.says = brighter(3)
    hall.look(DARK)
    say(hall, "approve")
    hall.dimmer.says = brighter(9)
    hall.beat()

    assert hall.dimmer.writes == []
    assert asked(hall) == 2

    say(hall, "approve")
    hall.beat()
    assert hall.dimmer.writes == [9]


@pytest.mark.parametrize(("mode", "tag"), [(Mode.OFF, "act"), (Mode.ACT, "off")])
def test_what_stays_changed_is_told_once_when_nobody_may_go_on(
    hall: Hall, mode: Mode, tag: str
) -> None:
    hall.dimmer.says = brighter(9)
    hall.look(DARK)
    hall.dimmer.says = Wait("and so on")
    hall.mode, hall.dimmer.tag = mode, tag
    for _ in range(3):
        hall.beat()

    told = [json.loads(each) for each in hall.hears.messages if "stays as it was changed" in each]
    assert len(told) == 1
    assert "remediation revert" in str(told[0]["content"]["nextSteps"])


def test_what_cannot_be_undone_is_told_without_a_way_back(hall: Hall) -> None:
    hall.dimmer.irreversible_because = "a lamp cannot be darkened"
    hall.dimmer.says = brighter(9)
    hall.look(DARK)
    hall.mode = Mode.OFF
    hall.beat()

    [told] = [json.loads(each) for each in hall.hears.messages if "stays as" in each]
    assert "nextSteps" not in told["content"]


def test_nothing_is_told_where_nothing_was_changed(hall: Hall) -> None:
    hall.dimmer.says = Wait("not yet")
    hall.look(DARK)
    hall.mode = Mode.OFF
    hall.beat()

    assert hall.hears.messages == []
    assert hall.incident().stage is Stage.OPEN


def test_what_failed_before_it_was_claimed_is_the_next_heartbeats_too(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(target: str) -> Mode:
        raise DOWN

    monkeypatch.setattr(night.hall.dimmer, "opt_in", throttled)
    answer = invoke(night, EVENT)

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m0"]
    due = night.hall.ledger.due("dimmer", night.hall.now.timestamp())
    assert [each["pk"] for each in due if each["pk"] != "sweep"] == [LAMP]


def test_what_there_is_no_time_for_is_the_next_heartbeats_too(night: Night) -> None:
    night.seconds = 5
    invoke(night, EVENT)

    due = night.hall.ledger.due("dimmer", night.hall.now.timestamp())
    assert [each["pk"] for each in due if each["pk"] != "sweep"] == [LAMP]
    night.hall.beat()
    assert night.hall.dimmer.writes == [10]


def test_a_look_that_others_have_taken_since_is_not_repeated(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = night.hall
    hall.dimmer.says = Wait("not yet", again=5)

    def pause(seconds: float) -> None:
        night.pause(seconds)
        hall.dimmer.says = Wait("another look's", again=60)
        hall.look(DARK)

    monkeypatch.setattr("functions.core.intake.sleep", pause)
    invoke(night, EVENT)

    assert len(hall.dimmer.seen_causes) == 2


def test_after_a_write_a_target_rests_and_what_is_heard_is_kept(hall: Hall) -> None:
    hall.dimmer.pace = 5
    hall.look(DARK)
    looks = len(hall.dimmer.seen_causes)
    outcome = hall.look(DARK)

    assert (outcome.code, outcome.again) == ("paced", 5)
    assert len(hall.dimmer.seen_causes) == looks
    assert set(hall.incident().causes) == {DARK.cause}
    hall.beat(5)
    assert len(hall.dimmer.seen_causes) == looks + 1


def test_what_another_has_just_looked_at_is_left_for_last(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [f"{LAMP}-{number}" for number in range(4)]
    hall = night.hall
    hall.dimmer.says = Wait("not yet")
    hall.look(DARK)
    hall.dimmer.sighted = [Sighting(each, "dark") for each in (LAMP, *others)]
    monkeypatch.setattr("functions.core.intake.random.sample", lambda items, count: list(items))
    seen: list[str] = []
    monkeypatch.setattr(
        hall.dimmer,
        "opt_in",
        lambda target: seen.append(target) or Mode.ACT,  # type: ignore[func-returns-value]
    )
    invoke(night, EVENT)

    assert seen == [*others, LAMP]
