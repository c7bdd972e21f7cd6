"""A crash after any AWS call of a rise or a fall: the level is written, recorded and told once."""

from __future__ import annotations

from itertools import count

import pytest

from tests.faults.crashing import at_rest, crash_after, retold, survives, told_in_order
from tests.faults.universes import each
from tests.functional.concurrency import DELETE, PUT, Warm, warm, wish
from tests.functional.world import Stage

WINDOW = "mon@12:15-12:40=20"
ENDED = 40
"""Minutes from noon to the end of the window."""


def beat(scene: Warm) -> None:
    scene.stage.heartbeat()


def puts(scene: Warm) -> int:
    return len(scene.stage.made(PUT)) + len(scene.stage.made(DELETE))


@pytest.mark.parametrize("first", range(4))
def test_a_rise_that_dies_is_finished_once(stage: Stage, first: int) -> None:
    with warm(stage) as scene:
        scene.function(tags=wish(schedule=WINDOW))
        stage.wait(10 * 60)

        def play(calls: int) -> bool:
            crash_after(stage, calls)
            crashes = survives(stage, lambda: beat(scene), beats=5)

            assert scene.level() == 20
            assert puts(scene) == 1
            assert scene.stages() == ["acted"]
            assert told_in_order(stage)[:2] == [
                "Remediation Decided: decided",
                "Remediation Acted: acted",
            ]
            assert retold(stage) <= 2
            return bool(crashes)

        each(count(first, 4), play)


@pytest.mark.parametrize("first", range(4))
def test_a_fall_that_dies_is_finished_once(stage: Stage, first: int) -> None:
    with warm(stage) as scene:
        scene.function(tags=wish(schedule=WINDOW))
        scene.until(lambda: scene.level() == 20)
        scene.beat(28)
        stage.wait(120)
        assert scene.level() == 20
        stage.calls.clear()

        def play(calls: int) -> bool:
            crash_after(stage, calls)
            crashes = survives(stage, lambda: beat(scene), beats=15)

            assert scene.level() == 0
            assert puts(scene) == 1
            assert scene.stages() == ["verified"]
            assert told_in_order(stage) == [
                "Remediation Acted: acted",
                "Remediation Verified: verified",
            ]
            assert retold(stage) <= 2
            assert at_rest(stage)
            return bool(crashes)

        each(count(first, 4), play)
