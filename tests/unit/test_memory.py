"""What a remediation remembers: whole documents, the last one written, nobody else's."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.memory import Memento, Memory
from tests.faults.dimmer import NOON, Hall


def memory(hall: Hall, remediation: str = "dimmer") -> Memory:
    return Memory(hall.dynamodb, "ledger", remediation)


def items(hall: Hall) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hall.dynamodb.scan(TableName="ledger")["Items"]
    return found


def catalogue(rows: int) -> list[list[Any]]:
    """Quotas as a catalogue remembers them."""
    return [
        [
            f"L-{row:08X}",
            f"ml.p{row}.48xlarge for training job usage",
            float(row),
            [
                "AWS/Usage",
                "ResourceCount",
                {"Resource": f"training-job/ml.p{row}"},
                "Maximum",
                None,
            ],
        ]
        for row in range(rows)
    ]


def test_what_was_never_remembered_is_nothing(hall: Hall) -> None:
    assert memory(hall).recall("report") is None
    assert memory(hall).recall_all("report") == []


@pytest.mark.parametrize(
    "document",
    [None, "", "r-1", 0, 1.5, True, [], {}, [1, [2, {"ä": "\u202e😀", "n": None}]], catalogue(3)],
    ids=repr,
)
def test_what_is_remembered_is_recalled_as_it_was(hall: Hall, document: Any) -> None:
    memory(hall).remember("report", document, NOON)

    assert memory(hall).recall("report") == Memento("report", document, NOON)


def test_the_last_writer_wins(hall: Hall) -> None:
    memory(hall).remember("report", "first", NOON)
    memory(hall).remember("report", "second", NOON - timedelta(hours=1))

    assert memory(hall).recall("report") == Memento("report", "second", NOON - timedelta(hours=1))
    assert len(items(hall)) == 1


def test_it_is_known_in_utc_when_it_was_written(hall: Hall) -> None:
    berlin = datetime(2026, 3, 2, 13, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))
    memory(hall).remember("report", "r-1", berlin)

    found = memory(hall).recall("report")
    assert found is not None
    assert found.at == berlin
    assert found.at.tzinfo is UTC


def test_each_remediation_has_a_memory_of_its_own(hall: Hall) -> None:
    memory(hall).remember("report", "mine", NOON)
    memory(hall, "dim").remember("report", "theirs", NOON)

    assert [each.document for each in memory(hall).recall_all("r")] == ["mine"]
    assert memory(hall, "shutter").recall("report") is None


def test_names_with_a_beginning_are_recalled_in_their_order(hall: Hall) -> None:
    for name in ("catalogue#sagemaker", "report", "catalogue#ec2", "catalog", "catalogue"):
        memory(hall).remember(name, name, NOON)

    found = memory(hall).recall_all("catalogue#")

    assert [each.name for each in found] == ["catalogue#ec2", "catalogue#sagemaker"]
    assert [each.document for each in found] == ["catalogue#ec2", "catalogue#sagemaker"]


def test_all_pages_are_recalled(hall: Hall) -> None:
    """A page of Query holds 1 MB (DynamoDB developer guide, "Quotas")."""
    chance = random.Random(7)  # so that it cannot be compressed
    for number in range(8):
        noise = "".join(chance.choices("0123456789abcdef", k=400_000))
        memory(hall).remember(f"catalogue#{number}", noise, NOON)

    found = memory(hall).recall_all("catalogue#")

    assert [each.name for each in found] == [f"catalogue#{number}" for number in range(8)]
    assert all(len(each.document) == 400_000 for each in found)


def test_a_document_larger_than_an_item_fits_compressed(hall: Hall) -> None:
    """An item holds 400 KB (DynamoDB developer guide, "Quotas")."""
    large = catalogue(10_000)
    with pytest.raises(ClientError, match="size"):
        hall.dynamodb.put_item(
            TableName="ledger",
            Item={"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": repr(large)}},
        )

    memory(hall).remember("catalogue#sagemaker", large, NOON)

    found = memory(hall).recall("catalogue#sagemaker")
    assert found is not None
    assert found.document == large


def test_a_document_that_does_not_fit_even_so_is_refused_and_not_cut(hall: Hall) -> None:
    memory(hall).remember("catalogue#sagemaker", "small", NOON)
    noise = "".join(random.Random(7).choices("0123456789abcdef", k=1_000_000))

    with pytest.raises(ClientError, match="size"):
        memory(hall).remember("catalogue#sagemaker", noise, NOON)

    found = memory(hall).recall("catalogue#sagemaker")
    assert found is not None
    assert found.document == "small"


def test_what_is_remembered_is_never_due(hall: Hall) -> None:
    memory(hall).remember("report", "r-1", NOON)

    assert hall.ledger.due("dimmer", NOON.timestamp() + 10**9) == []
    assert hall.at_rest()
