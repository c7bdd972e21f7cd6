"""Quota increase may call what its settings make it call, and request what its rules opt in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from tests.infra.test_least_privilege import as_list, statements_of

RULE = {"service": "sagemaker", "quota": "ml.* usage", "max": 16, "max_growth": 8}

REQUEST = "servicequotas:RequestServiceQuotaIncrease"
ROLE = "iam:CreateServiceLinkedRole"
REPORT = {
    "servicequotas:GetQuotaUtilizationReport",
    "servicequotas:StartQuotaUtilizationReport",
}
OFFERS = {
    "ec2:DescribeCapacityBlockOfferings",
    "ec2:DescribeInstanceTypeOfferings",
    "sagemaker:SearchTrainingPlanOfferings",
}

Statements = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def statements(synthesize) -> Statements:
    """The statements of quota increase's role under settings of its own and rules of RULE's."""

    def of(*rules: dict[str, Any], **own: Any) -> list[dict[str, Any]]:
        quotas = [RULE | rule for rule in rules]
        template = synthesize({"quota_increase": {"quotas": quotas, **own}})
        (role,) = [
            template["Resources"][each["Properties"]["Role"]["Fn::GetAtt"][0]]
            for each in template["Resources"].values()
            if each["Type"] == "AWS::Lambda::Function"
            and each["Properties"]["Handler"] == "functions.quota_increase.handler.handler"
        ]
        return list(statements_of(role))

    return of


def granted(statements: list[dict[str, Any]]) -> set[str]:
    return {action for each in statements for action in as_list(each["Action"])}


def requestable(statements: list[dict[str, Any]]) -> set[str]:
    """What may be requested, as ARNs of account 1 in Region r."""
    known = {"AWS::Partition": "aws", "AWS::Region": "r", "AWS::AccountId": "1"}
    return {
        "".join(
            known[part["Ref"]] if isinstance(part, dict) else part for part in arn["Fn::Join"][1]
        )
        for each in statements
        if REQUEST in as_list(each["Action"])
        for arn in as_list(each["Resource"])
    }


def both(quota: str) -> set[str]:
    """A quota here, and as the ARN of a global service's has it, without a Region."""
    return {f"arn:aws:servicequotas:r:1:{quota}", f"arn:aws:servicequotas::1:{quota}"}


@pytest.mark.parametrize("mode", ["act", "approve"])
def test_what_a_rule_opts_in_may_be_requested(statements, mode):
    assert requestable(statements({"mode": mode})) == both("sagemaker/*")


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_nothing_may_be_requested_when_no_rule_comes_to_it(statements, mode):
    assert granted(statements({"mode": mode})).isdisjoint({REQUEST, ROLE})


def test_nothing_of_service_quotas_is_called_without_a_rule(statements):
    found = granted(statements())
    assert [each for each in found if each.startswith("servicequotas:")] == []
    assert found.isdisjoint({ROLE, "cloudwatch:GetMetricData", "ec2:DescribeInstanceTypes"})


def test_each_rule_adds_its_own(statements):
    found = statements(
        {"service": "ec2", "quota": "L-417A185B"},
        {"service": "lambda", "quota": "Concurrent executions"},
        {"service": "bedrock", "quota": "*", "mode": "observe"},
    )
    assert requestable(found) == both("ec2/L-417A185B") | both("lambda/*")


@pytest.mark.parametrize(
    ("rule", "granted"),
    [
        ({"service": "ec2", "quota": "l-417a185b"}, {"ec2/L-417A185B"}),
        ({"service": "ec2", "quota": "L-417A*"}, {"ec2/*"}),
        ({"service": "SageMaker"}, {"SageMaker/*", "sagemaker/*"}),
        ({"service": "s*"}, {"s*/*"}),
        ({"service": "ec[2]"}, {"*/*"}),
        ({"service": "*", "quota": "*"}, {"*/*"}),
    ],
    ids=[
        "a code in lower case",
        "a pattern of codes",
        "a service's name",
        "a pattern",
        "a set",
        "all",
    ],
)
def test_a_grant_reaches_all_that_its_rule_covers(statements, rule, granted):
    """Rules go without regard to case, policies do not; a policy knows no sets of characters."""
    assert requestable(statements(rule)) == {arn for each in granted for arn in both(each)}


def test_only_the_role_of_service_quotas_may_be_created(statements):
    (found,) = [each for each in statements({}) if ROLE in as_list(each["Action"])]
    assert found["Condition"] == {
        "StringEquals": {"iam:AWSServiceName": "servicequotas.amazonaws.com"}
    }
    assert found["Resource"]["Fn::Join"][1][-1] == (
        ":role/aws-service-role/servicequotas.amazonaws.com/AWSServiceRoleForServiceQuotas"
    )
    assert "::" in found["Resource"]["Fn::Join"][1][2]


@pytest.mark.parametrize(("scan", "may"), [("report", True), ("metrics", False), ("off", False)])
def test_a_report_may_be_made_only_where_the_scan_uses_one(statements, scan, may):
    found = granted(statements({}, scan=scan))
    assert found >= REPORT if may else REPORT.isdisjoint(found)
    assert "cloudwatch:GetMetricData" in found


@pytest.mark.parametrize(
    ("service", "may"), [("sagemaker", False), ("sage*", True), ("ec?", True), ("e[c]2", True)]
)
def test_services_may_be_listed_only_where_a_rule_does_not_name_one(statements, service, may):
    assert ("servicequotas:ListServices" in granted(statements({"service": service}))) is may


def test_offers_may_be_looked_for_only_where_a_shortage_is_answered(statements):
    assert granted(statements({}, capacity_types=["p5.*"])) >= OFFERS
    assert granted(statements({}, capacity_types=[])).isdisjoint(OFFERS)


@pytest.mark.parametrize(
    "own",
    [
        {"quotas": [RULE | {"service": "*"}]},
        {
            "quotas": [
                RULE | {"service": "SageMaker"},
                RULE | {"service": "ec2", "quota": "L-417A185B"},
            ]
        },
        {"quotas": [], "capacity_types": []},
    ],
    ids=["all services", "some of them", "nothing at all"],
)
def test_each_grant_with_a_wildcard_has_a_reason_whatever_the_rules(build, own):
    app = build({"quota_increase": own})
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # a finding without an acknowledgment fails it
