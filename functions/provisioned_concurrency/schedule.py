"""Windows with a level in a time zone, as a tag or a setting writes them. Pure.

`mon-fri@08:00-18:00=20 sat@10:00-14:00=5 tz=Europe/Berlin`: parts set apart by spaces, each a window
of days, times and a level, and one a time zone (UTC without it).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


class BadSchedule(ValueError):
    """A schedule that cannot be followed. `code` is a stable name."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Window:
    """days: 0 is Monday, on which it begins. begins, ends: minutes after midnight by the local
    clock; one that does not end after it begins ends on the next day."""

    days: frozenset[int]
    begins: int
    ends: int
    level: int


@dataclass(frozen=True)
class Schedule:
    windows: tuple[Window, ...]
    zone: ZoneInfo

    def level(self, at: datetime) -> int | None:
        """The highest level of the windows that hold at an instant; None outside of all."""
        raise NotImplementedError

    def highest(self, begin: datetime, end: datetime) -> int | None:
        """The highest level of the windows that hold at any instant of [begin, end]."""
        raise NotImplementedError

    def next_change(self, after: datetime) -> datetime | None:
        """The next instant at which a window begins or ends; None when there is none in 8 days."""
        raise NotImplementedError


def parse(text: str) -> Schedule:
    """Raises BadSchedule."""
    raise NotImplementedError
