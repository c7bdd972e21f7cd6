"""What a function's event brings: a batch of queue messages, an alarm, the heartbeat.

Bad input harms nobody: it is refused by name, counted, kept in the ledger, and its batch-mates
are looked at. A look that fails is tried again: the message goes back to the queue, and the
heartbeat finds the target due.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from time import sleep
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.clients import client
from functions.core.decision import Refuse, Wait
from functions.core.environment import Environment
from functions.core.ledger import Ledger
from functions.core.mode import Switch
from functions.core.order import SECONDS_FOR_A_LOOK, Order
from functions.core.recorder import Outcome
from functions.core.remediation import Remediation, Sighting
from functions.core.signals import BadSignal, Kind, Place, Signal, read, read_body
from functions.core.telling import Teller, count

logger = Logger(child=True)


SWEEP_RETRY = 300
"""Seconds until a sweep that failed is tried again."""

ECHO_SECONDS = 30
"""After a heartbeat, until its echo. EventBridge Scheduler knows no rate above one a minute, and keeps
no second within it (EventBridge Scheduler user guide, "Schedule types")."""

EARLY = 30
"""Seconds by which a heartbeat may come early and still find due what it comes for."""

SECONDS_FOR_A_SWEEP = 30
"""Left of an invocation that brought signals, without which their batch is not risked for an echo."""

SOON = 10
"""A look that is due again within so many seconds is waited for; the heartbeat is too far off."""

_sweeping: set[tuple[str, str]] = set()
"""Ledger tables and remediations whose first sweep this function instance has seen to."""


class Context(Protocol):
    """The part of Lambda's context that is used."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int: ...


def remediate(
    event: Any,
    context: Context,
    remediation: Remediation,
    environment: Environment,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dict[str, Any]:
    """Handle one invocation.

    Returns, for a batch, `batchItemFailures` as the event source mapping reads it, and always
    `outcomes`, one object a look. Raises only for a single signal whose look failed, so that
    Lambda's own retries and the on-failure destination take over.
    """
    return _Intake(event, context, remediation, environment, clock).run()


class _Intake:
    def __init__(
        self,
        event: Any,
        context: Context,
        remediation: Remediation,
        environment: Environment,
        clock: Callable[[], datetime],
    ) -> None:
        self.event = event
        self.context = context
        self.remediation = remediation
        self.environment = environment
        self.clock = clock
        self.here = Place.of_arn(context.invoked_function_arn)
        self.ledger = Ledger(client("dynamodb"), environment.ledger_table)
        self.order = Order(
            remediation=remediation,
            ledger=self.ledger,
            teller=Teller(client("events"), client("sns"), environment.topic_arn),
            settings=environment.settings,
            account_mode=Switch(client("ssm"), environment.mode_parameter, clock),
            clock=clock,
        )

    def run(self) -> dict[str, Any]:
        if isinstance(self.event, Mapping) and isinstance(self.event.get("Records"), list):
            return self._batch(self.event["Records"])
        try:
            signal = read(self.event, self.here)
            if signal.kind is Kind.HEARTBEAT:
                self._echo()
                return _answer(self._heartbeat())
            self._prepare([signal])
            sightings = self._sight(signal)
        except BadSignal as bad:
            return _answer([self._keep(json.dumps(self.event, default=str), bad)])
        if isinstance(sightings, Outcome):
            return _answer([sightings])
        outcomes, failures = self._look_at(_by_target(sightings))
        if failures:
            raise next(iter(failures.values()))
        return _answer(outcomes)

    def _batch(self, records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Messages of one target are one look; a failed look fails just its own messages."""
        outcomes: list[Outcome] = []
        failed: set[str] = set()
        signals: list[tuple[str, str, Signal]] = []
        echoed = False
        for record in records:
            id, body = record["messageId"], record["body"]
            try:
                signal = read_body(body, self.here)
            except BadSignal as bad:
                self._take(id, outcomes, failed, partial(self._keep, str(body), bad))
            else:
                if signal.kind is Kind.HEARTBEAT:
                    echoed = True
                else:
                    signals.append((id, body, signal))
        if signals:
            try:
                self._prepare([signal for _, _, signal in signals])
            except Exception:
                logger.exception("signals not taken, back to the queue", messages=len(signals))
                failed.update(id for id, _, _ in signals)
                signals = []
        wanted: dict[str, list[Sighting]] = {}
        senders: dict[str, list[str]] = {}
        for id, body, signal in signals:
            sight = partial(self._sight_or_keep, signal, body)
            for sighting in self._take(id, outcomes, failed, sight):
                wanted.setdefault(sighting.target, []).append(sighting)
                senders.setdefault(sighting.target, []).append(id)
        looked, failures = self._look_at(wanted)
        failed.update(id for target in failures for id in senders[target])
        if echoed:
            looked += self._echoed()
        return _answer([*outcomes, *looked], failed)

    def _take(
        self,
        id: str,
        outcomes: list[Outcome],
        failed: set[str],
        sight: Callable[[], Sequence[Sighting] | Outcome],
    ) -> Sequence[Sighting]:
        """What one message is about; where it is about nothing, what became of it is noted."""
        try:
            sightings = sight()
        except Exception:
            logger.exception("signal not taken, back to the queue", id=id)
            failed.add(id)
            return ()
        if isinstance(sightings, Outcome):
            outcomes.append(sightings)
            return ()
        return sightings

    def _sight_or_keep(self, signal: Signal, body: str) -> Sequence[Sighting] | Outcome:
        try:
            return self._sight(signal)
        except BadSignal as bad:
            return self._keep(str(body), bad)

    def _prepare(self, signals: Sequence[Signal]) -> None:
        """An operator's word says itself what it is about; the rest is the remediation's."""
        if others := [each for each in signals if each.kind is not Kind.OPERATOR]:
            self.remediation.prepare(others)

    def _echo(self) -> None:
        """Have this heartbeat come once more, by the queue, where an echo would find a sweep due; what
        comes by the queue has no echo."""
        if not self.environment.echo_queue or self.environment.sweep_seconds > ECHO_SECONDS:
            return
        try:
            client("sqs").send_message(
                QueueUrl=self.environment.echo_queue,
                MessageBody=json.dumps(self.event),
                DelaySeconds=ECHO_SECONDS,
            )
        except (BotoCoreError, ClientError):
            logger.exception("no echo of this heartbeat")
            count(self.remediation.name, "echo-failed")

    def _echoed(self) -> list[Outcome]:
        """The sweep once more. What is due is left to the heartbeat, so that whatever counts looks counts
        one a minute. An echo is never tried again: the next heartbeat is there before it would be.
        """
        if self.context.get_remaining_time_in_millis() / 1000 < SECONDS_FOR_A_SWEEP:
            logger.info("no time left for the echo of a heartbeat")
            return []
        outcomes: dict[str, Outcome] = {}
        try:
            self._sweep(self.clock().timestamp(), outcomes)
            self._look_on(outcomes, {})
        except Exception:
            logger.exception("echo of a heartbeat failed")
            count(self.remediation.name, "echo-failed")
        return list(outcomes.values())

    def _heartbeat(self) -> list[Outcome]:
        """All that is due, then the sweep. What fails, or finds no time left, stays due."""
        now = self.clock().timestamp()
        name = self.remediation.name
        if (key := (self.environment.ledger_table, name)) not in _sweeping:
            self.ledger.start_sweeps(name, now)
            _sweeping.add(key)
        due = list(dict.fromkeys(each["pk"] for each in self.ledger.due(name, now)))
        outcomes: dict[str, Outcome] = {}
        failures: dict[str, Exception] = {}
        self._look_once({target: [] for target in due if target != "sweep"}, outcomes, failures)
        if "sweep" in due:
            self._sweep(now, outcomes)
        self._look_on(outcomes, failures)
        return list(outcomes.values())

    def _sweep(self, now: float, outcomes: dict[str, Outcome]) -> None:
        every, name = self.environment.sweep_seconds, self.remediation.name
        if not self.ledger.take_sweep(name, now, _early(every)):
            return
        try:
            found = self.remediation.sweep(self.clock())
            wanted = {} if isinstance(found, Wait) else self._without_the_refused(_by_target(found))
        except Exception:
            self.ledger.sweep_again(name, now + _early(min(every, SWEEP_RETRY)))
            raise
        if isinstance(found, Wait):
            logger.info("sweep goes on", reason=found.reason)
            self.ledger.sweep_again(name, now)
            return
        failures: dict[str, Exception] = {}
        self._look_once(wanted, outcomes, failures)
        self._leave(failures, wanted)

    def _without_the_refused(
        self, wanted: Mapping[str, Sequence[Sighting]]
    ) -> Mapping[str, Sequence[Sighting]]:
        """What a sweep found, but for targets of which it tells nothing that was not known when they
        were refused: how soon those are looked at again was decided with that."""
        return {
            target: sightings
            for target, sightings in wanted.items()
            if not self._was_refused(target, sightings)
        }

    def _was_refused(self, target: str, sightings: Sequence[Sighting]) -> bool:
        incident = self.ledger.load(target, self.remediation.name).incident
        heard = {each.cause: each.note for each in sightings}
        return incident is not None and incident.was_refused_for(heard)

    def _leave(
        self, failures: Mapping[str, Exception], wanted: Mapping[str, Sequence[Sighting]]
    ) -> None:
        """Leave to the next heartbeat what there was no time for, or what failed before the target
        was claimed: a queue gives its messages back later, and a sweep costs calls and money."""
        now, name = self.clock().timestamp(), self.remediation.name
        for target in failures:
            try:
                claim = self.ledger.claim(target, name, wanted[target], uuid.uuid4().hex, now, now)
                if claim is not None:
                    self.ledger.hand_on(claim, [*claim.left, *wanted[target]], now)
            except (BotoCoreError, ClientError):
                logger.exception("not left to the heartbeat", target=target)

    def _sight(self, signal: Signal) -> Sequence[Sighting] | Outcome:
        if signal.kind is Kind.OPERATOR:
            return [Sighting(signal.detail["target"], "")]
        sighted = self.remediation.sight(signal)
        if isinstance(sighted, Refuse):
            logger.info("signal refused", code=sighted.code, reason=sighted.reason)
            count(self.remediation.name, sighted.code)
            return Outcome(signal.subject, sighted.code, sighted.reason)
        return sighted

    def _look_at(
        self, wanted: Mapping[str, Sequence[Sighting]]
    ) -> tuple[list[Outcome], dict[str, Exception]]:
        """Look at all targets; at those that are due again soon, once more when they are.

        A storm's batches come side by side and are of the same targets. Each begins elsewhere, and
        leaves for last what another has just looked at, so that every target is soon looked at
        once, instead of the first by all of them in turn.
        """
        outcomes: dict[str, Outcome] = {}
        failures: dict[str, Exception] = {}
        items = list(wanted.items())
        self._look_once(dict(random.sample(items, len(items))), outcomes, failures)
        self._leave(failures, wanted)
        self._look_on(outcomes, failures)
        return [outcomes[target] for target in wanted if target in outcomes], failures

    def _look_on(self, outcomes: dict[str, Outcome], failures: dict[str, Exception]) -> None:
        """Look again at what is due soon, as long as there is time, unless others have."""
        looked = list(outcomes)
        while soon := [
            t for t in looked if 0 < outcomes[t].again <= SOON and self._is_mine(t, outcomes[t])
        ]:
            pause = max(outcomes[target].again for target in soon)
            if self.context.get_remaining_time_in_millis() / 1000 - pause < SECONDS_FOR_A_LOOK:
                return
            sleep(pause)
            looked = [target for target in soon if self._is_mine(target, outcomes[target])]
            self._look_once({target: [] for target in looked}, outcomes, failures)

    def _was_just_looked_at(self, target: str) -> bool:
        standing = self.ledger.load(target, self.remediation.name).standing
        return self.clock().timestamp() - standing.looked_at < SOON

    def _is_mine(self, target: str, outcome: Outcome) -> bool:
        """Whether no other look came after that one; what it knew is in the record."""
        now = self.ledger.load(target, self.remediation.name).standing.version
        return now == outcome.version

    def _look_once(
        self,
        wanted: Mapping[str, Sequence[Sighting]],
        outcomes: dict[str, Outcome],
        failures: dict[str, Exception],
    ) -> None:
        waiting, put_off = deque(wanted), set[str]()
        while waiting:
            target = waiting.popleft()
            if waiting and target not in put_off and self._was_just_looked_at(target):
                put_off.add(target)
                waiting.append(target)
                continue
            sightings = wanted[target]
            seconds = self.context.get_remaining_time_in_millis() / 1000
            if seconds < SECONDS_FOR_A_LOOK:
                failures[target] = TimeoutError(f"no time left to look at {target}")
                continue
            try:
                outcome = self.order.look(target, sightings, seconds)
            except Exception as error:
                logger.exception("look failed", target=target)
                count(self.remediation.name, "look-failed")
                failures[target] = error
                continue
            logger.info("looked", target=target, code=outcome.code, reason=outcome.reason)
            outcomes[target] = outcome

    def _keep(self, body: str, bad: BadSignal) -> Outcome:
        logger.warning("bad signal kept", code=bad.code, reason=bad.reason)
        count(self.remediation.name, bad.code)
        self.ledger.keep_refused(self.remediation.name, body, bad.code, bad.reason, self.clock())
        return Outcome("", bad.code, bad.reason)


def _early(every: float) -> float:
    """Seconds until what comes so often is due, for a heartbeat that may come early."""
    return every - min(EARLY, every / 2)


def _by_target(sightings: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    wanted: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        wanted.setdefault(sighting.target, []).append(sighting)
    return wanted


def _answer(outcomes: Sequence[Outcome], failed: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "batchItemFailures": [{"itemIdentifier": id} for id in sorted(failed)],
        "outcomes": [
            {"target": o.target, "code": o.code, "reason": o.reason, "incident": o.incident}
            for o in outcomes
        ],
    }
