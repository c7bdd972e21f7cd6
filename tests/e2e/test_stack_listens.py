"""The deployed stack hears its signals: alarm events through its queue, and the heartbeat."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from local.pocket import Pocket
from tests.e2e.probe import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def function(outputs: dict[str, str]) -> str:
    return outputs["TrafficShiftFunctionArn"].rsplit(":", 1)[-1]


def alarm_event(namespace: str) -> dict[str, Any]:
    metric = {
        "namespace": namespace,
        "name": "Invocation5XXErrors",
        "dimensions": {"EndpointName": f"e-{uuid4().hex[:8]}", "VariantName": "green"},
    }
    name = f"canary-{uuid4().hex[:8]}"
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "000000000000",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "state": {"value": "ALARM", "timestamp": "2026-01-01T00:00:00.000+0000"},
            "previousState": {"value": "OK"},
            "configuration": {
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {"metric": metric, "period": 60, "stat": "Sum"},
                        "returnData": True,
                    }
                ]
            },
        },
    }


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_an_alarm_on_an_endpoint_reaches_the_function(pocket: Pocket, function: str) -> None:
    since = now()
    (rule,) = pocket.put_event(alarm_event("AWS/SageMaker"))
    assert rule.startswith("MlCapacityRemediation-")
    eventually(lambda: pocket.calls(caller=function, service="sagemaker", since=since))


def test_an_alarm_on_something_else_does_not(pocket: Pocket) -> None:
    assert pocket.put_event(alarm_event("AWS/EC2")) == []


def test_a_heartbeat_looks_for_what_is_due(pocket: Pocket, function: str) -> None:
    since = now()
    heartbeat = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
    answer = pocket.client("lambda").invoke(FunctionName=function, Payload=json.dumps(heartbeat))
    assert "FunctionError" not in answer
    found = {call["operation"] for call in pocket.calls(caller=function, since=since)}
    assert "Query" in found
