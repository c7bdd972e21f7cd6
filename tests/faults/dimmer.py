"""The smallest lever there is, a lamp, on the real order and ledger: for faults in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from functions.core.decision import Act, Decision, Dial, Fail, Move, Refuse, Settled, Wait
from functions.core.environment import Environment
from functions.core.incident import Incident
from functions.core.ledger import Ledger
from functions.core.mode import Mode, of_tag
from functions.core.order import Order
from functions.core.recorder import Outcome
from functions.core.remediation import Changed, Sighting
from functions.core.settings import Settings
from functions.core.signals import Signal
from functions.core.telling import Teller

LAMP = "arn:aws:lamp:us-east-1:123456789012:lamp/hall"
DARK = Sighting(LAMP, "dark")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    level: int
    dark: bool
    serial: int | None = None
    undone: Fail | None = None

    @property
    def dial(self) -> Dial:
        numbered = {} if self.serial is None else {"serial": self.serial}
        return {"lamp": {"level": self.level}, **numbered}


def nothing(step: str) -> None:
    pass


@dataclass
class Dimmer:
    """Turns the lamp to 10 while somebody says that it is dark. writes: the levels it was set to.

    serial: of the latest write, where the lamp numbers them and answers with it. says: what is
    decided instead. sighted, swept: what a signal and a sweep bring, or raise. undone: what is seen of
    a change that the lamp took back by itself.
    """

    level: int = 1
    dark: frozenset[str] = frozenset({"dark"})
    tag: str = "act"
    move: Move = Move.SAFETY
    writes: list[int] = field(default_factory=list)
    prepared: list[int] = field(default_factory=list)
    seen_causes: list[set[str]] = field(default_factory=list)
    gate: Callable[[str], None] = nothing
    failing: list[Exception] = field(default_factory=list)
    serial: int | None = None
    says: Decision | None = None
    undone: Fail | None = None
    sighted: Sequence[Sighting] | Refuse | Exception = (DARK,)
    swept: Sequence[Sighting] | Wait | Exception = ()
    sweeps: int = 0

    name: str = "dimmer"
    lever: str = "dimmer"
    pace: int = 0
    irreversible_because: str = ""

    def irreversible(self, target: str) -> str:
        return self.irreversible_because

    def prepare(self, signals: Sequence[Signal]) -> None:
        self.gate("prepare")
        self.prepared.append(len(signals))

    def tally(self, observation: Seen, incident: Incident) -> Mapping[str, float]:
        return {"_looks": incident.tally.get("_looks", 0) + 1}

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        if isinstance(self.sighted, Exception):
            raise self.sighted
        return self.sighted

    def sweep(self, now: datetime) -> Sequence[Sighting] | Wait:
        self.sweeps += 1
        if isinstance(self.swept, Exception):
            raise self.swept
        return self.swept

    def opt_in(self, target: str) -> Mode | Refuse:
        return of_tag({"ml-remediation:dimmer": self.tag}, self.lever)

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Seen:
        self.gate("observe")
        self.seen_causes.append(set(causes))
        return Seen(self.level, bool(self.dark & causes.keys()), self.serial, self.undone)

    def decide(self, observation: Seen, incident: Incident | None) -> Decision:
        if self.says is not None:
            return self.says
        if incident is not None and incident.goal is not None and incident.written is not None:
            if self.stands(observation.dial, incident.goal):
                return Settled("it stands")
            back = {"lamp": dict(incident.goal["lamp"])}
            return Act("on", back, back, Move.FORWARD)
        if not observation.dark or observation.level == 10:
            return Settled("it is light")
        bright: Dial = {"lamp": {"level": 10}}
        return Act("it is dark", bright, bright, self.move)

    def stands(self, dial: Dial, written: Dial) -> bool:
        return all(dial.get(part) == value for part, value in written.items())

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        self.gate("act")
        if self.failing:
            raise self.failing.pop(0)
        if seen["lamp"]["level"] != self.level:
            raise Changed({"lamp": {"level": self.level}})
        self.level = write["lamp"]["level"]
        self.writes.append(self.level)
        if self.serial is None:
            return None
        self.serial += 1
        return {**write, "serial": self.serial}


@dataclass
class Deaf:
    """EventBridge and SNS, which hear or do not."""

    events: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    events_down: bool = False
    topic_down: bool = False

    def put_events(self, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.events_down:
            return {"FailedEntryCount": len(Entries), "Entries": [{"ErrorCode": "Internal"}]}
        self.events += [entry["DetailType"] for entry in Entries]
        return {"FailedEntryCount": 0, "Entries": []}

    def publish(self, TopicArn: str, Message: str) -> None:
        if self.topic_down:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, "Publish")
        self.messages.append(Message)


class Gated:
    """A client each call of which passes a gate first."""

    def __init__(self, client: Any, gate: Callable[[str], None]) -> None:
        self._client = client
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._client, name)
        if not callable(called) or name == "get_paginator":
            return called

        def gated(*args: Any, **kwargs: Any) -> Any:
            self._gate(name)
            return called(*args, **kwargs)

        return gated


@dataclass
class Hall:
    """One lamp, its ledger, who hears of it, and a clock."""

    dimmer: Dimmer
    dynamodb: Any
    hears: Deaf = field(default_factory=Deaf)
    now: datetime = NOON
    mode: Mode = Mode.ACT
    settings: Settings = field(default_factory=Settings)
    sweep_seconds: int = 900
    echo_queue: str = ""

    @property
    def environment(self) -> Environment:
        return Environment(
            ledger_table="ledger",
            topic_arn="topic",
            mode_parameter="mode",
            settings=self.settings,
            lever={},
            sweep_seconds=self.sweep_seconds,
            echo_queue=self.echo_queue,
        )

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.dynamodb, "ledger")

    def order(self, gate: Callable[[str], None] = nothing) -> Order:
        gated = Gated(self.dynamodb, gate)
        return Order(
            remediation=self.dimmer,
            ledger=Ledger(gated, "ledger"),
            teller=Teller(self.hears, self.hears, "topic"),
            settings=self.settings,
            account_mode=lambda: self.mode,
            clock=lambda: self.now,
        )

    def look(self, *sightings: Sighting, seconds: float = 60) -> Outcome:
        return self.order().look(LAMP, sightings, seconds)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def beat(self, seconds: float = 60) -> list[Outcome]:
        """A minute passes, then all that is due is looked at."""
        self.later(seconds)
        due = self.ledger.due("dimmer", self.now.timestamp())
        return [self.order().look(pk, (), 60) for pk in dict.fromkeys(d["pk"] for d in due)]

    def incidents(self) -> list[Incident]:
        items = self.dynamodb.scan(TableName="ledger")["Items"]
        found = [i["document"]["S"] for i in items if i["sk"]["S"] == "incident"]
        return sorted(
            (Incident.from_document(json.loads(each)) for each in found),
            key=lambda each: each.opened_at,
        )

    def incident(self) -> Incident:
        [only] = self.incidents()
        return only

    def at_rest(self) -> bool:
        items = self.dynamodb.scan(TableName="ledger")["Items"]
        return not any("due_for" in item or item["sk"]["S"] == "claim" for item in items)


def build_ledger() -> Any:
    """A DynamoDB client whose account has an empty ledger. Within mock_aws."""
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    dynamodb.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}  # type: ignore[typeddict-item]
            for name, kind in [("pk", "S"), ("sk", "S"), ("due_for", "S"), ("due_at", "N")]
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_for", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return dynamodb
