"""Service Quotas: what becomes of an increase request."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.servicequotas import applied
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused
from tests.cloud.servicequotas.conftest import P4D, Control, ask, status, value

NEXT = "quotas/sagemaker/L-09B4A649/next-decision"
PER_GATEWAY = {"ServiceCode": "ec2", "QuotaCode": "L-43872EB7"}
GATEWAY = "arn:aws:ec2:us-east-1:123456789012:transit-gateway/tgw-1"


def decided(quotas: Any, account: Account, **more: Any) -> dict[str, Any]:
    """A request of 8 for P4D, after AWS pondered it."""
    made = ask(quotas, **more)["Id"]
    account.wait(WORLD.durations.quota_decision)
    change: dict[str, Any] = quotas.get_requested_service_quota_change(RequestId=made)[
        "RequestedQuota"
    ]
    return change


def test_a_request_is_approved_and_then_applied(quotas: Any, account: Account) -> None:
    """Service Quotas User Guide, request-quota-increase: requests are reviewed, processed,
    approved, and then deployed. Nothing tells of it: there is no event."""
    made = ask(quotas)
    account.wait(WORLD.durations.quota_decision - 1)
    assert status(quotas, made["Id"]) == "PENDING"
    account.wait(1)
    change = quotas.get_requested_service_quota_change(RequestId=made["Id"])["RequestedQuota"]
    assert change["Status"] == "APPROVED"
    assert (change["LastUpdated"] - change["Created"]).seconds == WORLD.durations.quota_decision
    assert "CaseId" not in change
    assert value(quotas) == 0
    account.wait(WORLD.durations.quota_applied)
    assert value(quotas) == 8
    with WORLD.turn():
        place = ("123456789012", "us-east-1", "sagemaker")
        assert applied(*place, "ml.p4d.24xlarge for training job usage") == 8
    assert account.events == []


def test_a_global_increase_holds_everywhere(quotas: Any, account: Account) -> None:
    """It is requested in us-east-1 (terraform-provider-aws/issues/19735), and there is but one."""
    ask(quotas, 1500, ServiceCode="iam", QuotaCode="L-FE177D64")
    account.wait(10)
    with WORLD.turn():
        for region in ("us-east-1", "eu-west-1"):
            assert applied("123456789012", region, "iam", "Roles per account") == 1500


def test_an_increase_holds_in_its_region_only(quotas: Any, account: Account) -> None:
    decided(quotas, account)
    account.wait(10)
    assert value(quotas) == 8
    assert value(account.client("service-quotas", "eu-west-1")) == 0


def test_less_than_asked_may_be_granted(quotas: Any, account: Account, control: Control) -> None:
    """Service Quotas User Guide, request-quota-increase: Support can partially approve."""
    control("PUT", NEXT, {"outcome": "approve", "value": 2})
    assert decided(quotas, account)["Status"] == "APPROVED"
    account.wait(WORLD.durations.quota_applied)
    assert value(quotas) == 2


@pytest.mark.parametrize(
    ("outcome", "end"),
    [("deny", "DENIED"), ("not-approve", "NOT_APPROVED"), ("invalid", "INVALID_REQUEST")],
)
def test_a_request_may_be_turned_down(
    quotas: Any, account: Account, control: Control, outcome: str, end: str
) -> None:
    """botocore model, RequestedServiceQuotaChange.Status. The next request is decided anew."""
    control("PUT", NEXT, {"outcome": outcome})
    change = decided(quotas, account)
    assert change["Status"] == end
    account.wait(3600)
    assert value(quotas) == 0
    assert decided(quotas, account)["Status"] == "APPROVED"


def test_a_case_may_be_opened(quotas: Any, account: Account, control: Control) -> None:
    """botocore model: CASE_OPENED, and from then on the request has a CaseId; the case takes
    whatever time it takes."""
    control("PUT", NEXT, {"outcome": "open-case"})
    change = decided(quotas, account)
    assert change["Status"] == "CASE_OPENED"
    assert len(change["CaseId"]) == 15
    account.wait(86400)
    assert status(quotas, change["Id"]) == "CASE_OPENED"


@pytest.mark.parametrize(("grant", "after"), [({}, 0), ({"value": 6}, 6)])
def test_a_closed_case_does_not_tell_whether_it_was_granted(
    quotas: Any, account: Account, control: Control, grant: dict[str, int], after: float
) -> None:
    """botocore model: "Check the support case correspondence for the outcome"."""
    control("PUT", NEXT, {"outcome": "close-case", **grant})
    change = decided(quotas, account)
    assert change["Status"] == "CASE_OPENED"
    account.wait(WORLD.durations.quota_decision)
    assert status(quotas, change["Id"]) == "CASE_CLOSED"
    account.wait(WORLD.durations.quota_applied)
    assert value(quotas) == after


@pytest.mark.parametrize("outcome", ["open-case", "close-case"])
def test_what_needs_a_case_and_may_have_none_is_not_approved(
    quotas: Any, account: Account, control: Control, outcome: str
) -> None:
    """botocore model, SupportCaseAllowed."""
    control("PUT", NEXT, {"outcome": outcome})
    change = decided(quotas, account, SupportCaseAllowed=False)
    assert change["Status"] == "NOT_APPROVED"
    assert "CaseId" not in change


def test_what_needs_no_case_is_approved_without(quotas: Any, account: Account) -> None:
    assert decided(quotas, account, SupportCaseAllowed=False)["Status"] == "APPROVED"


def test_a_pending_request_can_get_a_case_on_demand(
    quotas: Any, account: Account, control: Control
) -> None:
    """botocore model, CreateSupportCase: only if the request is pending."""
    control("PUT", NEXT, {"outcome": "wait"})
    made = ask(quotas)["Id"]
    quotas.create_support_case(RequestId=made)
    assert status(quotas, made) == "CASE_OPENED"
    assert refused(quotas.create_support_case, RequestId=made)[0] == (
        "ResourceAlreadyExistsException"
    )
    control("POST", f"requests/{made}/decision", {"outcome": "deny"})
    assert refused(quotas.create_support_case, RequestId=made)[0] == "InvalidResourceStateException"


def test_a_resource_that_cannot_be_makes_the_request_invalid(quotas: Any, account: Account) -> None:
    """botocore model: INVALID_REQUEST, the ARN specified as the ContextId is invalid."""
    foreign = (("123456789012", "210987654321"), ("us-east-1", "us-west-2"), ("aws", "aws-cn"))
    for arn in ("tgw-1", *(GATEWAY.replace(*other, 1) for other in foreign)):
        change = decided(quotas, account, desired=30, **PER_GATEWAY, ContextId=arn)
        assert change["Status"] == "INVALID_REQUEST"


def test_a_resources_increase_is_the_resources(quotas: Any, account: Account) -> None:
    decided(quotas, account, desired=30, **PER_GATEWAY, ContextId=GATEWAY)
    account.wait(WORLD.durations.quota_applied)
    found = quotas.get_service_quota(**PER_GATEWAY, ContextId=GATEWAY)["Quota"]
    assert found["Value"] == 30
    assert refused(quotas.get_service_quota, **PER_GATEWAY)[0] == "NoSuchResourceException"


def test_raising_all_resources_at_once_takes_a_case(quotas: Any, account: Account) -> None:
    """Service Quotas User Guide, request-quota-increase: at the account level that "results in the
    creation of a support case", but for a quota such as OpenSearch's instances per domain."""
    assert decided(quotas, account, desired=30, **PER_GATEWAY)["Status"] == "CASE_OPENED"
    per_domain = {"ServiceCode": "es", "QuotaCode": "L-6408ABDE"}
    assert decided(quotas, account, desired=90, **per_domain)["Status"] == "APPROVED"


def test_all_requests_can_be_let_wait_and_one_decided(
    quotas: Any, account: Account, control: Control
) -> None:
    control("PUT", "decision", {"outcome": "wait"})
    change = decided(quotas, account)
    account.wait(86400)
    assert status(quotas, change["Id"]) == "PENDING"
    path = f"requests/{change['Id']}/decision"
    assert control("POST", path, {"outcome": "close-case", "value": 4})["status"] == "CASE_CLOSED"
    account.wait(WORLD.durations.quota_applied)
    assert value(quotas) == 4
    reason = control("POST", path, {"outcome": "approve"}, 409)["error"]
    assert "CASE_CLOSED" in reason


def test_an_earlier_word_is_the_last(quotas: Any, account: Account, control: Control) -> None:
    """What was planned does not befall a request that was decided meanwhile."""
    made = ask(quotas)["Id"]
    control("POST", f"requests/{made}/decision", {"outcome": "deny"})
    account.wait(60)
    assert status(quotas, made) == "DENIED"
    assert value(quotas) == 0


def test_others_take_the_one_place(quotas: Any, control: Control) -> None:
    """A person's request, or Automatic Management's, which RequestType tells (botocore model)."""
    control(
        "POST",
        "quotas/sagemaker/L-09B4A649/requests",
        {"desired_value": 4, "by": "automatic-management"},
    )
    control("POST", "quotas/lambda/Concurrent executions/requests", {"desired_value": 2000})
    history = quotas.list_requested_service_quota_change_history()["RequestedQuotas"]
    person, automatic = history
    assert automatic["RequestType"] == "AutomaticManagement"
    assert "RequestType" not in person
    assert "user/jane" in person["Requester"]
    code, _ = refused(quotas.request_service_quota_increase, **P4D, DesiredValue=8)
    assert code == "ResourceAlreadyExistsException"
    path = "quotas/sagemaker/L-09B4A649/requests"
    reason = control("POST", path, {"desired_value": 9}, 409)["error"]
    assert reason.startswith("ResourceAlreadyExistsException")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("PUT", "quotas/nothing/L-1/value", {"value": 1}, 404, "no service 'nothing'"),
        ("PUT", "quotas/ec2/L-1/value", {"value": 1}, 404, "no quota"),
        ("PUT", "quotas/ec2/L-417A185B/value?region=mars-1", {"value": 1}, 404, "'mars-1'"),
        ("PUT", "quotas/iam/L-FE177D64/value?region=eu-west-1", {"value": 1}, 404, "global"),
        ("PUT", "quotas/ec2/L-417A185B/value", {"value": 1, "resource": "x"}, 400, "resource"),
        ("PUT", "decision", {"outcome": "deny", "value": 1}, 400, "grants nothing"),
        ("PUT", "decision", {"outcome": "maybe"}, 400, "one of"),
        ("POST", "requests/none/decision", {"outcome": "deny"}, 404, "no request"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    control: Control, method: str, path: str, body: Any, status: int, reason: str
) -> None:
    assert reason in control(method, path, body, status)["error"]


def test_a_value_can_be_set_in_a_region(account: Account, quotas: Any, control: Control) -> None:
    control("PUT", "quotas/sagemaker/L-09B4A649/value?region=eu-west-1", {"value": 3})
    assert value(quotas) == 0
    assert value(account.client("service-quotas", "eu-west-1")) == 3
