"""The demo plays its scenes side by side, and one that cannot be played out fails alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.demo.scene import DemoFailed, Scene, attempt, together, until
from local.pocket import ControlRefused


def steps(name: str, count: int, log: list[str]) -> Iterator[None]:
    for step in range(count):
        log.append(f"{name}{step}")
        yield
    log.append(f"{name} over")


def test_scripts_wait_side_by_side() -> None:
    log: list[str] = []
    looks = sum(1 for _ in together([steps("a", 3, log), steps("b", 1, log)]))

    assert log == ["a0", "b0", "a1", "b over", "a2", "a over"]
    assert looks == 3


def test_waiting_gives_what_was_found() -> None:
    answers = iter([None, "", "found"])
    waiting = until("it", lambda: next(answers), 60)

    assert [next(waiting), next(waiting)] == [None, None]
    with pytest.raises(StopIteration) as over:
        next(waiting)
    assert over.value.value == "found"


def test_what_does_not_come_is_named() -> None:
    with pytest.raises(DemoFailed, match="an alarm did not happen within 0 s"):
        list(until("an alarm", lambda: False, 0))


@pytest.mark.parametrize(
    "failure",
    [
        DemoFailed("it never came"),
        ControlRefused("it never came"),
        ClientError({"Error": {"Code": "Throttling", "Message": "it never came"}}, "Any"),
    ],
)
def test_a_failure_is_its_own_scenes_alone(failure: Exception) -> None:
    def fails() -> Iterator[None]:
        yield
        raise failure

    broken, whole = Scene("broken", "", passed=True), Scene("whole", "", passed=True)
    log: list[str] = []
    for _ in together([attempt(broken, fails()), attempt(whole, steps("a", 2, log))]):
        pass

    assert not broken.passed
    assert "it never came" in broken.why
    assert whole.passed
    assert log[-1] == "a over"


def test_a_scene_fails_until_it_passed() -> None:
    assert not Scene("any", "").passed


def test_seconds_are_counted_from_the_first_moment() -> None:
    scene = Scene("any", "", moments={"refused": 100.0, "requested": 101.5, "verified": 160.0})

    assert scene.seconds == {"requested": 1.5, "verified": 60.0}
