"""Invocations that reach a function, and the CloudWatch metrics Lambda makes of them.

No function is run: how much is in flight at once is given, and what was provisioned decides the rest.
Metrics, dimensions and statistics: Lambda developer guide, monitoring-concurrency and
monitoring-metrics-types. Everything is deterministic; fractions of an invocation are carried over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from local.lambda_rules.function import Function, Provisioned, weights
from local.lambda_rules.provisioned import available

MINUTE = 60.0


@dataclass(frozen=True)
class Datum:
    """One metric datum of AWS/Lambda: each of `values` was seen as often as `counts` says."""

    name: str
    dimensions: Mapping[str, str]
    values: Sequence[float]
    counts: Sequence[float]
    timestamp: float
    unit: str = "Count"


@dataclass(frozen=True)
class Behaviour:
    """How a version answers: how long an invocation takes, and the share of them that fails."""

    duration_ms: float = 1000.0
    error_rate: float = 0.0


@dataclass(frozen=True)
class Demand:
    """How many invocations are in flight at once, minute by minute from its start on; the last number
    stays. `history` are minutes gone by, oldest first. `versions` that are not named answer in a
    second and never fail."""

    concurrency: Sequence[float]
    versions: Mapping[str, Behaviour] = field(default_factory=dict)
    history: Sequence[float] = ()

    @staticmethod
    def of(told: Mapping[str, Any]) -> Demand:
        """The demand as the control interface takes it."""
        return Demand(
            told["concurrency"],
            {name: Behaviour(**each) for name, each in told.get("versions", {}).items()},
            told.get("history", ()),
        )

    def after(self, seconds: float) -> float:
        """What is in flight that long after the start."""
        return self.concurrency[min(int(seconds // MINUTE), len(self.concurrency) - 1)]


class Traffic:
    """A demand at work on an alias, a version or `$LATEST`. Its numbers are told up to the moment of
    the last `settle`, which must come before anything of the function changes."""

    def __init__(self, qualifier: str, demand: Demand, now: float) -> None:
        self.qualifier, self.demand = qualifier, demand
        self._start = self._since = now
        self._fractions: dict[tuple[str, str], float] = {}

    def in_flight(self, moment: float) -> float:
        """How many invocations are in flight at once right before a moment."""
        return 0.0 if moment <= self._start else self.demand.after(moment - self._start - 1e-6)

    def history(self, function: Function) -> list[Datum]:
        """The minutes gone by, as if the function had been what it is now all along."""
        now = self._start
        return [
            datum
            for ago, concurrency in enumerate(reversed(self.demand.history), 1)
            for datum in self._span(function, now - ago * MINUTE, MINUTE, concurrency, now)
        ]

    def settle(self, function: Function, now: float) -> list[Datum]:
        """What was measured since the last time."""
        told: list[Datum] = []
        for begin, end in self._spans(function, now):
            concurrency = self.demand.after(begin - self._start)
            told += self._span(function, begin, end - begin, concurrency, begin)
        self._since = max(self._since, now)
        return told

    def _spans(self, function: Function, now: float) -> Iterator[tuple[float, float]]:
        """The time since the last settling, cut where a minute or the demand changes or allocation
        ends."""
        cuts = {held.due for held in function.provisioned.values()}
        for anchor in (0.0, self._start):
            first = anchor + math.ceil((self._since - anchor) / MINUTE) * MINUTE
            cuts |= {
                first + MINUTE * each for each in range(int(max(0, now - first) // MINUTE) + 1)
            }
        moments = [self._since, *sorted(cut for cut in cuts if self._since < cut < now), now]
        return ((begin, end) for begin, end in pairwise(moments) if begin < end)

    def _span(
        self, function: Function, begin: float, seconds: float, concurrency: float, moment: float
    ) -> Iterator[Datum]:
        """A span in which nothing changes; what is provisioned is that of `moment`."""
        reserved = math.inf if function.reserved is None else function.reserved
        running = min(concurrency, reserved)
        resource = {"FunctionName": function.name, "Resource": self._resource(function)}
        everything = ({"FunctionName": function.name}, resource)
        for version, share in self._shares(function, moment).items():
            behaviour = self.demand.versions.get(version, Behaviour())
            pace = seconds * 1000 / behaviour.duration_ms
            count = self._whole(version, "all", running * share * pace)
            one = (*everything, resource | {"ExecutedVersion": version})
            throttled = self._whole(version, "throttled", (concurrency - running) * share * pace)
            yield from _each(one, begin, "Throttles", {1.0: throttled, 0.0: count})
            if running <= 0:
                continue
            failed = self._whole(version, "failed", count * behaviour.error_rate)
            yield from _each(one, begin, "Invocations", {1.0: count})
            yield from _each(one, begin, "Errors", {1.0: failed, 0.0: count - failed})
            yield from _each(one, begin, "Duration", {behaviour.duration_ms: count}, "Milliseconds")
            seen = {float(_units(running * share)): max(1, count)}
            yield from _each(one[2:], begin, "ConcurrentExecutions", seen)
            yield from self._provisioned(
                function, version, running * share, count, one, begin, moment
            )
        if running > 0:
            yield from _each(everything, begin, "ConcurrentExecutions", {float(_units(running)): 1})

    def _provisioned(
        self,
        function: Function,
        version: str,
        running: float,
        count: int,
        dimensions: Sequence[Mapping[str, str]],
        begin: float,
        moment: float,
    ) -> Iterator[Datum]:
        """Told of invocations of what has provisioned concurrency, so never without any: busy
        environments of those there are are 1 at most, whatever spills over."""
        held = _held(function, self.qualifier, version)
        there = available(held, moment)
        if not there or running <= 0:
            return
        busy = min(running, float(there))
        on_it = min(count, self._whole(version, "provisioned", count * busy / running))
        for name, seen, unit in (
            ("ProvisionedConcurrentExecutions", {float(_units(busy)): max(1, on_it)}, "Count"),
            ("ProvisionedConcurrencyInvocations", {1.0: on_it}, "Count"),
            ("ProvisionedConcurrencySpilloverInvocations", {1.0: count - on_it}, "Count"),
            ("ProvisionedConcurrencyUtilization", {_units(busy) / there: max(1, on_it)}, "None"),
        ):
            yield from _each(dimensions, begin, name, seen, unit)

    def _shares(self, function: Function, moment: float) -> dict[str, float]:
        """What part of the invocations each version gets."""
        main = function.version_of(self.qualifier)
        alias = function.aliases.get(self.qualifier)
        others = weights(alias) if alias else {}
        held = function.provisioned.get(self.qualifier)
        if held and held.left and held.due <= moment and not held.failed:
            others = {}
        shares = {main: 1 - sum(others.values())} | dict(others)
        return {version: share for version, share in shares.items() if share > 0}

    def _resource(self, function: Function) -> str:
        return f"{function.name}:{self.qualifier}"

    def _whole(self, version: str, what: str, amount: float) -> int:
        """The whole part of `amount` and of what was carried over; the rest is carried on."""
        # Rounded far below one invocation, so that 0.1 added ten times is one.
        owed = round(self._fractions.get((version, what), 0.0) + amount, 6)
        self._fractions[version, what] = owed - math.floor(owed)
        return math.floor(owed)


def measure(function: Function, traffic: dict[str, Traffic], now: float) -> list[Datum]:
    """What all of a function's traffic, by qualifier, was measured at since the last time. It ends
    with what it was sent to."""
    told: list[Datum] = []
    for qualifier, each in list(traffic.items()):
        if function.has(qualifier):
            told += each.settle(function, now)
        else:
            del traffic[qualifier]
    return told


def _held(function: Function, qualifier: str, version: str) -> Provisioned | None:
    return function.provisioned.get(qualifier) or function.provisioned.get(version)


def _units(concurrency: float) -> int:
    """Whole environments; less than one is one."""
    return math.ceil(round(concurrency, 6))


def _each(
    dimensions: Iterable[Mapping[str, str]],
    begin: float,
    name: str,
    seen: Mapping[float, int],
    unit: str = "Count",
) -> Iterator[Datum]:
    """The same for each set of dimensions; nothing was seen: nothing is told."""
    observed = {value: float(count) for value, count in seen.items() if count}
    if observed:
        for each in dimensions:
            yield Datum(name, each, list(observed), list(observed.values()), begin, unit)
