"""The most memory a function's process takes, from its import to the end of a rollback."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from benchmarks.figures import Figure, Measurement
from benchmarks.processes import ENVIRONMENT, built_asset, run_probe
from benchmarks.scene import Scene
from local.pocket import Account, Pocket

RUNS = 5
GOAL = 128.0
LIMITS = (
    "Resident memory of the Python process alone, its share of files included; Lambda adds its own"
    " runtime client, and counts on another Python and architecture.",
    "One heartbeat with a sweep and one rollback. A batch of ten large events, or an account of"
    " thousands of alarms, needs more.",
)


def measure(say: Callable[[str], None]) -> Measurement:
    """Fresh processes, each rolling back a fresh endpoint in an account of another process."""
    names = [f"endpoint-{i}" for i in range(RUNS)]
    with Pocket() as account, built_asset() as asset:
        environment = {**ENVIRONMENT, **account.env, **_prepare(account)}
        scene = Scene(account)
        say("waiting for a minute of failing requests")
        scene.build(names)
        runs = []
        for name in names:
            say(f"rolling back {name}")
            scene.alarm(name)
            ledger = _create_ledger(account, name)
            run = run_probe("one_rollback", asset, {**environment, "LEDGER_TABLE": ledger})
            if "acted" not in run["codes"] or scene.weights(name)["green"] != 0:
                raise AssertionError(f"{name} was not rolled back: {run}")
            runs.append(run)
    return Measurement(
        figures=[
            Figure("Peak memory of a function", max(r["peak"] for r in runs), "MB", GOAL),
        ],
        parts=[
            Figure("the interpreter", median(r["started"] for r in runs), "MB"),
            Figure("with the handler imported", median(r["imported"] for r in runs), "MB"),
            Figure("peak, median", median(r["peak"] for r in runs), "MB"),
        ],
        settings={"runs": RUNS, "page_bytes": os.sysconf("SC_PAGE_SIZE")},
        limits=LIMITS,
    )


def _prepare(account: Account) -> Mapping[str, str]:
    topic = account.client("sns").create_topic(Name="notifications")["TopicArn"]
    account.client("ssm").put_parameter(Name="/benchmark/mode", Value="act", Type="String")
    return {"TOPIC_ARN": topic, "MODE_PARAMETER": "/benchmark/mode"}


def _create_ledger(account: Account, name: str) -> str:
    """A ledger that knows nothing, so that each heartbeat starts with a sweep."""
    types = {"pk": "S", "sk": "S", "due_for": "S", "due_at": "N"}
    due: Any = {
        "IndexName": "due",
        "KeySchema": _keys("due_for", "due_at"),
        "Projection": {"ProjectionType": "ALL"},
    }
    account.client("dynamodb").create_table(
        TableName=f"ledger-{name}",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind in types.items()
        ],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[due],
    )
    return f"ledger-{name}"


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
