"""What a remediation supplies; the order in which it is asked stands in `order`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from functions.core.decision import Decision, Dial, Refuse, Wait
from functions.core.incident import Incident
from functions.core.mode import Mode
from functions.core.signals import Signal


class Gone(RuntimeError):
    """The target no longer exists."""


class Busy(RuntimeError):
    """AWS refuses the write for now, because it still carries out another one.

    code: a stable name where people are to be told at once. again: seconds until the next try.
    """

    def __init__(self, reason: str, code: str = "", again: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.again = again


class Changed(RuntimeError):
    """Somebody else moved the dial between our look and our write."""

    def __init__(self, now_stands: Dial) -> None:
        super().__init__(f"it now stands at {now_stands}")
        self.now_stands = now_stands


class Impossible(RuntimeError):
    """AWS will not take this write, now or later. `code` is a stable name."""

    def __init__(self, code: str, reason: str, next_steps: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.code = code
        self.next_steps = next_steps


@dataclass(frozen=True)
class Sighting:
    """A target worth a look, and why.

    cause: a stable name, e.g. an alarm's; empty when only a record is to be looked at. note: what the
    signal said that AWS cannot be asked, or what a sweep saw: a target that was refused is looked at
    before it is due when a sweep brings another cause or note than before.
    """

    target: str
    cause: str
    note: Mapping[str, Any] = field(default_factory=dict)


class Observation(Protocol):
    """What AWS says now. `dial`: the whole values of the lever as they are set to be.

    One whose service takes a failed change back by itself has `undone` too, a Fail | None that says
    why it last did: standing as before our write, the target was then moved by nobody.
    """

    @property
    def dial(self) -> Dial: ...


class Remediation(Protocol):
    """One lever: where to look, what is seen, what is decided, how it is done.

    name: the folder's name. pace: seconds after a write in which a target is not looked at again;
    what is heard meanwhile is kept for the look that follows.
    """

    name: str
    pace: int

    def irreversible(self, target: str) -> str:
        """Why what is done to the target cannot be undone; empty if it can."""

    def prepare(self, signals: Sequence[Signal]) -> None:
        """Look up in few calls what `sight` needs for all signals of a batch."""

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        """The targets a signal speaks of; an empty sequence when none of them is ours.

        A Refuse is counted; what must be kept for a person is raised as BadSignal.
        """

    def sweep(self, now: datetime) -> Sequence[Sighting] | Wait:
        """Every opted-in target that needs a look though no signal came; Wait: ask again soon."""

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the target's owner lets us go, as a tag or a setting says now. Raises Gone."""

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Any:
        """An Observation. causes: name to note, of this and earlier signals. Raises Gone."""

    def decide(self, observation: Any, incident: Incident | None) -> Decision:
        """Pure. incident: the open one, whose goal, if set, is being moved to."""

    def tally(self, observation: Any, incident: Incident) -> Mapping[str, float]:
        """Pure. What the incident has come to until now, from `incident.tally`, which was the same
        at the last look. What ends in Hours or Dollars only grows, and becomes a metric.
        """

    def stands(self, dial: Dial, written: Dial) -> bool:
        """Pure: whether the dial still stands where it was written."""

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        """Write, unless the dial has moved since `seen`. Raises Busy, Changed, Gone,
        Impossible, ClientError.

        Returns the dial as written where AWS's answer says more of it than `write` does.
        """
