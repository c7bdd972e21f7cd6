"""What was done to a target since its incident opened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from functions.core.incident import Incident
from functions.provisioned_concurrency.levels import level_of


@dataclass(frozen=True)
class Change:
    """A write: from which level to which."""

    at: datetime
    left: int
    level: int


def at(act: Mapping[str, Any]) -> datetime:
    """When a write of `Incident.acts` was made."""
    return datetime.fromisoformat(act["at"])


def changes(ours: Incident | None) -> Sequence[Change]:
    """Its writes, oldest first."""
    if ours is None or not ours.acts:
        return ()
    assert ours.before is not None
    levels = [level_of(ours.before), *(level_of(act["written"]) for act in ours.acts)]
    return [
        Change(at(act), left, level)
        for act, (left, level) in zip(ours.acts, pairwise(levels), strict=True)
    ]


def last_rise(ours: Incident | None) -> datetime | None:
    """When the last write was made, if it was a rise."""
    last = changes(ours)[-1:]
    return last[0].at if last and last[0].level > last[0].left else None


def highest_left(ours: Incident | None, since: datetime) -> int:
    """The highest level that was left for a lower one after `since`; 0 if none was."""
    falls = [each.left for each in changes(ours) if each.at > since and each.level < each.left]
    return max(falls, default=0)
