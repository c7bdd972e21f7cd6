"""The metrics AWS services publish about themselves, sent to the one CloudWatch.

ministack keeps metrics of its own that nobody reads; they leave through the wire instead, counted
where an invocation really happens (ministack counts direct calls only), and with what SQS reports of
each queue and functions write into their logs added.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_region
from ministack.services import cloudwatch, lambda_svc, sqs

from local.ministack import emf
from local.ministack.wire import Wire

# SQS sends its metrics at one-minute intervals:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html
QUEUE_INTERVAL = 60.0


def install(wire: Wire, queue_interval: float = QUEUE_INTERVAL) -> None:
    """Sends every metric through the wire, and starts measuring queues."""

    def send(
        region: str,
        namespace: str,
        name: str,
        value: float,
        unit: str,
        dimensions: Mapping[str, str],
    ) -> None:
        wire.metric(
            {
                "region": region,
                "namespace": namespace,
                "name": name,
                "dimensions": dict(dimensions),
                "values": [float(value)],
                "timestamp": time.time(),
                "unit": unit,
                "resolution": 60,
            }
        )

    def record_metric(
        namespace: str,
        metric_name: str,
        value: float,
        unit: str = "None",
        dimensions: dict[str, str] | None = None,
    ) -> None:
        send(get_region(), namespace, metric_name, value, unit, dimensions or {})

    execute = lambda_svc._execute_function

    def execute_measured(func: dict[str, Any], event: Any) -> Any:
        config = func.get("config") or func
        if lambda_svc._function_config_scope_mismatch(config):
            return execute(func, event)
        started = time.time()
        result = execute(func, event)
        measured = _measurements(result, (time.time() - started) * 1000)
        for dimensions in _function_dimensions(config):
            for name, value, unit in measured:
                send(_region(config), "AWS/Lambda", name, value, unit, dimensions)
        return result

    read_stderr = lambda_runtime.Worker._read_stderr

    def read_stderr_for_metrics(worker: Any) -> None:
        worker._proc.stderr = _MetricLines(worker._proc.stderr, wire, _region(worker.config))
        read_stderr(worker)

    cloudwatch.record_metric = record_metric
    lambda_svc._emit_lambda_metrics = _counted_elsewhere
    lambda_svc._execute_function = execute_measured
    lambda_runtime.Worker._read_stderr = read_stderr_for_metrics
    threading.Thread(
        target=_measure_queues, args=(send, queue_interval), name="queue-metrics", daemon=True
    ).start()


def _counted_elsewhere(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
    """`execute_measured` counts every invocation, whoever asked for it."""


def _measurements(result: dict[str, Any], duration_ms: float) -> list[tuple[str, float, str]]:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    A throttled request is neither an invocation nor an error.
    """
    if result.get("throttle"):
        return [("Throttles", 1, "Count")]
    return [
        ("Invocations", 1, "Count"),
        ("Errors", 1 if result.get("error") else 0, "Count"),
        ("Throttles", 0, "Count"),
        ("Duration", duration_ms, "Milliseconds"),
    ]


def _region(config: dict[str, Any]) -> str:
    region: str = config["FunctionArn"].split(":")[3]
    return region


def _function_dimensions(config: dict[str, Any]) -> list[dict[str, str]]:
    name = config["FunctionName"]
    _, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(config["FunctionArn"])
    resource = f"{name}:{qualifier}" if qualifier else name
    dimensions = [{"FunctionName": name}, {"FunctionName": name, "Resource": resource}]
    version = config.get("Version", "$LATEST")
    if qualifier and qualifier != version:
        # An alias's, by the version that ran.
        dimensions.append(dimensions[1] | {"ExecutedVersion": version})
    return dimensions


class _MetricLines:
    """A function's log stream that also yields its embedded metrics to the wire."""

    def __init__(self, stream: Any, wire: Wire, region: str) -> None:
        self._stream, self._wire, self._region = stream, wire, region

    def __iter__(self) -> Any:
        for line in self._stream:
            for datum in emf.data(line):
                self._wire.metric(datum | {"region": self._region})
            yield line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _measure_queues(send: Any, interval: float) -> None:
    while True:
        threading.Event().wait(interval)
        now = time.time()
        with sqs._queues_lock:
            measured = {
                queue["attributes"]["QueueArn"]: _queue_depths(queue, now)
                for queue in list(sqs._queues._data.values())
            }
        for arn, depths in measured.items():
            _, _, _, region, _, name = arn.split(":")
            for metric, value in depths.items():
                unit = "Seconds" if metric == "ApproximateAgeOfOldestMessage" else "Count"
                send(region, "AWS/SQS", metric, value, unit, {"QueueName": name})


def _queue_depths(queue: dict[str, Any], now: float) -> dict[str, float]:
    messages = queue["messages"]
    waiting = [message for message in messages if message["visible_at"] > now]
    delayed = [message for message in waiting if not message["receive_count"]]
    return {
        "ApproximateNumberOfMessagesVisible": len(messages) - len(waiting),
        "ApproximateNumberOfMessagesNotVisible": len(waiting) - len(delayed),
        "ApproximateNumberOfMessagesDelayed": len(delayed),
        "ApproximateAgeOfOldestMessage": max(
            (now - message["sent_at"] for message in messages), default=0.0
        ),
    }
