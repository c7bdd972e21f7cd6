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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.core.incident import Incident, Intent, Standing
from functions.core.remediation import Sighting

HOUR = 3600.0
KEEP_SECONDS = 90 * 24 * 3600
REFUSED_BODY_CHARACTERS = 100_000


class LostRace(RuntimeError):
    """Somebody else wrote the same record since it was read; the next look starts afresh."""


@dataclass(frozen=True)
class Claim:
    """The right to look at and act on one target, across all levers, until the lease ends.

    left: what others left to a former holder who died with it.
    """

    target: str
    remediation: str
    owner: str
    left: tuple[Sighting, ...] = ()


@dataclass(frozen=True)
class Record:
    """All that the ledger knows of a target for one remediation."""

    standing: Standing
    incident: Incident | None
    intent: Intent | None


class Ledger:
    """dynamodb: a boto3 DynamoDB client. table: the table's name."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    # claims

    def claim(
        self,
        target: str,
        remediation: str,
        sightings: Sequence[Sighting],
        owner: str,
        now: float,
        until: float,
    ) -> Claim | None:
        """The claim, or None when another look holds it, to which the sightings are then left.

        The claim lies in the due index until it is released, so that one whose holder died is
        found by the heartbeat once its lease is over.
        """
        try:
            before = self._dynamodb.update_item(
                TableName=self._table,
                Key=_item(target, "claim"),
                UpdateExpression="SET #owner = :me, lease_until = :until"
                ", due_for = :remediation, due_at = :until REMOVE look_again",
                ConditionExpression="attribute_not_exists(pk) OR lease_until <= :now",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={
                    ":me": {"S": owner},
                    ":until": _number(until),
                    ":remediation": {"S": remediation},
                    ":now": _number(now),
                },
                ReturnValues="ALL_OLD",
            ).get("Attributes", {})
            claim = Claim(target, remediation, owner)
            return replace(claim, left=tuple(self._left_for(claim, before, now)))
        except ClientError as error:
            if not _condition_failed(error):
                raise
        # A set: DynamoDB refuses one with duplicates.
        left = {json.dumps([remediation, each.cause, each.note]) for each in sightings}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_item(target, "claim"),
                UpdateExpression="ADD look_again :left",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={
                    ":left": {"SS": sorted(left) or [json.dumps([remediation, "", {}])]}
                },
            )
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return self.claim(target, remediation, sightings, owner, now, until)
        return None

    def release(self, claim: Claim) -> bool:
        """False when others left something to be looked at, or somebody else holds it by now."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_item(claim.target, "claim"),
                ConditionExpression="#owner = :me AND attribute_not_exists(look_again)",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": claim.owner}},
            )
            return True
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return False

    def take_left(self, claim: Claim, now: float) -> list[Sighting] | None:
        """What others left for the holder; None when the lease is over and another look holds it."""
        try:
            before = self._dynamodb.update_item(
                TableName=self._table,
                Key=_item(claim.target, "claim"),
                UpdateExpression="REMOVE look_again",
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": claim.owner}},
                ReturnValues="ALL_OLD",
            )["Attributes"]
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return None
        return self._left_for(claim, before, now)

    def _left_for(self, claim: Claim, item: Mapping[str, Any], now: float) -> list[Sighting]:
        """The holder's part of what was left; other remediations find their part due."""
        left = [json.loads(each) for each in item.get("look_again", {}).get("SS", ())]
        for other in sorted({name for name, _, _ in left} - {claim.remediation}):
            self.make_due(claim.target, other, now)
        return [
            Sighting(claim.target, cause, note)
            for name, cause, note in left
            if name == claim.remediation
        ]

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
            Key=_item(f"incident#{id}", "incident"),
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
                    "Item": _item(standing.target, standing.remediation)
                    | {
                        "document": {"S": json.dumps(asdict(stored))},
                        "version": _number(stored.version),
                    }
                    | _due(standing.remediation, due_at),
                    "ConditionExpression": "attribute_not_exists(pk) OR version = :version",
                    "ExpressionAttributeValues": {":version": _number(standing.version)},
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
                        "Key": _item(standing.target, f"{standing.remediation}#intent"),
                        "ConditionExpression": "intent_id = :id",
                        "ExpressionAttributeValues": {":id": {"S": consumed.id}},
                    }
                }
            )
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if error.response["Error"]["Code"] == "TransactionCanceledException":
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
                ":now": _number(now),
            },
        )
        return [
            {"pk": item["pk"]["S"], "sk": item["sk"]["S"]}
            for page in pages
            for item in page["Items"]
        ]

    def make_due(self, target: str, remediation: str, now: float) -> None:
        """Have the heartbeat look at the target, whether it is known yet or not."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_item(target, remediation),
            UpdateExpression="SET due_for = :remediation, due_at = :now"
            ", document = if_not_exists(document, :fresh), version = if_not_exists(version, :one)",
            ExpressionAttributeValues={
                ":remediation": {"S": remediation},
                ":now": _number(now),
                ":fresh": {"S": json.dumps(asdict(Standing(target, remediation, version=1)))},
                ":one": _number(1),
            },
        )

    def start_sweeps(self, remediation: str, now: float) -> None:
        """Make the first sweep due, once in the life of the table."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item("sweep", remediation) | _due(remediation, now),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not _condition_failed(error):
                raise

    def take_sweep(self, remediation: str, now: float, every_seconds: float) -> bool:
        """True for the one caller who does this sweep; the next is due `every_seconds` later."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_item("sweep", remediation),
                UpdateExpression="SET due_for = :remediation, due_at = :next",
                ConditionExpression="due_at <= :now",
                ExpressionAttributeValues={
                    ":remediation": {"S": remediation},
                    ":now": _number(now),
                    ":next": _number(now + every_seconds),
                },
            )
            return True
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return False

    # limits over all targets

    def spend(self, remediation: str, move: str, limit: int, now: float) -> bool:
        """Count one action against the hour's limit; False when the hour is full.

        Fails closed: a counter that changes under our hands five times in a row allows nothing.
        """
        key = _item(f"spent#{remediation}", move)
        for _ in range(5):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=key, ConsistentRead=True
            ).get("Item", {})
            version = int(found.get("version", {"N": "0"})["N"])
            recent = [t for t in json.loads(found.get("times", {"S": "[]"})["S"]) if t > now - HOUR]
            if len(recent) >= limit:
                return False
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=key
                    | {
                        "times": {"S": json.dumps([*recent, now])},
                        "version": _number(version + 1),
                    },
                    ConditionExpression="attribute_not_exists(pk) OR version = :version",
                    ExpressionAttributeValues={":version": _number(version)},
                )
                return True
            except ClientError as error:
                if not _condition_failed(error):
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
            Key=_item(f"refused#{digest}", "refused"),
            UpdateExpression="SET body = :body, code = :code, reason = :reason, last_seen = :now"
            ", remediation = :remediation, opened_at = if_not_exists(opened_at, :now)"
            ", expires_at = :expires ADD times_seen :one",
            ExpressionAttributeValues={
                ":body": {"S": body[:REFUSED_BODY_CHARACTERS]},
                ":code": {"S": code},
                ":reason": {"S": reason},
                ":now": {"S": now.isoformat()},
                ":remediation": {"S": remediation},
                ":expires": _number(now.timestamp() + KEEP_SECONDS),
                ":one": _number(1),
            },
        )

    def ask(self, incident: Incident, intent: Intent, now: float) -> bool:
        """Leave an operator's intent for the remediation; False when another one still waits."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(incident.target, f"{incident.remediation}#intent")
                | {
                    "document": {"S": json.dumps(asdict(intent))},
                    "intent_id": {"S": intent.id},
                }
                | _due(incident.remediation, now),
                ConditionExpression="attribute_not_exists(pk)",
            )
            return True
        except ClientError as error:
            if not _condition_failed(error):
                raise
            return False


def _item(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _number(value: float) -> dict[str, str]:
    return {"N": repr(value)}


def _due(remediation: str, due_at: float | None) -> dict[str, Any]:
    if due_at is None:
        return {}
    return {"due_for": {"S": remediation}, "due_at": _number(due_at)}


def _incident_item(incident: Incident) -> dict[str, Any]:
    item = _item(f"incident#{incident.id}", "incident") | {
        "remediation": {"S": incident.remediation},
        "opened_at": {"S": incident.opened_at},
        "target": {"S": incident.target},
        "stage": {"S": incident.stage.value},
        "document": {"S": json.dumps(incident.as_document())},
    }
    if incident.closed_at is not None:
        closed = datetime.fromisoformat(incident.closed_at).timestamp()
        item["expires_at"] = _number(closed + KEEP_SECONDS)
    return item


def _condition_failed(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"
