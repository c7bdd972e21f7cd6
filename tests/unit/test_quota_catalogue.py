"""What the catalogue and the history make of Service Quotas' answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.core.memory import Memento
from functions.quota_increase.aws import Quotas
from functions.quota_increase.catalogue import Catalogue
from functions.quota_increase.settings import QuotaRule
from tests.unit.quotas import NOON

RULE = QuotaRule("sagemaker", "*", 100, 10)


class Kept:
    """A memory that lasts as long as the test."""

    def __init__(self) -> None:
        self.documents: dict[str, Memento] = {}

    def recall(self, name: str) -> Memento | None:
        return self.documents.get(name)

    def remember(self, name: str, document: Any, now: Any) -> None:
        self.documents[name] = Memento(name, document, now)


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "service-quotas",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def stubbed(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def quota(code: str, name: str) -> dict[str, Any]:
    return {"ServiceCode": "sagemaker", "QuotaCode": code, "QuotaName": name, "Value": 8.0}


def test_a_service_that_does_not_exist_has_no_quotas(client: Any, stubbed: Stubber) -> None:
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        stubbed.add_client_error(operation, "NoSuchResourceException")
    catalogue = Catalogue(client, Kept(), lambda: NOON)  # type: ignore[arg-type]

    assert catalogue.code("sagmaker", "ml.p5.48xlarge for training job usage") is None


def test_pages_that_come_again_end_the_list(client: Any, stubbed: Stubber) -> None:
    page = {"Quotas": [quota("L-1", "one")], "NextToken": "again"}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        stubbed.add_response(operation, page)
        stubbed.add_response(operation, page)
    catalogue = Catalogue(client, Kept(), lambda: NOON)  # type: ignore[arg-type]

    assert catalogue.code("sagemaker", "One") == "L-1"


def history(*levels: str) -> Sequence[dict[str, Any]]:
    return [
        {
            "Id": f"r{i}",
            "ServiceCode": "sagemaker",
            "QuotaCode": "L-1",
            "DesiredValue": 9.0,
            "Status": "PENDING",
            "Created": NOON,
            "LastUpdated": NOON,
            "QuotaRequestedAtLevel": level,
        }
        for i, level in enumerate(levels)
    ]


def test_a_request_for_one_resource_takes_a_slot_but_is_not_the_accounts(
    client: Any, stubbed: Stubber
) -> None:
    stubbed.add_response(
        "list_requested_service_quota_change_history", {"RequestedQuotas": history("RESOURCE")}
    )
    stubbed.add_response("get_service_quota", {"Quota": quota("L-1", "one")})
    quotas = Quotas(lambda service: client)

    seen = quotas.observe("arn", "sagemaker", "L-1", [], RULE, NOON)

    assert (list(seen.requests), seen.taken) == ([], 1)


def test_a_default_counts_where_nothing_was_ever_applied(client: Any, stubbed: Stubber) -> None:
    stubbed.add_client_error("get_service_quota", "NoSuchResourceException")
    stubbed.add_response("get_aws_default_service_quota", {"Quota": quota("L-1", "one")})

    assert Quotas(lambda service: client).quota("sagemaker", "L-1").value == 8.0
