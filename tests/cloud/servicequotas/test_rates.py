"""Service Quotas: how often its own operations are served."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.servicequotas.conftest import P4D

Call = Callable[[Any], Any]

CALLS: dict[int, dict[str, Call]] = {
    10: {
        "services": lambda client: client.list_services(),
        "applied": lambda client: client.list_service_quotas(ServiceCode="kms"),
        "default": lambda client: client.list_aws_default_service_quotas(ServiceCode="kms"),
    },
    5: {
        "get": lambda client: client.get_service_quota(**P4D),
        "get-default": lambda client: client.get_aws_default_service_quota(**P4D),
        "history": lambda client: client.list_requested_service_quota_change_history(),
        "history-by-quota": (
            lambda client: client.list_requested_service_quota_change_history_by_quota(**P4D)
        ),
    },
    3: {"request": lambda client: client.request_service_quota_increase(**P4D, DesiredValue=0)},
}


THROTTLED = {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}
"""github.com/cloud-custodian/cloud-custodian/pull/7138."""


@cache
def without_retries() -> Any:
    """One client for all tests: making one takes longer than most of them."""
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    return session.client("service-quotas", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def impatient(account: Account) -> Any:
    """A client that does not try again."""
    return without_retries()


def served(call: Call, client: Any) -> int:
    """How many calls in a row are served before one is refused."""
    for count in range(100):
        try:
            call(client)
        except ClientError as error:
            if error.response["Error"] == THROTTLED:
                return count
    return 100


@pytest.mark.parametrize(
    ("rate", "call"),
    [(rate, call) for rate, calls in CALLS.items() for call in calls.values()],
    ids=[name for calls in CALLS.values() for name in calls],
)
def test_a_rate_and_the_same_again_in_one_burst(
    account: Account, impatient: Any, rate: int, call: Call
) -> None:
    """Service Quotas User Guide, reference_limits: "GetServiceQuota requests per second 5;
    Additional GetServiceQuota requests per second sent in one burst 5", and so on."""
    assert served(call, impatient) == 2 * rate
    account.clock.shift(1)
    assert served(call, impatient) == rate
    account.clock.shift(60)
    assert served(call, impatient) == 2 * rate


def test_each_operation_and_region_has_its_own(account: Account, impatient: Any) -> None:
    """The same page: all of these values are per Region."""
    served(CALLS[5]["get"], impatient)
    impatient.get_aws_default_service_quota(**P4D)
    account.client("service-quotas", "eu-west-1").get_service_quota(**P4D)


def test_rates_can_be_lifted(impatient: Any) -> None:
    WORLD.switches.quota_api_rates = False
    assert served(CALLS[5]["get"], impatient) == 100
