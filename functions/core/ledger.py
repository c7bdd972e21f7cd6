"""The ledger: claims, incidents and what is due, in one DynamoDB table.

Items, by partition and sort key:
  <target>          claim                  who looks at the target now, until when
  <target>          <remediation>          its Standing, due in the index while an incident is open
  <target>          <remediation>#intent   what an operator asked for
  incident#<id>     incident               the Incident, in the feed of its remediation
  spent#<rem.>      <safety|forward>       when the last hour's actions were
  sweep             <remediation>          when all opted-in targets are looked at again
  refused#<digest>  refused                a bad signal, kept and counted

Every write is conditional, so a crash or a second look between any two calls loses nothing.
Writes that belong together are one TransactWriteItems call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.core.claims import Claims
from functions.core.incident import Incident, Intent, Standing
from functions.core.table import condition_failed, due, key, number

HOUR = 3600.0
KEEP_SECONDS = 90 * 24 * 3600
REFUSED_BODY_BYTES = 100_000


class LostRace(RuntimeError):
    """Somebody else wrote the same record since it was read; the next look starts afresh."""


@dataclass(frozen=True)
class Record:
    """All that the ledger knows of a target for one remediation."""

    standing: Standing
    incident: Incident | None
    intent: Intent | None


class Ledger(Claims):
    """Claims, and the records that outlive them."""

    # records

    def load(self, target: str, remediation: str) -> Record:
        """What is known of the target, read consistently."""
        items = {
            item["sk"]["S"]: item
            for item in self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :target",
                ExpressionAttributeValues={":target": {"S": target}},
                ConsistentRead=True,
            )["Items"]
        }
        standing = Standing(target, remediation)
        if found := items.get(remediation):
            stored = json.loads(found["document"]["S"])
            standing = Standing(**stored | {"actions": tuple(stored["actions"])})
        intent = None
        if found := items.get(f"{remediation}#intent"):
            intent = Intent(**json.loads(found["document"]["S"]))
        wanted = standing.incident or (intent.incident if intent else None)
        return Record(standing, self.incident(wanted) if wanted else None, intent)

    def incident(self, id: str) -> Incident | None:
        found = self._dynamodb.get_item(
            TableName=self._table,
            Key=key(f"incident#{id}", "incident"),
            ConsistentRead=True,
        ).get("Item")
        return Incident.from_document(json.loads(found["document"]["S"])) if found else None

    def save(
        self,
        standing: Standing,
        incident: Incident | None,
        due_at: float | None,
        consumed: Intent | None = None,
    ) -> Standing:
        """Write standing and incident as one, and take the answered intent away with them.

        due_at: when the heartbeat looks again; None takes the target out of the due index.
        Returns the standing as stored. Raises LostRace when somebody else wrote since.
        """
        stored = Standing(**asdict(standing) | {"version": standing.version + 1})
        writes: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": key(standing.target, standing.remediation)
                    | {
                        "document": {"S": json.dumps(asdict(stored))},
                        "version": number(stored.version),
                    }
                    | due(standing.remediation, due_at),
                    "ConditionExpression": "attribute_not_exists(pk) OR version = :version",
                    "ExpressionAttributeValues": {":version": number(standing.version)},
                }
            }
        ]
        if incident is not None:
            writes.append({"Put": {"TableName": self._table, "Item": _incident_item(incident)}})
        if consumed is not None:
            writes.append(
                {
                    "Delete": {
                        "TableName": self._table,
                        "Key": key(standing.target, f"{standing.remediation}#intent"),
                        "ConditionExpression": "intent_id = :id",
                        "ExpressionAttributeValues": {":id": {"S": consumed.id}},
                    }
                }
            )
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            reasons = {each.get("Code") for each in error.response.get("CancellationReasons", ())}
            if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise LostRace(f"{standing.target} was written by another look") from error
            raise
        return stored

    # what is due

    def due(self, remediation: str, now: float) -> list[Mapping[str, str]]:
        """Keys (pk, sk) of all that is due, oldest first: targets, dead claims, the sweep."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_for = :remediation AND due_at <= :now",
            ExpressionAttributeValues={
                ":remediation": {"S": remediation},
                ":now": number(now),
            },
        )
        return [
            {"pk": item["pk"]["S"], "sk": item["sk"]["S"]}
            for page in pages
            for item in page["Items"]
        ]

    def start_sweeps(self, remediation: str, now: float) -> None:
        """Make the first sweep due, once in the life of the table."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=key("sweep", remediation) | due(remediation, now),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def take_sweep(self, remediation: str, now: float, every_seconds: float) -> bool:
        """True for the one caller who does this sweep; the next is due `every_seconds` later."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key("sweep", remediation),
                UpdateExpression="SET due_for = :remediation, due_at = :next",
                ConditionExpression="due_at <= :now",
                ExpressionAttributeValues={
                    ":remediation": {"S": remediation},
                    ":now": number(now),
                    ":next": number(now + every_seconds),
                },
            )
            return True
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False

    def sweep_again(self, remediation: str, now: float) -> None:
        """Make a sweep that failed due at once."""
        self._dynamodb.put_item(
            TableName=self._table, Item=key("sweep", remediation) | due(remediation, now)
        )

    # limits over all targets

    def spend(self, remediation: str, move: str, limit: int, now: float) -> bool:
        """Count one action against the hour's limit; False when the hour is full.

        Fails closed: a counter that changes under our hands five times in a row allows nothing.
        """
        counter = key(f"spent#{remediation}", move)
        for _ in range(5):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=counter, ConsistentRead=True
            ).get("Item", {})
            version = int(found.get("version", {"N": "0"})["N"])
            recent = [t for t in json.loads(found.get("times", {"S": "[]"})["S"]) if t > now - HOUR]
            if len(recent) >= limit:
                return False
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=counter
                    | {
                        "times": {"S": json.dumps([*recent, now])},
                        "version": number(version + 1),
                    },
                    ConditionExpression="attribute_not_exists(pk) OR version = :version",
                    ExpressionAttributeValues={":version": number(version)},
                )
                return True
            except ClientError as error:
                if not condition_failed(error):
                    raise
        return False

    # bad signals and intents

    def keep_refused(
        self, remediation: str, body: str, code: str, reason: str, now: datetime
    ) -> None:
        """Keep a bad signal where a person finds it, once however often it comes."""
        digest = hashlib.sha256(body.encode()).hexdigest()[:32]
        self._dynamodb.update_item(
            TableName=self._table,
            Key=key(f"refused#{digest}", "refused"),
            UpdateExpression="SET body = :body, code = :code, reason = :reason, last_seen = :now"
            ", remediation = :remediation, opened_at = if_not_exists(opened_at, :now)"
            ", expires_at = :expires ADD times_seen :one",
            ExpressionAttributeValues={
                ":body": {"S": body.encode()[:REFUSED_BODY_BYTES].decode(errors="ignore")},
                ":code": {"S": code},
                ":reason": {"S": reason},
                ":now": {"S": now.isoformat()},
                ":remediation": {"S": remediation},
                ":expires": number(now.timestamp() + KEEP_SECONDS),
                ":one": number(1),
            },
        )

    def ask(self, incident: Incident, intent: Intent, now: float) -> bool:
        """Leave an operator's intent for the remediation; False when another one still waits."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=key(incident.target, f"{incident.remediation}#intent")
                | {
                    "document": {"S": json.dumps(asdict(intent))},
                    "intent_id": {"S": intent.id},
                }
                | due(incident.remediation, now),
                ConditionExpression="attribute_not_exists(pk)",
            )
            return True
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False


def _incident_item(incident: Incident) -> dict[str, Any]:
    item = key(f"incident#{incident.id}", "incident") | {
        "remediation": {"S": incident.remediation},
        "opened_at": {"S": incident.opened_at},
        "target": {"S": incident.target},
        "stage": {"S": incident.stage.value},
        "document": {"S": json.dumps(incident.as_document())},
    }
    if incident.closed_at is not None:
        closed = datetime.fromisoformat(incident.closed_at).timestamp()
        item["expires_at"] = number(closed + KEEP_SECONDS)
    return item
