"""Provisioned concurrency hears of spillover, and writes to what opts in and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.settings import SettingsError
from infra.settings import read_settings
from tests.infra.patterns import matches
from tests.infra.test_least_privilege import REMEDIATING, as_list, granted, role_of
from tests.infra.test_signals import alarm

OPTED_IN = {
    "StringEquals": {"aws:ResourceTag/ml-remediation:provisioned-concurrency": ["approve", "act"]}
}
READS = {
    "application-autoscaling:DescribeScalableTargets",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
    "lambda:GetAlias",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:ListAliases",
    "lambda:ListProvisionedConcurrencyConfigs",
    "lambda:ListTags",
    "sagemaker:DescribeEndpoint",
    "sagemaker:ListTags",
    "tag:GetResources",
}
WRITES = {
    "application-autoscaling:RegisterScalableTarget",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
}


@pytest.fixture(scope="module")
def grants(resources) -> list[dict[str, Any]]:
    return role_of(resources, "provisioned_concurrency")


def where(grants: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    return [each for each in grants if action in as_list(each["Action"])]


def test_it_may_read_and_write_this(grants):
    assert granted(grants) - REMEDIATING >= READS | WRITES


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:PutProvisionedConcurrencyConfig", ":function:*"),
        ("lambda:DeleteProvisionedConcurrencyConfig", ":function:*"),
        ("sagemaker:UpdateEndpointWeightsAndCapacities", ":endpoint/*"),
    ],
)
def test_it_writes_where_a_tag_opts_in(grants, action, resource):
    ours = [each for each in where(grants, action) if each["Condition"] == OPTED_IN]
    (statement,) = ours
    assert statement["Resource"]["Fn::Join"][1][-1] == resource


def test_of_scalable_targets_it_moves_those_of_provisioned_concurrency(grants):
    (statement,) = where(grants, "application-autoscaling:RegisterScalableTarget")
    assert statement["Resource"]["Fn::Join"][1][-1] == ":scalable-target/*"
    assert statement["Condition"]["StringEquals"] == {
        "application-autoscaling:service-namespace": ["lambda", "sagemaker"],
        "application-autoscaling:scalable-dimension": [
            "lambda:function:ProvisionedConcurrency",
            "sagemaker:variant:DesiredProvisionedConcurrency",
        ],
    }


def watching(namespace: str, name: str) -> dict[str, Any]:
    metric = {"namespace": namespace, "name": name}
    return {"metrics": [{"id": "m1", "metricStat": {"metric": metric}}]}


@pytest.mark.parametrize(
    ("configuration", "heard"),
    [
        (watching("AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations"), True),
        (watching("AWS/Lambda", "ProvisionedConcurrencyUtilization"), True),
        (
            watching("AWS/SageMaker", "ServerlessProvisionedConcurrencySpilloverInvocations"),
            True,
        ),
        ({"alarmRule": "ALARM(spill)"}, True),
        (watching("AWS/Lambda", "Errors"), False),
        (watching("AWS/SageMaker", "Invocation5XXErrors"), False),
        (watching("My/App", "ProvisionedConcurrencyUtilization"), False),
    ],
)
def test_alarms_on_provisioned_concurrency_are_queued(patterns, configuration, heard):
    (pattern,) = patterns["provisioned_concurrency"].values()
    assert matches(pattern, alarm(configuration)) is heard
    assert not matches(pattern, alarm(configuration, state="OK"))


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            {"plans": [{"target": "function:shop:live", "min": 9, "max": 3}]},
            "plans[0] is refused as min-above-max: its min, 9, is above its max, 3.",
        ),
        (
            {"plans": [{"target": "function:shop:live", "schedule": "whenever"}]},
            "plans[0] is refused as bad-schedule: its schedule cannot be followed: 'whenever'",
        ),
        (
            {"plans": [{"target": "*", "schedule": "mon@08:00-18:00=2 tz=Nowhere"}]},
            "plans[0] is refused as unknown-zone: its schedule cannot be followed: 'Nowhere'",
        ),
        (
            {"plans": [{"target": "*", "schedule": "mon@08:00-18:00=2 mon@08:00-18:00=3"}]},
            "plans[0] is refused as contradictory-windows: ",
        ),
        (
            {"plans": [{"target": "*", "schedule": "mon@08:00-18:00=10001"}]},
            "plans[0] is refused as bad-level: ",
        ),
        (
            {
                "plans": [
                    {"target": "*", "schedule": "mon@08:00-09:00=2 tue@08:00-09:00=9", "max": 8}
                ]
            },
            "plans[0] is refused as level-above-max: its schedule has a window with 9, above its max, 8.",
        ),
        (
            {"plans": [{"target": "function:shop:live"}, {"target": "function:shop:live"}]},
            "plans[1] would never count",
        ),
        (
            {"prices": {"lambda_x86": {"on_demand": 0.1, "provisioned": 0.1, "duration": 0.2}}},
            "lambda_x86.on_demand is 0.1, not above its duration, 0.2",
        ),
        ({"unreserved_minimum": 99}, "unreserved_minimum must be from 100"),
        (
            {"plans": [{"target": f"function:shop{i}:live"} for i in range(60)]},
            "let fewer plans say more",
        ),
    ],
)
def test_settings_that_contradict_themselves_are_refused(own, said):
    with pytest.raises(SettingsError) as refusal:
        read_settings({"provisioned_concurrency": own})
    assert said in str(refusal.value)


def test_a_plan_that_can_be_followed_is_taken():
    plan = {"target": "*", "schedule": "mon@08:00-18:00=8 tz=Europe/Berlin", "min": 8, "max": 8}
    read_settings({"provisioned_concurrency": {"plans": [plan]}})


def test_it_sends_an_echo_of_its_heartbeat_to_its_own_queue_and_nothing_else_there(
    resources, grants
):
    [function] = [
        each["Properties"]
        for each in resources("AWS::Lambda::Function").values()
        if each["Properties"]["Handler"].startswith("functions.provisioned_concurrency.")
    ]
    queue = function["Environment"]["Variables"]["ECHO_QUEUE_URL"]["Ref"]
    fed = {
        each["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]
        for each in resources("AWS::Lambda::EventSourceMapping").values()
        if each["Properties"]["FunctionName"]["Ref"].startswith("ProvisionedConcurrency")
    }
    sends = [at for each in where(grants, "sqs:SendMessage") for at in as_list(each["Resource"])]

    assert fed == {queue}
    assert {"Fn::GetAtt": [queue, "Arn"]} in sends
    assert len(sends) == 2  # that, and its dead letters


def test_no_other_function_has_an_echo(resources):
    with_echo = [
        each["Properties"]["Handler"]
        for each in resources("AWS::Lambda::Function").values()
        if "ECHO_QUEUE_URL" in each["Properties"].get("Environment", {}).get("Variables", {})
    ]
    assert with_echo == ["functions.provisioned_concurrency.handler.handler"]
