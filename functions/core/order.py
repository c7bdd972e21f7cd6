"""The one order in which every remediation acts on one target.

switch, scope -> claim -> observe -> decide -> limits -> act -> record -> tell -> release

An event only says that a target is worth a look. What is done follows from what AWS says now and
from the incident's record, so a duplicate, late, reordered or lost event changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.core.claims import Claim
from functions.core.decision import Refuse
from functions.core.incident import Incident
from functions.core.ledger import Ledger
from functions.core.look import Look
from functions.core.mode import Mode, lower
from functions.core.recorder import Outcome
from functions.core.remediation import Gone, Remediation, Sighting
from functions.core.settings import Settings
from functions.core.telling import Teller, message

SECONDS_FOR_A_LOOK = 20.0
"""More than a single call of AWS can take with its retries, and than a usual look as a whole."""


@dataclass(frozen=True)
class Order:
    """The parts that every look needs. clock: the time now, with a time zone.

    account_mode: reads the kill switch, at most 30 s old.
    """

    remediation: Remediation
    ledger: Ledger
    teller: Teller
    settings: Settings
    account_mode: Callable[[], Mode]
    clock: Callable[[], datetime]

    def look(self, target: str, sightings: Sequence[Sighting], seconds_left: float) -> Outcome:
        """Look at one target and do what is right.

        seconds_left: before this function is stopped; the claim's lease ends with it. What fails
        is handed on to the heartbeat, with all that was left to it.
        """
        try:
            own = self.remediation.opt_in(target)
        except Gone as gone:
            return self._stand_down(target, Refuse("gone", str(gone)), seconds_left)
        account = self.account_mode()
        mode = lower(account, own)
        if isinstance(mode, Refuse):
            if any(each.cause for each in sightings):
                return self._refuse_unclaimed(target, account, mode)
            return self._stand_down(target, mode, seconds_left)
        claim = self._claim(target, sightings, seconds_left)
        if claim is None:
            return Outcome(target, "claimed", "another look holds it and will look again")
        return self._look_until_quiet(claim, sightings, mode, seconds_left)

    def _look_until_quiet(
        self, claim: Claim, sightings: Sequence[Sighting], mode: Mode, seconds_left: float
    ) -> Outcome:
        """Look, and again for what others left meanwhile; out of time, the lease hands it on."""
        end = self._now() + seconds_left - SECONDS_FOR_A_LOOK
        seen: list[Sighting] = []
        fresh = [*claim.left, *sightings]
        try:
            while True:
                seen += fresh
                causes = {each.cause: each.note for each in seen if each.cause}
                outcome = self._look(claim, mode).run(causes)
                while not self.ledger.release(claim):
                    if self._now() > end:
                        return outcome
                    left = self.ledger.take_left(claim, self._now())
                    if left is None:
                        return outcome
                    fresh = left
                    if outcome.code != "acted" or any(each.cause not in causes for each in left):
                        break
                else:
                    return outcome
        except Exception:
            self.ledger.hand_on(claim, [*seen, *fresh], self._now())
            raise

    def _now(self) -> float:
        return self.clock().timestamp()

    def _claim(
        self, target: str, sightings: Sequence[Sighting], seconds_left: float
    ) -> Claim | None:
        now = self._now()
        owner, name = uuid.uuid4().hex, self.remediation.name
        return self.ledger.claim(target, name, sightings, owner, now, now + seconds_left)

    def _refuse_unclaimed(self, target: str, account: Mode, refusal: Refuse) -> Outcome:
        """A target that nobody opted in leaves no trace in the ledger, only an event."""
        shown = replace(
            Incident.opened(self.remediation.name, target, self.clock()),
            id="",
            mode=account.word,
            action="refuse",
            reason=refusal.reason,
        )
        self.teller.tell([message(shown, "Remediation Refused", refusal.code, notify=False)])
        return Outcome(target, refusal.code, refusal.reason)

    def _stand_down(self, target: str, refusal: Refuse, seconds_left: float) -> Outcome:
        """What is left of a target that is gone, or may not be touched any more."""
        claim = self._claim(target, (), seconds_left)
        if claim is None:
            return Outcome(target, "claimed", "another look holds it and will look again")
        try:
            outcome = self._look(claim, Mode.OFF).stand_down(refusal)
        except Exception:
            self.ledger.hand_on(claim, claim.left, self._now())
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
            self.clock,
        )
