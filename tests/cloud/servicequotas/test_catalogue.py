"""Service Quotas: the built-in catalogue, and another in its place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.cloud.servicequotas.catalogue import Catalogue, built_in
from local.cloud.servicequotas.quotas import Quota, Service
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused
from tests.cloud.servicequotas.conftest import P4D, Control, ask, status, value
from tests.cloud.servicequotas.test_reports import rows

KNOWN = {
    ("ec2", "Running On-Demand P instances"): "L-417A185B",
    ("ec2", "All P4, P3 and P2 Spot Instance Requests"): "L-7212CCBC",
    ("ec2", "All P5 Spot Instance Requests"): "L-C4BD4855",
    ("ec2", "All G and VT Spot Instance Requests"): "L-3819A6DF",
    ("sagemaker", "ml.p4d.24xlarge for endpoint usage"): "L-09F79647",
    ("sagemaker", "ml.p5.48xlarge for spot training job usage"): "L-82733FAD",
    ("sagemaker", "ml.p5.4xlarge for training job usage"): "L-C2764A80",
    ("sagemaker", "ml.g6e.48xlarge for training job usage"): "L-0DA2E7B0",
    ("sagemaker", "ml.g5.48xlarge for endpoint usage"): "L-0100B823",
    ("sagemaker", "Number of instances across all training jobs"): "L-00C91CB5",
    ("lambda", "Concurrent executions"): "L-B99A9384",
    ("emr-serverless", "Max concurrent vCPUs per account"): "L-D05C8A75",
    ("bedrock", "On-demand model inference tokens per minute for Amazon Nova Lite"): "L-70423BF8",
}
SMALL = {"services": [{"code": "tea", "name": "Tea", "quotas": [{"name": "Pots", "default": 4}]}]}


@pytest.mark.parametrize(("quota", "code"), KNOWN.items(), ids=str)
def test_codes_are_the_real_ones_where_those_are_known(quota: tuple[str, str], code: str) -> None:
    service, name = quota
    assert built_in().services[service].by_name[name].code == code


def test_every_code_looks_like_one() -> None:
    codes = [code for service in built_in().services.values() for code in service.quotas]
    assert all(re.fullmatch("L-[0-9A-F]{8}", code) for code in codes)


@pytest.mark.parametrize("use", ["training job", "spot training job", "endpoint"])
def test_accelerators_are_not_to_be_had_and_everything_else_is(use: str) -> None:
    """As in a new account (github.com/aws/amazon-sagemaker-examples/issues, "is 0 Instances")."""
    sagemaker = built_in().services["sagemaker"].by_name
    for kind in ("p4d.24xlarge", "p5.48xlarge", "g5.2xlarge", "trn1.32xlarge", "inf2.xlarge"):
        assert sagemaker[f"ml.{kind} for {use} usage"].default == 0
        assert sagemaker[f"ml.{kind} for {use} usage"].applied == 0
    for kind in ("m5.large", "c5.xlarge", "r5.large", "t3.medium"):
        quota = sagemaker[f"ml.{kind} for {use} usage"]
        assert (quota.applied or 0) >= 100


def test_codes_and_names_are_used_once() -> None:
    """Two of a kind would hide one another."""
    for twin in (Quota("A", 1, "L-2"), Quota("B", 1, "L-1")):
        with pytest.raises(ValueError, match="share"):
            Service.of("tea", "Tea", [Quota("A", 1, "L-1"), twin])
    tea = Service.of("tea", "Tea", [])
    with pytest.raises(ValueError, match="share"):
        Catalogue.of([tea, tea])


def test_another_catalogue_is_a_fresh_account(
    quotas: Any, account: Account, control: Control
) -> None:
    """In every Region; what was under way for the old one leaves no trace."""
    made = ask(quotas)["Id"]
    assert control("PUT", "catalogue", SMALL) == {"services": 1, "quotas": 1}
    assert refused(quotas.get_service_quota, **P4D)[0] == "NoSuchResourceException"
    code, _ = refused(quotas.get_requested_service_quota_change, RequestId=made)
    assert code == "NoSuchResourceException"
    elsewhere = account.client("service-quotas", "eu-west-1")
    assert elsewhere.list_services()["Services"] == [{"ServiceCode": "tea", "ServiceName": "Tea"}]
    account.wait(60)
    assert control("DELETE", "catalogue")["services"] > 10
    assert value(quotas) == 0
    assert status(quotas, ask(quotas)["Id"]) == "PENDING"


@pytest.mark.parametrize("seconds", [0, 3])
def test_what_was_under_way_does_not_reach_the_fresh_account(
    quotas: Any, account: Account, control: Control, seconds: float
) -> None:
    """Be it decided already or not."""
    ask(quotas)
    account.wait(seconds)
    control("DELETE", "catalogue")
    account.wait(60)
    assert value(quotas) == 0


def test_a_given_quota_can_be_raised_and_has_a_code(
    quotas: Any, account: Account, control: Control
) -> None:
    control("PUT", "catalogue", SMALL)
    [pots] = quotas.list_service_quotas(ServiceCode="tea")["Quotas"]
    quota = {"ServiceCode": "tea", "QuotaCode": pots["QuotaCode"]}
    ask(quotas, 6, **quota)
    account.wait(10)
    assert value(quotas, **quota) == 6


def test_given_uses_are_used_where_it_is_said(
    quotas: Any, account: Account, control: Control
) -> None:
    metric = {"name": "ResourceCount", "dimensions": {"Service": "Tea", "Resource": "pot"}}
    pots = {"name": "Pots", "code": "L-1", "default": 4, "used": 3, "metric": metric}
    services = [{"code": "tea", "name": "Tea", "quotas": [pots]}]
    regions = ["us-east-1", "eu-west-1"]
    control("PUT", "catalogue", {"services": services, "regions": regions, "history_minutes": 9})
    for region, expected in (("us-east-1", 10), ("eu-west-1", 10), ("eu-west-2", 0)):
        client = account.client("service-quotas", region)
        assert rows(client, account) == ([("L-1", 75.0)] if expected else [])
        found = account.client("cloudwatch", region).get_metric_statistics(
            Namespace="AWS/Usage",
            MetricName="ResourceCount",
            Dimensions=[{"Name": k, "Value": v} for k, v in metric["dimensions"].items()],
            StartTime="2026-03-02T11:00:00Z",
            EndTime="2026-03-02T12:00:00Z",
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        assert len(found) == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"default": -1}, "at least 0"),
        ({"colour": "blue"}, "no field 'colour'"),
        ({"period": {"value": 1, "unit": "FORTNIGHT"}}, "one of"),
        ({"metric": {"name": "ResourceCount"}}, "needs the field 'dimensions'"),
        ({"error": "OTHER"}, "one of"),
    ],
)
def test_a_catalogue_that_makes_no_sense_is_refused(
    quotas: Any, control: Control, change: dict[str, Any], reason: str
) -> None:
    pots = {"name": "Pots", "default": 4, **change}
    services = [{"code": "tea", "name": "Tea", "quotas": [pots]}]
    assert reason in control("PUT", "catalogue", {"services": services}, 400)["error"]
    twins = [{"code": "tea", "name": "Tea", "quotas": [{"name": "Pots", "default": 4}] * 2}]
    assert "share" in control("PUT", "catalogue", {"services": twins}, 400)["error"]
    assert value(quotas) == 0
