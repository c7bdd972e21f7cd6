"""The demo's hands: what a user would do with AWS's own APIs and the `remediation` command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.account import ACCOUNT_ID, REGION, ROOT
from local.demo.scene import DemoFailed, until
from local.pocket import Account

REMEDIATION = Path(sys.executable).with_name("remediation")
SOURCE = "ml-capacity-remediation"
LOOK_SECONDS = 30
"""What a signal may take to the function and its word back, on a busy machine."""


@dataclass(frozen=True)
class Told:
    """An event that the stack put on the bus. at: when it came to our queue, in epoch seconds, more
    finely than its own time tells. target: the end of its ARN."""

    at: float
    kind: str
    code: str
    target: str
    detail: Mapping[str, Any]

    @property
    def word(self) -> str:
        """The event in two words."""
        return f"{self.kind.removeprefix('Remediation ')}: {self.code}"


@dataclass
class Hands:
    """Acts on a running pocket account. told: every event of the stack so far."""

    account: Account
    told: list[Told] = field(default_factory=list)
    _queue: str = ""
    _clients: dict[tuple[str, int], Any] = field(default_factory=dict)

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

    def client(self, service: str, attempts: int = 3) -> Any:
        """A boto3 client of the account, made once. attempts: 1 to see a refusal the first time."""
        if (service, attempts) not in self._clients:
            # Every service's client has a type of its own; callers choose by a name.
            session: Any = boto3.Session()
            self._clients[service, attempts] = session.client(
                service,
                endpoint_url=self.account.endpoint_url,
                region_name=REGION,
                aws_access_key_id=self.account.env["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.account.env["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"total_max_attempts": attempts}),
            )
        return self._clients[service, attempts]

    def function(self, name: str) -> str:
        """Name of the stack's function of that construct, by the stack's outputs."""
        [stack] = self.client("cloudformation").describe_stacks()["Stacks"][-1:]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        return str(outputs[f"{name}FunctionArn"]).rsplit(":", 1)[-1]

    def look_of(self, caller: str, call: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All calls of the invocation of a function in which one call was made."""
        return [c for c in self.account.calls(caller=caller) if c["trace"] == call["trace"]]

    def listen(self) -> None:
        """Subscribe a queue to the stack's own events, as a user's tooling would."""
        sqs, events = self.client("sqs"), self.client("events")
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
        sqs = self.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                detail = event["detail"]
                self.told.append(
                    Told(
                        int(message["Attributes"]["SentTimestamp"]) / 1000,
                        event["detail-type"],
                        detail["code"],
                        detail["target"].rsplit("/", 1)[-1],
                        detail,
                    )
                )
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def heard(self, target: str, code: str) -> Told | None:
        """The first event of that outcome about a target, which the end of its ARN names."""
        return next((t for t in self.told if t.target == target and t.code == code), None)

    def hears(
        self, target: str, code: str, seconds: float = LOOK_SECONDS
    ) -> Generator[None, None, Told]:
        """Wait for the first event of that outcome about a target."""
        return until(f"{code!r} about {target}", lambda: self.heard(target, code), seconds)

    def last_word(self, target: str) -> str:
        """What was told of a target last; empty before anything was."""
        return next((t.word for t in reversed(self.told) if t.target == target), "")


def moment(call: Mapping[str, Any]) -> float:
    """When a recorded call was made, in epoch seconds."""
    return datetime.fromisoformat(call["time"]).timestamp()
