"""SQS as AWS services use it: who may send, and sending."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from ministack.services import sqs

from local.ministack.permission import NotDelivered, require_permission
from local.ministack.resource_policy import ServiceCall

log = logging.getLogger("local.ministack")


def install() -> None:
    """Lets in whom the queue's policy lets in."""
    sqs.queue_policy_allows = _policy_allows


def _policy_allows(queue_arn: str, service: str, source_arn: str, source_account: str) -> bool:
    """ministack asks this before SNS and S3 deliver, but of itself lets everybody in."""
    queue = find(queue_arn)
    if queue is None:
        return False
    call = ServiceCall(service, "sqs:SendMessage", queue_arn, source_arn, source_account)
    try:
        require_permission(policy(queue), call)
    except NotDelivered as refusal:
        log.error("%s did not reach %s: %s", source_arn, queue_arn, refusal)
        return False
    return True


def find(queue_arn: str) -> Any | None:
    """The queue, None when there is none."""
    return sqs._queue_by_arn(queue_arn)


def policy(queue: Any) -> dict[str, Any]:
    """The queue's resource policy; empty when it has none."""
    document: dict[str, Any] = json.loads(queue["attributes"].get("Policy") or "{}")
    return document


def send(queue: Any, body: str, attributes: Mapping[str, str], sender: str) -> None:
    """Puts a message into a queue on behalf of an AWS service."""
    now = time.time()
    message = {
        "id": str(uuid.uuid4()),
        "body": body,
        "md5_body": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now,
        "receive_count": 0,
        "attributes": {},
        "message_attributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
        "sys": {"SenderId": sender, "SentTimestamp": str(int(now * 1000))},
    }
    with sqs._queues_lock:
        queue["messages"].append(message)
