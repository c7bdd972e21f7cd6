"""The record of one look: what is known, written down and told as it becomes so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.core.decision import Refuse
from functions.core.incident import Incident, Intent, Stage, Standing
from functions.core.ledger import Ledger, Record
from functions.core.mode import Mode
from functions.core.remediation import Remediation
from functions.core.settings import Settings
from functions.core.telling import Teller, count, message


@dataclass(frozen=True)
class Outcome:
    """What a look came to. `code` is a stable name, e.g. "acted" or a refusal's.

    again: seconds until the next look is due, where one is and its time is known. version: of the
    standing as this look left it; while it is the same, nobody has looked since.
    """

    target: str
    code: str
    reason: str
    incident: str | None = None
    again: int = 0
    version: int = 0


class Recorder:
    """Holds one target's record while it is looked at. Nothing is told that is not recorded.

    now: when the look began; what it sees and decides is of that moment.
    """

    def __init__(
        self,
        remediation: Remediation,
        ledger: Ledger,
        teller: Teller,
        settings: Settings,
        mode: Mode,
        record: Record,
        clock: Callable[[], datetime],
    ) -> None:
        self.remediation = remediation
        self.ledger = ledger
        self.teller = teller
        self.settings = settings
        self.target = record.standing.target
        self.mode = mode
        self.standing: Standing = record.standing
        self.incident: Incident | None = record.incident
        self.intent: Intent | None = record.intent
        self.stored = record.incident
        self.heard: Mapping[str, Mapping[str, Any]] = {}
        self.unheard: Incident | None = None
        self.clock = clock
        self.now = clock()
        self.again = 0

    def _tell_once(
        self,
        incident: Incident,
        detail_type: str,
        code: str,
        steps: Sequence[str],
        again: int,
        *,
        notify: bool = True,
    ) -> None:
        if code not in incident.told:
            told = self._message(incident, detail_type, code, steps, notify=notify)
            incident = replace(
                incident, told=(*incident.told, code), untold=(*incident.untold, told)
            )
        self._save(incident, due=True, again=again)
        self._tell_untold()

    def _message(
        self,
        incident: Incident,
        detail_type: str,
        code: str,
        steps: Sequence[str] = (),
        *,
        notify: bool,
    ) -> Mapping[str, Any]:
        undo = not self.remediation.irreversible(self.target)
        return message(incident, detail_type, code, notify=notify, next_steps=steps, undo=undo)

    def _held_up(self, code: str) -> Incident:
        """The incident, refused for what this look was taken for."""
        assert self.incident is not None
        before = self.stored.refused if self.stored is not None else ""
        return replace(self.incident, refused=before).refused_with(code, self.heard)

    def _hands_off(self, reason: str) -> None:
        until = self.now.timestamp() + self.settings.superseded_seconds
        self.standing = replace(self.standing, hands_off_until=until, hands_off_reason=reason)

    def _close(
        self,
        stage: Stage,
        code: str,
        reason: str,
        detail_type: str = "",
        steps: Sequence[str] = (),
    ) -> Outcome:
        assert self.incident is not None
        incident = self.incident.to(stage, self.now, reason, reason=reason)
        if stage is Stage.REVERTED:
            self._hands_off(f"reverted by {incident.reverted_by}")
        if detail_type:
            told = self._message(incident, detail_type, code, steps, notify=True)
            incident = replace(incident, untold=(*incident.untold, told))
        else:
            count(self.remediation.name, code)
        self._save(incident, due=False)
        self._tell_untold()
        return self._outcome(code, reason)

    def _end_quietly(self, code: str, reason: str) -> Outcome:
        """Nothing to record, but a target that is known must not stay due."""
        if self.standing.version:
            self._save(self.unheard, due=False)
        return Outcome(self.target, code, reason)

    def _save(self, incident: Incident | None, *, due: bool, again: int = 0) -> None:
        """Write the record; what is not told yet keeps a closed incident due as well.

        again: seconds until the next look is due.
        """
        self.again = again
        kept = incident is not None and (incident.stage.is_open or bool(incident.untold))
        now = self.now.timestamp()
        id = incident.id if incident and kept else None
        standing = replace(self.standing, incident=id, looked_at=now)
        due_at = now + again if due or kept else None
        self.standing = self.ledger.save(standing, incident, due_at, self.intent)
        self.intent = None
        self.incident = incident

    def _tell_untold(self) -> None:
        """Send what is recorded but not sent; what cannot be sent stays recorded and due."""
        incident = self.incident
        if incident is None or not incident.untold:
            return
        left = self.teller.tell(incident.untold)
        incident = replace(incident, untold=tuple(left))
        kept = incident.stage.is_open or bool(left)
        standing = replace(self.standing, incident=incident.id if kept else None)
        rest = 0 if left else self.again
        due_at = self.now.timestamp() + rest if kept else None
        self.standing = self.ledger.save(standing, incident, due_at)
        self.incident = incident

    def _left_standing(self, why: Refuse) -> str:
        """What a person must know of an action that is not gone on with; empty if nothing."""
        incident = self.incident
        if incident is None or incident.written is None or incident.before is None:
            return ""
        if not incident.stage.is_open or self.remediation.stands(incident.before, incident.written):
            return ""
        return f"{why.reason}; it stays as it was changed, and nothing leads it back"

    def _way_back(self) -> tuple[str, ...]:
        assert self.incident is not None
        if self.remediation.irreversible(self.target):
            return ()
        again = "let it act again, then have it put back:"
        return (f"To undo it, {again} `remediation revert {self.incident.id}`",)

    def _outcome(self, code: str, reason: str) -> Outcome:
        id = self.incident.id if self.incident else None
        return Outcome(self.target, code, reason, id, self.again, self.standing.version)
