"""What AWS refuses and ministack takes, of the calls a deployed function makes."""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services import eventbridge, sns

_put_events = eventbridge._put_events
_publish = sns._publish

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
SUBJECT = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~][ -~]{0,99}")
LARGEST_MESSAGE = 256 * 1024


def install() -> None:
    """Puts the refusals before ministack's operations."""
    eventbridge._put_events = _put_checked_events
    sns._publish = _publish_checked


def _put_checked_events(data: dict[str, Any], allow_aws_source: bool = False) -> Any:
    """An entry that is not an event fails by itself, the others of the call are put.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
    """
    entries = data.get("Entries", [])
    faults = [entry_fault(entry) for entry in entries]
    good = [entry for entry, fault in zip(entries, faults, strict=True) if fault is None]
    status, headers, body = _put_events(dict(data, Entries=good), allow_aws_source)
    if status != 200 or len(good) == len(entries):
        return status, headers, body
    answer = json.loads(body)
    put = iter(answer["Entries"])
    answer["Entries"] = [next(put) if fault is None else fault for fault in faults]
    answer["FailedEntryCount"] += len(entries) - len(good)
    return status, headers, json.dumps(answer).encode()


def entry_fault(entry: dict[str, Any]) -> dict[str, str] | None:
    """Why an entry of PutEvents is no event, as EventBridge says it; None when it is one."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return {
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": f"Parameter {name} is not valid. Reason: {name} is a required argument.",
            }
    if len(entry["DetailType"]) > 128:
        return {
            "ErrorCode": "InvalidArgument",
            "ErrorMessage": "Parameter DetailType is not valid."
            " Reason: DetailType must not be longer than 128 characters.",
        }
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _publish_checked(params: dict[str, Any]) -> Any:
    fault = publish_fault(sns._p(params, "Subject"), sns._p(params, "Message"))
    if fault is not None:
        return sns._error("InvalidParameter", f"Invalid parameter: {fault}", 400)
    return _publish(params)


def publish_fault(subject: str, message: str) -> str | None:
    """What of a message SNS does not take; None when it takes it."""
    if subject and SUBJECT.fullmatch(subject) is None:
        return "Subject"
    if not message:
        return "Empty message"
    if len(message.encode()) > LARGEST_MESSAGE:
        return "Message too long"
    return None
