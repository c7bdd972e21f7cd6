"""The chain a remediation hangs on: bad requests, their metric, its alarm, the alarm's action."""

from __future__ import annotations

from local.cloud import WORLD
from local.cloud.control import create_app
from tests.cloud.conftest import Account
from tests.cloud.hosting import stand_up

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:traffic-shift"


def test_a_failing_canary_raises_its_alarm_and_a_shift_away_calms_it(account: Account) -> None:
    sagemaker = stand_up(account)
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="canary-errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": "shop"},
            {"Name": "VariantName", "Value": "green"},
        ],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.05,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[FUNCTION],
    )
    for _ in range(3):
        account.wait(60)
    account.events.clear()
    create_app().test_client().put(
        "/sagemaker/endpoints/shop/traffic",
        json={"requests_per_minute": 200, "variants": {"green": {"error_rate": 0.5}}},
    )
    for _ in range(3):
        account.wait(60)
    [(function, payload)] = account.invocations
    assert function == FUNCTION
    assert payload["alarmData"]["state"]["value"] == "ALARM"
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredWeight": 0}],
    )
    account.wait(WORLD.durations.weights_update)
    for _ in range(10):
        account.wait(60)
    states = [
        event["detail"]["state"]["value"]
        for event in account.events
        if event["detail-type"] == "CloudWatch Alarm State Change"
    ]
    assert states == ["ALARM", "OK"]
