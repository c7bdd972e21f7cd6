"""What an alarm tells the outside: EventBridge event, Lambda payload, SNS message.

Sources of the shapes: CloudWatch User Guide, cloudwatch-and-eventbridge (event),
alarms-and-actions-Lambda (payload), Notify_Users_Alarm_Changes (SNS).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader

from .alarms import timestamp
from .mutes import MuteRule
from .records import Alarm, AlarmState, Change, CompositeAlarm, MetricAlarm


def state_change(
    alarm: Alarm, change: Change, account: str, region: str, mute: MuteRule | None
) -> dict[str, Any]:
    """The EventBridge envelope. A mute withholds actions, not the event, which names the mute."""
    moment = datetime.fromtimestamp(change.after.timestamp, UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [alarm.arn],
        "detail": _data(alarm, change, mute),
    }


def invocation(alarm: Alarm, change: Change, account: str, region: str) -> dict[str, Any]:
    """What a function that is an alarm action receives."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn,
        "accountId": account,
        "time": timestamp(change.after.timestamp),
        "region": region,
        "alarmData": _data(alarm, change, None),
    }


def _data(alarm: Alarm, change: Change, mute: MuteRule | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "alarmName": alarm.name,
        "state": _state(change.after),
        "previousState": _state(change.before),
        "configuration": _configuration(alarm),
    }
    if mute is not None:
        data["muteDetail"] = {
            "mutedByArn": mute.arn,
            "muteWindowStart": timestamp(mute.window.start),
            "muteWindowEnd": timestamp(mute.ends),
        }
    return data


def _state(state: AlarmState) -> dict[str, str]:
    shown: dict[str, str] = {"value": state.value, "reason": state.reason}
    if state.reason_data is not None:
        shown["reasonData"] = state.reason_data
    shown["timestamp"] = timestamp(state.timestamp)
    if state.suppressed_by is not None:
        shown["actionsSuppressedBy"] = state.suppressed_by
        shown["actionsSuppressedReason"] = suppressed_reason(state.suppressed_by)
    return shown


def suppressed_reason(suppressed_by: str) -> str:
    return f"Actions suppressed by {suppressed_by}"


def _configuration(alarm: Alarm) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if description := alarm.settings.get("AlarmDescription"):
        configuration["description"] = description
    match alarm:
        case MetricAlarm():
            configuration["metrics"] = _metrics(alarm)
        case CompositeAlarm():
            configuration["alarmRule"] = alarm.settings["AlarmRule"]
            if alarm.suppressor is not None:
                configuration |= {
                    "actionsSuppressor": alarm.suppressor,
                    "actionsSuppressorWaitPeriod": alarm.wait,
                    "actionsSuppressorExtensionPeriod": alarm.extension,
                }
    return configuration


def _metrics(alarm: MetricAlarm) -> list[dict[str, Any]]:
    if "Metrics" not in alarm.settings:
        stat = {
            "Metric": {
                key: alarm.settings[key]
                for key in ("Namespace", "MetricName", "Dimensions")
                if key in alarm.settings
            },
            "Period": alarm.settings["Period"],
            "Stat": alarm.settings.get("Statistic") or alarm.settings["ExtendedStatistic"],
        }
        if "Unit" in alarm.settings:
            stat["Unit"] = alarm.settings["Unit"]
        return [{"id": alarm.metric_id, "metricStat": _metric_stat(stat), "returnData": True}]
    return [_query(query) for query in alarm.settings["Metrics"]]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "Expression" in query:
        shown["expression"] = query["Expression"]
    else:
        shown["metricStat"] = _metric_stat(query["MetricStat"])
    if "Label" in query:
        shown["label"] = query["Label"]
    return shown


def _metric_stat(stat: Mapping[str, Any]) -> dict[str, Any]:
    metric = stat["Metric"]
    shown = {
        "metric": {
            "namespace": metric["Namespace"],
            "name": metric["MetricName"],
            "dimensions": {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())},
        },
        "period": stat["Period"],
        "stat": stat["Stat"],
    }
    if "Unit" in stat:
        shown["unit"] = stat["Unit"]
    return shown


def notice(alarm: Alarm, change: Change, account: str, region: str) -> tuple[str, str]:
    """Subject and message of an alarm's SNS notification."""
    place = _region_name(region)
    settings = alarm.settings
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.updated),
        "NewStateValue": change.after.value,
        "NewStateReason": change.after.reason,
        "StateChangeTime": timestamp(change.after.timestamp),
        "Region": place,
        "AlarmArn": alarm.arn,
        "OldStateValue": change.before.value,
        "OKActions": alarm.actions("OK"),
        "AlarmActions": alarm.actions("ALARM"),
        "InsufficientDataActions": alarm.actions("INSUFFICIENT_DATA"),
    }
    match alarm:
        case MetricAlarm():
            message["Trigger"] = _trigger(alarm)
        case CompositeAlarm():
            message["AlarmRule"] = settings["AlarmRule"]
            data = json.loads(change.after.reason_data or "{}")
            message["TriggeringChildren"] = [
                {"Arn": child["arn"], "State": {"Value": child["state"]["value"]}}
                for child in data.get("triggeringAlarms", ())
            ]
    subject = f'{change.after.value}: "{alarm.name}" in {place}'
    return subject[:100], json.dumps(message)


def _trigger(alarm: MetricAlarm) -> dict[str, Any]:
    settings, condition = alarm.settings, alarm.condition
    trigger: dict[str, Any] = {
        "Period": alarm.period,
        "EvaluationPeriods": condition.evaluation_periods,
        "DatapointsToAlarm": condition.datapoints_to_alarm,
        "ComparisonOperator": condition.comparison,
        "Threshold": condition.threshold,
        "TreatMissingData": settings.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": "",
    }
    if "Metrics" in settings:
        return trigger | {"Metrics": settings["Metrics"]}
    statistic = settings.get("Statistic")
    trigger |= {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        "StatisticType": "Statistic" if statistic else "ExtendedStatistic",
        "Unit": settings.get("Unit"),
        "Dimensions": [
            {"value": one["Value"], "name": one["Name"]} for one in settings.get("Dimensions", ())
        ],
    }
    if statistic:
        return trigger | {"Statistic": statistic.upper()}
    return trigger | {"ExtendedStatistic": settings["ExtendedStatistic"]}


@cache
def _region_name(region: str) -> str:
    """AWS's own name of a Region, such as `US East (N. Virginia)`."""
    for partition in Loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region
