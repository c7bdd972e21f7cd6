"""Windows with a level in a time zone, as a tag or a setting writes them. Pure.

`mon-fri@08:00-18:00=20 sat@10:00-14:00=5 tz=Europe/Berlin`: parts set apart by spaces, each a window
of days, times and a level, and one a time zone (UTC without it).

A window is a span of instants, not of readings of a clock, so that a change of the clocks neither
loses its begin or end nor makes it flap. A time that the clocks skip is the instant of the jump. Of a
time that comes twice a window begins at the first and ends at the last, so the repeated time is
inside of both a window that ends in it and one that begins in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HIGHEST_LEVEL = 10_000

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXAMPLE = "mon-fri@08:00-18:00=20"
_TIME = "([01][0-9]|2[0-3]):([0-5][0-9])"
_WINDOW = re.compile(rf"([a-z+-]+)@{_TIME}-(?:{_TIME}|24:00)=(-?[0-9]{{1,9}})")
_MIDNIGHT = 24 * 60
_ONE_DAY = timedelta(days=1)
_AHEAD = timedelta(days=8)
# Beside IANA's zones a system's folder may hold them again, with leap seconds in `right/`, and the
# machine's own.
_NO_ZONES = re.compile(r"(posix|right)/.*|posixrules|localtime")


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
    """Instants are taken with any time zone and given in UTC."""

    windows: tuple[Window, ...]
    zone: ZoneInfo

    def level(self, at: datetime) -> int | None:
        """The highest level of the windows that hold at an instant; None outside of all."""
        return self.highest(at, at)

    def highest(self, begin: datetime, end: datetime) -> int | None:
        """The highest level of the windows that hold at any instant of [begin, end]."""
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        return max(
            (
                level
                for begins, ends, level in self._spans(begin, end)
                if begins <= end and begin < ends
            ),
            default=None,
        )

    def next_change(self, after: datetime) -> datetime | None:
        """The next instant at which a window begins or ends; None when there is none in 8 days."""
        after = after.astimezone(UTC)
        for ahead in (_ONE_DAY, _AHEAD):  # most often the first is enough, and costs a third
            last = after + ahead
            spans = self._spans(after, last)
            edges = (edge for begins, ends, _ in spans for edge in (begins, ends))
            if found := [edge for edge in edges if after < edge <= last]:
                return min(found)
        return None

    def _spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
        """Each window of every day that may touch [begin, end]: from, until (exclusive), level.

        The clocks may be put back over midnight, so a day's windows reach into one more on either
        side than their times do.
        """
        day = begin.astimezone(self.zone).date() - 2 * _ONE_DAY
        last = end.astimezone(self.zone).date() + _ONE_DAY
        while day <= last:
            yield from self._of_day(day)
            day += _ONE_DAY

    def _of_day(self, day: date) -> Iterator[tuple[datetime, datetime, int]]:
        midnight = datetime.combine(day, time.min)
        for window in self.windows:
            if day.weekday() in window.days:
                until = window.ends + (0 if window.begins < window.ends else _MIDNIGHT)
                begins, _ = _shown(midnight + timedelta(minutes=window.begins), self.zone)
                _, ends = _shown(midnight + timedelta(minutes=until), self.zone)
                if begins < ends:  # else the clocks skip all of it
                    yield begins, ends, window.level


def parse(text: str) -> Schedule:
    """Raises BadSchedule: `bad-schedule`, `bad-level`, `contradictory-windows`, `unknown-zone`."""
    windows: dict[Window, str] = {}
    zone = ""
    for part in text.split():
        if part.lower().startswith("tz="):
            if zone:
                raise BadSchedule("contradictory-windows", f"it names two zones, {zone} and {part}")
            zone = part
        else:
            window = _window(part)
            for other, its in windows.items():
                if _times(other) == _times(window) and other.level != window.level:
                    raise BadSchedule(
                        "contradictory-windows",
                        f"{its} and {part} give two levels for the same days and times",
                    )
            windows[window] = part
    if not windows:
        raise BadSchedule("bad-schedule", f"{text!r} holds no window; one looks like {_EXAMPLE}")
    return Schedule(tuple(windows), _zone(zone[3:] if zone else "UTC"))


def _window(part: str) -> Window:
    found = _WINDOW.fullmatch(part.lower())
    if found is None:
        raise BadSchedule("bad-schedule", f"{part!r} is no window; one looks like {_EXAMPLE}")
    days, hour, minute, end_hour, end_minute, level = found.groups()
    begins = 60 * int(hour) + int(minute)
    ends = _MIDNIGHT if end_hour is None else 60 * int(end_hour) + int(end_minute)
    if begins == ends:
        raise BadSchedule(
            "contradictory-windows",
            f"{part!r} ends when it begins; a whole day is 00:00-24:00",
        )
    if not 0 <= int(level) <= HIGHEST_LEVEL:
        raise BadSchedule(
            "bad-level", f"{part!r} has a level that is not from 0 to {HIGHEST_LEVEL}"
        )
    return Window(_days(days, part), begins, ends or _MIDNIGHT, int(level))


def _days(text: str, part: str) -> frozenset[int]:
    days: set[int] = set()
    for item in text.split("+"):
        first, _, last = item.partition("-")
        if item == "daily":
            days.update(range(7))
        elif first in _DAYS and (last in _DAYS or item == first):
            begin, end = _DAYS.index(first), _DAYS.index(last or first)
            days.update((begin + n) % 7 for n in range((end - begin) % 7 + 1))
        else:
            raise BadSchedule(
                "bad-schedule",
                f"{item!r} in {part!r} are no days; they look like mon, mon-fri, mon+wed-fri or daily",
            )
    return frozenset(days)


def _times(window: Window) -> tuple[frozenset[int], int, int]:
    return window.days, window.begins, window.ends


def _zone(name: str) -> ZoneInfo:
    try:
        zone = None if _NO_ZONES.fullmatch(name) else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # In turn: none of this name; a path out of the database; a folder of it, or no name at all.
        zone = None
    if zone is None:
        raise BadSchedule(
            "unknown-zone",
            f"{name!r} is no time zone; write it as IANA's database does, like Europe/Berlin",
        )
    return zone


def _shown(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last instant at which the local clock comes to show `wall`, or later.

    They differ where the clocks are put back. `fold` is as in PEP 495: for a time that is skipped,
    0 and 1 give instants on the two sides of the jump, the later one first.
    """
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    last = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= last:
        return first, last
    before, after = last, first
    while (gap := after - before) > timedelta(seconds=1):
        middle = before + timedelta(seconds=gap // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after, after
