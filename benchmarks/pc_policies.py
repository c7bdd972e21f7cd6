"""Who moves the level: the remediation, and what it is measured against."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.pc_ours import MEMORY_GB, Ours
from benchmarks.pc_simulator import Controller, Played
from benchmarks.pc_tracking import TargetTracking
from benchmarks.pc_traffic import MINUTE
from functions.provisioned_concurrency.settings import Prices

OURS, TRACKING = "ours", "target tracking 0.7"
RARER = "ours, with one glance a minute"
PATIENT = "target tracking 0.7, on datapoints of the new level only"
HALF, HIGHEST = "target tracking 0.5", "target tracking 0.7 of the Maximum"
MOST = 1000
"""Highest level that any policy may ask for."""
PRICES = Prices().lambda_x86
POLICIES: Mapping[str, Callable[[int], Controller]] = {
    OURS: lambda floor: Ours(floor, MOST),
    RARER: lambda floor: Ours(floor, MOST, every=MINUTE),
    TRACKING: lambda floor: TargetTracking(0.7, floor, MOST),
    PATIENT: lambda floor: TargetTracking(0.7, floor, MOST, patient=True),
    HALF: lambda floor: TargetTracking(0.5, floor, MOST),
    HIGHEST: lambda floor: TargetTracking(0.7, floor, MOST, highest=True),
}
"""Each is given the level below which it must not go, at which it begins."""

T = TypeVar("T")
R = TypeVar("R")


def dollars(played: Played) -> float:
    """What a play costs in US East (N. Virginia)."""
    return played.dollars(PRICES, MEMORY_GB)


def in_parallel(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Results in the order of the items, each made in one of as many processes as there are CPUs."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), initializer=_hush) as pool:
        yield from pool.map(work, items)


def _hush() -> None:
    """Metrics of what is played are nobody's (Powertools for AWS Lambda, "Metrics", "Environment
    variables")."""
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
