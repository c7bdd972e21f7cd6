"""Spot fallback writes to what opts in, and passes on the roles that settings list and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from tests.infra.test_least_privilege import REMEDIATING, as_list, statements_of

TAG = "ml-remediation:spot-fallback"
OPTED_IN = ["approve", "act"]
ROLES = [
    "arn:aws:iam::123456789012:role/training",
    "arn:aws:iam::123456789012:role/workers-*",
]
KNOWN = {"AWS::Partition": "aws", "AWS::Region": "r", "AWS::AccountId": "1"}

Statement = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def statements(synthesize) -> Callable[..., list[dict[str, Any]]]:
    """The statements of spot fallback's role under settings of its own."""

    def of(**own: Any) -> list[dict[str, Any]]:
        template = synthesize({"spot_fallback": own})
        (role,) = [
            template["Resources"][each["Properties"]["Role"]["Fn::GetAtt"][0]]
            for each in template["Resources"].values()
            if each["Type"] == "AWS::Lambda::Function"
            and each["Properties"]["Handler"] == "functions.spot_fallback.handler.handler"
        ]
        return list(statements_of(role))

    return of


@pytest.fixture(scope="module")
def with_roles(statements) -> list[dict[str, Any]]:
    return statements(roles=ROLES)


@pytest.fixture(scope="module")
def grant(with_roles) -> Statement:
    """The one statement that grants an action."""

    def of(action: str) -> dict[str, Any]:
        (found,) = [each for each in with_roles if action in as_list(each["Action"])]
        return found

    return of


def granted(statements: list[dict[str, Any]]) -> set[str]:
    return {action for each in statements for action in as_list(each["Action"])}


def arns(statement: dict[str, Any]) -> set[str]:
    """What a statement is about, as ARNs of account 1 in Region r."""
    return {
        each
        if isinstance(each, str)
        else "".join(
            KNOWN[part["Ref"]] if isinstance(part, dict) else part for part in each["Fn::Join"][1]
        )
        for each in as_list(statement["Resource"])
    }


@pytest.mark.parametrize(
    "action", ["autoscaling:UpdateAutoScalingGroup", "autoscaling:DetachInstances"]
)
def test_a_group_is_written_to_where_its_tag_opts_in(grant, action):
    assert arns(grant(action)) == {
        "arn:aws:autoscaling:r:1:autoScalingGroup:*:autoScalingGroupName/*"
    }
    assert grant(action)["Condition"] == {"StringEquals": {f"aws:ResourceTag/{TAG}": OPTED_IN}}


def test_a_training_job_is_stopped_where_its_tag_opts_in(grant):
    stop = grant("sagemaker:StopTrainingJob")
    assert arns(stop) == {"arn:aws:sagemaker:r:1:training-job/*"}
    assert stop["Condition"] == {"StringEquals": {f"aws:ResourceTag/{TAG}": OPTED_IN}}


def test_a_training_job_is_created_with_the_tag_of_the_one_before_it(grant):
    create = grant("sagemaker:CreateTrainingJob")
    assert arns(create) == {"arn:aws:sagemaker:r:1:training-job/*"}
    assert create["Condition"] == {"StringEquals": {f"aws:RequestTag/{TAG}": OPTED_IN}}


def test_nothing_that_exists_can_be_opted_in(grant, with_roles):
    """Tags come with what is created, or the function could give itself what people give it."""
    assert {a for a in granted(with_roles) if "Tag" in a.partition(":")[2]} == {
        "ec2:CreateTags",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
    }
    assert grant("sagemaker:AddTags")["Condition"] == {
        "StringEquals": {
            f"aws:RequestTag/{TAG}": OPTED_IN,
            "sagemaker:TaggingAction": "CreateTrainingJob",
        }
    }
    assert grant("ec2:CreateTags")["Condition"] == {
        "StringEquals": {"ec2:CreateAction": "RunInstances"}
    }


def test_what_a_launch_may_touch_is_of_this_account_and_region_but_for_its_image(grant):
    """Images and snapshots are anybody's: their ARNs name no account (Service Authorization
    Reference, "Amazon EC2")."""
    launched = arns(grant("ec2:RunInstances"))
    assert {arn for arn in launched if ":r:1:" not in arn} == {
        "arn:aws:ec2:r::image/*",
        "arn:aws:ec2:r::snapshot/*",
    }
    needed = {"instance", "network-interface", "security-group", "subnet", "volume"}
    assert launched >= {f"arn:aws:ec2:r:1:{kind}/*" for kind in needed}
    assert "arn:aws:ec2:r:1:launch-template/*" in launched


def test_only_what_is_launched_is_tagged(grant):
    assert arns(grant("ec2:CreateTags")) == {
        f"arn:aws:ec2:r:1:{kind}/*" for kind in ("instance", "network-interface", "volume")
    }


def test_a_launch_is_not_bound_to_a_tag_that_a_groups_check_would_lack(grant):
    """UpdateAutoScalingGroup is refused unless RunInstances is allowed with the template's own
    tags (EC2 Auto Scaling user guide, "Control Amazon EC2 launch template usage")."""
    assert "Condition" not in grant("ec2:RunInstances")


def test_parameters_are_read_of_awss_own_public_ones_alone(grant):
    assert arns(grant("ssm:GetParameters")) == {"arn:aws:ssm:r::parameter/aws/service/*"}


def test_a_twin_is_registered_in_target_groups_of_this_account(grant):
    register = grant("elasticloadbalancing:RegisterTargets")
    assert arns(register) == {"arn:aws:elasticloadbalancing:r:1:targetgroup/*"}


def test_the_listed_roles_are_passed_to_instances_and_jobs_and_no_other_role_is(grant):
    passing = grant("iam:PassRole")
    assert arns(passing) == set(ROLES)
    assert passing["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                "ec2.amazonaws.com",
                "ec2.amazonaws.com.cn",
                "sagemaker.amazonaws.com",
            ]
        }
    }


def test_without_a_listed_role_none_is_passed_and_no_job_created(statements, with_roles):
    """A job always has a role; a group's instances need none."""
    without, more = granted(statements()), granted(with_roles)
    assert more - without == {
        "cloudtrail:LookupEvents",
        "iam:PassRole",
        "sagemaker:AddTags",
        "sagemaker:CreateTrainingJob",
    }
    assert without >= {"autoscaling:UpdateAutoScalingGroup", "ec2:RunInstances"}


def test_records_of_calls_are_read_of_the_account_as_they_have_no_resource(grant):
    assert grant("cloudtrail:LookupEvents")["Resource"] == "*"


def test_nothing_is_ended_but_a_job_that_another_takes_over_from(with_roles):
    """Twins, and what runs on Spot, are people's to end."""
    reads = ("Describe", "Get", "List", "Lookup")
    writes = {a for a in granted(with_roles) if not a.partition(":")[2].startswith(reads)}
    assert writes - REMEDIATING == {
        "autoscaling:DetachInstances",
        "autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateTags",
        "ec2:RunInstances",
        "elasticloadbalancing:RegisterTargets",
        "iam:PassRole",
        "sagemaker:AddTags",
        "sagemaker:CreateTrainingJob",
        "sagemaker:StopTrainingJob",
    }


def test_the_policy_fits_in_a_role(with_roles):
    """10,240 characters without white space (IAM user guide, "IAM and AWS STS quotas"); the names
    that only CloudFormation knows are at most as long as these."""
    text = json.dumps(with_roles, separators=(",", ":"))
    longest = {"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-1"}
    for name in KNOWN:
        text = text.replace(f'{{"Ref":"{name}"}}', longest.get(name, "123456789012"))
    assert len(text) <= 10_240


@pytest.mark.parametrize("roles", [[], ROLES], ids=["no role", "roles"])
def test_each_grant_with_a_wildcard_has_a_reason_whatever_the_roles(build, roles):
    app = build({"spot_fallback": {"roles": roles}})
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # a finding without an acknowledgment fails it
