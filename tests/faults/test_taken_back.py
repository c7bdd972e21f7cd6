"""A service that takes a failed change back by itself: told as that, and not as somebody's doing."""

from __future__ import annotations

import json

from functions.core.decision import Act, Dial, Fail, Move
from functions.core.incident import Stage
from tests.faults.dimmer import DARK, Hall

FUSE = Fail("fuse-blown", "the lamp went back: its fuse has blown", next_steps=("Mend the fuse",))


def turn(hall: Hall, level: int) -> None:
    dial: Dial = {"lamp": {"level": level}}
    hall.dimmer.says = Act("set", dial, dial, Move.SAFETY)
    assert hall.look(DARK).code == "acted"


def test_a_change_that_was_taken_back_failed_for_the_reason_that_is_told(hall: Hall) -> None:
    turn(hall, 10)
    hall.dimmer.level, hall.dimmer.undone = 1, FUSE
    [outcome] = hall.beat()

    assert outcome.code == "fuse-blown"
    assert hall.incident().stage is Stage.FAILED
    assert "its fuse has blown" in json.loads(hall.hears.messages[-1])["content"]["description"]


def test_it_is_left_alone_for_a_while(hall: Hall) -> None:
    turn(hall, 10)
    hall.dimmer.level, hall.dimmer.undone = 1, FUSE
    hall.beat()

    assert hall.look(DARK).code == "hands-off"
    assert hall.dimmer.writes == [10]


def test_a_second_change_is_taken_back_to_the_first(hall: Hall) -> None:
    turn(hall, 10)
    turn(hall, 20)
    hall.dimmer.level, hall.dimmer.undone = 10, FUSE

    assert [each.code for each in hall.beat()] == ["fuse-blown"]


def test_what_stands_elsewhere_was_moved_by_somebody_all_the_same(hall: Hall) -> None:
    turn(hall, 10)
    turn(hall, 20)
    hall.dimmer.level, hall.dimmer.undone = 1, FUSE

    assert [each.code for each in hall.beat()] == ["superseded"]


def test_a_change_that_stands_has_nothing_to_do_with_an_old_reason(hall: Hall) -> None:
    hall.dimmer.undone = FUSE
    assert hall.look(DARK).code == "acted"

    assert [each.code for each in hall.beat()] == ["verified"]
