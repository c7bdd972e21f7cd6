"""Requests that reach a Lambda alias: when they come and how long each of them runs. By seed."""

from __future__ import annotations

import csv
import math
import os
import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MINUTE, DAY = 60.0, 86_400.0
DATA = "REMEDIATION_DATA"
SERVICE_CV = 1.0
"""Of how long a request runs, which is lognormal."""


class NoData(RuntimeError):
    """The traces are not there."""


@dataclass(frozen=True)
class Load:
    """arrivals: seconds since the beginning, in order. services: seconds that each of them runs.
    seconds: how long all of it lasts. mark: from when on minutes of what happened are counted."""

    arrivals: Sequence[float]
    services: Sequence[float]
    seconds: float
    mark: float = 0.0


@dataclass(frozen=True)
class Stretch:
    """From `begin` on, in seconds, requests come at `rate` a second, with `cv` the coefficient of
    variation of the time between two of them: 1 is Poisson's."""

    begin: float
    rate: float
    cv: float = 1.0


def draw(stretches: Sequence[Stretch], seconds: float, service: float, seed: int) -> Load:
    """A renewal process with gamma-distributed time between requests, whose clock runs at each
    stretch's rate. service: how long a request runs, on average."""
    chance = random.Random(seed)
    arrivals = array("d", _moments(stretches, seconds, chance))
    sigma = math.sqrt(math.log(1 + SERVICE_CV**2))
    mu = math.log(service) - sigma**2 / 2
    services = array("d", (chance.lognormvariate(mu, sigma) for _ in arrivals))
    return Load(arrivals, services, seconds)


def _moments(
    stretches: Sequence[Stretch], seconds: float, chance: random.Random
) -> Iterator[float]:
    owed = 0.0  # of the time to the next request, measured in mean times between two
    ends = [*(each.begin for each in stretches[1:]), seconds]
    for stretch, end in zip(stretches, ends, strict=True):
        if stretch.rate <= 0:
            continue
        cycle, now = _cycles(stretch.cv, chance), stretch.begin
        owed = owed or cycle()
        while now + owed / stretch.rate < end:
            now += owed / stretch.rate
            yield now
            owed = cycle()
        owed -= (end - now) * stretch.rate


def _cycles(cv: float, chance: random.Random) -> Callable[[], float]:
    """Draws times between two requests with a mean of 1."""
    if cv == 1.0:
        return lambda: chance.expovariate(1.0)
    shape = cv**-2
    return lambda: chance.gammavariate(shape, 1 / shape)


def step(before: float, after: float, at: float, seconds: float, service: float, seed: int) -> Load:
    """From one instant to the next another demand. before, after: requests in flight at once, on
    average (Little's law)."""
    stretches = [Stretch(0.0, before / service), Stretch(at, after / service)]
    return replace(draw(stretches, seconds, service, seed), mark=at)


@dataclass(frozen=True)
class Trace:
    """name: of its file. stretches: as they were told, rates unscaled."""

    name: str
    stretches: Sequence[Stretch]
    seconds: float

    def scaled(self, concurrency: float, service: float, most_cv: float) -> list[Stretch]:
        """The same course with so many requests in flight on average, and no more variation than
        `most_cv` between two of them."""
        ends = [*(each.begin for each in self.stretches[1:]), self.seconds]
        spans = zip(self.stretches, ends, strict=True)
        mean = sum(each.rate * (end - each.begin) for each, end in spans) / self.seconds
        factor = concurrency / (mean * service)
        return [
            Stretch(each.begin, each.rate * factor, min(each.cv, most_cv) or 1.0)
            for each in self.stretches
        ]


def data_folder(name: str) -> Path:
    """A folder of the public data. Raises NoData with what would help."""
    told = os.environ.get(DATA, "")
    if not told:
        raise NoData(f"{DATA} is not set: it names the folder that holds {name}/ (see the README)")
    folder = Path(told) / name
    if not folder.is_dir():
        raise NoData(f"there is no {folder}: {DATA} names the folder that holds {name}/")
    return folder


def servegen(folder: Path) -> list[Trace]:
    """The traces of ServeGen (github.com/alibaba/ServeGen, Apache-2.0), a file for each client:
    seconds, requests a second, coefficient of variation, and a distribution that is not used."""
    paths = sorted(folder.glob("*/*-trace.csv"))
    if not paths:
        raise NoData(f"there is no */*-trace.csv in {folder}")
    return [
        read_servegen(f"{path.parent.name}/{path.stem.removesuffix('-trace')}", path.open())
        for path in paths
    ]


def read_servegen(name: str, lines: Iterable[str]) -> Trace:
    """One trace; each row holds until the next, and the last as long as the one before it."""
    rows = [(float(row[0]), float(row[1]), float(row[2] or 0)) for row in csv.reader(lines)]
    stretches = [Stretch(*row) for row in rows]
    width = rows[-1][0] - rows[-2][0]
    return Trace(name, stretches, rows[-1][0] + width)


def enough(demand: float, spill: float) -> int:
    """The least level of which no more than a share of requests spills over on average, when they
    come by chance (Erlang's loss formula). demand: requests in flight at once, on average."""
    blocked, level = 1.0, 0
    while blocked > spill:
        level += 1
        blocked = demand * blocked / (level + demand * blocked)
    return level
