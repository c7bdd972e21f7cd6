"""What a remediation may decide. Every decision carries its reason and the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Dial = Mapping[str, Any]
"""The whole values of what a lever moves, as plain JSON data; compared and written as one."""


class Move(Enum):
    """What an action is for. Moves to safety wait for no cooldown and have a cap of their own."""

    SAFETY = "safety"
    FORWARD = "forward"


@dataclass(frozen=True)
class Act:
    """Write `write` now, on the way to `goal`; equal when one step does it.

    ask: why a person must agree first, whatever the mode; empty when nobody need. again: seconds
    until what came of it is looked at.
    """

    reason: str
    write: Dial
    goal: Dial
    move: Move
    evidence: Mapping[str, Any] = field(default_factory=dict)
    ask: str = ""
    again: int = 0


@dataclass(frozen=True)
class Refuse:
    """Nothing is done. `code` is a stable name, `page` asks for a person.

    next_steps: what a person could do, a sentence each. again: seconds until the next look, if no
    signal comes before; the target stays looked at until the refusal clears.
    """

    code: str
    reason: str
    page: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()
    again: int = 0


@dataclass(frozen=True)
class Wait:
    """AWS is still carrying out a change; look again when due.

    code: a stable name, when people are to be told, once, how far it has come.
    """

    reason: str
    code: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()
    again: int = 0


@dataclass(frozen=True)
class Settled:
    """Nothing (more) to do: the goal stands, or the trouble is gone."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fail:
    """It came to a bad end that another look cannot mend: told, closed, hands off for a while."""

    code: str
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()


Decision = Act | Refuse | Wait | Settled | Fail
