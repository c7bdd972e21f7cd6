"""How long allocation lasts on a target, from what was measured there. Pure.

Neither service tells when a level became READY, so the time is taken from the call until the first
look that sees it ready, and is up to one interval between two looks too long: on the safe side.

Where a scalable target owns the level only its floor is raised, and Application Auto Scaling asks for
the level some time later; until then what stood before is still ready, which tells nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.provisioned_concurrency.observation import Status

NOTHING: Mapping[str, Any] = {"seconds": [], "pending": None, "floor": 0}
"""What is known of a target at first. seconds: the newest samples, oldest first. pending: epoch
second of a rise that was not seen ready yet. floor: that the level has to follow to, 0 where the
level itself was asked for; missing where none was ever raised."""
KEPT = 20
LONGEST = 3600.0
"""Seconds above which a sample tells of looks that were missed, not of allocation."""


def lead(document: Mapping[str, Any]) -> timedelta | None:
    """The 95th percentile of the samples, by nearest rank; None without any."""
    ordered = sorted(document["seconds"])
    if not ordered:
        return None
    return timedelta(seconds=ordered[math.ceil(0.95 * len(ordered)) - 1])


def begun(document: Mapping[str, Any], now: float, floor: int = 0) -> Mapping[str, Any]:
    """The document once a rise was asked for, now in epoch seconds; floor: where a scalable target's
    was raised."""
    return {**document, "pending": now, "floor": floor}


def seen(
    document: Mapping[str, Any], status: Status, now: float, requested: int = 0, floor: int = 0
) -> Mapping[str, Any]:
    """The document once a target was seen in a status; equal to what it was if that tells nothing.

    requested: the level that is asked for. floor: of its scalable target, 0 without one. A rise that
    failed, or was taken back before it was ready, is no sample.
    """
    pending, raised = document["pending"], document.get("floor", 0)
    follows = requested >= raised
    awaited = not follows and floor >= raised
    if pending is None or awaited or status is Status.IN_PROGRESS:
        return document
    samples = list(document["seconds"])
    if follows and status is Status.READY and 0 <= (took := now - pending) <= LONGEST:
        samples.append(took)
    return {"seconds": samples[-KEPT:], "pending": None, "floor": 0}
