"""An account and a remediation's handler in this process, on a clock that is set by hand.

For what takes hours on AWS. A process plays one such account and ends: moto and the clock are taken
over for good.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import boto3
import time_machine
from moto import mock_aws

from functions.core import intake
from local.account import ACCOUNT_ID, REGION
from local.cloud import WORLD, install
from local.cloud.control import create_app

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEDGER, MODE = "ledger", "/mode"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:notifications"
HEARTBEAT = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
STEP = 10.0
INDEXES = {"due": ("due_for", "due_at"), "feed": ("remediation", "opened_at")}
"""Of the ledger: name to partition and sort key, as the stack creates them."""

Handler = Callable[[Any, Any], dict[str, Any]]


@dataclass
class Context:
    """What Lambda hands to a handler, with a minute left."""

    function_name: str = "benchmark"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:benchmark"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class Stage:
    """The account, its clock, and the function. events: what left AWS and nobody took yet. calls:
    operations that the function called, each with its parameters."""

    clock: time_machine.Traveller
    handler: Handler
    events: list[Mapping[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    invocations: int = 0
    _inside: bool = False
    _control: Any = field(default_factory=lambda: create_app().test_client())

    def control(self, method: str, path: str, body: object = None) -> Any:
        """One request of the control interface; raises AssertionError when it refuses."""
        answer = self._control.open(path, method=method, json=body or {})
        if answer.status_code != 200:
            raise AssertionError(f"{method} {path}: {answer.get_json()}")
        return answer.get_json()

    def wait(self, seconds: float) -> None:
        """Let time pass for AWS; nothing reaches the function by itself."""
        while seconds > 0:
            self.clock.shift(min(STEP, seconds))
            seconds -= STEP
            with WORLD.turn():
                pass

    def batch(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Queue messages, as the event source mapping hands them over; what fails comes again."""
        records = [
            {"messageId": str(number), "body": json.dumps(each), "eventSource": "aws:sqs"}
            for number, each in enumerate(events)
        ]
        failed = self._invoke({"Records": records})["batchItemFailures"]
        if failed:
            raise AssertionError(f"{len(failed)} of {len(events)} messages were not taken")

    def heartbeat(self) -> None:
        self._invoke(HEARTBEAT)

    def _invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        self.invocations += 1
        self._inside = True
        try:
            return self.handler(event, Context())
        finally:
            self._inside = False

    def pause(self, seconds: float) -> None:
        """What the function waits for itself."""
        self._inside = False
        self.wait(seconds)
        self._inside = True

    # WORLD.sinks

    def event(self, envelope: Mapping[str, Any]) -> None:
        self.events.append(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        raise AssertionError(f"nothing invokes {arn} here")

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        raise AssertionError(f"nothing notifies {topic_arn} here")

    # a botocore hook

    def called(self, params: Any, model: Any, **_: Any) -> None:
        if self._inside:
            self.calls.append((model.name, dict(params)))


@contextmanager
def stage(
    handler: Handler, settings: Mapping[str, Any], core: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Stage]:
    """A remediation in mode act with the settings of its own, and those of all, in an empty account at
    noon."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION=REGION,
        MOTO_ACCOUNT_ID=ACCOUNT_ID,
        LEDGER_TABLE=LEDGER,
        TOPIC_ARN=TOPIC,
        MODE_PARAMETER=MODE,
        QUEUE_URLS="{}",
        SETTINGS=json.dumps(dict(core)),
        LEVER_SETTINGS=json.dumps(settings),
    )
    install()
    with time_machine.travel(NOON, tick=False) as clock, mock_aws():
        played = Stage(clock, handler)
        boto3.setup_default_session()
        hooks: Any = boto3._get_default_session().events
        hooks.register("provide-client-params", played.called)
        _build()
        WORLD.sinks.append(played)
        setattr(intake, "sleep", played.pause)  # noqa: B010 - a name that it imports
        try:
            yield played
        finally:
            setattr(intake, "sleep", time.sleep)  # noqa: B010
            WORLD.sinks.remove(played)


def _build() -> None:
    """The parts of the stack that a handler calls."""
    keys: list[tuple[str, Any]] = [("pk", "HASH"), ("sk", "RANGE")]
    names = ["pk", "sk", *(name for pair in INDEXES.values() for name in pair)]
    boto3.client("dynamodb").create_table(
        TableName=LEDGER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "N" if name == "due_at" else "S"}
            for name in names
        ],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, (partition, sort) in INDEXES.items()
        ],
    )
    boto3.client("sns").create_topic(Name="notifications")
    boto3.client("ssm").put_parameter(Name=MODE, Value="act", Type="String")
