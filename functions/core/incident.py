"""One target's open remediation, from first signal to verified end, and what outlives it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from functions.core.decision import Dial

SCHEMA = 1


class Stage(Enum):
    """Where an incident stands. The first five are open, the rest are ends."""

    OPEN = "open"
    OBSERVED = "observed"
    AWAITING_APPROVAL = "awaiting-approval"
    ACTING = "acting"
    ACTED = "acted"
    VERIFIED = "verified"
    RECOVERED = "recovered"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    REVERTED = "reverted"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        return self in _OPEN


_OPEN = frozenset({Stage.OPEN, Stage.OBSERVED, Stage.AWAITING_APPROVAL, Stage.ACTING, Stage.ACTED})


@dataclass(frozen=True)
class Incident:
    """All that is known of one remediation of one target.

    causes: what raised it, each with what the signal said that AWS cannot be asked again.
    before: the whole dial before our first write. writing: what a call in flight writes.
    written: the whole dial as we last wrote it. goal: where the dial shall end.
    asked_goal: the goal that a person was last asked to agree to.
    acts: every write of the incident, the last 50, as {"at": ISO 8601, "written": dial}. tally: what
    the remediation counts up over the incident's life.
    refused: the code of the refusal, ours or AWS's, in which the last look ended. heard: what looks
    were taken for since it is the same one, the last MOST_HEARD.
    told: the refusals that were told since the last action, so that none is told again.
    untold: messages that are recorded but not yet sent.
    """

    id: str
    remediation: str
    target: str
    opened_at: str
    stage: Stage = Stage.OPEN
    mode: str = ""
    causes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    action: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    before: Dial | None = None
    writing: Dial | None = None
    written: Dial | None = None
    goal: Dial | None = None
    move: str = ""
    attempts: int = 0
    acts: tuple[Mapping[str, Any], ...] = ()
    tally: Mapping[str, float] = field(default_factory=dict)
    approved_by: str | None = None
    asked_goal: Dial | None = None
    reverted_by: str | None = None
    refused: str = ""
    heard: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    untold: tuple[Mapping[str, Any], ...] = ()
    timeline: tuple[Mapping[str, str], ...] = ()
    closed_at: str | None = None
    schema: int = SCHEMA

    @classmethod
    def opened(cls, remediation: str, target: str, now: datetime) -> Incident:
        """A fresh incident; its id sorts by time and is short enough to type."""
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        lever = remediation.replace("_", "-")
        return cls(
            id=f"{lever}-{stamp}-{secrets.token_hex(3)}",
            remediation=remediation,
            target=target,
            opened_at=now.isoformat(),
        )

    @property
    def stood_before(self) -> Dial | None:
        """The whole dial before our last write; None without one."""
        return self.acts[-2]["written"] if len(self.acts) > 1 else self.before

    def to(self, stage: Stage, now: datetime, note: str, **changes: Any) -> Incident:
        """The same incident a stage further, with a line in its timeline."""
        line = {"at": now.isoformat(), "stage": stage.value, "note": note}
        return replace(
            self,
            stage=stage,
            timeline=(*self.timeline, line)[-50:],
            closed_at=None if stage.is_open else now.isoformat(),
            **changes,
        )

    def refused_with(self, code: str, heard: Mapping[str, Mapping[str, Any]]) -> Incident:
        """The same incident after a look that was taken for what was heard, and refused."""
        both = merged(self.heard if self.refused == code else {}, heard)
        return replace(self, refused=code, heard=dict(list(both.items())[-MOST_HEARD:]))

    def was_refused_for(self, heard: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether a look at all this was refused, so that the next one is taken when it is due."""
        known = all(self.heard.get(cause) == note for cause, note in heard.items())
        return self.stage.is_open and bool(self.refused) and known

    def as_document(self) -> dict[str, Any]:
        return asdict(self) | {"stage": self.stage.value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Incident:
        known = {each.name for each in fields(cls)}
        return cls(
            **{name: value for name, value in document.items() if name in known}
            | {
                "stage": Stage(document["stage"]),
                "told": tuple(document["told"]),
                "untold": tuple(document["untold"]),
                "timeline": tuple(document["timeline"]),
                "acts": tuple(document.get("acts", ())),
            }
        )


MOST_CAUSES = 1000
"""The ledger's items hold 400 KB, and one incident must never grow past that: a cause is 80 bytes
when it names an instance, and 250 when it tells of a refused call."""

MOST_HEARD = 20
"""A sweep finds a target for one cause, or for a few alarms."""


def merged(
    known: Mapping[str, Mapping[str, Any]], causes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Known causes and new ones, the newest last; the oldest give way."""
    both = {name: note for name, note in known.items() if name not in causes} | dict(causes)
    return dict(list(both.items())[-MOST_CAUSES:])


@dataclass(frozen=True)
class Intent:
    """What an operator asked for. `by` is the name given, recorded as claimed."""

    id: str
    command: str
    incident: str
    by: str


@dataclass(frozen=True)
class Standing:
    """What one remediation remembers of one target between incidents.

    looked_at: when a look last left something here, in epoch seconds. actions: epoch seconds of the
    counted actions of the last hour. held: causes that came while
    hands were off, for the look after that.
    """

    target: str
    remediation: str
    version: int = 0
    looked_at: float = 0
    incident: str | None = None
    actions: tuple[float, ...] = ()
    failures: int = 0
    cooldown_until: float = 0
    hands_off_until: float = 0
    hands_off_reason: str = ""
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
