"""What a user may set for traffic shift."""

from __future__ import annotations

from dataclasses import dataclass

from functions.core.settings import setting


@dataclass(frozen=True)
class TrafficShiftSettings:
    """How sure traffic shift must be before it moves traffic."""

    minimum_requests: int = setting(
        20,
        "Requests the other variant must have served over the last 3 closed periods to be judged.",
        minimum=1,
        maximum=1000000,
    )
