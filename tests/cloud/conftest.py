"""A frozen clock, an empty simulated account, and a record of what left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
import time_machine
from moto import mock_aws

from local.cloud import WORLD, install

install()

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@cache
def client(service: str, region: str) -> Any:
    """One client a service for all tests: making one takes longer than most tests."""
    session: Any = boto3.Session(
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return session.client(service)


@dataclass
class Account:
    """The simulated account of one test: clients to act with, time to let pass, what left it."""

    clock: time_machine.Traveller
    events: list[Mapping[str, Any]] = field(default_factory=list)
    invocations: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    messages: list[tuple[str, str, str]] = field(default_factory=list)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return client(service, region)

    def wait(self, seconds: float) -> None:
        """Let time pass, as the server's ticker would see it pass."""
        self.clock.shift(seconds)
        with WORLD.turn():
            pass

    def event(self, envelope: Mapping[str, Any]) -> None:
        self.events.append(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        self.invocations.append((arn, payload))

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        self.messages.append((topic_arn, subject, message))


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def account(credentials: None) -> Iterator[Account]:
    with time_machine.travel(NOON, tick=False) as clock, mock_aws():
        account = Account(clock)
        WORLD.sinks.append(account)
        try:
            yield account
        finally:
            WORLD.sinks.remove(account)
