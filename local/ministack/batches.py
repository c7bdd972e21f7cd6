"""SQS batches of the size the event source mapping asks for.

Lambda fills a standard queue's batch from several receives, up to 10,000 messages
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html); ministack stops at the ten
of one ReceiveMessage.
"""

from __future__ import annotations

from typing import Any

from ministack.services import sqs


def install() -> None:
    """Lets a batch hold what its BatchSize says."""

    def receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            received: list[dict[str, Any]] = sqs._collect_msgs(queue, int(max_number), visibility)
            return received

    sqs._receive_messages_for_esm = receive
