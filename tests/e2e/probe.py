"""A function that reports what reaches it, and what else the pocket account is probed with."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from local.pocket import Pocket

ACCOUNT, REGION = "000000000000", "us-east-1"
CODE = """
import json, os, time, boto3

def handler(event, context):
    match event.get("do"):
        case "fail":
            raise ValueError("as told")
        case "environment":
            return dict(os.environ)
        case "identity":
            return boto3.client("sts").get_caller_identity()["Arn"]
        case "measure":
            directive = {"Namespace": "Probe", "Dimensions": [["by"]], "Metrics": [{"Name": "Seen"}]}
            emf = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
            print(json.dumps({"_aws": emf, "by": "function", "Seen": [1, 2]}))
        case _:
            body = json.dumps(event)
            boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=body)
"""


PATIENCE = 30.0

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], patience: float = PATIENCE) -> Found:
    """What `look` finds as soon as it finds something; what happens elsewhere takes its time."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing came within {patience} s"
        time.sleep(0.05)


@dataclass(frozen=True)
class Probe:
    """A function that does what its event says, and reports every other event to a queue."""

    pocket: Pocket
    name: str
    arn: str
    seen: str

    def invoke(self, **event: Any) -> Any:
        answer = self.pocket.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())

    def next_event(self) -> dict[str, Any]:
        """The next event it was given."""
        return received(self.pocket, self.seen)

    def allow(self, service: str, source_arn: str) -> None:
        self.pocket.client("lambda").add_permission(
            FunctionName=self.name,
            StatementId=f"s{uuid4().hex}",
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source_arn,
            SourceAccount=ACCOUNT,
        )


def received(pocket: Pocket, queue_url: str) -> dict[str, Any]:
    sqs = pocket.client("sqs")
    (message,) = eventually(
        lambda: sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get("Messages")
    )
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    body: dict[str, Any] = json.loads(message["Body"])
    return body


def a_queue(pocket: Pocket, policy: dict[str, Any] | None = None) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    sqs = pocket.client("sqs")
    attributes = {"Policy": json.dumps(policy)} if policy else {}
    url = sqs.create_queue(QueueName=f"q-{uuid4().hex}", Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[-1]}"


@pytest.fixture
def probe(pocket: Pocket) -> Iterator[Probe]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("probe.py", CODE)
    name, (seen, _) = f"probe-{uuid4().hex[:8]}", a_queue(pocket)
    functions = pocket.client("lambda")
    arn = functions.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}-role",
        Handler="probe.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
        Environment={"Variables": {"SEEN": seen}},
    )["FunctionArn"]
    yield Probe(pocket, name, arn, seen)
    functions.delete_function(FunctionName=name)


def an_event(source: str = "aws.sagemaker", **detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Something Happened",
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def a_rule(pocket: Pocket, token: str, target: dict[str, Any]) -> tuple[str, str]:
    """Name and ARN of a rule for events of AWS services whose detail has the token."""
    name, events = f"rule-{token}", pocket.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail": {"token": [token]}}
    arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])
    return name, arn


def queue_policy(service: str, action: str = "sqs:SendMessage") -> dict[str, Any]:
    return {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": action,
                "Resource": "*",
            }
        ]
    }


def metric(pocket: Pocket, namespace: str, name: str, **dimensions: str) -> float:
    """The sum of a metric over the last minutes, once there is one."""
    now = datetime.now(UTC)
    query = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "StartTime": now - timedelta(minutes=5),
        "EndTime": now + timedelta(minutes=5),
        "Period": 60,
        "Statistics": ["Sum"],
    }
    cloudwatch = pocket.client("cloudwatch")
    found = eventually(lambda: cloudwatch.get_metric_statistics(**query)["Datapoints"])
    total: float = sum(point["Sum"] for point in found)
    return total


def an_alarm(pocket: Pocket, *actions: str) -> str:
    name, cloudwatch = f"alarm-{uuid4().hex}", pocket.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Probe",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=list(actions),
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    arn: str = alarm["AlarmArn"]
    return arn


def ring(pocket: Pocket, alarm_arn: str) -> None:
    """Puts an alarm into ALARM, as a breach would at its next evaluation."""
    pocket.client("cloudwatch").set_alarm_state(
        AlarmName=alarm_arn.rsplit(":", 1)[-1], StateValue="ALARM", StateReason="told so"
    )
