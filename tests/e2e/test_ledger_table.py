"""The deployed ledger table keeps DynamoDB's promises that the claims and the heartbeat rest on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.pocket import Pocket

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def table(pocket: Pocket, outputs: dict[str, str]) -> Callable[..., Any]:
    """Calls an operation of DynamoDB on the ledger table."""
    dynamodb = pocket.client("dynamodb")

    def call(operation: str, **parameters: Any) -> Any:
        return getattr(dynamodb, operation)(TableName=outputs["LedgerTableName"], **parameters)

    return call


def item(pk: str, sk: str = "1", **more: dict[str, str]) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, **more}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = error.value.response["Error"]["Code"]
    return found


def test_what_is_due_comes_in_the_order_of_its_numbers(table: Callable[..., Any]) -> None:
    queue = uuid4().hex
    for due in ("9", "100", "10", "1.5"):
        table("put_item", Item=item(uuid4().hex, due_for={"S": queue}, due_at={"N": due}))
    found = table(
        "query",
        IndexName="due",
        KeyConditionExpression="due_for = :queue AND due_at <= :now",
        ExpressionAttributeValues={":queue": {"S": queue}, ":now": {"N": "10"}},
    )
    assert [each["due_at"]["N"] for each in found["Items"]] == ["1.5", "9", "10"]


def test_an_item_without_the_key_is_not_in_the_index(table: Callable[..., Any]) -> None:
    queue, pk = uuid4().hex, uuid4().hex
    table("put_item", Item=item(pk, due_for={"S": queue}, due_at={"N": "1"}))
    table("update_item", Key=item(pk), UpdateExpression="REMOVE due_for, due_at")
    found = table(
        "query",
        IndexName="due",
        KeyConditionExpression="due_for = :queue",
        ExpressionAttributeValues={":queue": {"S": queue}},
    )
    assert found["Items"] == []


def test_of_many_claims_one_wins(table: Callable[..., Any]) -> None:
    pk = uuid4().hex

    def claim(owner: int) -> str:
        try:
            table(
                "put_item",
                Item=item(pk, owner={"N": str(owner)}),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "claimed"

    with ThreadPoolExecutor(8) as racers:
        answers = sorted(racers.map(claim, range(16)))
    assert answers == ["ConditionalCheckFailedException"] * 15 + ["claimed"]


def test_a_claim_that_is_taken_shows_who_holds_it(table: Callable[..., Any]) -> None:
    pk = uuid4().hex
    table("put_item", Item=item(pk, owner={"S": "first"}))
    with pytest.raises(ClientError) as taken:
        table(
            "put_item",
            Item=item(pk, owner={"S": "second"}),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert code(taken) == "ConditionalCheckFailedException"
    held: Any = taken.value.response
    assert held["Item"]["owner"] == {"S": "first"}


def test_a_transaction_writes_all_or_nothing(
    pocket: Pocket, outputs: dict[str, str], table: Callable[..., Any]
) -> None:
    name, pk = outputs["LedgerTableName"], uuid4().hex
    check = {
        "TableName": name,
        "Key": item(uuid4().hex),
        "ConditionExpression": "attribute_exists(pk)",
    }
    with pytest.raises(ClientError) as cancelled:
        pocket.client("dynamodb").transact_write_items(
            TransactItems=[
                {"Put": {"TableName": name, "Item": item(pk)}},
                {"ConditionCheck": check},
            ]
        )
    assert code(cancelled) == "TransactionCanceledException"
    refused: Any = cancelled.value.response
    reasons = [reason["Code"] for reason in refused["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table("get_item", Key=item(pk), ConsistentRead=True)
