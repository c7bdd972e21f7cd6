"""The one order in which every remediation acts on one target.

switch, scope -> claim -> observe -> decide -> limits -> act -> record -> tell -> release

An event only says that a target is worth a look. What is done follows from what AWS says now and
from the incident's record, so a duplicate, late, reordered or lost event changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.core.decision import Refuse
from functions.core.incident import Incident
from functions.core.ledger import Claim, Ledger
from functions.core.look import Look, Outcome
from functions.core.mode import Mode, scope
from functions.core.remediation import Gone, Remediation, Sighting
from functions.core.settings import Settings
from functions.core.telling import Teller, message

SECONDS_FOR_A_LOOK = 15.0


@dataclass(frozen=True)
class Order:
    """The parts that every look needs. clock: the time now, with a time zone."""

    remediation: Remediation
    ledger: Ledger
    teller: Teller
    settings: Settings
    account_mode: Mode
    clock: Callable[[], datetime]

    def look(self, target: str, sightings: Sequence[Sighting], seconds_left: float) -> Outcome:
        """Look at one target and do what is right.

        seconds_left: before this function is stopped; the claim's lease ends with it. A killed
        function leaves its claim, an exception does not.
        """
        try:
            tags = self.remediation.tags(target)
        except Gone as gone:
            return self._forget(target, "gone", str(gone), seconds_left)
        mode = scope(self.account_mode, tags, self.remediation.lever)
        if isinstance(mode, Refuse):
            if sightings:
                return self._refuse_unclaimed(target, mode)
            if self.account_mode is Mode.OFF:
                return Outcome(target, mode.code, mode.reason)
            return self._forget(target, mode.code, mode.reason, seconds_left)
        claim = self._claim(target, sightings, seconds_left)
        if claim is None:
            return Outcome(target, "claimed", "another look holds it and will look again")
        try:
            return self._look_until_quiet(claim, sightings, mode, seconds_left)
        except Exception:
            self.ledger.release(claim)
            raise

    def _look_until_quiet(
        self, claim: Claim, sightings: Sequence[Sighting], mode: Mode, seconds_left: float
    ) -> Outcome:
        """Look, and again for what others left meanwhile; out of time, the lease hands it on."""
        end = self._now() + seconds_left - SECONDS_FOR_A_LOOK
        fresh = [*claim.left, *sightings]
        causes: dict[str, Mapping[str, Any]] = {}
        while True:
            causes |= {each.cause: each.note for each in fresh if each.cause}
            outcome = self._look(claim, mode).run(causes)
            while not self.ledger.release(claim):
                if self._now() > end:
                    return outcome
                left = self.ledger.take_left(claim, self._now())
                if left is None:
                    return outcome
                if outcome.code != "acted" or any(each.cause not in causes for each in left):
                    fresh = left
                    break
            else:
                return outcome

    def _now(self) -> float:
        return self.clock().timestamp()

    def _claim(
        self, target: str, sightings: Sequence[Sighting], seconds_left: float
    ) -> Claim | None:
        now = self._now()
        owner, name = uuid.uuid4().hex, self.remediation.name
        return self.ledger.claim(target, name, sightings, owner, now, now + seconds_left)

    def _refuse_unclaimed(self, target: str, refusal: Refuse) -> Outcome:
        """A target that nobody opted in leaves no trace in the ledger, only an event."""
        shown = replace(
            Incident.opened(self.remediation.name, target, self.clock()),
            mode=self.account_mode.word,
            action="refuse",
            reason=refusal.reason,
        )
        self.teller.tell([message(shown, "Remediation Refused", refusal.code, notify=False)])
        return Outcome(target, refusal.code, refusal.reason)

    def _forget(self, target: str, code: str, reason: str, seconds_left: float) -> Outcome:
        """A target that is gone, or opted out since, ends its incident and is due no more."""
        claim = self._claim(target, (), seconds_left)
        if claim is None:
            return Outcome(target, "claimed", "another look holds it and will look again")
        try:
            outcome = self._look(claim, Mode.OFF).forget(Refuse(code, reason))
        except Exception:
            self.ledger.release(claim)
            raise
        self.ledger.release(claim)
        return outcome

    def _look(self, claim: Claim, mode: Mode) -> Look:
        return Look(
            self.remediation,
            self.ledger,
            self.teller,
            self.settings,
            mode,
            self.ledger.load(claim.target, self.remediation.name),
            self.clock(),
        )
