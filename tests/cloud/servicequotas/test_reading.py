"""Service Quotas: what services and quotas there are, and their values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.conftest import Account
from tests.cloud.hosting import refused
from tests.cloud.servicequotas.conftest import P4D, Control, ask, value

HERE = "arn:aws:servicequotas:us-east-1:123456789012"
NO_SERVICE = (
    "NoSuchResourceException",
    "The request failed because the specified service does not exist.",
)
DOMAIN = "arn:aws:es:us-east-1:123456789012:domain/logs"
PER_DOMAIN = {"ServiceCode": "es", "QuotaCode": "L-6408ABDE"}


def paged(call: Any, member: str, **arguments: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list operation."""
    pages, token = [], {}
    while True:
        answer = call(**arguments, **token)
        pages.append(answer[member])
        if "NextToken" not in answer:
            return pages
        token = {"NextToken": answer["NextToken"]}


def test_an_account_level_quota_has_what_real_ones_have(quotas: Any) -> None:
    """AWS CLI examples, get-service-quota and list-service-quotas."""
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-417A185B")["Quota"] == {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": f"{HERE}:ec2/L-417A185B",
        "QuotaCode": "L-417A185B",
        "QuotaName": "Running On-Demand P instances",
        "Value": 0.0,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {
                "Service": "EC2",
                "Type": "Resource",
                "Resource": "vCPU",
                "Class": "P/OnDemand",
            },
            "MetricStatisticRecommendation": "Maximum",
        },
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def test_a_default_value_carries_no_account(quotas: Any) -> None:
    """AWS CLI examples, get-aws-default-service-quota."""
    default = quotas.get_aws_default_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")
    assert default["Quota"]["QuotaArn"] == "arn:aws:servicequotas:us-east-1::ec2/L-1216C47A"
    assert default["Quota"]["Value"] == 5.0
    assert "QuotaAppliedAtLevel" not in default["Quota"]
    assert value(quotas, ServiceCode="ec2", QuotaCode="L-1216C47A") == 5000.0


@pytest.mark.parametrize("code", ["EC2", "no-such"])
def test_service_codes_are_case_sensitive(quotas: Any, code: str) -> None:
    """github.com/aws/aws-cli/issues/4569."""
    for call in (
        quotas.list_service_quotas,
        quotas.list_aws_default_service_quotas,
        quotas.list_requested_service_quota_change_history,
    ):
        assert refused(call, ServiceCode=code) == NO_SERVICE
    assert refused(quotas.get_service_quota, ServiceCode=code, QuotaCode="L-417A185B") == NO_SERVICE


def test_an_unknown_quota_is_no_resource(quotas: Any) -> None:
    for call in (
        quotas.get_service_quota,
        quotas.get_aws_default_service_quota,
        quotas.list_requested_service_quota_change_history_by_quota,
    ):
        code, message = refused(call, ServiceCode="ec2", QuotaCode="L-00000000")
        assert (code, "quota does not exist" in message) == ("NoSuchResourceException", True)


def test_a_global_quota_is_known_in_one_region_only(quotas: Any, account: Account) -> None:
    """github.com/hashicorp/terraform-provider-aws/issues/19735: read and raised in us-east-1,
    and its ARN names no Region."""
    role = {"ServiceCode": "iam", "QuotaCode": "L-FE177D64"}
    found = quotas.get_service_quota(**role)["Quota"]
    assert found["GlobalQuota"]
    assert found["QuotaArn"] == "arn:aws:servicequotas::123456789012:iam/L-FE177D64"
    default = quotas.get_aws_default_service_quota(**role)["Quota"]
    assert default["QuotaArn"] == "arn:aws:servicequotas:::iam/L-FE177D64"
    elsewhere = account.client("service-quotas", "eu-west-1")
    assert refused(elsewhere.get_service_quota, **role) == NO_SERVICE
    assert refused(elsewhere.request_service_quota_increase, **role, DesiredValue=9000) == (
        NO_SERVICE
    )
    services = [each["ServiceCode"] for each in elsewhere.list_services()["Services"]]
    assert "iam" not in services
    assert "s3" in services
    listed = elsewhere.list_service_quotas(ServiceCode="s3")["Quotas"]
    assert "General purpose buckets" not in [quota["QuotaName"] for quota in listed]
    code, _ = refused(elsewhere.get_service_quota, ServiceCode="s3", QuotaCode="L-DC2B2D3D")
    assert code == "NoSuchResourceException"


def test_a_value_nobody_ever_applied_is_not_found(quotas: Any, account: Account) -> None:
    """github.com/hashicorp/terraform-provider-aws/issues/19745; API reference,
    ListServiceQuotas: "If the applied quota value is not available for a quota, the quota is not
    retrieved"."""
    groups = {"ServiceCode": "vpc", "QuotaCode": "L-E79EC296"}

    def listed() -> bool:
        found = quotas.list_service_quotas(ServiceCode="vpc")["Quotas"]
        return "L-E79EC296" in [quota["QuotaCode"] for quota in found]

    assert refused(quotas.get_service_quota, **groups)[0] == "NoSuchResourceException"
    assert not listed()
    assert quotas.get_aws_default_service_quota(**groups)["Quota"]["Value"] == 2500.0
    ask(quotas, 3000, **groups)
    account.wait(10)
    assert value(quotas, **groups) == 3000.0
    assert listed()


def test_a_reason_may_stand_in_place_of_a_value(quotas: Any) -> None:
    """API reference, ServiceQuota.ErrorReason."""
    found = quotas.get_service_quota(ServiceCode="s3", QuotaCode="L-349AD9CA")["Quota"]
    assert "Value" not in found
    assert found["ErrorReason"]["ErrorCode"] == "SERVICE_QUOTA_NOT_AVAILABLE_ERROR"


def test_a_rate_has_a_period(quotas: Any) -> None:
    found = quotas.get_service_quota(ServiceCode="monitoring", QuotaCode="L-5E141212")["Quota"]
    assert found["Period"] == {"PeriodValue": 1, "PeriodUnit": "SECOND"}
    assert found["UsageMetric"]["MetricName"] == "CallCount"
    assert found["UsageMetric"]["MetricStatisticRecommendation"] == "Sum"


def test_a_resource_has_a_value_only_when_one_was_set_for_it(quotas: Any, control: Control) -> None:
    """github.com/aws/aws-cli/issues/8584: there is no falling back to the account's value."""
    assert refused(quotas.get_service_quota, **PER_DOMAIN, ContextId=DOMAIN) == (
        "NoSuchResourceException",
        "The request failed because applied value for the specified context Id do not exist.",
    )
    control("PUT", "quotas/es/L-6408ABDE/value", {"value": 120, "resource": DOMAIN})
    found = quotas.get_service_quota(**PER_DOMAIN, ContextId=DOMAIN)["Quota"]
    assert (found["Value"], found["QuotaAppliedAtLevel"]) == (120.0, "RESOURCE")
    assert value(quotas, **PER_DOMAIN) == 80.0


def test_levels_are_listed_apart(quotas: Any, control: Control) -> None:
    """Service Quotas User Guide, request-quota-increase: ACCOUNT by default; at the resource level
    only what was set for a resource, and QuotaContext says for which."""
    control("PUT", "quotas/es/L-6408ABDE/value", {"value": 120, "resource": DOMAIN})

    def listed(**level: str) -> list[tuple[str, str]]:
        found = quotas.list_service_quotas(ServiceCode="es", QuotaCode="L-6408ABDE", **level)
        return [
            (each["QuotaAppliedAtLevel"], each["QuotaContext"]["ContextId"])
            for each in found["Quotas"]
        ]

    assert listed() == [("ACCOUNT", "*")]
    assert listed(QuotaAppliedAtLevel="RESOURCE") == [("RESOURCE", DOMAIN)]
    assert listed(QuotaAppliedAtLevel="ALL") == [("ACCOUNT", "*"), ("RESOURCE", DOMAIN)]


def test_one_quota_can_be_picked_from_the_list(quotas: Any) -> None:
    found = quotas.list_service_quotas(**P4D)["Quotas"]
    assert [quota["QuotaName"] for quota in found] == ["ml.p4d.24xlarge for training job usage"]


def test_pages_hold_at_most_a_hundred_and_fewer_by_default(quotas: Any) -> None:
    """botocore model, MaxResults; github.com/cloud-custodian/cloud-custodian/pull/7138: without it
    pages are smaller."""
    big = paged(quotas.list_service_quotas, "Quotas", ServiceCode="sagemaker", MaxResults=100)
    small = paged(quotas.list_service_quotas, "Quotas", ServiceCode="sagemaker")
    assert {len(page) for page in big[:-1]} == {100}
    assert len(small) > len(big)
    assert [q for page in small for q in page] == [q for page in big for q in page]
    code, message = refused(quotas.list_services, MaxResults=101)
    assert code == "IllegalArgumentException"
    assert "less than or equal to 100" in message


def test_a_token_that_was_not_given_out_is_refused(quotas: Any) -> None:
    """botocore model, InvalidPaginationTokenException."""
    for call, more in (
        (quotas.list_services, {}),
        (quotas.list_service_quotas, {"ServiceCode": "ec2"}),
        (quotas.list_requested_service_quota_change_history, {}),
    ):
        code, _ = refused(call, NextToken="abcd", **more)
        assert code == "InvalidPaginationTokenException"


def test_a_scan_of_everything_finds_each_quota_once(quotas: Any) -> None:
    """As clients scan: every service, then applied and default values, 100 a page. Nothing is
    listed twice, and what has an applied value has a default."""
    services = [
        service
        for page in paged(quotas.list_services, "Services", MaxResults=100)
        for service in page
    ]
    codes = [service["ServiceCode"] for service in services]
    assert codes == sorted(set(codes))
    seen = 0
    for code in codes:
        applied, defaults = (
            [
                quota["QuotaCode"]
                for page in paged(call, "Quotas", ServiceCode=code, MaxResults=100)
                for quota in page
            ]
            for call in (quotas.list_service_quotas, quotas.list_aws_default_service_quotas)
        )
        assert len(set(applied)) == len(applied)
        assert len(set(defaults)) == len(defaults)
        assert set(applied) <= set(defaults)
        seen += len(defaults)
    assert seen > 1000
