"""The demo's hands: what a user would do with AWS's own APIs and the `remediation` command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local.account import ACCOUNT_ID, REGION, ROOT
from local.pocket import Account

REMEDIATION = Path(sys.executable).with_name("remediation")
TAG = "ml-remediation:traffic-shift"
SOURCE = "ml-capacity-remediation"
VARIANTS = {"blue": 9, "green": 1}
PER_MINUTE = 600


class DemoFailed(Exception):
    """The demo could not be set up; the message says what failed and what it said."""


@dataclass(frozen=True)
class Told:
    """An event that the stack put on the bus. at: epoch seconds."""

    at: float
    kind: str
    code: str
    endpoint: str
    detail: Mapping[str, Any]


@dataclass
class Hands:
    """Acts on a running pocket account. told: every event of the stack so far."""

    account: Account
    told: list[Told] = field(default_factory=list)
    _queue: str = ""

    def remediation(self, *arguments: str) -> Any:
        """What `remediation ... --json` prints."""
        done = subprocess.run(
            [str(REMEDIATION), *arguments, "--json"],
            cwd=ROOT,
            env={**self.account.env, "PATH": "/usr/bin:/bin", "HOME": str(self.account.state)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DemoFailed(f"`remediation {' '.join(arguments)}` failed: {done.stderr}")
        return json.loads(done.stdout)

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        [stack] = self.account.client("cloudformation").describe_stacks()["Stacks"][-1:]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def listen(self) -> None:
        """Subscribe a queue to the stack's own events, as a user's tooling would."""
        sqs, events = self.account.client("sqs"), self.account.client("events")
        self._queue = sqs.create_queue(QueueName="demo-listens")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:demo-listens"
        pattern = json.dumps({"source": [SOURCE]})
        rule = events.put_rule(Name="demo-listens", EventPattern=pattern)["RuleArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        events.put_targets(Rule="demo-listens", Targets=[{"Id": "queue", "Arn": arn}])

    def hear(self) -> None:
        """Take the events that came since."""
        sqs = self.account.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                detail = event["detail"]
                self.told.append(
                    Told(
                        datetime.fromisoformat(event["time"]).timestamp(),
                        event["detail-type"],
                        detail["code"],
                        detail["target"].rsplit("/", 1)[-1],
                        detail,
                    )
                )
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def heard(self, endpoint: str, code: str) -> Told | None:
        """The first event of that outcome about an endpoint."""
        return next((t for t in self.told if t.endpoint == endpoint and t.code == code), None)

    def endpoint(self, name: str, mode: str | None) -> None:
        """Two variants behind one endpoint, metrics every 10 s, opted in to a mode or not at all."""
        sagemaker = self.account.client("sagemaker")
        sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/shop:1"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/hosting",
        )
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": name,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": weight,
                }
                for variant, weight in VARIANTS.items()
            ],
            MetricsConfig={"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10},
        )
        tags = [{"Key": TAG, "Value": mode}] if mode else []
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)

    def traffic(self, name: str, green_fails: float = 0.0, history: bool = False) -> None:
        """Requests to the endpoint, as from now; with a past in which blue alone served more."""
        past: dict[str, Any] = {}
        if history:
            past = {
                "history_minutes": 30,
                "history_requests_per_minute": PER_MINUTE * 1.2,
                "history_weights": {"blue": 1},
            }
        self.account.set_traffic(
            name,
            requests_per_minute=PER_MINUTE,
            variants={"green": {"error_rate": green_fails}},
            **past,
        )

    def weights(self, name: str) -> tuple[str, dict[str, float]]:
        """The endpoint's status and its current weights."""
        found = self.account.client("sagemaker").describe_endpoint(EndpointName=name)
        variants = found.get("ProductionVariants", ())
        return found["EndpointStatus"], {v["VariantName"]: v["CurrentWeight"] for v in variants}

    def alarm_state(self, name: str) -> str:
        """State of the alarm on the endpoint's green variant; empty before there is one."""
        found = self.account.client("cloudwatch").describe_alarms(AlarmNames=[f"{name}-green-5xx"])
        return str(found["MetricAlarms"][0]["StateValue"]) if found["MetricAlarms"] else ""

    def alarmed_at(self, name: str) -> float | None:
        """When the alarm on the endpoint's green variant first went to ALARM, if it did."""
        history = self.account.client("cloudwatch").describe_alarm_history(
            AlarmName=f"{name}-green-5xx",
            HistoryItemType="StateUpdate",
            ScanBy="TimestampAscending",
        )["AlarmHistoryItems"]
        to_alarm = (h for h in history if h["HistorySummary"].endswith("to ALARM"))
        first = next(to_alarm, None)
        return first["Timestamp"].timestamp() if first else None


def until(
    what: str, done: Callable[[], object], seconds: float, between: Callable[[], None]
) -> None:
    """Wait for a condition, doing `between` meanwhile. Raises DemoFailed when it does not come."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise DemoFailed(f"{what} did not happen within {seconds:.0f} s")
        between()
