"""Two looks at one target at the same time, in every order of their calls: one of them acts."""

from __future__ import annotations

import threading

import pytest

from functions.core.claims import Claim
from functions.core.ledger import Ledger
from functions.core.remediation import Sighting
from tests.faults.dimmer import DARK, LAMP, Dimmer, Hall
from tests.faults.interleaving import Body, Gate, orders

LATE = Sighting(LAMP, "late")


def looks(hall: Hall, *each: tuple[Sighting, ...]) -> list[Body]:
    """A fresh hall, and a body for each look with its sightings."""
    for item in hall.dynamodb.scan(TableName="ledger")["Items"]:
        key = {"pk": item["pk"], "sk": item["sk"]}
        hall.dynamodb.delete_item(TableName="ledger", Key=key)
    hall.dimmer = Dimmer(dark=hall.dimmer.dark)
    here = threading.local()
    hall.dimmer.gate = lambda step: here.gate(step)

    def body(sightings: tuple[Sighting, ...]) -> Body:
        def look(gate: Gate) -> None:
            here.gate = gate
            hall.order(gate).look(LAMP, sightings, 60)

        return look

    return [body(sightings) for sightings in each]


def test_two_signals_of_one_alarm_make_one_write(hall: Hall) -> None:
    played = 0
    for trace in orders(lambda: looks(hall, (DARK,), (DARK,))):
        assert hall.dimmer.writes == [10], trace
        played += 1
        hall.dimmer.gate = lambda step: None
        hall.beat()
        assert hall.at_rest(), trace
    assert played > 20


def test_a_signal_that_comes_during_a_look_is_looked_at(hall: Hall) -> None:
    """Only the second signal tells of the dark: whenever it comes, it is not lost."""
    hall.dimmer = Dimmer(dark=frozenset({"late"}))
    for trace in orders(lambda: looks(hall, (DARK,), (LATE,))):
        assert hall.dimmer.writes == [10], trace


def test_without_the_claim_the_same_orders_find_a_second_write(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orders bite: they would have shown it."""

    def claimed(self: Ledger, target: str, remediation: str, *rest: object) -> Claim:
        return Claim(target, remediation, "anybody")

    monkeypatch.setattr(Ledger, "claim", claimed)
    monkeypatch.setattr(Ledger, "release", lambda self, claim: True)
    wrong = 0
    bodies = orders(lambda: looks(hall, (DARK,), (DARK,)))
    try:
        for _ in bodies:
            wrong += len(hall.dimmer.writes) != 1
    except Exception:  # the ledger's own condition stops the slower look
        wrong += 1
    assert wrong


@pytest.mark.stress
def test_three_signals_at_once_make_one_write(hall: Hall) -> None:
    for played, trace in enumerate(orders(lambda: looks(hall, (DARK,), (DARK,), (LATE,)))):
        assert hall.dimmer.writes == [10], trace
        if played > 500:
            break
