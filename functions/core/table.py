"""The shapes of items in the stack's one DynamoDB table, shared by claims and records."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def key(pk: str, sk: str) -> dict[str, Any]:
    """An item's key."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def number(value: float) -> dict[str, str]:
    """A DynamoDB number."""
    return {"N": repr(value)}


def due(remediation: str, due_at: float | None) -> dict[str, Any]:
    """The attributes that put an item into the due index; none for None."""
    if due_at is None:
        return {}
    return {"due_for": {"S": remediation}, "due_at": number(due_at)}


def condition_failed(error: ClientError) -> bool:
    """Whether a conditional write was refused for its condition, and for nothing else."""
    return str(error.response["Error"]["Code"]) == "ConditionalCheckFailedException"
