"""A canary goes bad: its traffic goes back to the variant that is well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.world import Stage

BUDGETED = {"SageMaker", "CloudWatch", "Application Auto Scaling"}


def test_traffic_leaves_the_failing_variant_and_the_shift_is_verified(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()

    stage.deliver()
    assert stage.weights() == {"blue": 10, "green": 0}
    assert stage.incident()["stage"] == "acted"
    assert stage.incident()["before"]["green"]["weight"] == 1

    stage.wait(60)
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"
    assert stage.told() == [
        "Remediation Decided: decided",
        "Remediation Acted: acted",
        "Remediation Verified: verified",
    ]


def test_a_shift_without_scaling_takes_six_calls(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.calls.clear()

    stage.deliver()

    made = [str(c) for c in stage.calls if c.service in {"sagemaker", "cloudwatch"}]
    assert made == [
        "sagemaker:ListTags",
        "cloudwatch:DescribeAlarms",
        "sagemaker:DescribeEndpoint",
        "cloudwatch:GetMetricData",
        "sagemaker:DescribeEndpoint",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    ]


def test_an_alarm_with_the_function_as_its_action_does_the_same(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.alarm(AlarmActions=["arn:aws:lambda:us-east-1:123456789012:function:traffic-shift"])
    stage.wait_for_alarm()

    stage.deliver_direct()

    assert stage.weights() == {"blue": 10, "green": 0}


def metric(id: str, name: str) -> dict[str, Any]:
    dimensions = [
        {"Name": "EndpointName", "Value": "shop"},
        {"Name": "VariantName", "Value": "green"},
    ]
    stat = {
        "Metric": {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions},
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": id, "MetricStat": stat, "ReturnData": False}


def percent_alarm(stage: Stage, name: str) -> None:
    """An alarm on green's 5XX errors in percent, by metric math."""
    rate = {"Id": "rate", "Expression": "100 * e / r", "ReturnData": True}
    stage.alarm(
        name,
        Namespace=None,
        MetricName=None,
        Dimensions=None,
        Statistic=None,
        Period=None,
        Threshold=5,
        Metrics=[rate, metric("e", "Invocation5XXErrors"), metric("r", "Invocations")],
    )


def test_an_alarm_on_metric_math_does_the_same(stage: Stage) -> None:
    stage.scene(green=0.3)
    percent_alarm(stage, "green-percent")
    stage.wait_for_alarm("green-percent")

    stage.pending = [e for e in stage.pending if e["detail"]["alarmName"] == "green-percent"]
    stage.deliver()

    assert stage.weights() == {"blue": 10, "green": 0}
    values = stage.incident()["evidence"]["alarms"]["green-percent"]["values"]
    assert values["green"][-1] == pytest.approx(30, abs=2)
    assert values["blue"] == [0, 0, 0]


def test_a_composite_alarm_is_followed_to_its_children(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.client("cloudwatch").put_composite_alarm(
        AlarmName="canary-fails", AlarmRule='ALARM("green-5xx")'
    )
    stage.wait_for_alarm("canary-fails")

    stage.pending = [e for e in stage.pending if e["detail"]["alarmName"] == "canary-fails"]
    stage.deliver()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_ten_second_alarm_is_judged_by_its_ten_second_periods(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=9, green=1, frequency=10)
    stage.traffic(past={"history_minutes": 30, "history_weights": {"blue": 1}})
    stage.alarm(Period=10, EvaluationPeriods=3)
    stage.wait(120)
    stage.traffic(green=0.5)
    stage.wait_for_alarm()

    stage.deliver()

    assert stage.weights() == {"blue": 10, "green": 0}
    assert len(stage.incident()["evidence"]["alarms"]["green-5xx"]["values"]["green"]) == 3


def test_of_three_variants_only_those_that_are_well_take_over(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=6, red=3, green=1)
    stage.traffic(past={"history_minutes": 30, "history_requests_per_minute": 2000})
    stage.alarm()
    stage.wait(180)
    stage.traffic(green=0.3, red=0.2)
    stage.wait_for_alarm()

    stage.deliver()

    assert stage.weights() == {"blue": 7, "red": 3, "green": 0}


def test_an_alarm_that_nobody_told_of_is_found_by_the_sweep(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()

    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_the_sweep_comes_every_fifteen_minutes_and_otherwise_costs_one_query(stage: Stage) -> None:
    stage.mode("act")
    stage.heartbeat()
    stage.calls.clear()

    stage.wait(60)
    stage.heartbeat()
    assert [str(c) for c in stage.calls] == ["dynamodb:Query"]

    stage.wait(14 * 60)
    stage.calls.clear()
    stage.heartbeat()
    assert "resourcegroupstaggingapi:GetResources" in map(str, stage.calls)


def test_what_was_told_goes_to_one_thread_of_the_chat(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(60)
    stage.heartbeat()

    acted, verified = stage.messages()

    assert acted["version"] == "1.0"
    assert acted["source"] == "custom"
    assert acted["metadata"]["threadId"] == verified["metadata"]["threadId"]
    assert f"remediation revert {stage.incident()['id']}" in acted["content"]["nextSteps"][0]
