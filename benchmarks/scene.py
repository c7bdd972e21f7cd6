"""Endpoints whose canary fails, in a pocket account: what a rollback is measured on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from local.account import ACCOUNT_ID
from local.pocket import Account

T = TypeVar("T")

PATIENCE = 180.0
ERROR_RATE = 0.3
THRESHOLD = 0.05


class TooLate(RuntimeError):
    """Something that had to happen did not, within PATIENCE seconds."""


def wait_for(what: str, found: Callable[[], T | None], every: float = 0.1) -> T:
    """What `found` gives once it gives something; raises TooLate."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (result := found()) is not None:
            return result
        time.sleep(every)
    raise TooLate(f"no {what} after {PATIENCE:.0f} s")


class Scene:
    """Endpoints of two variants, 90/10, opted in to act; the smaller one fails its requests."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._sagemaker = account.client("sagemaker")
        self._cloudwatch = account.client("cloudwatch")

    def build(self, names: Sequence[str]) -> None:
        """Endpoints in service under traffic, each with a closed minute of failing requests."""
        self._sagemaker.create_model(
            ModelName="model",
            PrimaryContainer={"Image": "image"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/hosting",
        )
        self._sagemaker.create_endpoint_config(
            EndpointConfigName="config",
            ProductionVariants=[_variant("blue", 9), _variant("green", 1)],
        )
        for name in names:
            self._sagemaker.create_endpoint(
                EndpointName=name,
                EndpointConfigName="config",
                Tags=[{"Key": "ml-remediation:traffic-shift", "Value": "act"}],
            )
        for name in names:
            self.await_service(name)
            # An hour in which blue alone bore more than is asked of it now.
            self._account.set_traffic(
                name,
                requests_per_minute=600,
                variants={"green": {"error_rate": ERROR_RATE}},
                history_minutes=60,
                history_requests_per_minute=1000,
                history_weights={"blue": 1},
            )
        for name in names:
            wait_for(f"failing minute of {name}", partial(self._failed, name), every=1)

    def alarm(self, endpoint: str, actions: Sequence[str] = ()) -> datetime:
        """An alarm on the endpoint's failing variant goes into ALARM; when it did."""
        self._cloudwatch.put_metric_alarm(
            AlarmName=f"{endpoint}-5xx",
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=_dimensions(endpoint),
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=THRESHOLD,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=list(actions),
        )
        self._cloudwatch.set_alarm_state(
            AlarmName=f"{endpoint}-5xx", StateValue="ALARM", StateReason="benchmark"
        )
        [alarm] = self._cloudwatch.describe_alarms(AlarmNames=[f"{endpoint}-5xx"])["MetricAlarms"]
        changed: datetime = alarm["StateTransitionedTimestamp"]
        return changed

    def await_service(self, endpoint: str) -> None:
        """Until no change of the endpoint is under way."""
        wait_for(f"endpoint {endpoint} in service", partial(self._in_service, endpoint))

    def weights(self, endpoint: str) -> dict[str, float]:
        """The desired weights of the endpoint's variants."""
        described = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        return {v["VariantName"]: v["DesiredWeight"] for v in described["ProductionVariants"]}

    def _in_service(self, endpoint: str) -> bool | None:
        described = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        return True if described["EndpointStatus"] == "InService" else None

    def _failed(self, endpoint: str) -> bool | None:
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        found = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=_dimensions(endpoint),
            StartTime=minute - timedelta(minutes=5),
            EndTime=minute,
            Period=60,
            Statistics=["Average"],
        )
        failing = (point["Average"] > THRESHOLD for point in found["Datapoints"])
        return True if any(failing) else None


def _variant(name: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": "model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": weight,
    }


def _dimensions(endpoint: str) -> list[dict[str, str]]:
    return [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": "green"},
    ]
