"""When a scheduled action runs: pure. Times are epoch seconds.

Source: botocore service model, `PutScheduledAction`. The texts of refusals are those of the service
as users quote them. Cron expressions are not simulated: half a cron would be worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_AT = re.compile(r"at\((.*)\)")
_RATE = re.compile(r"rate\((\d+) *(minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class InvalidSchedule(ValueError):
    """AWS refuses the schedule; the text says why."""


class CronNotSimulated(ValueError):
    """A cron expression, which AWS takes."""


@dataclass(frozen=True)
class Once:
    """`at(...)`: at one moment."""

    moment: float

    def after(self, moment: float, start: float) -> float | None:
        """The next run after `moment`; None when there is none."""
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Every:
    """`rate(...)`: again and again, counted from the action's start."""

    seconds: int

    def after(self, moment: float, start: float) -> float | None:
        """The next run after `moment`: at `start`, and each period from there."""
        if moment < start:
            return start
        return start + ((moment - start) // self.seconds + 1) * self.seconds


Schedule = Once | Every


def parse(text: str, timezone: str | None) -> Schedule:
    """The schedule that an expression means; `at` is local to the time zone, UTC without one.

    Raises InvalidSchedule or CronNotSimulated.
    """
    zone = _zone(timezone)
    if text.startswith("cron("):
        raise CronNotSimulated
    if found := _AT.fullmatch(text):
        return Once(_moment(found[1], zone))
    if found := _RATE.fullmatch(text):
        seconds = int(found[1]) * _SECONDS[found[2]]
        if seconds < 60:
            raise InvalidSchedule(
                f"Invalid schedule frequency: {text} runs more often than a minute"
            )
        return Every(seconds)
    raise InvalidSchedule("Invalid schedule expression")


def within(run: float | None, start: float | None, end: float | None) -> float | None:
    """The run, unless it lies outside the action's StartTime and EndTime."""
    if run is None or (start is not None and run < start) or (end is not None and run > end):
        return None
    return run


def _zone(timezone: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidSchedule(f"Invalid timezone: {timezone}") from None


def _moment(text: str, zone: ZoneInfo) -> float:
    for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone).astimezone(UTC).timestamp()
        except ValueError:
            continue
    raise InvalidSchedule("Invalid schedule at DateTime expression")
