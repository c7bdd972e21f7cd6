"""Whether a document is an EventBridge event as AWS would put it on a bus.

The envelope: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("version", "id", "detail-type", "source", "account"),
        *("time", "region", "resources", "detail"),
    ],
    "properties": {
        "version": {"const": "0"},
        "id": {"type": "string", "minLength": 1},
        "detail-type": {"type": "string", "minLength": 1, "maxLength": 128},
        "source": {"type": "string", "minLength": 1, "maxLength": 256},
        "account": {"type": "string", "pattern": "^[0-9]{12}$"},
        "time": {"type": "string", "format": "date-time"},
        "region": {"type": "string", "minLength": 1},
        "resources": {"type": "array", "items": {"type": "string"}},
        "detail": {"type": "object"},
    },
}


class NotAnEvent(ValueError):
    """The document is not an EventBridge event; the message says which field and why."""


def check(document: Any) -> dict[str, Any]:
    """The event, unchanged; raises NotAnEvent."""
    if not isinstance(document, dict):
        raise NotAnEvent("an event is a JSON object")
    properties = SCHEMA["properties"]
    missing = [name for name in SCHEMA["required"] if name not in document]
    if missing:
        raise NotAnEvent(f"an event needs the fields {', '.join(missing)}")
    unknown = sorted(document.keys() - properties.keys())
    if unknown:
        raise NotAnEvent(f"an event has no field {', '.join(unknown)}")
    for name, rule in properties.items():
        if not _fits(document[name], rule):
            raise NotAnEvent(f"the field {name} must be {rule}, not {document[name]!r}")
    return document


def _fits(value: Any, rule: dict[str, Any]) -> bool:
    if "const" in rule:
        return bool(value == rule["const"])
    match rule["type"]:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list) and all(_fits(item, rule["items"]) for item in value)
        case _:
            return (
                isinstance(value, str)
                and rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", 10**6)
                and re.search(rule.get("pattern", ""), value) is not None
                and (rule.get("format") != "date-time" or _is_time(value))
            )


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
