"""What the ledger knows, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

REMEDIATIONS = ("traffic_shift", "quota_increase", "spot_fallback", "provisioned_concurrency")


def read(dynamodb: Any, table: str, most: int) -> dict[str, list[dict[str, Any]]]:
    """{"incidents": [...], "refused": [...]}, each at most `most` a remediation, newest first."""
    incidents: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for remediation in REMEDIATIONS:
        incidents += [
            json.loads(item["document"]["S"])
            for item in _newest(dynamodb, table, remediation, "incident", most)
        ]
        refused += [
            {
                "remediation": remediation,
                "code": item["code"]["S"],
                "reason": item["reason"]["S"],
                "times_seen": int(float(item["times_seen"]["N"])),
                "last_seen": item["last_seen"]["S"],
            }
            for item in _newest(dynamodb, table, remediation, "refused", most)
        ]
    return {"incidents": incidents, "refused": refused}


def _newest(
    dynamodb: Any, table: str, remediation: str, kind: str, most: int
) -> Iterator[dict[str, Any]]:
    """Items of one kind in the remediation's feed."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName="feed",
        KeyConditionExpression="remediation = :remediation",
        FilterExpression="sk = :kind",
        ExpressionAttributeValues={":remediation": {"S": remediation}, ":kind": {"S": kind}},
        ScanIndexForward=False,
    )
    return islice((item for page in pages for item in page["Items"]), most)


def show(console: Console, mode: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Tables for a person."""
    console.print(f"The account's mode is [bold]{mode}[/bold].")
    if not found["incidents"]:
        console.print("No incidents.")
    else:
        table = Table("incident", "target", "stage", "mode", "reason", title="Incidents")
        for each in found["incidents"]:
            name = each["target"].rsplit("/", 1)[-1]
            row = [each["id"], name, each["stage"], each["mode"], each["reason"]]
            table.add_row(*map(escape, row))
        console.print(table)
    if found["refused"]:
        table = Table("refused", "times", "last seen", "reason", title="Signals refused")
        for each in found["refused"]:
            row = [each["code"], str(each["times_seen"]), each["last_seen"], each["reason"]]
            table.add_row(*map(escape, row))
        console.print(table)
