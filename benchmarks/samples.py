"""Statistics of repeated runs: pure, and the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Ratio:
    """How many times `theirs` `ours` is, and the interval that holds 95 % of the resamples."""

    value: float
    low: float
    high: float


def median_ratio(
    ours: Sequence[float], theirs: Sequence[float], *, seed: int, resamples: int = 5000
) -> Ratio:
    """The median ratio of pairs of runs with its percentile bootstrap interval.

    A pair is made in the same round, so that a slow moment of the machine hits both of it.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"runs come in pairs: {len(ours)} of ours, {len(theirs)} of theirs")
    draw = random.Random(seed)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    drawn = sorted(median(draw.choices(ratios, k=len(ratios))) for _ in range(resamples))
    return Ratio(median(ratios), drawn[int(0.025 * resamples)], drawn[int(0.975 * resamples)])
