"""Claims: one look at a target at a time, across all levers, and no signal lost meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from functions.core.incident import Standing
from functions.core.remediation import Sighting
from functions.core.table import condition_failed, key, number


@dataclass(frozen=True)
class Claim:
    """The right to look at and act on one target until the lease ends.

    left: what others left to a former holder who died with it. It stays in the item too until
    it was looked at, in case this holder dies as well.
    """

    target: str
    remediation: str
    owner: str
    left: tuple[Sighting, ...] = ()


class Claims:
    """dynamodb: a boto3 DynamoDB client. table: the table's name.

    An item `claim` of a target holds owner and lease; `look_again`, what others left to the
    holder; `taken`, what the holder has taken of it but not yet looked at. It lies in the due
    index until it is released, so that one whose holder died is found by the heartbeat.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(
        self,
        target: str,
        remediation: str,
        sightings: Sequence[Sighting],
        owner: str,
        now: float,
        until: float,
    ) -> Claim | None:
        """The claim, or None when another look holds it, to which the sightings are then left."""
        try:
            before = self._dynamodb.update_item(
                TableName=self._table,
                Key=key(target, "claim"),
                UpdateExpression="SET #owner = :me, lease_until = :until"
                ", due_for = :remediation, due_at = :until",
                ConditionExpression="attribute_not_exists(pk) OR lease_until <= :now",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={
                    ":me": {"S": owner},
                    ":until": number(until),
                    ":remediation": {"S": remediation},
                    ":now": number(now),
                },
                ReturnValues="ALL_OLD",
            ).get("Attributes", {})
            claim = Claim(target, remediation, owner)
            return replace(claim, left=tuple(self._left_for(claim, before, now)))
        except ClientError as error:
            if not condition_failed(error):
                raise
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key(target, "claim"),
                UpdateExpression="ADD look_again :left",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":left": _notes(remediation, sightings)},
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return self.claim(target, remediation, sightings, owner, now, until)
        return None

    def release(self, claim: Claim) -> bool:
        """False when others left something to be looked at, or somebody else holds it by now."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=key(claim.target, "claim"),
                ConditionExpression="#owner = :me AND attribute_not_exists(look_again)",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": claim.owner}},
            )
            return True
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False

    def take_left(self, claim: Claim, now: float) -> list[Sighting] | None:
        """What others left for the holder; None when the lease is over and another look holds it.

        It stays in the item until the claim is released, for whoever takes over from a dead holder.
        """
        try:
            before = self._dynamodb.update_item(
                TableName=self._table,
                Key=key(claim.target, "claim"),
                UpdateExpression="SET taken = look_again REMOVE look_again",
                ConditionExpression="#owner = :me AND attribute_exists(look_again)",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": claim.owner}},
                ReturnValues="ALL_OLD",
            )["Attributes"]
        except ClientError as error:
            if not condition_failed(error):
                raise
            return None
        before.pop("taken", None)
        return self._left_for(claim, before, now)

    def hand_on(self, claim: Claim, sightings: Sequence[Sighting], now: float) -> None:
        """End the lease of a look that failed: the heartbeat takes it up, sightings and all."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key(claim.target, "claim"),
                UpdateExpression="SET lease_until = :now, due_at = :now ADD look_again :left",
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={
                    ":me": {"S": claim.owner},
                    ":now": number(now),
                    ":left": _notes(claim.remediation, sightings),
                },
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def make_due(self, target: str, remediation: str, now: float) -> None:
        """Have the heartbeat look at the target, whether it is known yet or not."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=key(target, remediation),
            UpdateExpression="SET due_for = :remediation, due_at = :now"
            ", document = if_not_exists(document, :fresh), version = if_not_exists(version, :one)",
            ExpressionAttributeValues={
                ":remediation": {"S": remediation},
                ":now": number(now),
                ":fresh": {"S": json.dumps(asdict(Standing(target, remediation, version=1)))},
                ":one": number(1),
            },
        )

    def _left_for(self, claim: Claim, item: Mapping[str, Any], now: float) -> list[Sighting]:
        """The holder's part of what was left; other remediations find their part due."""
        notes = {
            note for name in ("taken", "look_again") for note in item.get(name, {}).get("SS", ())
        }
        left = [json.loads(note) for note in sorted(notes)]
        for other in sorted({name for name, _, _ in left} - {claim.remediation}):
            self.make_due(claim.target, other, now)
        return [
            Sighting(claim.target, cause, note)
            for name, cause, note in left
            if name == claim.remediation
        ]


def _notes(remediation: str, sightings: Iterable[Sighting]) -> dict[str, list[str]]:
    """Sightings as a string set; one without a cause where there are none."""
    notes = {json.dumps([remediation, each.cause, each.note]) for each in sightings}
    return {"SS": sorted(notes) or [json.dumps([remediation, "", {}])]}
