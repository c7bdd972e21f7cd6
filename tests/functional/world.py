"""An account in this process with the functions' handlers in it: the stage of functional tests."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
import time_machine
from botocore.loaders import Loader

from functions.core import clients, intake
from functions.core.ledger import Ledger
from functions.provisioned_concurrency.sweep import KNOWN
from functions.traffic_shift.handler import handler as traffic_shift
from local.cloud import WORLD
from local.cloud.sagemaker.control import put_traffic

REGION = "us-east-1"
ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:traffic-shift"
LEDGER = "ledger"
MODE = "/ml-capacity-remediation/mode"
PAST = {
    "history_minutes": 60,
    "history_requests_per_minute": 700,
    "history_weights": {"blue": 1},
}
"""An hour in which blue alone served more than is asked of it now."""


@dataclass
class Context:
    """What Lambda hands to a handler."""

    seconds: float = 60.0
    function_name: str = "traffic-shift"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = FUNCTION
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Call:
    """One AWS call of a handler."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass
class Stage:
    """One test's account, clock and handler; what came out of them."""

    clock: time_machine.Traveller
    handler: Callable[[Any, Any], dict[str, Any]] = traffic_shift
    calls: list[Call] = field(default_factory=list)
    pending: list[Mapping[str, Any]] = field(default_factory=list)
    invocations: list[Mapping[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    fault: Callable[[str, Call], None] = lambda moment, call: None
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _inside: bool = False
    _clients: dict[str, Any] = field(default_factory=dict)

    # setting the scene

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=REGION)
        return self._clients[service]

    def mode(self, word: str) -> None:
        self.client("ssm").put_parameter(Name=MODE, Value=word, Type="String", Overwrite=True)

    def endpoint(
        self,
        name: str = "shop",
        tags: Mapping[str, str] | None = None,
        counts: Mapping[str, int] | None = None,
        frequency: int = 60,
        **weights: float,
    ) -> None:
        """An endpoint in service with a variant for each weight, opted in to act by default."""
        sagemaker = self.client("sagemaker")
        sagemaker.create_model(
            ModelName=f"{name}-model",
            PrimaryContainer={"Image": "image"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/hosting",
        )
        fast = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": frequency}
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-config",
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": f"{name}-model",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": (counts or {}).get(variant, 1),
                    "InitialVariantWeight": weight,
                }
                for variant, weight in weights.items()
            ],
            **({"MetricsConfig": fast} if frequency < 60 else {}),
        )
        opted = {"ml-remediation:traffic-shift": "act"} if tags is None else tags
        sagemaker.create_endpoint(
            EndpointName=name,
            EndpointConfigName=f"{name}-config",
            Tags=[{"Key": k, "Value": v} for k, v in opted.items()],
        )
        self.wait(5)

    def traffic(
        self,
        per_minute: float = 600,
        name: str = "shop",
        past: Mapping[str, Any] | None = None,
        **error_rates: float,
    ) -> None:
        """Requests from now on; for each variant the share that fails."""
        variants = {variant: {"error_rate": rate} for variant, rate in error_rates.items()}
        body = {"requests_per_minute": per_minute, "variants": variants, **(past or {})}
        put_traffic({"name": name}, {}, body)

    def alarm(self, name: str = "green-5xx", **different: Any) -> None:
        """An alarm on the 5XX rate of `shop`'s green variant; `different` overrides any part."""
        variant = different.pop("variant", "green")
        endpoint = different.pop("endpoint", "shop")
        settings: dict[str, Any] = {
            "AlarmName": name,
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": 0.05,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }
        settings.update(different)
        self.client("cloudwatch").put_metric_alarm(
            **{key: value for key, value in settings.items() if value is not None}
        )

    def scene(self, **error_rates: float) -> None:
        """The usual beginning: shop 90/10 under traffic for a while, an alarm on green, mode act."""
        self.mode("act")
        self.endpoint(blue=9, green=1)
        self.traffic(past=PAST)
        self.alarm()
        self.wait(300)
        if error_rates:
            self.traffic(**error_rates)

    # letting things happen

    def wait(self, seconds: float) -> None:
        """Let time pass in steps of 10 s; nothing reaches the function by itself."""
        left = seconds
        while left > 0:
            self.clock.shift(min(10.0, left))
            left -= 10.0
            with WORLD.turn():
                pass

    def wait_for_alarm(self, name: str = "green-5xx", state: str = "ALARM") -> None:
        for _ in range(120):
            if self.alarm_state(name) == state:
                return
            self.wait(10)
        raise AssertionError(f"{name} never came to {state}")

    def pause(self, seconds: float) -> None:
        """What a function waits for itself."""
        self.pauses.append(seconds)
        self.outside(lambda: self.wait(seconds))

    def invoke(self, event: Any, seconds: float = 60.0) -> dict[str, Any]:
        outside, self._inside = self._inside, True
        try:
            return self.handler(event, Context(seconds))
        finally:
            self._inside = outside

    def batch(self, *envelopes: Any) -> dict[str, Any]:
        """Queue messages, as the event source mapping hands them over."""
        return self.invoke(
            {
                "Records": [
                    {
                        "messageId": f"m{next(self._ids)}",
                        "body": each if isinstance(each, str) else json.dumps(each),
                        "eventSource": "aws:sqs",
                    }
                    for each in envelopes
                ]
            }
        )

    def deliver(self) -> dict[str, Any]:
        """Bring the alarm events that left CloudWatch since, as the rule and the queue would."""
        alarms, self.pending = self.pending, []
        return self.batch(*alarms)

    def deliver_direct(self) -> list[dict[str, Any]]:
        """Bring the alarms' direct invocations that happened since."""
        payloads, self.invocations = self.invocations, []
        return [self.invoke(payload) for payload in payloads]

    def heartbeat(self) -> dict[str, Any]:
        return self.invoke({"source": "ml-capacity-remediation", "detail-type": "Heartbeat"})

    def outside(self, do: Callable[[], object]) -> None:
        """Something that is not the function's doing, though it happens while it runs."""
        inside, self._inside = self._inside, False
        try:
            do()
        finally:
            self._inside = inside

    def pretend_swept(self, remediation: str = "traffic_shift") -> None:
        """Leave nothing to the next sweep: what is found then was not found by it."""
        ledger = Ledger(self.client("dynamodb"), LEDGER)
        ledger.start_sweeps(remediation, time.time() + 3600)

    # looking at the result

    def weights(self, name: str = "shop") -> dict[str, float]:
        variants = self.client("sagemaker").describe_endpoint(EndpointName=name)
        return {
            v["VariantName"]: round(v["DesiredWeight"], 3) for v in variants["ProductionVariants"]
        }

    def counts(self, name: str = "shop") -> dict[str, int]:
        variants = self.client("sagemaker").describe_endpoint(EndpointName=name)
        return {v["VariantName"]: v["DesiredInstanceCount"] for v in variants["ProductionVariants"]}

    def alarm_state(self, name: str = "green-5xx") -> str:
        found = self.client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])

    def incidents(self) -> list[dict[str, Any]]:
        items = self.client("dynamodb").scan(TableName=LEDGER)["Items"]
        found = [json.loads(i["document"]["S"]) for i in items if i["sk"]["S"] == "incident"]
        return sorted(found, key=lambda each: each["opened_at"])

    def incident(self) -> dict[str, Any]:
        [only] = self.incidents()
        return only

    def records(self, prefix: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=LEDGER)["Items"]
        return [item for item in items if item["pk"]["S"].startswith(prefix)]

    def made(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    def told(self) -> list[str]:
        """Detail-types with outcome of all events put on the bus, in order."""
        return [
            f"{entry['DetailType']}: {json.loads(entry['Detail'])['code']}"
            for call in self.made("PutEvents")
            for entry in call.parameters["Entries"]
        ]

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(call.parameters["Message"]) for call in self.made("Publish")]

    # WORLD.sinks

    def event(self, envelope: Mapping[str, Any]) -> None:
        if (
            envelope["source"] == "aws.cloudwatch"
            and envelope["detail"]["state"]["value"] == "ALARM"
        ):
            self.pending.append(envelope)

    def invoke_function(self, payload: Mapping[str, Any]) -> None:
        self.invocations.append(payload)

    # botocore hooks

    def before(self, model: Any, params: Any, **_: Any) -> None:
        if self._inside:
            call = Call(model.service_model.service_name, model.name, self._parameters)
            self.calls.append(call)
            self.fault("before", call)

    def after(self, model: Any, **_: Any) -> None:
        if self._inside:
            self.fault("after", self.calls[-1])

    def parameters(self, params: Mapping[str, Any], **_: Any) -> None:
        self._parameters = dict(params)


class StageSink:
    """Hands to the stage what leaves the simulated services."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def event(self, envelope: Mapping[str, Any]) -> None:
        self.stage.event(envelope)

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        self.stage.invoke_function(payload)

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        raise AssertionError("no alarm of these tests notifies a topic")


def build_stack(stage: Stage) -> None:
    """The parts of the stack that a handler calls, in the shapes that the template gives them."""
    keys: Sequence[Any] = [("pk", "HASH"), ("sk", "RANGE")]
    types = {
        "pk": "S",
        "sk": "S",
        "due_for": "S",
        "due_at": "N",
        "remediation": "S",
        "opened_at": "S",
    }
    indexes = {"due": ("due_for", "due_at"), "feed": ("remediation", "opened_at")}
    stage.client("dynamodb").create_table(
        TableName=LEDGER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": type} for name, type in types.items()
        ],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": hash, "KeyType": "HASH"},
                    {"AttributeName": range, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, (hash, range) in indexes.items()
        ],
    )
    stage.client("sns").create_topic(Name="notifications")
    stage.mode("observe")


LOADER = Loader(include_default_search_paths=True)
"""Reading the services' models takes most of a test's time, so it is done once."""


def renew_session() -> None:
    """A default session without the hooks of an earlier test."""
    session = botocore.session.Session()
    session.register_component("data_loader", LOADER)
    boto3.setup_default_session(botocore_session=session)


@contextmanager
def hooked(stage: Stage) -> Iterator[None]:
    """Every call of the handlers' clients passes the stage."""
    clients.client.cache_clear()
    intake._sweeping.clear()
    KNOWN.at = None
    renew_session()
    events = boto3._get_default_session().events  # type: ignore[attr-defined]
    events.register("provide-client-params", stage.parameters)
    events.register_first("before-call", stage.before)
    events.register_last("after-call", stage.after)
    sink = StageSink(stage)
    WORLD.sinks.append(sink)
    intake.sleep = stage.pause
    try:
        yield
    finally:
        intake.sleep = time.sleep
        WORLD.sinks.remove(sink)
        clients.client.cache_clear()
        renew_session()
