"""SNS topics: who may publish, and functions that subscribe to them."""

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.services import sns

from local.ministack import invocation
from local.ministack.permission import NotDelivered

log = logging.getLogger("local.ministack")

SERVICE = "sns.amazonaws.com"


def install() -> None:
    """Lets a topic reach functions as SNS does: asynchronously, and only where it may."""
    sns._deliver_to_lambda = _deliver_to_function


def policy(topic_arn: str) -> dict[str, Any]:
    """The topic's resource policy; raises NotDelivered when there is no such topic.

    The one every topic starts with admits the account's own principals, not EventBridge
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
    """
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        raise NotDelivered("NO_RESOURCE", f"there is no topic {topic_arn}")
    document: dict[str, Any] = json.loads(topic["attributes"].get("Policy") or "{}")
    return document


def _deliver_to_function(
    endpoint: str,
    envelope: str,
    topic_arn: str,
    sub_arn: str,
    msg_id: str,
    raw_message: str,
    message_attributes: dict[str, Any],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": sub_arn,
        "EventSource": "aws:sns",
        "Sns": json.loads(envelope),
    }
    try:
        invocation.invoke(endpoint, {"Records": [record]}, service=SERVICE, source_arn=topic_arn)
    except NotDelivered as refusal:
        log.error("%s did not reach %s: %s", topic_arn, endpoint, refusal)
