"""The alarms of one account and Region: evaluates them on time, and lets their changes act."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from local.cloud.world import WORLD

from . import events, scaling
from .alarms import State, cadence, judge, reason, reason_data, timestamp, window
from .composite import children, holds
from .mutes import MuteRule
from .queries import MetricStat, run
from .records import Alarm, AlarmState, Change, CompositeAlarm, MetricAlarm, SuppressedBy
from .store import MetricStore

LAG = 1.0
"""Seconds after a period's end at which it is evaluated: whoever publishes on the dot is in."""
HISTORY_LENGTH = 10_000
LONGEST_REASON = 1023  # botocore service model, StateReason

HistoryItem = dict[str, Any]


class Watch:
    """Alarms, their history and their mutes.

    Time runs through the world's agenda: each boundary is evaluated once, in order, at its own
    moment, also when the clock jumps over many.
    """

    def __init__(self, account: str, region: str, store: MetricStore) -> None:
        self.account, self.region, self.store = account, region, store
        self.alarms: dict[str, Alarm] = {}
        self.mutes: dict[str, MuteRule] = {}
        self.history: deque[HistoryItem] = deque(maxlen=HISTORY_LENGTH)
        self._ticking: set[int] = set()
        self._path: list[str] = []

    # Time

    def keep_time(self, step: int) -> None:
        """Have everything evaluated that is due every `step` seconds, from the next boundary."""
        if step in self._ticking:
            return
        self._ticking.add(step)
        self._schedule(step)

    def _schedule(self, step: int) -> None:
        now = WORLD.clock()
        boundary = (int(now - LAG + 0.001) // step + 1) * step
        WORLD.later(boundary + LAG - now, lambda: self._tick(step))

    def _tick(self, step: int) -> None:
        due = [
            alarm
            for alarm in self.alarms.values()
            if isinstance(alarm, MetricAlarm) and cadence(alarm.period) == step
        ]
        if not due:
            self._ticking.discard(step)
            return
        self._schedule(step)
        for alarm in due:
            self.evaluate(alarm)

    def find(self, name_or_arn: str) -> Alarm | None:
        if alarm := self.alarms.get(name_or_arn):
            return alarm
        return next((one for one in self.alarms.values() if one.arn == name_or_arn), None)

    # Evaluation

    def evaluate(self, alarm: MetricAlarm) -> None:
        """Judge the newest closed periods and take the state they call for."""
        now = WORLD.clock()
        condition, period = alarm.condition, alarm.period
        start, end = window(int(now), period, condition.evaluation_periods)
        found = run(alarm.queries, self.store, lambda _: start, end, int(now))
        series = found[alarm.watched.id]
        points = series[0].points if series else {}
        verdict = judge(points, start, end, period, condition)
        alarm.judged = tuple(value for _, value in verdict.evaluated)
        if verdict.state is None:
            return
        if verdict.state == alarm.state.value:
            self._insist(alarm)
            return
        source = alarm.watched.source
        data = reason_data(
            verdict,
            condition,
            now=now,
            period=period,
            statistic=source.statistic if isinstance(source, MetricStat) else None,
            start=start,
        )
        why = reason(verdict, alarm.state.value, verdict.state, condition)
        self.change(alarm, verdict.state, why[:LONGEST_REASON], data)

    def evaluate_composite(
        self, alarm: CompositeAlarm, why: Callable[[State], str], causes: list[Alarm]
    ) -> None:
        """Take the state the rule calls for; `causes` are the children that led here.

        "The evaluation of composite alarms stops if CloudWatch detects a cycle in the evaluation
        path" (API_PutCompositeAlarm).
        """
        state: State = "ALARM" if holds(alarm.rule, self._state_of) else "OK"
        if state == alarm.state.value or alarm.name in self._path:
            return
        told = [
            {
                "arn": child.arn,
                "state": {
                    "value": child.state.value,
                    "timestamp": timestamp(child.state.timestamp),
                },
            }
            for child in causes
        ]
        data = json.dumps({"triggeringAlarms": told}, separators=(",", ":"))
        self._path.append(alarm.name)
        try:
            self.change(alarm, state, why(state), data)
        finally:
            self._path.pop()

    def _state_of(self, name_or_arn: str) -> State:
        alarm = self.find(name_or_arn)
        return alarm.state.value if alarm else "INSUFFICIENT_DATA"

    def children_of(self, alarm: CompositeAlarm) -> list[Alarm]:
        return [child for name in children(alarm.rule) if (child := self.find(name))]

    def parents_of(self, alarm: Alarm) -> list[CompositeAlarm]:
        return [
            one
            for one in self.alarms.values()
            if isinstance(one, CompositeAlarm) and alarm in self.children_of(one)
        ]

    # Changes of state

    def change(self, alarm: Alarm, state: State, why: str, data: str | None) -> None:
        """Put the alarm into a state; if that is another one, tell and act."""
        now = WORLD.clock()
        before = alarm.state
        if state == before.value:
            alarm.state = replace(before, reason=why, reason_data=data, timestamp=now)
            return
        suppressed = self._suppression(alarm)
        alarm.state = AlarmState(state, why, data, now, now, suppressed)
        change = Change(before, alarm.state)
        self._remember_change(alarm, change)
        mute = self.muting(alarm)
        WORLD.emit(events.state_change(alarm, change, self.account, self.region, mute))
        held_back = mute is not None or suppressed is not None
        alarm.withheld = change if held_back else None
        if not held_back:
            self._act(alarm, change)
        if suppressed == "WaitPeriod" and isinstance(alarm, CompositeAlarm):
            self._release_after(alarm, alarm.wait)
        self._tell_others(alarm, before.value)

    def _tell_others(self, alarm: Alarm, before: State) -> None:
        state = alarm.state.value
        moment = datetime.fromtimestamp(alarm.state.timestamp, UTC)
        why = f"{alarm.arn} transitioned to {state} at {moment:%A %d %B, %Y %H:%M:%S} UTC"
        for parent in self.parents_of(alarm):
            self.evaluate_composite(parent, lambda _: why, [alarm])
        for other in list(self.alarms.values()):
            if isinstance(other, CompositeAlarm) and other.suppressor in (alarm.name, alarm.arn):
                self._suppressor_changed(other, before, state)

    def _act(self, alarm: Alarm, change: Change) -> None:
        if not alarm.actions_enabled:
            return
        for action in alarm.actions(change.after.value):
            match action.split(":")[2]:
                case "autoscaling":
                    scaling.tell(self.account, self.region, action, alarm.name)
                case "lambda":
                    payload = events.invocation(alarm, change, self.account, self.region)
                    WORLD.invoke(action, payload)
                case _:
                    subject, message = events.notice(alarm, change, self.account, self.region)
                    WORLD.notify(action, subject, message)
            summary = f"Successfully executed action {action}"
            self.remember(alarm, "Action", summary, {"actionState": "Succeeded"})

    def _insist(self, alarm: MetricAlarm) -> None:
        """Scaling policies are invoked again as long as the state lasts (User Guide,
        alarm-actions: "once per minute"); other actions only when it changes."""
        if not alarm.actions_enabled or alarm.withheld is not None or self.muting(alarm):
            return
        for action in alarm.actions(alarm.state.value):
            if scaling.is_policy(action):
                scaling.tell(self.account, self.region, action, alarm.name)

    # Mutes

    def muting(self, alarm: Alarm) -> MuteRule | None:
        now = WORLD.clock()
        return next((rule for rule in self.mutes.values() if rule.mutes(alarm.name, now)), None)

    def release(self) -> None:
        """Run what was withheld and is no longer, where the alarm is still in that state.

        Source: User Guide, alarm-mute-rules: when the window ends and the alarm is still in the
        muted state, the action runs.
        """
        for alarm in list(self.alarms.values()):
            if alarm.withheld is None or self.muting(alarm) or alarm.state.suppressed_by:
                continue
            withheld, alarm.withheld = alarm.withheld, None
            self._act(alarm, withheld)

    # Suppression, composite alarms only

    def _suppression(self, alarm: Alarm) -> SuppressedBy | None:
        """What holds the actions of a change back (User Guide, alarm-suppression)."""
        if not isinstance(alarm, CompositeAlarm) or alarm.suppressor is None:
            return None
        if self._state_of(alarm.suppressor) == "ALARM":
            return "Alarm"
        if WORLD.clock() < alarm.extension_until:
            return "ExtensionPeriod"
        return "WaitPeriod" if alarm.wait else None

    def _suppressor_changed(self, alarm: CompositeAlarm, before: State, after: State) -> None:
        if after == "ALARM":
            if alarm.state.suppressed_by is not None:
                alarm.timer += 1
                alarm.state = replace(alarm.state, suppressed_by="Alarm")
        elif before == "ALARM":
            alarm.extension_until = WORLD.clock() + alarm.extension
            if alarm.state.suppressed_by == "Alarm":
                alarm.state = replace(alarm.state, suppressed_by="ExtensionPeriod")
            self._release_after(alarm, alarm.extension)

    def _release_after(self, alarm: CompositeAlarm, seconds: int) -> None:
        alarm.timer += 1
        mine = alarm.timer

        def expire() -> None:
            if alarm.timer == mine and self.alarms.get(alarm.name) is alarm:
                self._end_suppression(alarm)

        WORLD.later(seconds, expire)

    def _end_suppression(self, alarm: CompositeAlarm) -> None:
        """The actions run for the state the alarm is in; the payload's previous state is the
        suppressed one (sample in the User Guide, alarms-and-actions-Lambda)."""
        suppressed = alarm.state
        if suppressed.suppressed_by is None:
            return
        alarm.state = replace(suppressed, suppressed_by=None, timestamp=WORLD.clock())
        if alarm.withheld is not None:
            alarm.withheld = Change(suppressed, alarm.state)
        self.release()

    # History

    def remember(
        self,
        alarm: Alarm,
        kind: Literal["ConfigurationUpdate", "StateUpdate", "Action"],
        summary: str,
        data: dict[str, Any],
    ) -> None:
        self.history.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": type(alarm).__name__,
                "Timestamp": datetime.fromtimestamp(WORLD.clock(), UTC),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps({"version": "1.0", **data}),
            }
        )

    def _remember_change(self, alarm: Alarm, change: Change) -> None:
        def told(state: AlarmState) -> dict[str, Any]:
            data = json.loads(state.reason_data) if state.reason_data else None
            shown = {"stateValue": state.value, "stateReason": state.reason}
            return shown if data is None else shown | {"stateReasonData": data}

        self.remember(
            alarm,
            "StateUpdate",
            f"Alarm updated from {change.before.value} to {change.after.value}",
            {"oldState": told(change.before), "newState": told(change.after)},
        )
