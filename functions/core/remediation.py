"""What a remediation supplies; the order in which it is asked stands in `order`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from functions.core.decision import Decision, Dial, Refuse
from functions.core.incident import Incident
from functions.core.signals import Signal


class Gone(RuntimeError):
    """The target no longer exists."""


class Busy(RuntimeError):
    """AWS refuses the write for now, because it still carries out another one."""


class Changed(RuntimeError):
    """Somebody else moved the dial between our look and our write."""

    def __init__(self, now_stands: Dial) -> None:
        super().__init__(f"it now stands at {now_stands}")
        self.now_stands = now_stands


@dataclass(frozen=True)
class Sighting:
    """A target worth a look, and why.

    cause: a stable name, e.g. an alarm's; empty when only a record is to be looked at. note: what the signal said that AWS cannot be asked.
    """

    target: str
    cause: str
    note: Mapping[str, Any] = field(default_factory=dict)


class Observation(Protocol):
    """What AWS says now. `dial`: the whole values of the lever as they are set to be."""

    @property
    def dial(self) -> Dial: ...


class Remediation(Protocol):
    """One lever: where to look, what is seen, what is decided, how it is done.

    name: the folder's name. lever: the name in tags.
    """

    name: str
    lever: str

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        """The targets a signal speaks of; an empty sequence when none of them is ours."""

    def sweep(self) -> Sequence[Sighting]:
        """Every opted-in target that needs a look though no signal came."""

    def tags(self, target: str) -> Mapping[str, str]:
        """The target's own tags, as they are now. Raises Gone."""

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Any:
        """An Observation. causes: name to note, of this and earlier signals. Raises Gone."""

    def decide(self, observation: Any, incident: Incident | None) -> Decision:
        """Pure. incident: the open one, whose goal, if set, is being moved to."""

    def stands(self, dial: Dial, written: Dial) -> bool:
        """Pure: whether the dial still stands where it was written."""

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        """Write, after reading the dial once more. Raises Busy, Changed, Gone, ClientError."""
