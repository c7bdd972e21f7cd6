"""A stage for each test, its clock standing at noon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from moto import mock_aws

from local.cloud import install
from tests.functional.world import ACCOUNT, LEDGER, MODE, REGION, Stage, build_stack, hooked

install()

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("LEDGER_TABLE", LEDGER)
    monkeypatch.setenv("TOPIC_ARN", f"arn:aws:sns:{REGION}:{ACCOUNT}:notifications")
    monkeypatch.setenv("MODE_PARAMETER", MODE)
    monkeypatch.setenv("QUEUE_URLS", json.dumps({}))
    monkeypatch.setenv("SETTINGS", json.dumps({}))
    monkeypatch.setenv("LEVER_SETTINGS", json.dumps({}))
    return monkeypatch


@pytest.fixture
def stage(environment: pytest.MonkeyPatch) -> Iterator[Stage]:
    with time_machine.travel(NOON, tick=False) as clock, mock_aws():
        stage = Stage(clock)
        build_stack(stage)
        with hooked(stage):
            yield stage
