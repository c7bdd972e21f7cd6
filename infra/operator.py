"""The operator: writes down what a person wants, and has no powers of its own."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.foundation import Foundation
from infra.guarded_function import GuardedFunction


class Operator(Construct):
    """Puts an intent in the ledger and nudges the remediation it concerns.

    queues: remediation name -> the queue that its function reads.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        foundation: Foundation,
        queues: Mapping[str, sqs.IQueue],
    ) -> None:
        super().__init__(scope, id)
        urls = {name: queue.queue_url for name, queue in queues.items()}
        self.guarded = GuardedFunction(
            self,
            "Operator",
            name="operator",
            description="Records what a person wants of a remediation, and nudges it.",
            foundation=foundation,
            environment={
                "LEVER_SETTINGS": "{}",
                "QUEUE_URLS": Stack.of(self).to_json_string(urls),
            },
        )
        self.guarded.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [foundation.ledger.table_arn])
        self.guarded.allow(["sqs:SendMessage"], [queue.queue_arn for queue in queues.values()])
