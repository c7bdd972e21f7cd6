"""One look at one claimed target: the record as read, and what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Act, Decision, Dial, Fail, Move, Refuse, Settled, Wait
from functions.core.guards import NEEDS_APPROVAL, OBSERVE, check, recent
from functions.core.incident import Incident, Intent, Stage, merged
from functions.core.intents import Accepted, Rejected, answer
from functions.core.mode import ACCOUNT_OFF
from functions.core.recorder import Outcome, Recorder
from functions.core.remediation import Busy, Changed, Gone, Impossible
from functions.core.telling import count, measure, message

logger = Logger(child=True)

BUSY_LOOKS = 10
"""Tries of one write after which a busy AWS is worth a word; one a minute."""


class Look(Recorder):
    """Begins with the record as the ledger holds it; every step leaves it recorded and told."""

    def run(self, causes: Mapping[str, Mapping[str, Any]]) -> Outcome:
        self._tell_untold()
        self.stored = self.incident
        if self.incident is not None and self.incident.stage is Stage.ACTING:
            self.intent = None  # waits for the next look, which knows what became of the write
        if self.intent is not None and (answer := self._answer(self.intent)) and not causes:
            return answer
        if self.incident is not None and not self.incident.stage.is_open:
            self.unheard = self.incident if self.incident.untold else None
            self.incident = None
        hands_off = self.standing.hands_off_until > self.now.timestamp()
        if hands_off and not (self.incident and self.incident.reverted_by):
            return self._hold(causes)
        causes = merged(self.standing.held, causes)
        self.standing = replace(self.standing, held={})
        self.heard = causes
        known = merged(self.incident.causes if self.incident else {}, causes)
        if rest := self._rest():
            assert self.incident is not None
            self._save(replace(self.incident, causes=known), due=True, again=rest)
            return self._outcome("paced", f"it was changed a moment ago; {rest} s are left")
        try:
            seen = self.remediation.observe(self.target, known, self.now)
        except Gone as gone:
            if self.incident is None:
                return self._end_quietly("gone", str(gone))
            return self._close(Stage.RECOVERED, "gone", str(gone))
        if self.incident is not None:
            if moved := self._moved_by_others(seen.dial, getattr(seen, "undone", None)):
                return moved
            self.incident = replace(self.incident, causes=known)
        decision = self.remediation.decide(seen, self.incident)
        if self.incident is None:
            if isinstance(decision, Settled):
                return self._end_quietly("settled", decision.reason)
            self.incident = replace(
                Incident.opened(self.remediation.name, self.target, self.now),
                causes=known,
                untold=self.unheard.untold if self.unheard else (),
            )
        self.incident = replace(self.incident, mode=self.mode.word, refused="")
        grown = self._count_up(seen)
        outcome = self._apply(decision, seen.dial)
        measure(self.remediation.name, grown)
        return outcome

    def _rest(self) -> int:
        """Seconds until the target is looked at again after its last write."""
        incident = self.incident
        if incident is None or incident.stage is not Stage.ACTED or not incident.acts:
            return 0
        since = self.now - datetime.fromisoformat(incident.acts[-1]["at"])
        return max(0, math.ceil(self.remediation.pace - since.total_seconds()))

    def _count_up(self, seen: Any) -> Mapping[str, float]:
        """By how much hours and dollars grew."""
        assert self.incident is not None
        before, after = self.incident.tally, self.remediation.tally(seen, self.incident)
        self.incident = replace(self.incident, tally=after)
        return {
            name: after[name] - before.get(name, 0.0)
            for name in after
            if name.endswith(("Hours", "Dollars"))
        }

    def _hold(self, causes: Mapping[str, Mapping[str, Any]]) -> Outcome:
        """Nothing is looked at while hands are off; what was heard is kept for afterwards."""
        held = merged(self.standing.held, causes)
        if held:
            rest = self.standing.hands_off_until - self.now.timestamp()
            self.standing = replace(self.standing, held=held)
            self._save(self.unheard, due=True, again=math.ceil(rest))
            return self._outcome("hands-off", self.standing.hands_off_reason)
        return self._end_quietly("hands-off", self.standing.hands_off_reason)

    def stand_down(self, why: Refuse) -> Outcome:
        """No look may be taken: an intent is answered no, and an incident ends.

        With the account off it only rests: the mode that comes next goes on with it. People are
        told when what was changed stays as it is.
        """
        self._tell_untold()
        if self.intent is not None:
            self._answer_no(self.intent, why)
        incident = self.incident
        if why.code == ACCOUNT_OFF:
            if incident is not None and (left := self._left_standing(why)):
                shown = replace(incident, action="refuse", reason=left)
                self._tell_once(shown, "Remediation Refused", "left-standing", self._way_back(), 0)
            return self._outcome(why.code, why.reason)
        if incident is not None and incident.stage.is_open:
            if why.code != "gone" and (left := self._left_standing(why)):
                refused = "Remediation Refused"
                return self._close(Stage.RECOVERED, why.code, left, refused, self._way_back())
            return self._close(Stage.RECOVERED, why.code, why.reason)
        self.unheard = self.incident if self.incident and self.incident.untold else None
        count(self.remediation.name, why.code)
        return self._end_quietly(why.code, why.reason)

    # decisions

    def _apply(self, decision: Decision, dial: Dial) -> Outcome:
        assert self.incident is not None
        match decision:
            case Act():
                return self._act(decision, dial)
            case Refuse():
                return self._refuse(decision)
            case Wait():
                return self._wait(decision)
            case Fail():
                return self._fail(decision)
            case Settled(reason) if self.incident.reverted_by:
                return self._close(Stage.REVERTED, "reverted", reason, "Remediation Reverted")
            case Settled(reason) if self.incident.written is not None:
                return self._close(Stage.VERIFIED, "verified", reason, "Remediation Verified")
            case Settled(reason):
                return self._close(Stage.RECOVERED, "recovered", reason)

    def _act(self, act: Act, dial: Dial) -> Outcome:
        incident = self.incident
        assert incident is not None
        now = self.now.timestamp()
        first = incident.attempts == 0
        incident = self.incident = replace(
            incident,
            action="act",
            reason=f"{act.reason}; {act.ask}" if act.ask else act.reason,
            evidence=act.evidence,
            goal=act.goal,
            before=dial if first else incident.before,
            move=act.move.value,
        )
        asked = incident.asked_goal
        if asked is not None and not self.remediation.stands(act.goal, asked):
            told = tuple(code for code in incident.told if code != NEEDS_APPROVAL)
            incident = self.incident = replace(
                incident, approved_by=None, asked_goal=None, told=told
            )
        if refusal := check(act, self.standing, incident, self.mode, self.settings, now):
            return self._held_back(refusal)
        if first and (refusal := self._spend(act.move, now)):
            return self._held_back(refusal)
        decided = [message(incident, "Remediation Decided", "decided", notify=False)]
        untold = (*incident.untold, *(decided if first else ()))
        attempts = incident.attempts + 1
        if incident.stage is Stage.ACTING:  # a write that AWS was too busy for, once more
            incident = replace(incident, writing=act.write, attempts=attempts, untold=untold)
        else:
            incident = incident.to(
                Stage.ACTING,
                self.now,
                act.reason,
                writing=act.write,
                attempts=attempts,
                untold=untold,
            )
        if act.move is Move.FORWARD and first:
            times = (*recent(self.standing, now), now)
            self.standing = replace(self.standing, actions=times)
        self._save(incident, due=True)
        try:
            written = self.remediation.act(self.target, dial, act.write)
        except Busy as busy:
            return self._busy(busy)
        except Changed as changed:
            return self._supersede(changed.now_stands)
        except Gone as gone:
            return self._close(Stage.RECOVERED, "gone", str(gone))
        except Impossible as no:
            return self._fail(Fail(no.code, str(no), act.evidence, no.next_steps))
        except (ClientError, BotoCoreError) as error:
            return self._failed(error)
        return self._acted(act.write if written is None else written, act.reason, act.again)

    def _busy(self, busy: Busy) -> Outcome:
        """AWS takes no write for now; people hear of it once that has gone on for a while."""
        assert self.incident is not None
        if busy.code or self.incident.attempts >= BUSY_LOOKS:
            incident = self._held_up(busy.code) if busy.code else self.incident
            why = f"AWS takes no change for now: {busy}"
            incident = replace(incident, action="wait", reason=why)
            self._tell_once(incident, "Remediation Decided", busy.code or "busy", (), busy.again)
        elif busy.again:
            self._save(self.incident, due=True, again=busy.again)
        return self._outcome("waiting", str(busy))

    def _spend(self, move: Move, now: float) -> Refuse | None:
        """Count an action, or why the hour allows no more of them."""
        safety, limits = move is Move.SAFETY, self.settings.limits
        limit = limits.safety_moves_per_hour if safety else limits.actions_per_hour
        if self.ledger.spend(self.remediation.name, move.value, limit, now):
            return None
        return Refuse(
            "limit-reached",
            f"of all targets together {limit} were changed within an hour, which is all that is allowed",
            page=True,
            next_steps=(
                f"Wait, or allow more: {'safety_moves' if safety else 'actions'}_per_hour in the"
                " settings' limits",
            ),
        )

    def _acted(self, written: Dial, reason: str, again: int = 0) -> Outcome:
        assert self.incident is not None
        incident = self.incident.to(
            Stage.ACTED,
            self.now,
            reason,
            written=written,
            writing=None,
            acts=(*self.incident.acts, {"at": self.clock().isoformat(), "written": written})[-50:],
            told=(),
        )
        told = self._message(incident, "Remediation Acted", "acted", notify=True)
        rest = self.now.timestamp() + self.settings.cooldown_seconds
        self.standing = replace(self.standing, failures=0, cooldown_until=rest)
        self._save(replace(incident, untold=(*incident.untold, told)), due=True, again=again)
        self._tell_untold()
        return self._outcome("acted", reason)

    def _failed(self, error: Exception) -> Outcome:
        assert self.incident is not None
        failures = self.standing.failures + 1
        reason = f"AWS refused the change: {error}"
        logger.error("action failed", target=self.target, error=str(error), failures=failures)
        if failures < self.settings.failures_before_breaker:
            self.standing = replace(self.standing, failures=failures)
            incident = replace(self._held_up("failed"), reason=reason)
            told = message(incident, "Remediation Failed", "failed", notify=failures == 1)
            self._save(replace(incident, untold=(*incident.untold, told)), due=True)
            self._tell_untold()
            return self._outcome("failed", reason)
        self._hands_off(f"{failures} failures in a row, the last: {error}")
        self.standing = replace(self.standing, failures=0)
        return self._close(Stage.FAILED, "breaker-open", reason, "Remediation Failed")

    def _wait(self, wait: Wait) -> Outcome:
        """AWS still works on it; a stage on the way that has a name is told once."""
        assert self.incident is not None
        if self.incident.stage is Stage.ACTING:  # nothing came of the write it was about to make
            self.incident = self._at(Stage.OPEN, self.incident)
        if wait.code:
            incident = replace(
                self.incident, action="wait", reason=wait.reason, evidence=wait.evidence
            )
            self._tell_once(incident, "Remediation Decided", wait.code, wait.next_steps, wait.again)
        else:
            self._save(self.incident, due=True, again=wait.again)
        return self._outcome("waiting", wait.reason)

    def _fail(self, fail: Fail) -> Outcome:
        assert self.incident is not None
        self._hands_off(fail.reason)
        self.incident = replace(self.incident, action="fail", evidence=fail.evidence)
        return self._close(
            Stage.FAILED, fail.code, fail.reason, "Remediation Failed", fail.next_steps
        )

    def _refuse(self, refusal: Refuse) -> Outcome:
        """A refusal keeps the incident open: the heartbeat looks again until it clears."""
        assert self.incident is not None
        if self.incident.stage is Stage.ACTING:
            self.incident = self._at(Stage.OPEN, self.incident)
        self.incident = replace(
            self._held_up(refusal.code),
            action="refuse",
            reason=refusal.reason,
            evidence=refusal.evidence,
        )
        return self._refused(self.incident, "Remediation Refused", refusal)

    def _held_back(self, refusal: Refuse) -> Outcome:
        """An action that may not be taken now; what it would be stays in the record."""
        incident = self.incident
        assert incident is not None
        if refusal.code == OBSERVE:
            incident = self._at(Stage.OBSERVED, incident)
            return self._refused(incident, "Remediation Decided", refusal)
        if refusal.code == NEEDS_APPROVAL:
            incident = replace(incident, asked_goal=incident.goal)
            incident = self._at(Stage.AWAITING_APPROVAL, incident)
            return self._refused(incident, "Approval Requested", refusal)
        reason = f"{incident.reason}; held back: {refusal.reason}"
        incident = replace(incident, reason=reason)
        return self._refused(incident, "Remediation Refused", refusal)

    def _at(self, stage: Stage, incident: Incident) -> Incident:
        """Standing still at a stage; an action of which nothing was written begins afresh."""
        if incident.stage is stage:
            return incident
        attempts = incident.attempts if incident.written is not None else 0
        reason = incident.reason
        return incident.to(stage, self.now, reason, attempts=attempts, writing=None)

    def _refused(self, incident: Incident, detail_type: str, refusal: Refuse) -> Outcome:
        code, steps = refusal.code, refusal.next_steps
        self._tell_once(incident, detail_type, code, steps, refusal.again, notify=refusal.page)
        return self._outcome(code, refusal.reason)

    # others

    def _moved_by_others(self, dial: Dial, undone: Fail | None) -> Outcome | None:
        """Reconcile a write whose record was lost, and leave alone what others moved since ours, or
        AWS itself took back."""
        incident = self.incident
        assert incident is not None
        stands = self.remediation.stands
        if incident.stage is Stage.ACTING and incident.writing is not None:
            last = incident.written if incident.written is not None else incident.before
            assert last is not None
            # A write of what `stands` does not look at, like a count, shows only in the whole dial.
            unseen = stands(last, incident.writing)
            if (dial == incident.writing) if unseen else stands(dial, incident.writing):
                self._acted(incident.writing, incident.reason)
                return None
            return None if stands(dial, last) else self._supersede(dial)
        if incident.written is None or stands(dial, incident.written):
            return None
        if incident.reverted_by and incident.attempts == 0 and self.intent is not None:
            self.incident = self.stored
            reason = f"it no longer stands where the action left it, but at {dial}"
            return self._answer_no(self.intent, Refuse("moved-on", reason))
        back = incident.stood_before
        if undone is not None and back is not None and stands(dial, back):
            return self._fail(undone)
        return self._supersede(dial)

    def _supersede(self, dial: Dial) -> Outcome:
        assert self.incident is not None
        left = self.incident.written or self.incident.before
        reason = (
            f"somebody else changed it: it stood at {left}, now it stands at {dial}; CloudTrail's "
            f"event history says who. Hands off for {self.settings.superseded_seconds} s"
        )
        self._hands_off(reason)
        return self._close(Stage.SUPERSEDED, "superseded", reason, "Remediation Refused")

    # operators

    def _answer(self, intent: Intent) -> Outcome | None:
        """Take an operator's intent into the incident; an Outcome when that is the end of it."""
        irreversible = self.remediation.irreversible(self.target)
        match answer(intent, self.incident, self.mode, irreversible, self.now):
            case Accepted(incident):
                self.incident = incident
                return None
            case Rejected(reason):
                self._hands_off(reason)
                return self._close(Stage.REJECTED, "rejected", reason, "Remediation Refused")
            case Refuse() as refusal:
                return self._answer_no(intent, refusal)

    def _answer_no(self, intent: Intent, refusal: Refuse) -> Outcome:
        """Tell that an intent is not followed; the incident stays as it was."""
        shown = self.incident or Incident.opened(self.remediation.name, self.target, self.now)
        shown = replace(shown, id=intent.incident, action=intent.command, reason=refusal.reason)
        told = message(shown, "Remediation Refused", refusal.code, notify=True)
        incident = self.incident
        if incident is None:
            self.teller.tell([told])
            self._save(None, due=False)
        else:
            incident = replace(incident, untold=(*incident.untold, told))
            self._save(incident, due=incident.stage.is_open)
            self._tell_untold()
        return self._outcome(refusal.code, refusal.reason)
