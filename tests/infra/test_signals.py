"""Which signals reach a function, and what a function is given."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from infra.settings import StackSettings

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


def matches(pattern: Any, value: Any) -> bool:
    """EventBridge's rules for the operators used here (user guide, "Event patterns").

    An array in the event matches if any of its elements does.
    """
    if isinstance(value, list):
        return any(matches(pattern, each) for each in value)
    match pattern:
        case {"$or": branches, **rest}:
            return matches(rest, value) and any(matches(each, value) for each in branches)
        case dict():
            return isinstance(value, dict) and all(
                matches(each, value.get(key)) for key, each in pattern.items()
            )
        case [{"exists": True}]:
            return value is not None
        case list():
            return value in pattern
        case _:
            pytest.fail(f"not a pattern: {pattern!r}")


@pytest.fixture(scope="module")
def pattern(resources) -> Any:
    (rule,) = resources("AWS::Events::Rule").values()
    return rule["Properties"]["EventPattern"]


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


def test_the_function_reads_the_queue_the_rule_writes(resources):
    (rule,) = resources("AWS::Events::Rule").values()
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()
    (target,) = rule["Properties"]["Targets"]
    assert target["Arn"] == mapping["Properties"]["EventSourceArn"]


def test_the_heart_beats_every_minute_and_never_catches_up(resources):
    (schedule,) = resources("AWS::Scheduler::Schedule").values()
    p = schedule["Properties"]
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


@pytest.fixture(scope="module")
def environments(resources) -> dict[str, dict[str, Any]]:
    """Handler -> environment."""
    return {
        f["Properties"]["Handler"]: f["Properties"]["Environment"]["Variables"]
        for f in resources("AWS::Lambda::Function").values()
    }


def test_each_function_runs_as_it_was_tested(resources):
    for function in resources("AWS::Lambda::Function").values():
        p = function["Properties"]
        assert (p["Runtime"], p["Architectures"]) == ("python3.14", ["arm64"])
        assert (p["Timeout"], p["MemorySize"]) == (60, 256)
        assert p["LoggingConfig"]["LogFormat"] == "JSON"


def test_every_function_runs_the_same_asset(resources):
    codes = [f["Properties"]["Code"] for f in resources("AWS::Lambda::Function").values()]
    assert all(code == codes[0] for code in codes)


def test_functions_are_told_what_they_need(environments):
    defaults = StackSettings()
    for handler, variables in environments.items():
        assert handler == f"functions.{variables['POWERTOOLS_SERVICE_NAME']}.handler.handler"
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "MlCapacityRemediation"
        assert variables["LEDGER_TABLE"].keys() == variables["TOPIC_ARN"].keys() == {"Ref"}
        assert variables["MODE_PARAMETER"].keys() == {"Ref"}
        assert json.loads(variables["SETTINGS"]) == asdict(defaults.core)
    lever = environments["functions.traffic_shift.handler.handler"]["LEVER_SETTINGS"]
    assert json.loads(lever) == asdict(defaults.traffic_shift)


def test_no_function_is_told_where_aws_is(environments):
    for variables in environments.values():
        assert [name for name in variables if name.startswith("AWS_")] == []


def test_the_operator_knows_every_queue(resources, environments):
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()
    queue = mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]
    urls = environments["functions.operator.handler.handler"]["QUEUE_URLS"]
    assert urls == {"Fn::Join": ["", ['{"traffic_shift":"', {"Ref": queue}, '"}']]}


def test_the_stack_tells_where_its_parts_are(template):
    assert template["Outputs"].keys() == {
        "DashboardName",
        "LedgerTableName",
        "ModeParameterName",
        "OperatorFunctionArn",
        "TopicArn",
        "TrafficShiftFunctionArn",
        "TrafficShiftQueueUrl",
    }


def test_the_dashboard_shows_outcomes_functions_and_queues(resources):
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
