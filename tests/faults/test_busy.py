"""A write that AWS is too busy for is tried again, heard of in time, and holds nobody up."""

from __future__ import annotations

from functions.core.decision import Fail, Refuse, Wait
from functions.core.incident import Intent
from functions.core.remediation import Busy, Impossible
from tests.faults.dimmer import DARK, LAMP, Hall

FULL = "Service Quotas takes no request now"


def test_a_write_that_waits_long_is_told_once(hall: Hall) -> None:
    hall.dimmer.failing = [Busy(FULL) for _ in range(60)]
    hall.look(DARK)
    for _ in range(30):
        hall.beat()

    assert len(hall.hears.messages) == 1
    assert FULL in hall.hears.messages[0]


def test_a_write_that_waits_long_leaves_the_timeline_readable(hall: Hall) -> None:
    hall.dimmer.failing = [Busy(FULL) for _ in range(60)]
    hall.look(DARK)
    for _ in range(30):
        hall.beat()

    assert len(hall.incident().timeline) < 5


def test_an_operator_is_answered_once_the_write_is_given_up_for_now(hall: Hall) -> None:
    hall.dimmer.failing = [Busy(FULL)]
    hall.look(DARK)
    hall.dimmer.says = Wait("no slot is free", code="no-slot")
    incident = hall.incident()
    assert hall.ledger.ask(
        incident, Intent("i1", "reject", incident.id, "jane"), hall.now.timestamp()
    )
    for _ in range(3):
        hall.beat()

    assert hall.ledger.load(LAMP, "dimmer").intent is None


def test_what_aws_will_never_take_ends_the_incident_at_once(hall: Hall) -> None:
    hall.dimmer.failing = [Impossible("below-default", "only more than 1000", ("Open a case",))]
    hall.look(DARK)

    assert hall.incident().stage.value == "failed"
    assert hall.hears.events[-1] == "Remediation Failed"
    assert "Open a case" in hall.hears.messages[-1]


def test_every_word_names_what_was_decided(hall: Hall) -> None:
    for says, action in (
        (Refuse("above-cap", "too much"), "refuse"),
        (Wait("it waits", code="no-slot"), "wait"),
        (Fail("denied", "AWS denied it"), "fail"),
    ):
        hall.dimmer.says = says
        hall.look(DARK)
        assert hall.incident().action == action
