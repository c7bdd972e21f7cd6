"""The peer: target tracking by Application Auto Scaling on ProvisionedConcurrencyUtilization.

Its alarms: 3 datapoints of a minute above the target, 15 below nine tenths of it, of the Average
unless someone sets another statistic (Lambda developer guide, provisioned-concurrency, "Managing
provisioned concurrency with Application Auto Scaling"). The arithmetic is the pocket account's.
What AWS does not publish is taken in its favour: alarms see a minute as soon as it is told, in part
too; it acts in each minute in which the high alarm stands and nothing is in progress, without waiting
for datapoints of the new level; but for less, all 15 must be of the level that stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pc_simulator import Alias, Told
from benchmarks.pc_traffic import MINUTE
from local.cloud.applicationautoscaling.tracking import (
    HIGH_DATAPOINTS,
    LOW_DATAPOINTS,
    LOW_SHARE,
    inwards,
    outwards,
)

LATE = 2
"""Minutes by which the newest datapoint may be older than the newest minute; without one for longer
the alarm knows nothing."""


@dataclass(frozen=True)
class TargetTracking:
    """target: of the utilization, in shares of 1. minimum, maximum: of the scalable target. highest:
    the Maximum counts, not the Average. patient: more, too, is asked for only by three datapoints of
    the level that stands."""

    target: float
    minimum: int
    maximum: int
    highest: bool = False
    patient: bool = False

    every = MINUTE

    def look(self, alias: Alias, now: float) -> float:
        if not alias.in_progress(now):
            self._follow(alias, now)
        return 0

    def evaluate(self, alias: Alias, now: float) -> float:
        """Its own alarms are evaluated as it looks; another one is nothing to it."""
        return 0

    def _follow(self, alias: Alias, now: float) -> None:
        fresh = alias.ready_at if alias.changes else 0.0
        level = alias.requested
        high = self._points(alias, now, HIGH_DATAPOINTS, fresh if self.patient else 0.0)
        if high and min(high) > self.target:
            self._put(alias, outwards(level, [(high[-1], self.target)]), now)
            return
        low = self._points(alias, now, LOW_DATAPOINTS, fresh)
        if low and max(low) < LOW_SHARE * self.target:
            self._put(alias, inwards(level, [(max(low), self.target)]), now)

    def _put(self, alias: Alias, wanted: int, now: float) -> None:
        level = max(self.minimum, min(wanted, self.maximum))
        if level != alias.requested:
            alias.put(level, now)

    def _points(self, alias: Alias, now: float, count: int, since: float) -> list[float]:
        """The newest datapoints, oldest first: one a minute and all begun after `since`, or none."""
        newest = int(now // MINUTE) - 1
        late = next((k for k in range(LATE + 1) if self._has(alias, newest - k)), None)
        if late is None:
            return []
        minutes = range(newest - late - count + 1, newest - late + 1)
        if minutes[0] * MINUTE < since or not all(self._has(alias, each) for each in minutes):
            return []
        return [self._value(alias.told[each]) for each in minutes]

    def _has(self, alias: Alias, minute: int) -> bool:
        return minute in alias.told and alias.told[minute].samples > 0

    def _value(self, told: Told) -> float:
        return told.highest if self.highest else told.utilization / told.samples
