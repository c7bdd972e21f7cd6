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


def ratio_of_medians(
    ours: Sequence[float], theirs: Sequence[float], *, seed: int, resamples: int = 5000
) -> Ratio:
    """The ratio of two medians with its percentile bootstrap interval.

    The runs are pairs, made in the same round: pairs are drawn, so that a slow moment of the
    machine that hit both stays with both.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"runs come in pairs: {len(ours)} of ours, {len(theirs)} of theirs")
    draw, indexes = random.Random(seed), range(len(ours))
    drawn = []
    for _ in range(resamples):
        chosen = draw.choices(indexes, k=len(ours))
        drawn.append(median(ours[i] for i in chosen) / median(theirs[i] for i in chosen))
    drawn.sort()
    return Ratio(
        median(ours) / median(theirs),
        drawn[int(0.025 * resamples)],
        drawn[int(0.975 * resamples)],
    )
