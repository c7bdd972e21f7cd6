"""The remediation itself on a simulated alias: its reading of metrics, its decision, the core's order.

Only what surrounds them is played: a ledger in memory, nobody to tell, an alias that is simulated. A
heartbeat comes each minute, and its echo half a minute later; each looks at the alias if a glance says
so, a heartbeat also if that is due. So does an alarm on spillover, where there is one. What is due
again in seconds is looked at then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.pc_simulator import Alias, Told
from benchmarks.pc_traffic import MINUTE
from functions.core.decision import Decision, Dial
from functions.core.incident import Incident, Intent, Standing
from functions.core.intake import SOON
from functions.core.ledger import Record
from functions.core.look import Look
from functions.core.mode import Mode
from functions.core.settings import Settings
from functions.provisioned_concurrency import decision, lead
from functions.provisioned_concurrency.handler import ProvisionedConcurrency
from functions.provisioned_concurrency.metrics import GLANCE, GLANCED, LOOK, LOOKED, Meter, traffic
from functions.provisioned_concurrency.observation import (
    Glance,
    Room,
    Rules,
    Seen,
    Service,
    Status,
    Wish,
)
from functions.provisioned_concurrency.settings import ProvisionedConcurrencySettings, UnitPrices

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
TARGET = "arn:aws:lambda:us-east-1:000000000000:function:shop:live"
MEMORY_GB = 2.0
DIMENSIONS = {"FunctionName": "shop", "Resource": "shop:live"}
VALUES = {
    "Invocations": lambda told: told.invocations,
    "ProvisionedConcurrencySpilloverInvocations": lambda told: told.spilled,
    "ConcurrentExecutions": lambda told: told.concurrent,
    "ProvisionedConcurrentExecutions": lambda told: told.provisioned,
    "Duration": lambda told: 1000 * told.seconds / told.invocations,
}
EVALUATED = 2
"""Minutes before the newest one that an alarm of one period goes back for a datapoint (CloudWatch user
guide, "Configuring how CloudWatch alarms treat missing data", evaluation range)."""
A_MOMENT = timedelta(seconds=1)
PROVISIONED = ("Provisioned",)
"""What names of metrics begin with that have no datum while nothing is provisioned."""


def moment(seconds: float) -> datetime:
    """The instant so many seconds after the play begins."""
    return MIDNIGHT + timedelta(seconds=seconds)


class CloudWatch:
    """GetMetricData of the alias: what is told of it now."""

    def __init__(self, alias: Alias) -> None:
        self._alias = alias

    def get_paginator(self, operation: str) -> CloudWatch:
        assert operation == "get_metric_data", operation
        return self

    def paginate(
        self,
        MetricDataQueries: Sequence[Mapping[str, Any]],
        StartTime: datetime,
        EndTime: datetime,
        ScanBy: str,
    ) -> Iterator[Mapping[str, Any]]:
        first, end = (int((t - MIDNIGHT).total_seconds() // MINUTE) for t in (StartTime, EndTime))
        minutes = [each for each in range(first, end) if each in self._alias.told]
        results = []
        for query in MetricDataQueries:
            name = query["MetricStat"]["Metric"]["MetricName"]
            found = [each for each in minutes if self._has(name, self._alias.told[each])]
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [moment(MINUTE * each) for each in found],
                    "Values": [float(VALUES[name](self._alias.told[each])) for each in found],
                    "StatusCode": "Complete",
                }
            )
        yield {"MetricDataResults": results}

    @staticmethod
    def _has(name: str, told: Told) -> bool:
        return told.samples > 0 or not name.startswith(PROVISIONED)


@dataclass
class Shelf:
    """A ledger of one target, that nobody else writes to."""

    standing: Standing
    incident: Incident | None = None
    due_at: float | None = None

    @property
    def record(self) -> Record:
        open_one = self.incident if self.standing.incident else None
        return Record(self.standing, open_one, None)

    def save(
        self,
        standing: Standing,
        incident: Incident | None,
        due_at: float | None,
        consumed: Intent | None = None,
    ) -> Standing:
        self.standing = replace(standing, version=standing.version + 1)
        self.incident, self.due_at = incident, due_at
        return self.standing

    def spend(self, remediation: str, kind: str, limit: int, now: float) -> bool:
        return limit > 0


class Nobody:
    """Takes whatever is told, and keeps count of it by code."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    def tell(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        self.told.update(each["code"] for each in messages)
        return []


class Adapter:
    """What the core asks of a remediation, of one simulated alias."""

    name = ProvisionedConcurrency.name
    pace = ProvisionedConcurrency.pace

    def __init__(self, wish: Wish, rules: Rules, prices: UnitPrices, memory_gb: float) -> None:
        self.wish, self.rules = wish, rules
        self._prices, self._memory = prices, memory_gb
        self._lead = lead.NOTHING
        self.alias: Alias
        self.now = MIDNIGHT

    def irreversible(self, target: str) -> str:
        return ""

    def observe(self, target: str, causes: Mapping[str, Any], now: datetime) -> Seen:
        alias, seconds = self.alias, (now - MIDNIGHT).total_seconds()
        running = alias.in_progress(seconds)
        status = _status(alias, running)
        self._lead = lead.seen(self._lead, status, now.timestamp())
        return Seen(
            target=target,
            name="shop:live",
            service=Service.LAMBDA,
            now=now,
            wish=self.wish,
            obstacle=None,
            requested=alias.requested,
            available=alias.available,
            status=status,
            status_reason="",
            changed_at=moment(alias.changed_at) if alias.requested else None,
            owner=None,
            room=Room(),
            minutes=self._minutes(now, LOOK, LOOKED) if alias.requested else (),
            lead=lead.lead(self._lead),
            memory_gb=self._memory,
            prices=self._prices,
        )

    def glance(self, now: datetime) -> str:
        """Why the alias is worth a look though none is due; empty if it is not."""
        standing = self.alias.requested
        glance = Glance(
            target=TARGET,
            service=Service.LAMBDA,
            now=now,
            wish=self.wish,
            level=standing,
            owned=False,
            failed=False,
            minutes=self._minutes(now, GLANCE, GLANCED) if standing else (),
            lead=lead.lead(self._lead),
        )
        return decision.glance(glance, self.rules)

    def decide(self, seen: Seen, incident: Incident | None) -> Decision:
        return decision.decide(seen, incident, self.rules)

    def tally(self, seen: Seen, incident: Incident) -> Mapping[str, float]:
        return decision.tally(seen, incident)

    def stands(self, dial: Dial, written: Dial) -> bool:
        return decision.stands(dial, written)

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        seconds = (self.now - MIDNIGHT).total_seconds()
        if write["provisioned"] > self.alias.requested:
            self._lead = lead.begun(self._lead, self.now.timestamp())
        self.alias.put(write["provisioned"], seconds)

    def _minutes(
        self, now: datetime, count: int, metrics: Mapping[Service, Mapping[str, Any]]
    ) -> tuple[Any, ...]:
        meters = {TARGET: Meter(Service.LAMBDA, DIMENSIONS)}
        return traffic(CloudWatch(self.alias), meters, now, count, metrics)[TARGET]


def _status(alias: Alias, running: bool) -> Status:
    if not alias.requested:
        return Status.NONE
    return Status.IN_PROGRESS if running else Status.READY


class Ours:
    """The remediation, as a controller of a simulated alias. minimum, maximum: what its owner's tags
    say, with no schedule. every: seconds between two glances."""

    def __init__(self, minimum: int, maximum: int, every: float | None = None) -> None:
        own = ProvisionedConcurrencySettings(maximum=maximum)
        self.every = own.glance_seconds if every is None else every
        wish = Wish(minimum=minimum, maximum=maximum)
        self._adapter = Adapter(wish, rules_of(own), own.prices.lambda_x86, MEMORY_GB)
        self._shelf = Shelf(Standing(TARGET, Adapter.name))
        self._teller = Nobody()
        self.outcomes: Counter[str] = Counter()
        self._alarmed = False
        self._first: float | None = None

    @property
    def told(self) -> Mapping[str, int]:
        """What was told, by code."""
        return self._teller.told

    def look(self, alias: Alias, now: float) -> float:
        """A heartbeat, its echo, or a look that one before has asked for."""
        self._first = now if self._first is None else self._first
        echo = self.every < MINUTE and round((now - self._first) % MINUTE, 3) == self.every
        return self._look(alias, now, "", echo)

    def evaluate(self, alias: Alias, now: float) -> float:
        """The alarm that `remediation alarms` recommends: on anything that spilled over in the newest
        closed minute of which CloudWatch tells, where it was not so before."""
        newest = int(now // MINUTE) - 1
        minutes = [alias.told[m] for m in range(newest - EVALUATED, newest + 1) if m in alias.told]
        was, self._alarmed = self._alarmed, any(each.spilled for each in minutes[-1:])
        return self._look(alias, now, "alarm") if self._alarmed > was else 0

    def _look(self, alias: Alias, now: float, cause: str, echo: bool = False) -> float:
        """echo: what is due is left to the heartbeat."""
        instant, shelf, adapter = moment(now), self._shelf, self._adapter
        adapter.alias, adapter.now = alias, instant
        due = not echo and shelf.due_at is not None and shelf.due_at <= instant.timestamp()
        cause = cause or adapter.glance(instant)
        if not due and not cause:
            return 0
        parts: tuple[Any, Any, Any] = (adapter, shelf, self._teller)
        look = Look(*parts, Settings(), Mode.ACT, shelf.record, clock_from(instant))
        outcome = look.run({cause: {}} if cause else {})
        self.outcomes[outcome.code] += 1
        return outcome.again if outcome.again <= SOON else 0


def clock_from(instant: datetime) -> Callable[[], datetime]:
    """A clock on which a write comes a moment after the look began that led to it."""
    times = iter((instant,))
    return lambda: next(times, instant + A_MOMENT)


def rules_of(own: ProvisionedConcurrencySettings) -> Rules:
    """The settings, as the decision uses them."""
    return Rules(
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
