"""Service Quotas: which increase requests AWS takes, and what it shows of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused
from tests.cloud.servicequotas.conftest import P4D, Control, ask, status

LAMBDA = {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384"}
PER_DOMAIN = {"ServiceCode": "es", "QuotaCode": "L-6408ABDE"}
DOMAINS = [f"arn:aws:es:us-east-1:123456789012:domain/logs-{n}" for n in range(3)]
TOO_MANY = "QuotaExceededException"


def some_quotas(quotas: Any, count: int) -> list[dict[str, str]]:
    """So many different quotas that can be raised."""
    found = quotas.list_service_quotas(ServiceCode="sagemaker", MaxResults=100)["Quotas"]
    return [
        {"ServiceCode": "sagemaker", "QuotaCode": quota["QuotaCode"]}
        for quota in found
        if quota["Adjustable"]
    ][:count]


def test_a_request_is_pending_and_has_no_case(quotas: Any) -> None:
    """Service Quotas User Guide, request-quota-increase: the shape of its examples; botocore
    model: without RequestType a person made it, and CaseId is optional."""
    change = ask(quotas, 8)
    assert change.pop("Id")
    assert change.pop("Created") == change.pop("LastUpdated")
    assert json.loads(change.pop("Requester")) == {
        "accountId": "123456789012",
        "callerArn": "arn:aws:iam::123456789012:user/pocket",
    }
    assert change == {
        **P4D,
        "ServiceName": "Amazon SageMaker",
        "QuotaName": "ml.p4d.24xlarge for training job usage",
        "QuotaArn": "arn:aws:servicequotas:us-east-1:123456789012:sagemaker/L-09B4A649",
        "DesiredValue": 8.0,
        "Status": "PENDING",
        "GlobalQuota": False,
        "Unit": "None",
        "QuotaRequestedAtLevel": "ACCOUNT",
    }


def test_the_requester_is_the_role_that_holds_the_key(
    quotas: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = ("arn:aws:iam::123456789012:role/path/raiser", "raise-quotas")
    monkeypatch.setattr(WORLD, "role_of", lambda key: role if key else None)
    assert json.loads(ask(quotas)["Requester"])["callerArn"] == (
        "arn:aws:sts::123456789012:assumed-role/raiser/raise-quotas"
    )


def test_nothing_is_requested_that_the_account_has(quotas: Any) -> None:
    """Text: github.com/cloud-custodian/cloud-custodian/pull/8939."""
    illegal = (
        "IllegalArgumentException",
        "You must provide a quota value greater than the current quota value",
    )
    for desired in (0, 999, 1000):
        arguments = {**LAMBDA, "DesiredValue": desired}
        assert refused(quotas.request_service_quota_increase, **arguments) == illegal
    assert ask(quotas, 1001, **LAMBDA)["Status"] == "PENDING"


def test_an_account_below_the_default_must_ask_for_more_than_the_default(
    quotas: Any, control: Control
) -> None:
    """As new accounts are told, whose Lambda concurrency is 10 while AWS's default is 1,000."""
    control("PUT", "quotas/lambda/L-B99A9384/value", {"value": 10})
    assert refused(quotas.request_service_quota_increase, **LAMBDA, DesiredValue=1000) == (
        "IllegalArgumentException",
        "You must provide a quota value greater than the default quota value of 1000.0",
    )
    assert ask(quotas, 1001, **LAMBDA)["Status"] == "PENDING"


def test_what_is_not_adjustable_cannot_be_requested(quotas: Any) -> None:
    """As Bedrock's users are told of its on-demand quotas."""
    nova = {"ServiceCode": "bedrock", "QuotaCode": "L-CFA4FA0D"}
    assert refused(quotas.request_service_quota_increase, **nova, DesiredValue=5e6) == (
        "IllegalArgumentException",
        "The request failed because the specified quota is not adjustable.",
    )


def test_a_value_out_of_range_is_refused(quotas: Any) -> None:
    """botocore model, QuotaValue: 0 to 10^10; invalid input is IllegalArgumentException."""
    code, message = refused(quotas.request_service_quota_increase, **P4D, DesiredValue=1e11)
    assert code == "IllegalArgumentException"
    assert "less than or equal to 10000000000" in message


def test_an_account_level_quota_has_no_resources(quotas: Any) -> None:
    arguments = {**P4D, "DesiredValue": 8, "ContextId": DOMAINS[0]}
    code, _ = refused(quotas.request_service_quota_increase, **arguments)
    assert code == "IllegalArgumentException"


def test_one_open_request_a_quota(quotas: Any, account: Account) -> None:
    """Text: github.com/hashicorp/terraform-provider-aws/issues/19657. In another Region it is
    another quota."""
    ask(quotas, 8)
    assert refused(quotas.request_service_quota_increase, **P4D, DesiredValue=16) == (
        "ResourceAlreadyExistsException",
        "Only one open service quota increase request is allowed per quota.",
    )
    ask(account.client("service-quotas", "eu-west-1"), 8)
    account.wait(10)
    ask(quotas, 16)


def test_a_case_is_open_too(quotas: Any, account: Account, control: Control) -> None:
    control("PUT", "decision", {"outcome": "open-case"})
    ask(quotas)
    account.wait(3600)
    code, _ = refused(quotas.request_service_quota_increase, **P4D, DesiredValue=16)
    assert code == "ResourceAlreadyExistsException"


def test_one_open_request_a_resource(quotas: Any) -> None:
    """Service Quotas User Guide: reference_limits; request-quota-increase shows open requests of
    one quota for two resources."""
    for domain in DOMAINS[:2]:
        change = ask(quotas, 120, **PER_DOMAIN, ContextId=domain)
        assert change["QuotaRequestedAtLevel"] == "RESOURCE"
        assert change["QuotaContext"] == {
            "ContextScope": "RESOURCE",
            "ContextScopeType": "AWS::OpenSearchService::Domain",
            "ContextId": domain,
            "AdjustableAtLevel": "ALL",
        }
    arguments = {**PER_DOMAIN, "DesiredValue": 130, "ContextId": DOMAINS[0]}
    code, _ = refused(quotas.request_service_quota_increase, **arguments)
    assert code == "ResourceAlreadyExistsException"
    ask(quotas, 130, **PER_DOMAIN)


def test_a_resource_has_one_open_request_whatever_the_quota(quotas: Any, control: Control) -> None:
    """Service Quotas User Guide, reference_limits: 1 active request per resource."""
    per_thing = {"default": 1, "resource_type": "AWS::A::Thing"}
    a, b = ({"name": name, "code": f"L-{name}", **per_thing} for name in "AB")
    catalogue = {"services": [{"code": "es", "name": "ES", "quotas": [a, b]}]}
    control("PUT", "catalogue", catalogue)
    ask(quotas, 2, ServiceCode="es", QuotaCode="L-A", ContextId=DOMAINS[0])
    arguments = {"ServiceCode": "es", "QuotaCode": "L-B", "DesiredValue": 2}
    code, message = refused(
        quotas.request_service_quota_increase, **arguments, ContextId=DOMAINS[0]
    )
    assert (code, "per resource" in message) == ("ResourceAlreadyExistsException", True)
    quotas.request_service_quota_increase(**arguments, ContextId=DOMAINS[1])


def test_twenty_open_requests_an_account_over_all_regions(quotas: Any, account: Account) -> None:
    """Service Quotas User Guide, reference_limits: 20 active requests per account (Global)."""
    *first, last = some_quotas(quotas, 11)
    elsewhere = account.client("service-quotas", "eu-west-1")
    for quota in first:
        ask(quotas, 1000, **quota)
        ask(elsewhere, 1000, **quota)
    for region in ("us-east-1", "eu-west-1", "us-west-2"):
        client = account.client("service-quotas", region)
        arguments = {**last, "DesiredValue": 1000}
        assert refused(client.request_service_quota_increase, **arguments)[0] == TOO_MANY
    account.wait(10)
    ask(quotas, 1000, **last)


def test_two_open_requests_in_an_opt_in_region(quotas: Any, account: Account) -> None:
    """Service Quotas User Guide, reference_limits: 2 active requests per opt-in Region."""
    *first, last = some_quotas(quotas, 3)
    milan = account.client("service-quotas", "eu-south-1")
    for quota in first:
        ask(milan, 1000, **quota)
    arguments = {**last, "DesiredValue": 1000}
    assert refused(milan.request_service_quota_increase, **arguments)[0] == TOO_MANY
    ask(quotas, 1000, **last)


def test_or_two_in_every_region(quotas: Any) -> None:
    """The guide's older text: 2 active requests per Region."""
    WORLD.switches.two_quota_requests_in_every_region = True
    *first, last = some_quotas(quotas, 3)
    for quota in first:
        ask(quotas, 1000, **quota)
    arguments = {**last, "DesiredValue": 1000}
    assert refused(quotas.request_service_quota_increase, **arguments)[0] == TOO_MANY


def test_the_history_is_of_all_services_and_newest_first(quotas: Any, account: Account) -> None:
    """botocore model: ServiceCode is not required."""
    ids = []
    for arguments in (P4D, LAMBDA):
        ids.append(ask(quotas, 2000, **arguments)["Id"])
        account.wait(2)
    storage = {"ServiceCode": "lambda", "QuotaCode": "L-2ACBD22F"}
    history = quotas.list_requested_service_quota_change_history
    assert [each["Id"] for each in history()["RequestedQuotas"]] == ids[::-1]
    assert [each["Id"] for each in history(ServiceCode="lambda")["RequestedQuotas"]] == ids[1:]
    by_quota = quotas.list_requested_service_quota_change_history_by_quota
    assert [each["Id"] for each in by_quota(**P4D)["RequestedQuotas"]] == ids[:1]
    assert by_quota(**storage)["RequestedQuotas"] == []
    assert [each["Id"] for each in history(Status="PENDING")["RequestedQuotas"]] == ids[1:]
    elsewhere = account.client("service-quotas", "eu-west-1")
    assert elsewhere.list_requested_service_quota_change_history()["RequestedQuotas"] == []


def test_the_history_comes_in_pages(quotas: Any, account: Account) -> None:
    for desired in range(1, 6):
        ask(quotas, desired)
        account.wait(10)
    history = quotas.list_requested_service_quota_change_history
    first = history(MaxResults=4)
    second = history(MaxResults=4, NextToken=first["NextToken"])
    shown = [each["DesiredValue"] for page in (first, second) for each in page["RequestedQuotas"]]
    assert shown == [5, 4, 3, 2, 1]
    assert "NextToken" not in second


def test_the_history_shows_the_account_level_unless_asked(quotas: Any) -> None:
    """botocore model, QuotaRequestedAtLevel: ACCOUNT is the default."""
    ask(quotas, 90, **PER_DOMAIN)
    ask(quotas, 90, **PER_DOMAIN, ContextId=DOMAINS[0])

    def levels(**level: str) -> list[str]:
        history = quotas.list_requested_service_quota_change_history(**level)
        return [each["QuotaRequestedAtLevel"] for each in history["RequestedQuotas"]]

    assert levels() == ["ACCOUNT"]
    assert levels(QuotaRequestedAtLevel="RESOURCE") == ["RESOURCE"]
    assert levels(QuotaRequestedAtLevel="ALL") == ["RESOURCE", "ACCOUNT"]


def test_the_history_goes_back_ninety_days(quotas: Any, account: Account) -> None:
    """botocore model, ListRequestedServiceQuotaChangeHistory; the request itself stays known."""
    made = ask(quotas)["Id"]
    account.wait(90 * 86400)
    history = quotas.list_requested_service_quota_change_history
    assert [each["Id"] for each in history()["RequestedQuotas"]] == [made]
    account.wait(1)
    assert history()["RequestedQuotas"] == []
    assert status(quotas, made) == "APPROVED"


def test_an_unknown_request_is_no_resource(quotas: Any) -> None:
    for call in (quotas.get_requested_service_quota_change, quotas.create_support_case):
        assert refused(call, RequestId="a12345")[0] == "NoSuchResourceException"
