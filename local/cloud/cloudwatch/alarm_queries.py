"""The other operations on alarms: describing, switching, setting and deleting them.

Rules without a source of their own come from the operation's page in the API reference
(API_DescribeAlarms, API_DescribeAlarmHistory, API_DeleteAlarms, API_SetAlarmState, ...).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local.cloud.seam import Refusal, operation

from .alarms import State
from .events import suppressed_reason
from .metric_operations import epoch, moment
from .pages import page
from .queries import invalid
from .records import Alarm, CompositeAlarm, MetricAlarm
from .watch import Watch

_MOST_RECORDS = 100


class AlarmOperations:
    """Operations on alarms that exist."""

    watch: Watch
    tagger: Any

    @operation
    def describe_alarms(
        self,
        alarm_names: Sequence[str] | None = None,
        alarm_name_prefix: str | None = None,
        alarm_types: Sequence[str] = (),
        children_of_alarm_name: str | None = None,
        parents_of_alarm_name: str | None = None,
        state_value: State | None = None,
        action_prefix: str | None = None,
        max_records: int = _MOST_RECORDS,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """Without AlarmTypes only metric alarms are returned, even by name."""
        filters = (alarm_names, alarm_name_prefix, alarm_types, state_value, action_prefix)
        relatives = (children_of_alarm_name, parents_of_alarm_name)
        if any(relatives) and (any(filters) or all(relatives)):
            raise invalid(
                "ChildrenOfAlarmName and ParentsOfAlarmName allow no other parameters except "
                "MaxRecords and NextToken."
            )
        if alarm_names and alarm_name_prefix:
            raise invalid("AlarmNames and AlarmNamePrefix are mutually exclusive.")
        describe: Callable[[Alarm], dict[str, Any]] = _described
        if children_of_alarm_name:
            found, describe = self._children(children_of_alarm_name), _described_child
        elif parents_of_alarm_name:
            parents = self.watch.parents_of(self._existing(parents_of_alarm_name))
            found, describe = list(parents), _described_parent
        else:
            types = alarm_types or ("MetricAlarm",)
            found = [
                alarm
                for alarm in self.watch.alarms.values()
                if type(alarm).__name__ in types
                and (not alarm_names or alarm.name in alarm_names)
                and alarm.name.startswith(alarm_name_prefix or "")
                and state_value in (None, alarm.state.value)
                and (not action_prefix or _acts_on(alarm, action_prefix))
            ]
        found.sort(key=lambda alarm: alarm.name)
        shown, token = page(found, next_token, max_records, "InvalidNextToken")
        answer: dict[str, Any] = {
            "MetricAlarms": [describe(one) for one in shown if isinstance(one, MetricAlarm)],
            "CompositeAlarms": [describe(one) for one in shown if isinstance(one, CompositeAlarm)],
        }
        return answer | ({"NextToken": token} if token else {})

    def _existing(self, name: str) -> Alarm:
        if (alarm := self.watch.alarms.get(name)) is None:
            raise Refusal("ResourceNotFound", f"The alarm {name} does not exist.")
        return alarm

    def _children(self, name: str) -> list[Alarm]:
        alarm = self._existing(name)
        return self.watch.children_of(alarm) if isinstance(alarm, CompositeAlarm) else []

    @operation
    def describe_alarms_for_metric(
        self,
        metric_name: str,
        namespace: str,
        statistic: str | None = None,
        extended_statistic: str | None = None,
        dimensions: Sequence[Mapping[str, str]] = (),
        period: int | None = None,
        unit: str | None = None,
    ) -> dict[str, Any]:
        """Alarms on exactly this metric; math expressions and composites are left out."""
        wanted = {
            name: value
            for name, value in {
                "MetricName": metric_name,
                "Namespace": namespace,
                "Statistic": statistic,
                "ExtendedStatistic": extended_statistic,
                "Period": period,
                "Unit": unit,
            }.items()
            if value is not None
        }

        def pairs(given: Sequence[Mapping[str, str]]) -> set[tuple[str, str]]:
            return {(one["Name"], one["Value"]) for one in given}

        return {
            "MetricAlarms": [
                _described(alarm)
                for alarm in self.watch.alarms.values()
                if isinstance(alarm, MetricAlarm)
                and wanted.items() <= alarm.settings.items()
                and pairs(dimensions) == pairs(alarm.settings.get("Dimensions", ()))
            ]
        }

    @operation
    def describe_alarm_history(
        self,
        alarm_name: str | None = None,
        alarm_types: Sequence[str] = (),
        history_item_type: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        max_records: int = _MOST_RECORDS,
        next_token: str | None = None,
        scan_by: str = "TimestampDescending",
    ) -> dict[str, Any]:
        """History outlives its alarm. Without AlarmTypes only metric alarms are returned."""
        types = alarm_types or ("MetricAlarm",)
        found = [
            item
            for item in self.watch.history
            if alarm_name in (None, item["AlarmName"])
            and item["AlarmType"] in types
            and history_item_type in (None, item["HistoryItemType"])
            and (start_date is None or epoch(start_date) <= epoch(item["Timestamp"]))
            and (end_date is None or epoch(item["Timestamp"]) <= epoch(end_date))
        ]
        if scan_by == "TimestampDescending":
            found.reverse()
        shown, token = page(found, next_token, max_records, "InvalidNextToken")
        answer: dict[str, Any] = {"AlarmHistoryItems": list(shown)}
        return answer | ({"NextToken": token} if token else {})

    @operation
    def delete_alarms(self, alarm_names: Sequence[str]) -> None:
        """At most one composite a call; one that a composite still watches is not deleted.
        Right names are deleted although others are wrong."""
        found = [self.watch.alarms[name] for name in alarm_names if name in self.watch.alarms]
        if sum(isinstance(alarm, CompositeAlarm) for alarm in found) > 1:
            raise invalid("Only one composite alarm can be deleted in a single operation.")
        for alarm in found:
            if self.watch.parents_of(alarm):
                raise invalid(
                    f"Cannot delete {alarm.name} as there are composite alarm(s) depending on it."
                )
        for alarm in found:
            del self.watch.alarms[alarm.name]
            self.tagger.delete_all_tags_for_resource(alarm.arn)
            self.watch.remember(
                alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" deleted', {"type": "Delete"}
            )
        if missing := sorted(set(alarm_names) - {alarm.name for alarm in found}):
            raise Refusal("ResourceNotFound", f"The alarms {missing} do not exist.")

    @operation
    def enable_alarm_actions(self, alarm_names: Sequence[str]) -> None:
        self._switch(alarm_names, True)

    @operation
    def disable_alarm_actions(self, alarm_names: Sequence[str]) -> None:
        self._switch(alarm_names, False)

    def _switch(self, alarm_names: Sequence[str], enabled: bool) -> None:
        for name in alarm_names:
            if alarm := self.watch.alarms.get(name):
                alarm.actions_enabled = enabled

    @operation
    def set_alarm_state(
        self,
        alarm_name: str,
        state_value: State,
        state_reason: str,
        state_reason_data: str | None = None,
    ) -> None:
        """Actions fire as for any change; a metric alarm's next evaluation finds its true state."""
        alarm = self._existing(alarm_name)
        if state_reason_data is not None:
            try:
                json.loads(state_reason_data)
            except ValueError:
                raise Refusal("InvalidFormat", "StateReasonData is not valid JSON.") from None
        self.watch.change(alarm, state_value, state_reason, state_reason_data)


def _acts_on(alarm: Alarm, prefix: str) -> bool:
    states: tuple[State, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
    return any(action.startswith(prefix) for state in states for action in alarm.actions(state))


def _described(alarm: Alarm) -> dict[str, Any]:
    state = alarm.state
    shown = {
        **alarm.settings,
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": moment(alarm.updated),
        "ActionsEnabled": alarm.actions_enabled,
        "StateValue": state.value,
        "StateReason": state.reason,
        "StateUpdatedTimestamp": moment(state.timestamp),
        "StateTransitionedTimestamp": moment(state.since),
    }
    if state.reason_data is not None:
        shown["StateReasonData"] = state.reason_data
    if isinstance(alarm, MetricAlarm) and "Metrics" not in shown:
        shown.setdefault("Dimensions", [])
    if state.suppressed_by is not None:
        shown["ActionsSuppressedBy"] = state.suppressed_by
        shown["ActionsSuppressedReason"] = suppressed_reason(state.suppressed_by)
    return shown


def _described_child(alarm: Alarm) -> dict[str, Any]:
    return _described_parent(alarm) | {
        "StateValue": alarm.state.value,
        "StateUpdatedTimestamp": moment(alarm.state.timestamp),
    }


def _described_parent(alarm: Alarm) -> dict[str, Any]:
    return {"AlarmName": alarm.name, "AlarmArn": alarm.arn}
