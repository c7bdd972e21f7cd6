"""Alarm mute rules: when one mutes, and what it says of itself.

Sources: API_PutAlarmMuteRule, API_Schedule. Pure: every question takes `now`, epoch seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d)\)")
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=15)


class ScheduleError(ValueError):
    """The schedule is not one AWS would take."""


class CronUnsupported(ValueError):
    """Recurring schedules are not simulated."""


@dataclass(frozen=True, slots=True)
class Window:
    """One mute window, [start, end) in epoch seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class MuteRule:
    """A mute rule as described by GetAlarmMuteRule. Dates are epoch seconds."""

    name: str
    arn: str
    expression: str
    duration: str
    timezone: str | None
    window: Window
    alarm_names: tuple[str, ...]
    description: str | None
    start_date: float | None
    expire_date: float | None
    updated: float

    def mutes(self, alarm_name: str, now: float) -> bool:
        return alarm_name in self.alarm_names and self.status(now) == "ACTIVE"

    def status(self, now: float) -> Literal["SCHEDULED", "ACTIVE", "EXPIRED"]:
        """SCHEDULED before its window, EXPIRED after it or after ExpireDate."""
        if now >= self.ends:
            return "EXPIRED"
        return "ACTIVE" if now >= max(self.window.start, self.start_date or 0) else "SCHEDULED"

    @property
    def ends(self) -> float:
        if self.expire_date is None:
            return self.window.end
        return min(self.window.end, self.expire_date)


def window_of(expression: str, duration: str, timezone: str | None) -> Window:
    """The one window of an `at(...)` schedule.

    Raises ScheduleError for what AWS refuses, CronUnsupported for a recurring schedule: no cron
    library is among the dependencies, and cron is not to be parsed by hand.
    """
    if expression.startswith("cron("):
        raise CronUnsupported("Recurring (cron) mute schedules are not simulated: use at(...).")
    if not (match := _AT.fullmatch(expression)):
        raise ScheduleError(f"Invalid schedule expression {expression}: at(yyyy-MM-ddThh:mm).")
    try:
        zone = ZoneInfo(timezone) if timezone else UTC
        start = datetime.fromisoformat(match[1]).replace(tzinfo=zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise ScheduleError(f"Invalid date or time zone: {match[1]} {timezone}.") from None
    return Window(start.timestamp(), start.timestamp() + length_of(duration).total_seconds())


def length_of(duration: str) -> timedelta:
    """An ISO 8601 duration between PT1M and P15D (API_Schedule)."""
    match = _DURATION.fullmatch(duration)
    parts = {unit: int(count) for unit, count in match.groupdict("0").items()} if match else {}
    length = timedelta(**parts)
    if not _SHORTEST <= length <= _LONGEST or duration.endswith("T"):
        raise ScheduleError(f"Invalid duration {duration}: ISO 8601 between PT1M and P15D.")
    return length
