"""When a metric alarm changes its state: pure, from points to a verdict.

Sources: CloudWatch User Guide, alarm-evaluation and alarms-and-missing-data; the texts of the
reasons are those of cloudwatch-and-eventbridge.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
TreatMissingData = Literal["missing", "ignore", "breaching", "notBreaching"]
# "The exact number of data points it attempts to retrieve depends on the length of the alarm
# period" (alarms-and-missing-data); its examples retrieve 5 for 3 evaluation periods.
EXTRA_PERIODS = 2

COMPARISONS = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The alarm's M of N: how its points are judged."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: TreatMissingData = "missing"

    def breaches(self, value: float) -> bool:
        compare = COMPARISONS[self.comparison][0]
        return bool(compare(value, self.threshold))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state the points call for; None keeps whatever the alarm is in."""

    state: State | None
    evaluated: tuple[tuple[int, float], ...]
    filled: int


def window(now: int, period: int, evaluation_periods: int) -> tuple[int, int]:
    """The evaluation range [start, end): closed periods only, the newest ending at `now`.

    A sliding window, the default (API_EvaluationWindow): it moves with every evaluation, each
    minute, or every 10 seconds for a period below a minute, and is not bound to the period.
    """
    step = cadence(period)
    end = now - now % step
    return end - (evaluation_periods + EXTRA_PERIODS) * period, end


def cadence(period: int) -> int:
    """Seconds between two evaluations of an alarm with this period (User Guide,
    alarm-evaluation: every minute; high-resolution alarms every 10 seconds)."""
    return 10 if period < 60 else 60


def judge(
    points: Mapping[int, float], start: int, end: int, period: int, condition: Condition
) -> Verdict:
    """Judge the points of an evaluation range, as the tables of alarms-and-missing-data do.

    With N real points the newest N decide, and how missing data is treated does not matter.
    With fewer, each lacking one is filled.
    """
    n, m = condition.evaluation_periods, condition.datapoints_to_alarm
    slots = range(start, end, period)
    known = [(time, points[time]) for time in slots if time in points]
    if len(known) >= n:
        newest = tuple(known[-n:])
        return Verdict(_alarm_if(_breaching(newest, condition) >= m), newest, 0)
    evaluated, filled = tuple(known), n - len(known)
    breaching = _breaching(evaluated, condition)
    match condition.treat_missing_data:
        case "breaching":
            return Verdict(_alarm_if(breaching + filled >= m), evaluated, filled)
        case "notBreaching":
            return Verdict(_alarm_if(breaching >= m), evaluated, filled)
        case treatment:
            keep: State | None = None if treatment == "ignore" else "INSUFFICIENT_DATA"
    if breaching >= m:
        return Verdict("ALARM", evaluated, filled)
    if breaching < len(known):
        return Verdict("OK", evaluated, filled)
    # Only breaching points, fewer than M. "Avoiding premature transitions to alarm state": they
    # alarm once the oldest is at least M periods old, since then no newer point contradicts it.
    if known and (end - known[0][0]) // period >= m:
        return Verdict(None if treatment == "ignore" else "ALARM", evaluated, filled)
    return Verdict(keep, evaluated, filled)


def _breaching(points: Sequence[tuple[int, float]], condition: Condition) -> int:
    return sum(condition.breaches(value) for _, value in points)


def _alarm_if(alarm: bool) -> State:
    return "ALARM" if alarm else "OK"


def reason(verdict: Verdict, before: State, state: State, condition: Condition) -> str:
    """The StateReason text of a change from `before` to `state`."""
    n = condition.evaluation_periods
    if state == "INSUFFICIENT_DATA":
        unknown = n - len(verdict.evaluated)
        return f"Insufficient Data: {_plural(unknown)} {'was' if unknown == 1 else 'were'} unknown."
    words = COMPARISONS[condition.comparison][1]
    verb_phrase = words if state == "ALARM" else f"not {words}"
    if not verdict.evaluated:
        treated = "Breaching" if state == "ALARM" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_plural(n, 'period')} and "
            f"{_plural(n, 'missing datapoint')} {'was' if n == 1 else 'were'} treated as "
            f"[{treated}]."
        )
    m = condition.datapoints_to_alarm
    needed = m if state == "ALARM" else n - m + 1
    matching = [
        (time, value)
        for time, value in verdict.evaluated
        if condition.breaches(value) == (state == "ALARM")
    ]
    shown = ", ".join(f"{value} ({_day(time)})" for time, value in reversed(matching))
    source = before if before != "INSUFFICIENT_DATA" else ("OK" if state == "ALARM" else "ALARM")
    return (
        f"Threshold Crossed: {len(matching)} out of the last {n} datapoints [{shown}] "
        f"{'was' if len(matching) == 1 else 'were'} {verb_phrase} the threshold "
        f"({condition.threshold}) (minimum {_plural(needed)} for {source} -> {state} transition)."
    )


def reason_data(
    verdict: Verdict,
    condition: Condition,
    *,
    now: float,
    period: int,
    statistic: str | None,
    start: int,
) -> str:
    """The StateReasonData JSON. `statistic` is absent for metric math."""
    oldest = verdict.evaluated[0][0] if verdict.evaluated else start
    data: dict[str, object] = {
        "version": "1.0",
        "queryDate": timestamp(now),
        "startDate": timestamp(oldest),
    }
    if statistic is not None:
        data["statistic"] = statistic
    data |= {
        "period": period,
        "recentDatapoints": [value for _, value in verdict.evaluated],
        "threshold": condition.threshold,
    }
    return json.dumps(data, separators=(",", ":"))


def timestamp(seconds: float) -> str:
    """As CloudWatch writes times inside its events: `2019-10-02T17:04:40.985+0000`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%m/%y %H:%M:%S")


def _plural(count: int, noun: str = "datapoint") -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
