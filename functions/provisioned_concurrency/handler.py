"""Wires provisioned concurrency: signals to aliases and endpoints, and the rooms to the one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from functions.core.clients import client
from functions.core.composites import children
from functions.core.decision import Decision, Dial, Refuse
from functions.core.environment import Environment
from functions.core.incident import Incident
from functions.core.intake import Context, remediate
from functions.core.memory import Memory
from functions.core.mode import Mode
from functions.core.remediation import Gone, Sighting
from functions.core.settings import parse
from functions.core.signals import BadSignal, Kind, Signal
from functions.provisioned_concurrency import decision
from functions.provisioned_concurrency.aliases import Aliases
from functions.provisioned_concurrency.aws import Leads, Surroundings
from functions.provisioned_concurrency.observation import Rules, Seen
from functions.provisioned_concurrency.owners import Owners
from functions.provisioned_concurrency.reading import targets_in, targets_of
from functions.provisioned_concurrency.settings import ProvisionedConcurrencySettings
from functions.provisioned_concurrency.sweep import Sweep
from functions.provisioned_concurrency.variants import Variants

logger = Logger()


class Concurrency(Protocol):
    """One kind of target that has provisioned concurrency."""

    def opt_in(self, target: str) -> Mode | Refuse: ...

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> Seen: ...

    def act(self, target: str, seen: Dial, write: Dial) -> None: ...


class ProvisionedConcurrency:
    """Execution environments that are ready ahead of demand, for as long as there is any."""

    name = "provisioned_concurrency"
    pace = 0

    def __init__(
        self,
        environment: Environment,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        own = parse(ProvisionedConcurrencySettings, environment.lever, "LEVER_SETTINGS")
        self.settings = own
        self.rules = Rules(
            maximum=own.maximum,
            dollars_per_hour=own.dollars_per_hour,
            changes_per_hour=own.changes_per_hour,
            unreserved_minimum=own.unreserved_minimum,
            lead=timedelta(seconds=own.lead_seconds),
            spill=own.spill_percent / 100,
            spilled=own.spilled_invocations,
            headroom=own.headroom_percent / 100,
            hold=timedelta(seconds=own.hold_seconds),
        )
        self.cloudwatch = client("cloudwatch")
        memory = Memory(client("dynamodb"), environment.ledger_table, self.name)
        owners = Owners(client("application-autoscaling"))
        around = Surroundings(self.name, self.cloudwatch, owners, Leads(memory, clock), own)
        self.aliases, self.variants = Aliases(client, around), Variants(client, around)
        self.kinds: Mapping[str, Concurrency] = {
            "lambda": self.aliases,
            "sagemaker": self.variants,
        }
        tagging = client("resourcegroupstaggingapi")
        self.glances = Sweep(tagging, around, self.aliases, self.variants, self.rules)
        self.observed: set[str] = set()

    def irreversible(self, target: str) -> str:
        return ""

    def prepare(self, signals: Sequence[Signal]) -> None:
        pass

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        if signal.kind is not Kind.ALARM:
            raise BadSignal(
                "unknown-signal", f"{signal.subject:.80} tells nothing of provisioned concurrency"
            )
        targets = targets_of(signal)
        alarm = signal.detail["alarmName"]
        if not isinstance(targets, Refuse) and not targets:
            watched = [m for child in children(self.cloudwatch, alarm) for m in child.metrics]
            targets = targets_in(watched, signal.alarm_arn, alarm, direct=signal.direct)
        if isinstance(targets, Refuse):
            return targets
        return [Sighting(target, alarm, {}) for target in sorted(targets)]

    def sweep(self, now: datetime) -> Sequence[Sighting]:
        """What this invocation has already looked at, because it was due or a signal was of it, needs no
        second look."""
        return [each for each in self.glances.sightings(now) if each.target not in self.observed]

    def opt_in(self, target: str) -> Mode | Refuse:
        return self._kind(target).opt_in(target)

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Seen:
        seen = self._kind(target).observe(target, causes, now)
        self.observed.add(target)
        return seen

    def decide(self, observation: Seen, incident: Incident | None) -> Decision:
        return decision.decide(observation, incident, self.rules)

    def tally(self, observation: Seen, incident: Incident) -> Mapping[str, float]:
        return decision.tally(observation, incident)

    def stands(self, dial: Dial, written: Dial) -> bool:
        return decision.stands(dial, written)

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        self._kind(target).act(target, seen, write)

    def _kind(self, target: str) -> Concurrency:
        parts = target.split(":")
        kind = self.kinds.get(parts[2]) if len(parts) > 2 else None
        if kind is None:
            raise Gone(f"{target!r:.160} is the ARN of neither an alias nor an endpoint")
        return kind


@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Context) -> dict[str, Any]:
    """Entry point of the deployed function."""
    environment = Environment.from_env()
    remediation = ProvisionedConcurrency(environment)
    glancing = replace(environment, sweep_seconds=remediation.settings.glance_seconds)
    return remediate(event, context, remediation, glancing)
