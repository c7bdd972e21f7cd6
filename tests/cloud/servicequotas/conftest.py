"""Service Quotas of one test's account, at a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from local.cloud import WORLD
from local.cloud.control import create_app
from tests.cloud.conftest import Account

P4D = {"ServiceCode": "sagemaker", "QuotaCode": "L-09B4A649"}
"""ml.p4d.24xlarge for training job usage: 0 by default and in this account."""

Control = Callable[..., Any]


@pytest.fixture
def quotas(account: Account) -> Any:
    """The client of us-east-1, served as often as it asks: no token comes back while no time
    passes."""
    WORLD.switches.quota_api_rates = False
    return account.client("service-quotas")


@pytest.fixture
def control(account: Account) -> Control:
    """Calls the control interface: method, path, body; gives the answer, which must be good."""
    interface: FlaskClient = create_app().test_client()

    def call(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = interface.open(f"/servicequotas/{path}", method=method, json=body or {})
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    return call


def status(quotas: Any, request_id: str) -> str:
    """The state of a request."""
    change = quotas.get_requested_service_quota_change(RequestId=request_id)
    return str(change["RequestedQuota"]["Status"])


def value(quotas: Any, **quota: str) -> float:
    """An applied value."""
    return float(quotas.get_service_quota(**quota or P4D)["Quota"]["Value"])


def ask(quotas: Any, desired: float = 8, **more: Any) -> dict[str, Any]:
    """Request an increase, of P4D unless told otherwise."""
    arguments = {**P4D, "DesiredValue": desired, **more}
    change: dict[str, Any] = quotas.request_service_quota_increase(**arguments)["RequestedQuota"]
    return change
