"""A function that dies between two of its AWS calls, and what must be true once it was called again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.functional.world import Call, Stage

LEASE_OVER = 70
"""Seconds after which the claim of a function with 60 s to live is over."""


class Crash(BaseException):
    """The function's process is gone: nothing of it can catch this."""


def crash_after(stage: Stage, calls: int) -> None:
    """Let the function die once, right after as many AWS calls; 0 is right before the first."""
    made = 0

    def fault(moment: str, call: Call) -> None:
        nonlocal made
        made += moment == "after"
        if made == calls and moment == ("after" if calls else "before"):
            made += 1
            raise Crash(f"after {calls} calls, the last was {call}")

    stage.fault = fault


def survives(stage: Stage, invocation: Callable[[], Any], beats: int = 12) -> list[Crash]:
    """Play the invocation, again when it died, then a heartbeat a minute until all is at rest.

    Returns the crashes there were. A lost invocation comes back when its lease is over, as a
    queue or Lambda itself brings it again.
    """
    crashes = []
    try:
        invocation()
    except Crash as crash:
        crashes.append(crash)
        stage.wait(LEASE_OVER)
        invocation()
    for _ in range(beats):
        if at_rest(stage):
            break
        stage.wait(LEASE_OVER)
        try:
            stage.heartbeat()
        except Crash as crash:
            crashes.append(crash)
    stage.fault = lambda moment, call: None
    return crashes


def at_rest(stage: Stage) -> bool:
    """Whether no claim is held and the heartbeat finds nothing due but the next sweep."""
    items = [item for item in stage.records("") if item["pk"]["S"] != "sweep"]
    return not any("due_for" in item or item["sk"]["S"] == "claim" for item in items)


def told_in_order(stage: Stage) -> list[str]:
    """What was told, each once, in the order in which it was told first."""
    return list(dict.fromkeys(stage.told()))


def retold(stage: Stage) -> int:
    """How often something was told again."""
    return len(stage.told()) - len(told_in_order(stage))
