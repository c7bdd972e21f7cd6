"""What was done to a target since its incident opened. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.core.incident import Incident
from functions.provisioned_concurrency.levels import level_of


def at(act: Mapping[str, Any]) -> datetime:
    """When a write of `Incident.acts` was made."""
    return datetime.fromisoformat(act["at"])


def before_last(ours: Incident) -> int:
    """The level before the last write."""
    assert ours.before is not None
    return level_of(ours.acts[-2]["written"] if len(ours.acts) > 1 else ours.before)


def last_rise(ours: Incident | None) -> datetime | None:
    """When the last write was made, if it was a rise."""
    if ours is None or not ours.acts:
        return None
    rose = level_of(ours.acts[-1]["written"]) > before_last(ours)
    return at(ours.acts[-1]) if rose else None
