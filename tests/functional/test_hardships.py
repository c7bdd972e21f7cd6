"""What real accounts hold, and what goes wrong in them: nothing is lost and nobody is misled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.test_signals_meanwhile import named, once_before
from tests.functional.world import LEDGER, Call, Stage


def throttled(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate"}}, operation)


def fails_once(stage: Stage, operation: str) -> None:
    def refuse() -> None:
        raise throttled(operation)

    once_before(stage, operation, refuse)


def metric(id: str, endpoint: str) -> dict[str, Any]:
    dimensions = {"EndpointName": endpoint, "VariantName": "green"}
    stat = {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": id, "MetricStat": stat, "ReturnData": False}


def math_alarm(stage: Stage, name: str, expression: str, *metrics: dict[str, Any]) -> None:
    plain = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")
    total = {"Id": "total", "Expression": expression, "ReturnData": True}
    stage.alarm(name, Threshold=1, Metrics=[total, *metrics], **dict.fromkeys(plain))


def test_an_alarm_over_two_endpoints_moves_neither(stage: Stage) -> None:
    stage.scene(green=0.3)
    math_alarm(stage, "both", "e1 + e2", metric("e1", "shop"), metric("e2", "other"))
    stage.wait_for_alarm("both")

    stage.batch(named(stage, "both"))

    assert stage.weights() == {"blue": 9, "green": 1}
    assert "Remediation Refused: several-endpoints" in stage.told()


def test_an_expression_over_all_metrics_cannot_be_asked_of_one_variant(stage: Stage) -> None:
    stage.scene(green=0.3)
    math_alarm(stage, "all", "SUM(METRICS())", metric("e1", "shop"))
    stage.wait_for_alarm("all")

    stage.batch(named(stage, "all"))

    assert stage.weights() == {"blue": 9, "green": 1}
    assert stage.told()[-1] == "Remediation Refused: metrics-function"


def test_composites_in_a_circle_are_followed_once(stage: Stage) -> None:
    stage.scene(green=0.3)
    cloudwatch = stage.client("cloudwatch")
    for name, rule in (
        ("one", 'ALARM("green-5xx")'),
        ("two", 'ALARM("one")'),
        ("one", 'ALARM("two") OR ALARM("green-5xx")'),
    ):
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
    stage.wait_for_alarm("two")

    stage.batch(named(stage, "two"))

    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_look_that_fails_is_taken_up_by_the_next_heartbeat(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.pretend_swept()
    fails_once(stage, "GetMetricData")
    answer = stage.deliver()
    assert len(answer["batchItemFailures"]) == 1

    stage.wait(60)
    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_what_was_left_to_a_look_that_fails_is_taken_up_too(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.alarm("green-odd", Threshold=100.0, ComparisonOperator="LessThanThreshold")
    stage.wait_for_alarm()
    green, odd = named(stage, "green-5xx"), named(stage, "green-odd")
    stage.pretend_swept()

    def leave_green_and_fail_with_it() -> None:
        stage.batch(green)
        fails_once(stage, "GetMetricData")

    once_before(stage, "GetMetricData", leave_green_and_fail_with_it)
    stage.batch(odd)
    assert stage.weights() == {"blue": 9, "green": 1}

    stage.wait(60)
    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}


@pytest.mark.parametrize("source", ["x" * 420_000, "é" * 200_000])
def test_an_oversized_message_harms_none_of_its_batch(stage: Stage, source: str) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()

    stage.batch({"source": source}, *stage.pending)

    assert stage.weights() == {"blue": 10, "green": 0}
    assert len(stage.records("refused#")) == 1


def test_a_ledger_that_takes_no_bad_signal_fails_that_message_alone(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    fails_once(stage, "UpdateItem")

    answer = stage.batch("no json", *stage.pending)

    assert len(answer["batchItemFailures"]) == 1
    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_sweep_that_fails_holds_up_no_look_and_comes_again(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(60)

    def fault(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == "GetResources":
            raise throttled("GetResources")

    stage.fault = fault
    with pytest.raises(ClientError):
        stage.heartbeat()
    assert stage.incident()["stage"] == "verified"

    stage.fault = lambda moment, call: None
    stage.calls.clear()
    stage.wait(300)
    stage.heartbeat()
    assert stage.made("GetResources")


def test_a_partial_shift_ends_when_the_trouble_is_over(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=1, green=9, counts={"blue": 1, "green": 4})
    stage.traffic(
        3000,
        past={
            "history_minutes": 60,
            "history_requests_per_minute": 300,
            "history_weights": {"blue": 1},
        },
    )
    stage.alarm()
    stage.wait(180)
    stage.traffic(3000, green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    for _ in range(8):
        stage.wait(60)
        stage.heartbeat()
    assert "Remediation Refused: instances-limit" in stage.told()

    stage.traffic(3000)
    stage.wait_for_alarm(state="OK")
    stage.heartbeat()
    assert stage.incident()["stage"] == "verified"

    stage.traffic(300)
    stage.wait(600)
    stage.heartbeat()
    assert stage.weights() == {"blue": 5, "green": 5}


def test_an_endpoint_deleted_between_two_calls_is_no_error(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    sagemaker = stage.client("sagemaker")
    once_before(stage, "DescribeEndpoint", lambda: delete(stage, sagemaker))

    answer = stage.deliver()

    assert [o["code"] for o in answer["outcomes"]] == ["gone"]
    assert answer["batchItemFailures"] == []


def delete(stage: Stage, sagemaker: Any) -> None:
    stage.outside(lambda: sagemaker.delete_endpoint(EndpointName="shop"))
    stage.outside(lambda: stage.wait(10))


def test_refusals_that_alternate_are_each_told_once(stage: Stage) -> None:
    stage.scene(green=0.3, blue=0.2)
    stage.wait_for_alarm()
    stage.wait(60)
    stage.deliver()
    for _ in range(4):
        stage.traffic(6, green=0.3, blue=0.2)
        stage.wait(240)
        stage.heartbeat()
        stage.traffic(600, green=0.3, blue=0.2)
        stage.wait(240)
        stage.heartbeat()

    assert len(stage.messages()) == len({m["metadata"]["summary"] for m in stage.messages()})
    assert len(stage.told()) == len(set(stage.told()))


def test_an_endpoint_tagged_off_is_not_spoken_of_by_every_sweep(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=9, green=1, tags={"ml-remediation:traffic-shift": "off"})
    stage.traffic(green=0.3)
    stage.alarm()
    stage.wait_for_alarm()
    for _ in range(3):
        stage.wait(15 * 60)
        stage.heartbeat()

    assert stage.told() == []


def test_an_open_period_is_not_judged(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.alarm("green-slow", Period=300, EvaluationPeriods=1)
    stage.wait_for_alarm()
    stage.wait_for_alarm("green-slow")
    stage.wait(60)
    stage.batch(named(stage, "green-slow"), named(stage, "green-5xx"))

    values = stage.incident()["evidence"]["alarms"]["green-slow"]["values"]
    assert all(len(each) <= 3 for each in values.values())


def test_a_promql_alarm_in_the_account_stops_no_sweep(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.traffic_shift import aws

    promql = {"AlarmName": "p", "AlarmArn": "a", "StateValue": "ALARM", "EvaluationInterval": 60}
    read: Callable[[Any], Any] = aws.metric_alarms

    def with_promql(answer: Any) -> Any:
        return read({**answer, "MetricAlarms": [promql, *answer.get("MetricAlarms", ())]})

    monkeypatch.setattr(aws, "metric_alarms", with_promql)
    stage.scene(green=0.3)
    stage.wait_for_alarm()

    stage.heartbeat()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_nothing_stays_due_or_claimed_when_all_is_done(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(60)
    stage.heartbeat()

    items = stage.client("dynamodb").scan(TableName=LEDGER)["Items"]
    assert {item["sk"]["S"] for item in items} == {"incident", "traffic_shift", "safety"}
    assert [item["pk"]["S"] for item in items if "due_at" in item] == ["sweep"]
