"""Which aliases and endpoints an alarm speaks of. Pure; it only tells where to look.

Metrics: Lambda developer guide, "Monitoring concurrency"; SageMaker developer guide, "Alarms and logs
for tracking metrics from serverless endpoints".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from functions.core.alarms import Metric, metrics_of_event
from functions.core.decision import Refuse
from functions.core.signals import Signal

NAMESPACES = {
    "AWS/Lambda": "ProvisionedConcurrency",
    "AWS/SageMaker": "ServerlessProvisionedConcurrency",
}
"""What the names of metrics of provisioned concurrency begin with, spillover and utilization both."""

FUNCTION = r"[a-zA-Z0-9-_]{1,64}"
ALIAS = r"(?![0-9]+$)[a-zA-Z0-9-_]{1,128}"
"""Patterns of FunctionName and Alias in the botocore model of Lambda, 2015-03-31."""
ENDPOINT = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""Pattern of EndpointName in the botocore model of SageMaker, 2017-07-24."""

ENDPOINT_ARN = re.compile(
    rf"arn:[\w-]+:sagemaker:[\w-]+:\d{{12}}:endpoint/(?P<endpoint>{ENDPOINT})"
)


def targets_of(signal: Signal) -> frozenset[str] | Refuse:
    """ARNs of the aliases and endpoints that an alarm's signal speaks of; none for a composite
    alarm, which does not tell what it watches.

    From an event only the metrics of provisioned concurrency count; in an alarm's direct action
    every metric that names an alias or an endpoint.
    """
    detail = signal.detail
    alarm = str(detail["alarmName"])
    if mute := _mute(signal):
        return Refuse("muted", f"{alarm} is muted by {mute}")
    metrics = metrics_of_event(detail["configuration"], signal.alarm_arn)
    if not metrics and "alarmRule" in detail["configuration"]:
        return frozenset()
    return targets_in(metrics, signal.alarm_arn, alarm, direct=signal.direct)


def targets_in(
    metrics: Iterable[Metric], alarm_arn: str, alarm: str, *, direct: bool
) -> frozenset[str] | Refuse:
    """ARNs of what an alarm's metrics name, in the alarm's account and Region; never none."""
    found: set[str] = set()
    refusals: list[Refuse] = []
    for metric in metrics:
        if not _counts(metric, direct):
            continue
        target = _target(metric, alarm_arn, alarm)
        if isinstance(target, Refuse):
            refusals.append(target)
        else:
            found.add(target)
    if found:
        return frozenset(found)
    if refusals:
        return refusals[0]
    return Refuse("not-provisioned-concurrency", f"{alarm} watches no provisioned concurrency")


def _mute(signal: Signal) -> str:
    """The mute rule or the suppressor that holds the alarm's actions back; empty without one.

    Shapes: CloudWatch user guide, "Alarm events and EventBridge"; a composite alarm's event tells
    of its suppressor in `state`.
    """
    mute = signal.detail.get("muteDetail")
    if mute:
        return str(mute["mutedByArn"])
    if suppressed := signal.detail["state"].get("actionsSuppressedBy"):
        by = signal.detail["configuration"].get("actionsSuppressor", "a suppressor")
        return f"{by} ({suppressed})"
    return ""


def _counts(metric: Metric, direct: bool) -> bool:
    if metric.account or metric.namespace not in NAMESPACES:
        return False
    return direct or metric.name.startswith(NAMESPACES[metric.namespace])


def _target(metric: Metric, alarm_arn: str, alarm: str) -> str | Refuse:
    if metric.namespace == "AWS/Lambda":
        return _alias(metric, alarm_arn, alarm)
    name = metric.dimensions.get("EndpointName", "")
    if not re.fullmatch(ENDPOINT, name):
        return Refuse("no-endpoint-named", f"{alarm} names no endpoint: {name!r:.80}")
    return _arn(alarm_arn, "sagemaker", f"endpoint/{name}")


def _alias(metric: Metric, alarm_arn: str, alarm: str) -> str | Refuse:
    """The alias in the dimension Resource, which is `NAME:ALIAS`, `NAME:VERSION`, or `NAME` for
    $LATEST (Lambda developer guide, "Types of metrics for Lambda functions", dimensions)."""
    resource = metric.dimensions.get("Resource")
    if resource is None:
        function = metric.dimensions.get("FunctionName", "")
        return Refuse(
            "no-alias-named",
            f"{alarm} watches all of {function or 'the account'}; let it watch an alias, by the "
            "dimensions FunctionName and Resource",
        )
    function, _, qualifier = resource.partition(":")
    if qualifier in ("", "$LATEST"):
        return Refuse(
            "latest-version",
            f"{alarm} watches $LATEST of {function}, which can have no provisioned concurrency",
        )
    if not re.fullmatch(FUNCTION, function) or not re.fullmatch(ALIAS, qualifier):
        return Refuse("no-alias-named", f"{alarm} names no alias: {resource!r:.120}")
    return _arn(alarm_arn, "lambda", f"function:{function}:{qualifier}")


def _arn(alarm_arn: str, service: str, resource: str) -> str:
    _, partition, _, region, account, *_ = alarm_arn.split(":")
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"
