"""What the ledger knows, newest first."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

REMEDIATIONS = ("traffic_shift",)


def read(dynamodb: Any, table: str, most: int) -> dict[str, list[dict[str, Any]]]:
    """{"incidents": [...], "refused": [...]}, each at most `most` a remediation, newest first."""
    incidents: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for remediation in REMEDIATIONS:
        items = dynamodb.query(
            TableName=table,
            IndexName="feed",
            KeyConditionExpression="remediation = :remediation",
            ExpressionAttributeValues={":remediation": {"S": remediation}},
            ScanIndexForward=False,
            Limit=most,
        )["Items"]
        for item in items:
            if item["sk"]["S"] == "incident":
                incidents.append(json.loads(item["document"]["S"]))
            else:
                refused.append(
                    {
                        "remediation": remediation,
                        "code": item["code"]["S"],
                        "reason": item["reason"]["S"],
                        "times_seen": int(float(item["times_seen"]["N"])),
                        "last_seen": item["last_seen"]["S"],
                    }
                )
    return {"incidents": incidents, "refused": refused}


def show(console: Console, mode: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Tables for a person."""
    console.print(f"The account's mode is [bold]{mode}[/bold].")
    if not found["incidents"]:
        console.print("No incidents.")
    else:
        table = Table("incident", "target", "stage", "mode", "reason", title="Incidents")
        for each in found["incidents"]:
            name = each["target"].rsplit("/", 1)[-1]
            table.add_row(each["id"], name, each["stage"], each["mode"], each["reason"])
        console.print(table)
    if found["refused"]:
        table = Table("refused", "times", "last seen", "reason", title="Signals refused")
        for each in found["refused"]:
            table.add_row(each["code"], str(each["times_seen"]), each["last_seen"], each["reason"])
        console.print(table)
