"""SageMaker endpoints as a user makes them, sends them traffic, and sees how they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from local.account import ACCOUNT_ID, REGION
from local.demo.account import Hands
from local.demo.scene import Chart, Line

TAG = "ml-remediation:traffic-shift"
VARIANTS = {"blue": 9, "green": 1}
COLORS = {"blue": "#2563eb", "green": "#16a34a"}
METRICS = {"requests": "Invocations", "errors": "Invocation5XXErrors"}
PER_MINUTE = 600
PERIOD = 10


def create(hands: Hands, name: str, mode: str | None) -> None:
    """Two variants behind one endpoint, metrics every 10 s, opted in to a mode or not at all."""
    sagemaker = hands.client("sagemaker")
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
        MetricsConfig={
            "EnableEnhancedMetrics": True,
            "MetricPublishFrequencyInSeconds": PERIOD,
        },
    )
    tags = [{"Key": TAG, "Value": mode}] if mode else []
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)


def send_traffic(hands: Hands, name: str, green_fails: float = 0.0, history: bool = False) -> None:
    """Requests to the endpoint, as from now; with a past in which blue alone served more."""
    past: dict[str, Any] = {}
    if history:
        past = {
            "history_minutes": 30,
            "history_requests_per_minute": PER_MINUTE * 1.2,
            "history_weights": {"blue": 1},
        }
    hands.account.set_traffic(
        name,
        requests_per_minute=PER_MINUTE,
        variants={"green": {"error_rate": green_fails}},
        **past,
    )


def weights(hands: Hands, name: str) -> tuple[str, dict[str, float]]:
    """The endpoint's status and its current weights."""
    found = hands.client("sagemaker").describe_endpoint(EndpointName=name)
    variants = found.get("ProductionVariants", ())
    return found["EndpointStatus"], {v["VariantName"]: v["CurrentWeight"] for v in variants}


def alarm_state(hands: Hands, name: str) -> str:
    """State of the alarm on the endpoint's green variant; empty before there is one."""
    found = hands.client("cloudwatch").describe_alarms(AlarmNames=[f"{name}-green-5xx"])
    return str(found["MetricAlarms"][0]["StateValue"]) if found["MetricAlarms"] else ""


def alarmed_at(hands: Hands, name: str) -> float | None:
    """When the alarm on the endpoint's green variant first went to ALARM, if it did."""
    history = hands.client("cloudwatch").describe_alarm_history(
        AlarmName=f"{name}-green-5xx",
        HistoryItemType="StateUpdate",
        ScanBy="TimestampAscending",
    )["AlarmHistoryItems"]
    to_alarm = (h for h in history if h["HistorySummary"].endswith("to ALARM"))
    first = next(to_alarm, None)
    return first["Timestamp"].timestamp() if first else None


def charts(hands: Hands, name: str, started: float) -> list[Chart]:
    """Requests and failed requests of each variant in each 10 s, by the account's CloudWatch."""
    queries = [
        {
            "Id": f"{variant}_{what}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": name},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": PERIOD,
                "Stat": "Sum",
            },
        }
        for variant in VARIANTS
        for what, metric in METRICS.items()
    ]
    start = _whole_period(started - 60)
    end = _whole_period(datetime.now(UTC).timestamp())
    found = hands.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    values = {
        result["Id"]: dict(zip(result["Timestamps"], result["Values"], strict=True))
        for result in found["MetricDataResults"]
    }
    steps = round((end - start).total_seconds() / PERIOD)
    times = [start + timedelta(seconds=PERIOD * i) for i in range(steps)]
    return [
        Chart(
            f"{what} in {PERIOD} s",
            [
                Line(variant, color, _points(times, values[f"{variant}_{what}"]))
                for variant, color in COLORS.items()
            ],
        )
        for what in METRICS
    ]


def _whole_period(at: float) -> datetime:
    return datetime.fromtimestamp(at // PERIOD * PERIOD, UTC)


def _points(times: Sequence[datetime], values: dict[datetime, float]) -> list[tuple[float, float]]:
    return [(at.timestamp(), values.get(at, 0.0)) for at in times]
