"""Each role may do what its function does, on what it does it to, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

REMEDIATIONS = ("provisioned_concurrency", "quota_increase", "spot_fallback", "traffic_shift")

# What may be called on any resource, and why.
ANY_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets": "takes no resource",
    "autoscaling:DescribeAutoScalingGroups": "takes no resource",
    "autoscaling:DescribeAutoScalingInstances": "takes no resource",
    "autoscaling:DescribeInstanceRefreshes": "takes no resource",
    "autoscaling:DescribeScalingActivities": "takes no resource",
    "cloudwatch:DeleteAlarms": "through Application Auto Scaling alone, which tries it out on none",
    "cloudwatch:DescribeAlarms": "tells of composite alarms only with a permission on `*`",
    "cloudwatch:GetMetricData": "takes no resource",
    "cloudwatch:ListAlarmMuteRules": "lists every rule of the account",
    "cloudwatch:PutMetricAlarm": "through Application Auto Scaling alone, which tries it out on none",
    "ec2:DescribeCapacityBlockOfferings": "offers are no resources",
    "ec2:DescribeInstanceTypeOfferings": "instance types are no resources",
    "ec2:DescribeInstanceTypes": "instance types are no resources",
    "ec2:DescribeInstances": "takes no resource",
    "ec2:DescribeLaunchTemplateVersions": "takes no resource",
    "ec2:DescribeSpotInstanceRequests": "takes no resource",
    "ec2:DescribeSpotPriceHistory": "prices are no resources",
    "elasticloadbalancing:DescribeTargetGroups": "takes no resource",
    "elasticloadbalancing:DescribeTargetHealth": "takes no resource",
    "lambda:GetAccountSettings": "takes no resource",
    "sagemaker:DescribeEndpointConfig": "through Application Auto Scaling alone, on a made-up name",
    "sagemaker:ListTrainingJobs": "lists every job of the account",
    "sagemaker:SearchTrainingPlanOfferings": "offers are no resources",
    "servicequotas:GetAWSDefaultServiceQuota": "takes no resource",
    "servicequotas:GetQuotaUtilizationReport": "takes no resource",
    "servicequotas:GetServiceQuota": "takes no resource",
    "servicequotas:ListAWSDefaultServiceQuotas": "takes no resource",
    "servicequotas:ListRequestedServiceQuotaChangeHistory": "takes no resource",
    "servicequotas:ListServiceQuotas": "takes no resource",
    "servicequotas:StartQuotaUtilizationReport": "takes no resource",
    "tag:GetResources": "takes no resource",
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements_of(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


@pytest.fixture(scope="module")
def statements(resources) -> list[dict[str, Any]]:
    return [s for role in resources("AWS::IAM::Role").values() for s in statements_of(role)]


def role_of(resources, name: str) -> list[dict[str, Any]]:
    """The statements of the role of the function with this service name."""
    for function in resources("AWS::Lambda::Function").values():
        p = function["Properties"]
        if p["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == name:
            role = resources("AWS::IAM::Role")[p["Role"]["Fn::GetAtt"][0]]
            return list(statements_of(role))
    pytest.fail(f"no function is called {name}")


def granted(statements: list[dict[str, Any]]) -> set[str]:
    return {action for s in statements for action in as_list(s["Action"])}


def test_no_grant_covers_more_than_one_action(statements):
    assert [a for a in granted(statements) if "*" in a] == []


def test_only_reviewed_actions_are_granted_on_any_resource(statements):
    unbound = [s for s in statements if "*" in as_list(s["Resource"])]
    assert granted(unbound) == ANY_RESOURCE.keys()


def test_grants_are_in_the_roles_alone(template, resources):
    kinds = {r["Type"] for r in template["Resources"].values() if "::IAM::" in r["Type"]}
    assert kinds == {"AWS::IAM::Role"}
    for role in resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_each_function_has_a_role_of_its_own(resources):
    functions = resources("AWS::Lambda::Function").values()
    roles = {f["Properties"]["Role"]["Fn::GetAtt"][0] for f in functions}
    assert len(roles) == len(functions)


def test_a_function_logs_to_its_own_group_only(resources):
    for function in resources("AWS::Lambda::Function").values():
        p = function["Properties"]
        role = resources("AWS::IAM::Role")[p["Role"]["Fn::GetAtt"][0]]
        logging = [s for s in statements_of(role) if "logs:PutLogEvents" in as_list(s["Action"])]
        group = p["LoggingConfig"]["LogGroup"]["Ref"]
        assert [s["Resource"] for s in logging] == [{"Fn::GetAtt": [group, "Arn"]}]


# What every remediation does: it is fed, keeps its record, tells of it, and logs.
REMEDIATING = {
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sns:Publish",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "ssm:GetParameter",
}


def test_traffic_shift_may_do_exactly_this(resources):
    assert granted(role_of(resources, "traffic_shift")) - REMEDIATING == {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListAlarmMuteRules",
        "sagemaker:DescribeEndpoint",
        "sagemaker:ListTags",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "tag:GetResources",
    }


def test_quota_increase_may_do_exactly_this(resources):
    assert granted(role_of(resources, "quota_increase")) - REMEDIATING == {
        "cloudwatch:GetMetricData",
        "ec2:DescribeCapacityBlockOfferings",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeInstanceTypes",
        "iam:CreateServiceLinkedRole",
        "sagemaker:SearchTrainingPlanOfferings",
        "servicequotas:GetAWSDefaultServiceQuota",
        "servicequotas:GetQuotaUtilizationReport",
        "servicequotas:GetServiceQuota",
        "servicequotas:ListAWSDefaultServiceQuotas",
        "servicequotas:ListRequestedServiceQuotaChangeHistory",
        "servicequotas:ListServiceQuotas",
        "servicequotas:RequestServiceQuotaIncrease",
        "servicequotas:StartQuotaUtilizationReport",
    }


def test_spot_fallback_may_do_exactly_this_while_no_role_is_listed(resources):
    assert granted(role_of(resources, "spot_fallback")) - REMEDIATING == {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DetachInstances",
        "autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeSpotInstanceRequests",
        "ec2:DescribeSpotPriceHistory",
        "ec2:RunInstances",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:RegisterTargets",
        "iam:GetInstanceProfile",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:ListTags",
        "sagemaker:ListTrainingJobs",
        "sagemaker:StopTrainingJob",
        "ssm:GetParameters",
        "tag:GetResources",
    }


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_each_remediation_may_do_what_all_do(resources, name):
    assert granted(role_of(resources, name)) >= REMEDIATING


def test_nothing_can_be_bought(statements):
    bought = {"CreateTrainingPlan", "ExtendTrainingPlan", "PurchaseCapacityBlock"}
    assert {action.partition(":")[2] for action in granted(statements)}.isdisjoint(bought)


def test_traffic_shift_writes_only_to_endpoints_whose_tag_opts_in(resources):
    (write,) = [
        s
        for s in role_of(resources, "traffic_shift")
        if "sagemaker:UpdateEndpointWeightsAndCapacities" in as_list(s["Action"])
    ]
    assert write["Action"] == "sagemaker:UpdateEndpointWeightsAndCapacities"
    assert write["Condition"] == {
        "StringEquals": {"aws:ResourceTag/ml-remediation:traffic-shift": ["approve", "act"]}
    }
    assert write["Resource"]["Fn::Join"][1][-1] == ":endpoint/*"


def test_the_operator_has_no_powers_of_its_own(resources):
    assert granted(role_of(resources, "operator")) == {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
    }


def test_only_this_accounts_alarms_may_invoke_a_function(resources):
    for permission in resources("AWS::Lambda::Permission").values():
        p = permission["Properties"]
        assert p["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
        assert p["Action"] == "lambda:InvokeFunction"
        assert p["SourceAccount"] == {"Ref": "AWS::AccountId"}
        arn = json.dumps(p["SourceArn"])
        assert '":cloudwatch:", {"Ref": "AWS::Region"}' in arn
        assert '{"Ref": "AWS::AccountId"}, ":alarm:*"' in arn


def test_remediations_that_alarms_speak_to_take_them_as_actions_and_nothing_else_does(resources):
    lambdas = resources("AWS::Lambda::Function")
    invoked = [
        lambdas[p["Properties"]["FunctionName"]["Fn::GetAtt"][0]]["Properties"]
        for p in resources("AWS::Lambda::Permission").values()
    ]
    names = [f["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for f in invoked]
    assert sorted(names) == ["provisioned_concurrency", "quota_increase", "traffic_shift"]


@pytest.mark.parametrize(
    ("kind", "resource"),
    [("AWS::SQS::QueuePolicy", "queue"), ("AWS::SNS::TopicPolicy", "topic")],
)
def test_a_service_may_write_only_on_behalf_of_this_accounts_resources(resources, kind, resource):
    for policy in resources(kind).values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert "Service" in statement["Principal"]
                assert "aws:SourceArn" in json.dumps(statement["Condition"])


def test_alarms_of_this_account_may_tell_the_topic(resources):
    (policy,) = resources("AWS::SNS::TopicPolicy").values()
    (statement,) = [
        s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"
    ]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    equals = statement["Condition"]["StringEquals"]
    assert equals == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_only_the_heartbeats_own_schedule_group_may_take_its_role(resources):
    for schedule in resources("AWS::Scheduler::Schedule").values():
        role = schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0]
        document = resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]
        (trust,) = document["Statement"]
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        assert trust["Condition"] == {
            "StringEquals": {
                "aws:SourceAccount": {"Ref": "AWS::AccountId"},
                "aws:SourceArn": {
                    "Fn::GetAtt": [schedule["Properties"]["GroupName"]["Ref"], "Arn"]
                },
            }
        }


def test_the_heartbeat_role_invokes_its_function_and_nothing_else(resources):
    for schedule in resources("AWS::Scheduler::Schedule").values():
        target = schedule["Properties"]["Target"]
        role = resources("AWS::IAM::Role")[target["RoleArn"]["Fn::GetAtt"][0]]
        assert [(s["Action"], s["Resource"]) for s in statements_of(role)] == [
            ("lambda:InvokeFunction", target["Arn"]),
            ("sqs:SendMessage", target["DeadLetterConfig"]["Arn"]),
        ]


def granting(statements: list[dict[str, Any]], action: str) -> list[Any]:
    """The resources that `action` is granted on."""
    return [
        resource
        for s in statements
        if action in as_list(s["Action"])
        for resource in as_list(s["Resource"])
    ]


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_a_remediation_polls_the_queue_it_is_fed_from(resources, queues, name):
    role = role_of(resources, name)
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert granting(role, action) == [{"Fn::GetAtt": [queues[name], "Arn"]}]


def test_a_function_sends_its_failures_to_its_own_dead_letter_queue(resources):
    for config in resources("AWS::Lambda::EventInvokeConfig").values():
        p = config["Properties"]
        function = resources("AWS::Lambda::Function")[p["FunctionName"]["Ref"]]["Properties"]
        name = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        destination = p["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination in granting(role_of(resources, name), "sqs:SendMessage")


def test_the_operator_nudges_the_queue_of_every_remediation(resources, queues):
    sends = granting(role_of(resources, "operator"), "sqs:SendMessage")
    for queue in queues.values():
        assert {"Fn::GetAtt": [queue, "Arn"]} in sends


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_a_remediation_finds_what_is_due(resources, name):
    queried = granting(role_of(resources, name), "dynamodb:Query")
    endings = [r["Fn::Join"][1][-1] for r in queried if "Fn::Join" in r]
    assert endings == ["/index/due"]
