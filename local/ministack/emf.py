"""Metrics that functions write into their log lines, as CloudWatch reads them.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# What CloudWatch takes from one line: at most 100 metrics, 30 dimensions a set, 100 values a metric.
MAX_METRICS, MAX_DIMENSIONS, MAX_VALUES = 100, 30, 100


def data(line: str) -> Iterator[dict[str, Any]]:
    """Each metric datum of a log line, one for every dimension set; nothing for an ordinary line.

    A line whose embedded metrics break the specification yields nothing for the broken part:
    CloudWatch keeps such a line as a log event and extracts no metric from it.
    `timestamp` is in epoch seconds, `resolution` in seconds (1 or 60).
    """
    if '"CloudWatchMetrics"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    if not isinstance(document, dict) or not isinstance(document.get("_aws"), dict):
        return
    metadata = document["_aws"]
    timestamp = metadata.get("Timestamp")
    if isinstance(timestamp, bool) or not isinstance(timestamp, int):
        return
    for directive in _dicts(metadata.get("CloudWatchMetrics")):
        if not isinstance(directive.get("Namespace"), str):
            continue
        for keys in directive.get("Dimensions") or [[]]:
            dimensions = _dimensions(document, keys)
            if dimensions is None:
                continue
            for metric in _dicts(directive.get("Metrics"))[:MAX_METRICS]:
                values = _values(document.get(str(metric.get("Name"))))
                if values:
                    yield {
                        "namespace": directive["Namespace"],
                        "name": metric["Name"],
                        "dimensions": dimensions,
                        "values": values,
                        "timestamp": timestamp / 1000,
                        "unit": metric.get("Unit", "None"),
                        "resolution": metric.get("StorageResolution", 60),
                    }


def _dicts(members: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else breaks the format and is left out."""
    if not isinstance(members, list):
        return []
    return [member for member in members if isinstance(member, dict)]


def _dimensions(document: dict[str, Any], keys: Any) -> dict[str, str] | None:
    """A dimension set with its values; None when a key has none, which voids the set."""
    if not isinstance(keys, list) or len(keys) > MAX_DIMENSIONS:
        return None
    values = {str(key): document.get(str(key)) for key in keys}
    named = {key: value for key, value in values.items() if isinstance(value, str) and value}
    return named if len(named) == len(values) else None


def _values(target: Any) -> list[float]:
    members = target if isinstance(target, list) else [target]
    if len(members) > MAX_VALUES or not all(
        isinstance(member, int | float) and not isinstance(member, bool) for member in members
    ):
        return []
    return [float(member) for member in members]
