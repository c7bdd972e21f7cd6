"""Alarms as DescribeAlarms tells of them: by name, and those that a composite alarm stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from functions.core.alarms import MetricAlarm, metric_alarms

ALARMS_PER_CALL = 100


def describe(
    cloudwatch: Any, names: Iterable[str]
) -> tuple[list[MetricAlarm], list[Mapping[str, Any]]]:
    """The metric alarms of these names, and the composite ones as AWS shows them. cloudwatch: a
    boto3 client."""
    metric: list[MetricAlarm] = []
    composite: list[Mapping[str, Any]] = []
    wanted = sorted(names)
    for start in range(0, len(wanted), ALARMS_PER_CALL):
        answer = cloudwatch.describe_alarms(
            AlarmNames=wanted[start : start + ALARMS_PER_CALL],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=ALARMS_PER_CALL,
        )
        metric += metric_alarms(answer)
        composite += answer.get("CompositeAlarms", ())
    return metric, composite


def children(cloudwatch: Any, composite: str) -> list[MetricAlarm]:
    """The metric alarms under a composite alarm, at any depth, with all they watch.

    DescribeAlarms with ChildrenOfAlarmName returns little more than names, hence the second
    call (API reference, DescribeAlarms). Composites may watch each other in a circle (API
    reference, PutCompositeAlarm).
    """
    metric: set[str] = set()
    known, parents = {composite}, [composite]
    while parents:
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            ChildrenOfAlarmName=parents.pop()
        )
        for page in pages:
            metric |= {each["AlarmName"] for each in page.get("MetricAlarms", ())}
            below = {each["AlarmName"] for each in page.get("CompositeAlarms", ())} - known
            known |= below
            parents += sorted(below)
    return describe(cloudwatch, metric)[0]
