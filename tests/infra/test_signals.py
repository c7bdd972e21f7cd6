"""Which signals reach a function, and what a function is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import status
from functions.core.settings import Settings, parse
from functions.spot_fallback.money import COUNTED
from infra.settings import VARIABLE_BYTES, read_settings
from tests.infra.patterns import matches

REMEDIATIONS = {"provisioned_concurrency", "quota_increase", "spot_fallback", "traffic_shift"}

SAGEMAKER = {
    "id": "m1",
    "metricStat": {"metric": {"namespace": "AWS/SageMaker", "name": "Invocation5XXErrors"}},
}
EC2 = {"id": "m2", "metricStat": {"metric": {"namespace": "AWS/EC2", "name": "CPUUtilization"}}}


def alarm(configuration: dict[str, Any], state: str = "ALARM", **changes: Any) -> dict[str, Any]:
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {
            "alarmName": "canary",
            "state": {"value": state},
            "configuration": configuration,
        },
        **changes,
    }


@pytest.fixture(scope="module")
def pattern(patterns) -> Any:
    """Traffic shift's."""
    (pattern,) = patterns["traffic_shift"].values()
    return pattern


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(alarm({"metrics": [SAGEMAKER]}), id="a metric of SageMaker"),
        pytest.param(
            alarm({"metrics": [{"id": "e1", "expression": "m1/m2"}, EC2, SAGEMAKER]}),
            id="metric math over one",
        ),
        pytest.param(alarm({"alarmRule": "ALARM(canary)"}), id="a composite alarm"),
    ],
)
def test_an_alarm_that_may_concern_an_endpoint_is_queued(pattern, event):
    assert matches(pattern, event)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(alarm({"metrics": [SAGEMAKER]}, state="OK"), id="back to OK"),
        pytest.param(alarm({"alarmRule": "x"}, state="INSUFFICIENT_DATA"), id="no data"),
        pytest.param(alarm({"metrics": [EC2]}), id="another service's metric"),
        pytest.param(alarm({"metrics": [SAGEMAKER]}, source="my.app"), id="another source"),
        pytest.param(
            alarm({"alarmRule": "x"}, **{"detail-type": "CloudWatch Alarm Configuration Change"}),
            id="an edited alarm",
        ),
    ],
)
def test_other_events_are_left_alone(pattern, event):
    assert not matches(pattern, event)


def test_each_remediation_is_fed_by_rules_of_its_own(patterns):
    assert patterns.keys() == REMEDIATIONS
    assert all(patterns.values())


def test_each_rule_says_what_it_is_for_and_fits(resources, patterns):
    """A pattern has at most 4,096 characters (EventBridge API reference, PutRule)."""
    for rule in resources("AWS::Events::Rule").values():
        assert rule["Properties"]["Description"].endswith(".")
    for of_one in patterns.values():
        for pattern in of_one.values():
            assert len(json.dumps(pattern)) <= 4096


def test_the_policy_of_a_queue_fits(resources):
    """At most 10 conditions and 20 statements (SQS developer guide, "policy quotas")."""
    for policy in resources("AWS::SQS::QueuePolicy").values():
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert len(statements) <= 20
        assert sum(len(each.get("Condition", {})) for each in statements) <= 10


def test_the_heart_of_each_remediation_beats_every_minute_and_never_catches_up(resources):
    schedules = resources("AWS::Scheduler::Schedule").values()
    assert len(schedules) == len(REMEDIATIONS)
    for p in (schedule["Properties"] for schedule in schedules):
        assert p["ScheduleExpression"] == "rate(1 minute)"
        assert p["State"] == "ENABLED"
        assert p["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert json.loads(p["Target"]["Input"]) == {
            "source": "ml-capacity-remediation",
            "detail-type": "Heartbeat",
        }
        assert p["Target"]["RetryPolicy"] == {
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
        }


def test_each_heartbeat_is_in_a_schedule_group_of_its_own(resources):
    groups = [s["Properties"]["GroupName"] for s in resources("AWS::Scheduler::Schedule").values()]
    named = [{"Ref": id} for id in resources("AWS::Scheduler::ScheduleGroup")]
    assert sorted(groups, key=str) == sorted(named, key=str)


def test_each_remediation_has_a_heartbeat(resources, functions):
    beaten = {
        schedule["Properties"]["Target"]["Arn"]["Fn::GetAtt"][0]
        for schedule in resources("AWS::Scheduler::Schedule").values()
    }
    lambdas = resources("AWS::Lambda::Function")
    assert {
        name
        for name, properties in functions.items()
        if any(lambdas[id]["Properties"] is properties for id in beaten)
    } == REMEDIATIONS


@pytest.fixture(scope="module")
def environments(functions) -> dict[str, dict[str, Any]]:
    """Service name -> environment."""
    return {name: f["Environment"]["Variables"] for name, f in functions.items()}


def test_each_function_runs_as_it_was_tested(resources):
    for function in resources("AWS::Lambda::Function").values():
        p = function["Properties"]
        assert (p["Runtime"], p["Architectures"]) == ("python3.14", ["arm64"])
        assert (p["Timeout"], p["MemorySize"]) == (60, 256)
        assert p["LoggingConfig"]["LogFormat"] == "JSON"


def test_every_function_runs_the_same_asset(resources):
    codes = [f["Properties"]["Code"] for f in resources("AWS::Lambda::Function").values()]
    assert all(code == codes[0] for code in codes)


def test_functions_are_told_what_they_need(functions, environments, context):
    settings = read_settings(context["remediation"])
    for name, variables in environments.items():
        assert functions[name]["Handler"] == f"functions.{name}.handler.handler"
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "MlCapacityRemediation"
        assert variables["LEDGER_TABLE"].keys() == variables["TOPIC_ARN"].keys() == {"Ref"}
        assert variables["MODE_PARAMETER"].keys() == {"Ref"}
        assert parse(Settings, json.loads(variables["SETTINGS"]), "") == settings.core
    for name, own in (
        ("traffic_shift", settings.traffic_shift),
        ("quota_increase", settings.quota_increase),
        ("spot_fallback", settings.spot_fallback),
        ("provisioned_concurrency", settings.provisioned_concurrency),
    ):
        told = json.loads(environments[name]["LEVER_SETTINGS"])
        assert parse(type(own), told, "") == own


def test_what_a_function_is_told_fits(environments):
    """In all 4 KB, measured as JSON (Lambda developer guide, "Lambda quotas"). Names that only
    CloudFormation knows are at most as long as the ARN of a topic."""
    for variables in environments.values():
        others = {
            name: value if isinstance(value, str) else "x" * 140
            for name, value in variables.items()
            if name not in ("SETTINGS", "LEVER_SETTINGS")
        }
        settings = {name: "" for name in variables if name not in others}
        assert len(json.dumps(others | settings)) + VARIABLE_BYTES <= 4096


def test_no_function_is_told_where_aws_is(environments):
    for variables in environments.values():
        assert [name for name in variables if name.startswith("AWS_")] == []


def test_the_operator_knows_every_queue(queues, environments):
    assert queues.keys() == REMEDIATIONS
    urls = environments["operator"]["QUEUE_URLS"]["Fn::Join"]
    told = "".join(each if isinstance(each, str) else each["Ref"] for each in urls[1])
    assert json.loads(told) == queues


def test_the_status_that_an_operator_sees_is_of_every_remediation():
    assert set(status.REMEDIATIONS) == REMEDIATIONS


def test_the_stack_tells_where_its_parts_are(template):
    assert template["Outputs"].keys() == {
        "DashboardName",
        "LedgerTableName",
        "ModeParameterName",
        "OperatorFunctionArn",
        "ProvisionedConcurrencyFunctionArn",
        "ProvisionedConcurrencyQueueUrl",
        "QuotaIncreaseFunctionArn",
        "QuotaIncreaseQueueUrl",
        "SpotFallbackFunctionArn",
        "SpotFallbackQueueUrl",
        "TopicArn",
        "TrafficShiftFunctionArn",
        "TrafficShiftQueueUrl",
    }


def test_the_dashboard_shows_outcomes_functions_and_queues(resources, queues):
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for part in (
        "SEARCH('{MlCapacityRemediation,outcome,remediation}'",
        "Errors",
        "Throttles",
        "Duration",
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
    ):
        assert part in body
    for id in resources("AWS::Lambda::Function"):
        assert f'{{"Ref": "{id}"}}' in body
    for id in queues.values():
        assert f'{{"Fn::GetAtt": ["{id}", "QueueName"]}}' in body


def widgets(template: dict[str, Any]) -> list[dict[str, Any]]:
    (dashboard,) = [
        each for each in template["Resources"].values() if each["Type"].endswith("::Dashboard")
    ]
    body = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "x" for part in body)
    found: list[dict[str, Any]] = json.loads(text)["widgets"]
    return found


def test_the_dashboard_counts_spots_money_as_its_function_measures_it(template):
    money = [w for w in widgets(template) if w["properties"]["title"].startswith("Money")]
    assert all("while an incident is open" in w["properties"]["title"] for w in money)
    shown = [metric for w in money for metric in w["properties"]["metrics"]]
    names = [name[0].upper() + name[1:] for name in COUNTED]
    assert sorted(metric[1] for metric in shown) == sorted(names)
    for namespace, _, dimension, value, how in shown:
        assert (namespace, dimension, value) == (
            "MlCapacityRemediation",
            "remediation",
            "spot_fallback",
        )
        assert how == {"stat": "Sum"}


def test_widgets_do_not_hide_each_other(template):
    """A row is 24 wide (CloudWatch API reference, "Dashboard body structure and syntax")."""
    taken = [
        (w["x"] + x, w["y"] + y)
        for w in widgets(template)
        for x in range(w["width"])
        for y in range(w["height"])
    ]
    assert len(taken) == len(set(taken))
    assert all(0 <= x < 24 for x, _ in taken)
