"""Target tracking's arithmetic: pure.

Application Auto Scaling does not publish it. What is known: the alarms (3 datapoints of a minute
above the target value; 15 below 90 % of it), that capacity changes in proportion to the metric over
its target and is rounded up, and the cooldowns (user guide, target-tracking-scaling-policy-overview).
Of several datapoints the newest counts on the way out and the highest on the way in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

HIGH_DATAPOINTS, LOW_DATAPOINTS = 3, 15
LOW_SHARE = 0.9


def proportional(capacity: int, metric: float, target: float) -> int:
    """The capacity at which the metric would be its target: 2 at 80 with target 50 makes 4."""
    # Rounded first, so that 0.7 / 0.7 needs no second unit.
    return math.ceil(round(capacity * metric / target, 9))


def outwards(
    capacity: int, readings: Sequence[tuple[float, float]], base: int | None = None
) -> int:
    """The capacity that the (metric, target) readings of the policies whose alarm is high call
    for: the largest of them.

    `base` is the capacity before the last scale-out while its cooldown lasts: what that one added
    counts as part of what this one adds (same page, "Define cooldown periods").
    """
    wanted = max(proportional(capacity, metric, target) for metric, target in readings)
    return wanted if base is None else base + (wanted - capacity)


def inwards(capacity: int, readings: Sequence[tuple[float, float]]) -> int:
    """The capacity that all policies, every one's alarm being low, can do with."""
    return max(proportional(capacity, metric, target) for metric, target in readings)
