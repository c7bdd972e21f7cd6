"""A CloudWatch of one's own for each test, at a clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import time_machine
from moto import mock_aws

from local.cloud import WORLD, install
from local.cloud.cloudwatch import record

ACCOUNT = "210987654321"
REGION = "eu-west-1"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:remedy"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:pager"
SESSION = boto3.Session("testing", "testing")  # one for all: it reads the service model once
VARIANT = {"EndpointName": "shop", "VariantName": "green"}


@dataclass
class Inbox:
    """Everything that left the account, in order of arrival."""

    events: list[Mapping[str, Any]] = field(default_factory=list)
    invocations: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    notices: list[tuple[str, str, str]] = field(default_factory=list)

    def event(self, envelope: Mapping[str, Any]) -> None:
        self.events.append(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        self.invocations.append((arn, payload))

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        self.notices.append((topic_arn, subject, message))

    def states(self) -> list[tuple[str, str]]:
        return [(e["detail"]["alarmName"], e["detail"]["state"]["value"]) for e in self.events]


class Clock:
    """The time of the test. Minutes count from START."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def to(self, minute: float, second: float = 2.0) -> None:
        """Go to so many minutes (and seconds) after START and let what fell due happen."""
        self._traveller.move_to(START + timedelta(minutes=minute, seconds=second))
        with WORLD.turn():
            pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    install()
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with time_machine.travel(START, tick=False) as traveller, mock_aws():
        yield Clock(traveller)


@pytest.fixture
def cloudwatch(clock: Clock) -> Any:
    return SESSION.client("cloudwatch", region_name=REGION)


@pytest.fixture
def inbox(clock: Clock) -> Iterator[Inbox]:
    inbox = Inbox()
    WORLD.sinks.append(inbox)
    yield inbox
    WORLD.sinks.remove(inbox)


def publish(minute: float, value: float, **other: Any) -> None:
    """One datum of the endpoint's 5xx errors, at a minute after START."""
    record(
        ACCOUNT,
        REGION,
        "AWS/SageMaker",
        "Invocation5XXErrors",
        VARIANT,
        value=value,
        timestamp=(START + timedelta(minutes=minute)).timestamp(),
        **other,
    )


def dimensions(of: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in of.items()]


def error_alarm(**other: Any) -> dict[str, Any]:
    """PutMetricAlarm's parameters: more than 5 errors in a minute."""
    return {
        "AlarmName": "errors",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": dimensions(VARIANT),
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        **other,
    }
