"""The control interface of the simulated account, as a person drives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.cloud.control import create_app
from tests.cloud.conftest import Account

Control = Callable[..., tuple[int, Any]]


@pytest.fixture
def control(account: Account) -> Control:
    """Calls the control interface: method, path, body -> status, answer."""
    client = create_app().test_client()

    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.open(path, method=method, json=body)
        return answer.status_code, answer.get_json()

    return call
