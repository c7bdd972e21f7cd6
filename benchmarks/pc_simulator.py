"""A Lambda alias with provisioned concurrency, request by request, and what CloudWatch tells of it.

A request runs on a provisioned environment if one is free; else it spills over, to an environment
that ran a request not long ago, or to one that has to start first. More that is asked for becomes
usable all at once, when the last of it is ready, less at once (Lambda developer guide,
lambda-concurrency, "How Lambda allocates provisioned concurrency"). What is provisioned is billed from
the request until it ends, rounded up to 5 minutes (AWS Lambda pricing, "Provisioned Concurrency
Pricing"); that those leave first that came last is our reading.

A datum is of the minute in which its request began, and is told when the request has ended (Lambda
developer guide, monitoring-metrics-view: "the timestamp on a metric reflects when the function was
invoked"), `publishing` seconds later. So the newest minutes are told in part.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from benchmarks.pc_traffic import MINUTE, Load
from functions.provisioned_concurrency.settings import UnitPrices

BLOCK = 300.0
"""Seconds to which the time of provisioned concurrency is rounded up."""


WINDOW = 60
"""Changes that are looked back upon; one a minute at most."""


@dataclass(frozen=True)
class Site:
    """allocation: seconds from a request to when it is ready. publishing: seconds from a request's
    end until its metrics are told. phase: seconds after a full minute at which the alias is looked at.
    alarm: the same of an alarm on spillover; None where there is none. keep_alive: seconds for which an idle environment stays. start: seconds that one takes to start,
    which are billed."""

    allocation: float = 120.0
    publishing: float = 60.0
    phase: float = 0.0
    alarm: float | None = None
    keep_alive: float = 600.0
    start: float = 5.0


@dataclass
class Told:
    """A minute as CloudWatch tells it. concurrent, provisioned: Maximum of ConcurrentExecutions and
    of ProvisionedConcurrentExecutions. utilization: Sum, as is seconds; highest: Maximum of the
    utilization, which is measured at each request while something is provisioned (`samples`)."""

    invocations: int = 0
    spilled: int = 0
    concurrent: int = 0
    provisioned: int = 0
    seconds: float = 0.0
    samples: int = 0
    utilization: float = 0.0
    highest: float = 0.0


@dataclass(frozen=True)
class Change:
    at: float
    before: int
    level: int


@dataclass
class Counts:
    """What happened in one minute, all of it."""

    invocations: int = 0
    spilled: int = 0
    cold: int = 0


class Alias:
    """The alias as a controller sees it. requested, available: environments. told: minute, counted
    from the beginning, to what is told of it now."""

    def __init__(self, site: Site, level: int, mark: float = 0.0) -> None:
        self.site = site
        self.mark = mark
        self.requested = self.available = level
        self.changed_at = 0.0
        self.told: dict[int, Told] = {}
        self.changes: list[Change] = []
        self.counts: dict[int, Counts] = {}
        self.billed = self.on_provisioned = self.on_demand = 0.0
        self._leases = [(0.0, level)] if level else []
        self._running: list[tuple[float, bool, int, int, int, float, float]] = []
        self._ended: deque[tuple[float, bool, int, int, int, float, float]] = deque()
        self._busy = self._others = 0
        self._idle: list[float] = []

    def in_progress(self, now: float) -> bool:
        """Whether AWS still carries out what was asked for last."""
        return bool(self.changes) and self.requested > 0 and now < self.ready_at

    @property
    def ready_at(self) -> float:
        return self.changed_at + self.site.allocation

    def put(self, level: int, now: float) -> None:
        """Ask for a level, 0 for none. Raises RuntimeError while the last one is carried out."""
        if self.in_progress(now):
            raise RuntimeError(f"an update is in progress at {now} s")
        self.changes.append(Change(now, self.requested, level))
        if level > self.requested:
            self._leases.append((now, level - self.requested))
        else:
            self._end(self.requested - level, now)
        self.requested, self.changed_at = level, now
        self.available = min(self.available, level)

    def _end(self, environments: int, now: float) -> None:
        while environments:
            since, held = self._leases.pop()
            gone = min(held, environments)
            if held > gone:
                self._leases.append((since, held - gone))
            self.billed += gone * math.ceil((now - since) / BLOCK) * BLOCK
            environments -= gone

    def allocate(self, now: float) -> None:
        """What was asked for is ready, if its time has come."""
        if self.available < self.requested and now >= self.ready_at:
            self.available = self.requested

    def arrive(self, now: float, service: float) -> None:
        """A request."""
        if self._running and self._running[0][0] <= now:
            self.finish(now)
        there = self.available
        minute = int(now // MINUTE)
        since = int((now - self.mark) // MINUTE)
        counts = self.counts.get(since)
        if counts is None:
            counts = self.counts[since] = Counts()
        counts.invocations += 1
        spills = self._busy >= there
        if not spills:
            self._busy += 1
            self.on_provisioned += service
            end = now + service
        else:
            self._others += 1
            idle = self._idle
            if idle and idle[-1] < now - self.site.keep_alive:
                idle.clear()
            end = now + service
            if idle:
                idle.pop()
            else:
                counts.cold += 1
                end += self.site.start
            self.on_demand += end - now
            counts.spilled += there > 0
        used = min(1.0, self._busy / there) if there else 0.0
        flying = self._busy + self._others
        heappush(
            self._running, (end, spills, minute, flying, min(self._busy, there), used, service)
        )

    def finish(self, now: float) -> None:
        """Requests that have ended by now."""
        running = self._running
        while running and running[0][0] <= now:
            ended = heappop(running)
            if ended[1]:
                self._others -= 1
                self._idle.append(ended[0])
            else:
                self._busy -= 1
            self._ended.append(ended)

    def tell(self, now: float) -> None:
        """CloudWatch's state at a moment."""
        self.finish(now)
        told_until = now - self.site.publishing
        while self._ended and self._ended[0][0] <= told_until:
            _, spills, minute, flying, busy, used, service = self._ended.popleft()
            told = self.told.get(minute)
            if told is None:
                told = self.told[minute] = Told()
            told.invocations += 1
            told.seconds += service
            if flying > told.concurrent:
                told.concurrent = flying
            if used:
                if busy > told.provisioned:
                    told.provisioned = busy
                told.spilled += spills
                told.samples += 1
                told.utilization += used
                if used > told.highest:
                    told.highest = used

    def close(self, now: float) -> None:
        """The end of the play: what stands is billed until now."""
        self.finish(now)
        self.billed += sum(held * (now - since) for since, held in self._leases)


class Controller(Protocol):
    """Looks at the alias and asks for levels. Both return after how many seconds it looks again of
    itself, 0 for not at all. every: seconds between two looks."""

    every: float

    def look(self, alias: Alias, now: float) -> float:
        """What comes by itself."""

    def evaluate(self, alias: Alias, now: float) -> float:
        """What comes each minute where there is an alarm."""


class Fixed:
    """A level that nobody changes."""

    every = MINUTE

    def look(self, alias: Alias, now: float) -> float:
        return 0

    def evaluate(self, alias: Alias, now: float) -> float:
        return 0


@dataclass(frozen=True)
class Played:
    """counts: minute since the load's mark to what happened in it, in order. billed: environment-seconds of provisioned
    concurrency. on_provisioned, on_demand: seconds of requests that ran there."""

    counts: Mapping[int, Counts]
    changes: Sequence[Change]
    billed: float
    on_provisioned: float
    on_demand: float
    seconds: float
    unfinished: int = field(default=0)

    def dollars(self, prices: UnitPrices, memory_gb: float) -> float:
        """What all of it costs, requests' own price apart, which is the same wherever they run."""
        return memory_gb * (
            prices.provisioned * self.billed
            + prices.duration * self.on_provisioned
            + prices.on_demand * self.on_demand
        )

    def between(self, begin: int, end: int) -> list[Counts]:
        """The minutes [begin, end) that had requests, counted from the mark."""
        return [each for minute, each in self.counts.items() if begin <= minute < end]

    @property
    def rises(self) -> list[Change]:
        return [each for each in self.changes if each.level > each.before]


def spill(counts: Iterable[Counts]) -> float:
    """Share of the requests that spilled over."""
    spilled = invocations = 0
    for each in counts:
        spilled += each.spilled
        invocations += each.invocations
    return spilled / max(1, invocations)


def returns(changes: Sequence[Change], within: float) -> list[Change]:
    """Changes that come back to a level which was left less than `within` seconds before: up to it
    again, or, after a rise, down to it or further."""
    return [
        back for back, lefts in _after(changes, within) if any(_returns(it, back) for it in lefts)
    ]


def overtakes(changes: Sequence[Change], within: float) -> list[Change]:
    """Rises beyond a level that was left for a lower one less than `within` seconds before."""
    return [
        back for back, lefts in _after(changes, within) if any(_overtakes(it, back) for it in lefts)
    ]


def _after(changes: Sequence[Change], within: float) -> Iterator[tuple[Change, Sequence[Change]]]:
    """Each change with those less than `within` seconds before it."""
    for number, back in enumerate(changes):
        before = changes[max(0, number - WINDOW) : number]
        yield back, [each for each in before if back.at - each.at < within]


def _returns(left: Change, back: Change) -> bool:
    if left.level > left.before:
        return back.level <= left.before < back.before
    return back.level == left.before


def _overtakes(left: Change, back: Change) -> bool:
    return left.level < left.before and back.before < left.before < back.level


def play(load: Load, site: Site, level: int, controller: Controller) -> Played:
    """All of a load, with the alias at `level` from long before."""
    alias = Alias(site, level, load.mark)
    agenda = _Agenda(alias, controller)
    for now, service in zip(load.arrivals, load.services, strict=True):
        while agenda.next <= now:
            agenda.stir()
        alias.arrive(now, service)
    while agenda.next <= load.seconds:
        agenda.stir()
    alias.close(load.seconds)
    return Played(
        counts=dict(sorted(alias.counts.items())),
        changes=alias.changes,
        billed=alias.billed,
        on_provisioned=alias.on_provisioned,
        on_demand=alias.on_demand,
        seconds=load.seconds,
        unfinished=len(alias._running),
    )


class _Agenda:
    """When something happens without a request, and what. next: when the first of it does."""

    def __init__(self, alias: Alias, controller: Controller) -> None:
        self._alias, self._controller = alias, controller
        site = alias.site
        self._look = site.phase or MINUTE
        self._alarm = math.inf if site.alarm is None else site.alarm or MINUTE
        self._again = math.inf
        self.next = min(self._look, self._alarm)

    def stir(self) -> None:
        now, alias = self.next, self._alias
        alias.allocate(now)
        if now >= min(self._look, self._alarm, self._again):
            alias.tell(now)
            if now >= self._alarm:
                self._alarm += MINUTE
                self._see(now, self._controller.evaluate(alias, now))
            if now >= min(self._look, self._again):
                self._look += self._controller.every if now >= self._look else 0
                self._see(now, self._controller.look(alias, now))
        ready = alias.ready_at if alias.available < alias.requested else math.inf
        self.next = min(self._look, self._alarm, self._again, ready)

    def _see(self, now: float, again: float) -> None:
        if again:
            self._again = now + again
        elif now >= self._again:
            self._again = math.inf
