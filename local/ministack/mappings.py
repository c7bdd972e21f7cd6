"""Event source mappings of SQS queues: which AWS takes, and the batches it makes for them.

Lambda fills a standard queue's batch from several receives, until it holds `BatchSize` messages (up
to 10,000) or 6 MB, or until the batching window is over that its first message began
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html,
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html); ministack stops at
the ten of one ReceiveMessage and does not wait.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_EVENT = 6 * 2**20
# What a record holds besides its message's body and attributes.
RECORD = 1000
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
MOST_RECORDS = {"standard": 10_000, "fifo": 10}
LONGEST_WINDOW = 300
KIND = "AWS::Lambda::EventSourceMapping"

_iterate = lambda_svc._iter_all_esms
_create, _update = lambda_svc._create_esm, lambda_svc._update_esm
_handlers = provisioners._RESOURCE_HANDLERS[KIND]


@dataclass
class Batch:
    """Messages received for a mapping, to be handed over at `due`."""

    due: float
    messages: list[dict[str, Any]]


_batches: dict[str, Batch] = {}
_polled = threading.local()


def install() -> None:
    """Puts Lambda's batches and its refusals in place."""
    lambda_svc._iter_all_esms = _iterate_noting
    sqs._receive_messages_for_esm = _receive
    lambda_svc._create_esm = _create_checked
    lambda_svc._update_esm = _update_checked
    provisioners._RESOURCE_HANDLERS[KIND] = {
        **_handlers,
        "create": _create_resource,
        "update": _update_resource,
    }


def fault(settings: Mapping[str, Any]) -> str | None:
    """What Lambda refuses of a mapping's settings; None when it takes them.

    Texts: https://github.com/aws/chalice/issues/1778 (no window),
    https://github.com/aws/aws-lambda-dotnet/pull/1758 (FIFO).
    """
    source = str(settings.get("EventSourceArn", ""))
    if ":sqs:" not in source:
        return None
    size = int(settings.get("BatchSize") or 10)
    window = int(settings.get("MaximumBatchingWindowInSeconds") or 0)
    fifo = source.endswith(".fifo")
    if fifo and window:
        return "Batching window is not supported for FIFO queues"
    for name, value, low, high in (
        ("batchSize", size, 1, MOST_RECORDS["fifo" if fifo else "standard"]),
        ("maximumBatchingWindowInSeconds", window, 0, LONGEST_WINDOW),
    ):
        if not low <= value <= high:
            bound = f"greater than or equal to {low}" if value < low else f"less than or equal to {high}"  # fmt: skip
            return (
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
                f"constraint: Member must have value {bound}"
            )
    if size > 10 and window < 1:
        return (
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10"
        )
    return None


def _create_checked(data: dict[str, Any]) -> Any:
    return _refusal(data) or _create(data)


def _update_checked(esm_id: str, data: dict[str, Any]) -> Any:
    return _refusal({**(lambda_svc._esms.get(esm_id) or {}), **data}) or _update(esm_id, data)


def _refusal(settings: Mapping[str, Any]) -> Any:
    found = fault(settings)
    if found is None:
        return None
    return error_response_json("InvalidParameterValueException", found, 400)


def _create_resource(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
    _check_resource(props)
    return _handlers["create"](logical_id, props, stack_name)


def _update_resource(
    physical_id: str, old_props: dict[str, Any], new_props: dict[str, Any], stack_name: str
) -> Any:
    _check_resource(new_props)
    return _handlers["update"](physical_id, old_props, new_props, stack_name)


def _check_resource(props: Mapping[str, Any]) -> None:
    found = fault(props)
    if found is not None:
        raise ValueError(f"Invalid request provided: {found}")


def _iterate_noting() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Notes which mapping is polled: what receives for it is told the queue alone."""
    for account, region, mapping in _iterate():
        _polled.mapping = mapping
        yield account, region, mapping


def _receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
    """The messages to invoke the polled mapping's function with, none while its batch fills.

    Messages whose visibility timeout is over while they wait are the queue's again.
    """
    mapping = _polled.mapping
    window, now = int(mapping.get("MaximumBatchingWindowInSeconds") or 0), time.time()
    batch = _batches.pop(mapping["UUID"], None) or Batch(now + window, [])
    batch.messages = [each for each in batch.messages if each["visible_at"] > now]
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
        missing = int(max_number) - len(batch.messages)
        received = sqs._collect_msgs(queue, missing, visibility)
        fitting = _fitting(received, LARGEST_EVENT - sum(map(_size, batch.messages)))
        for message in received[fitting:]:
            message["visible_at"] = now
            message["receive_count"] -= 1
    new = not batch.messages
    batch.messages += received[:fitting]
    full = len(batch.messages) >= int(max_number) or fitting < len(received)
    if full or now >= batch.due or not batch.messages:
        return batch.messages
    _batches[mapping["UUID"]] = batch
    if new:
        batch.due = now + window
        alarm = threading.Timer(window, lambda_svc._esm_wake.set)
        alarm.daemon = True
        alarm.start()
    return []


def _fitting(messages: list[dict[str, Any]], room: int) -> int:
    """How many of the messages, from the first on, have room in an event."""
    for number, message in enumerate(messages):
        room -= _size(message)
        if room < 0:
            return number
    return len(messages)


def _size(message: Mapping[str, Any]) -> int:
    written = json.dumps([message["body"], message.get("message_attributes") or {}])
    return len(written) + RECORD
