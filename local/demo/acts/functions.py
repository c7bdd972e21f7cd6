"""Lambda functions with an alias as a user makes them, sends them traffic, and sees how they are."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from local.account import ACCOUNT_ID, REGION
from local.demo.account import Hands
from local.demo.scene import Chart, Line

ALIAS = "live"
MEMORY_MB = 1024
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MINUTE = 60
SPILLED = "ProvisionedConcurrencySpilloverInvocations"


@dataclass
class Function:
    """A function behind its alias `live`, looked at now and then.

    level, available: what is asked for of provisioned concurrency, and ready. sent: what was in flight
    at once from a moment on, in epoch seconds. seen: (moment, available) of every look.
    """

    hands: Hands
    name: str
    level: int = 0
    available: int = 0
    sent: list[tuple[float, float]] = field(default_factory=list)
    seen: list[tuple[float, int]] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The alias's ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.name}:{ALIAS}"

    @property
    def place(self) -> dict[str, str]:
        return {"FunctionName": self.name, "Qualifier": ALIAS}

    def create(self) -> None:
        """Version 1, with the alias pointing to it; nobody opted it in."""
        api = self.hands.client("lambda")
        role = self._role()
        api.create_function(
            FunctionName=self.name,
            Role=role,
            Runtime="python3.13",
            Handler="app.handler",
            MemorySize=MEMORY_MB,
            Code={"ZipFile": _packed("def handler(event, context):\n    return event\n")},
        )
        api.get_waiter("function_active_v2").wait(FunctionName=self.name)
        api.publish_version(FunctionName=self.name)
        api.create_alias(FunctionName=self.name, Name=ALIAS, FunctionVersion="1")

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tag it with what stands behind the lever's own key, "" for that itself."""
        arn, lever = self.target.rsplit(":", 1)[0], "ml-remediation:provisioned-concurrency"
        named = {lever + key: value for key, value in tags.items()}
        self.hands.client("lambda").tag_resource(Resource=arn, Tags=named)

    def provision(self, level: int) -> None:
        self.hands.client("lambda").put_provisioned_concurrency_config(
            **self.place, ProvisionedConcurrentExecutions=level
        )

    def send(self, in_flight: float) -> None:
        """Let so many invocations of a second each be in flight at once, from now on."""
        body = {"concurrency": [in_flight]}
        self.hands.account.control("PUT", f"/lambda/functions/{self.name}:{ALIAS}/traffic", body)
        self.sent.append((time.time(), in_flight))

    def look(self) -> None:
        """See what is provisioned now."""
        try:
            found = self.hands.client("lambda").get_provisioned_concurrency_config(**self.place)
        except ClientError as error:
            if "ProvisionedConcurrencyConfigNotFound" not in str(error):
                raise
            self.level = self.available = 0
        else:
            self.level = found["RequestedProvisionedConcurrentExecutions"]
            self.available = found["AvailableProvisionedConcurrentExecutions"]
        if not self.seen or self.seen[-1][1] != self.available:
            self.seen.append((time.time(), self.available))

    def warn(self, action: str) -> None:
        """An alarm on anything that spills over, with a function as its action."""
        self.hands.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{self.name}-{ALIAS}-spillover",
            Namespace="AWS/Lambda",
            MetricName=SPILLED,
            Dimensions=self._dimensions(),
            Statistic="Sum",
            Period=MINUTE,
            EvaluationPeriods=1,
            Threshold=2,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[action],
        )

    def minutes(self, metric: str, stat: str, since: float) -> dict[float, float]:
        """A metric minute by minute, by when each began in epoch seconds."""
        query = {
            "Id": "m",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": self._dimensions(),
                },
                "Period": MINUTE,
                "Stat": stat,
            },
        }
        begin = datetime.fromtimestamp(since // MINUTE * MINUTE, UTC)
        [found] = self.hands.client("cloudwatch").get_metric_data(
            MetricDataQueries=[query],
            StartTime=begin,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )["MetricDataResults"]
        return {
            at.timestamp(): value
            for at, value in zip(found["Timestamps"], found["Values"], strict=True)
        }

    def changes(self) -> list[tuple[float, int]]:
        """The remediation's changes of the level, as it told them: when, and to what."""
        return [
            (each.at, int(each.detail["after"]["provisioned"]))
            for each in self.hands.told
            if (each.target, each.code) == (self.target, "acted")
        ]

    def chart(self, started: float) -> Chart:
        """What was in flight, what was ready, and what spilled over in each second of a minute."""
        spilled = self.minutes(SPILLED, "Sum", started)
        until = [(time.time(), self.available)]
        return Chart(
            "at once",
            [
                Line("in flight", "#2563eb", [(started, 0.0), *self.sent]),
                Line("ready", "#16a34a", [(started, 0), *self.seen, *until]),
                Line(
                    "spilled a second",
                    "#b91c1c",
                    [(at, spilled[at] / MINUTE) for at in sorted(spilled)],
                ),
            ],
        )

    def _dimensions(self) -> list[dict[str, str]]:
        dimensions = {"FunctionName": self.name, "Resource": f"{self.name}:{ALIAS}"}
        return [{"Name": name, "Value": value} for name, value in dimensions.items()]

    def _role(self) -> str:
        created = self.hands.client("iam").create_role(
            RoleName=f"{self.name}-role", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        return str(created["Role"]["Arn"])


def _packed(code: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("app.py", code)
    return written.getvalue()
