"""What a deployed function calls, and what its deployed role lets it call, as IAM actions."""

from __future__ import annotations

import json
from typing import Any

from local.demo.account import Hands

IAM_PREFIX = {"monitoring": "cloudwatch", "tagging": "tag"}
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
USED_BY_AWS = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",  # to the dead-letter queue, as the on-failure destination
}


def called(hands: Hands, construct: str) -> set[str]:
    """IAM actions of the calls that a function made, as the front door saw them."""
    actions = set()
    for call in hands.account.calls(caller=hands.function(construct)):
        assert call["error"] not in DENIED
        prefix = IAM_PREFIX.get(call["service"], call["service"])
        # A transaction has no right of its own: it needs those of the writes in it.
        operation = "PutItem" if call["operation"] == "TransactWriteItems" else call["operation"]
        actions.add(f"{prefix}:{operation}")
    return actions


def granted(hands: Hands, construct: str) -> set[str]:
    """Actions that a function's deployed role allows."""
    name = hands.function(construct)
    role = hands.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    name, iam = role.rsplit("/", 1)[-1], hands.client("iam")
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    actions: set[str] = set()
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            given = statement["Action"]
            actions |= {given} if isinstance(given, str) else set(given)
    return actions
