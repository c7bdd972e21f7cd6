"""What a remediation remembers beside its incidents: documents it could find out again, at a price."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.core.table import key, number


@dataclass(frozen=True)
class Memento:
    """A remembered document, plain JSON data, and when it was written."""

    name: str
    document: Any
    at: datetime


class Memory:
    """dynamodb: a boto3 client. table: the ledger's name. remediation: whose memory it is.

    Documents are compressed: an item holds 400 KB at most (DynamoDB developer guide, "Quotas").
    The last writer wins, so nothing lives here that two looks could disagree on.
    """

    def __init__(self, dynamodb: Any, table: str, remediation: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._partition = f"memory#{remediation}"

    def recall(self, name: str) -> Memento | None:
        found = self._dynamodb.get_item(TableName=self._table, Key=key(self._partition, name))
        return _memento(found["Item"]) if "Item" in found else None

    def recall_all(self, prefix: str) -> list[Memento]:
        """Everything whose name begins with `prefix`, in the order of names."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :partition AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":partition": {"S": self._partition},
                ":prefix": {"S": prefix},
            },
        )
        return [_memento(item) for page in pages for item in page["Items"]]

    def remember(self, name: str, document: Any, now: datetime) -> None:
        packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode())
        self._dynamodb.put_item(
            TableName=self._table,
            Item=key(self._partition, name)
            | {"packed": {"B": packed}, "at": number(now.timestamp())},
        )


def _memento(item: dict[str, Any]) -> Memento:
    at = datetime.fromtimestamp(float(item["at"]["N"]), UTC)
    return Memento(item["sk"]["S"], json.loads(zlib.decompress(item["packed"]["B"])), at)
