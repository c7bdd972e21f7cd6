"""The same services over HTTP: time passes by itself, and what leaves delays nobody."""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.core.base_backend import BackendDict

from local.cloud import WORLD
from local.cloud.server import Address, serve
from tests.cloud.hosting import BLUE_GREEN, configure, refused

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(60)]


class Waiting:
    """A sink that says when an event with a status has come."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.changed = threading.Condition()

    def event(self, envelope: Any) -> None:
        with self.changed:
            self.seen.append(envelope["detail"]["EndpointStatus"])
            self.changed.notify_all()

    def invoke(self, arn: str, payload: Any) -> None: ...

    def notify(self, topic_arn: str, subject: str, message: str) -> None: ...

    def until(self, *statuses: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.seen == list(statuses), 10), self.seen


class Failing(Waiting):
    """A sink that fails; only once it did, others get the event."""

    def event(self, envelope: Any) -> None:
        super().event(envelope)
        raise OSError("the bus is down")


@pytest.fixture
def address(credentials: None) -> Iterator[Address]:
    before = list(WORLD.sinks)
    BackendDict.reset()
    WORLD.durations.endpoint_create = 0.2
    try:
        with serve() as address:
            yield address
    finally:
        WORLD.sinks[:] = before
        BackendDict.reset()


def post(address: Address, target: str, body: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        address.url,
        body.encode(),
        {
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260302/"
            "us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0",
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_time_passes_and_events_leave_without_any_call(address: Address) -> None:
    waiting = Waiting()
    WORLD.sinks.append(waiting)
    sagemaker = boto3.client("sagemaker", endpoint_url=address.url)
    configure(sagemaker, BLUE_GREEN)
    arn = sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")["EndpointArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:endpoint/shop"
    waiting.until("CREATING", "IN_SERVICE")


def test_a_failing_sink_fails_no_call_and_is_logged(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    failing, waiting = Failing(), Waiting()
    WORLD.sinks += [failing, waiting]
    sagemaker = boto3.client("sagemaker", endpoint_url=address.url)
    configure(sagemaker, BLUE_GREEN)
    with caplog.at_level(logging.ERROR):
        sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
        waiting.until("CREATING", "IN_SERVICE")
    assert "the bus is down" in caplog.text


def test_a_sink_that_takes_its_time_delays_no_call(address: Address) -> None:
    released = threading.Event()

    class Slow(Waiting):
        def event(self, envelope: Any) -> None:
            assert released.wait(10)
            super().event(envelope)

    slow = Slow()
    WORLD.sinks.append(slow)
    sagemaker = boto3.client("sagemaker", endpoint_url=address.url)
    configure(sagemaker, BLUE_GREEN)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    assert slow.seen == []
    released.set()
    slow.until("CREATING", "IN_SERVICE")


def test_a_slow_sender_stops_nobody(address: Address) -> None:
    with socket.create_connection((address.host, address.port)) as slow:
        slow.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\n"
            b"Content-Type: application/x-amz-json-1.1\r\nContent-Length: 100\r\n\r\n{"
        )
        assert post(address, "SageMaker.ListModels", "{}") == (200, {"Models": []})


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.CreateTrainingPlan", "{}", "UnknownOperationException"),
        ("SageMaker.Nonsense", "{}", "UnknownOperationException"),
        ("SageMaker.DescribeEndpoint", "{}", "ValidationException"),
        ("SageMaker.DescribeEndpoint", '{"EndpointName": "a_b"}', "ValidationException"),
        ("SageMaker.ListEndpoints", '{"MaxResults": "many"}', "SerializationException"),
        ("SageMaker.ListEndpoints", '["MaxResults"]', "SerializationException"),
    ],
)
def test_a_request_no_sdk_would_send_is_refused_as_json(
    address: Address, target: str, body: str, code: str
) -> None:
    status, answer = post(address, target, body)
    assert status == 400
    assert answer["__type"].endswith(code)


def test_application_auto_scaling_is_told_from_auto_scaling(address: Address) -> None:
    """Both answer at the same URL here; the signature tells which is meant."""
    scaling = boto3.client("application-autoscaling", endpoint_url=address.url)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    function = {
        "ServiceNamespace": "lambda",
        "ResourceId": "function:shop:live",
        "ScalableDimension": "lambda:function:ProvisionedConcurrency",
    }
    # Lambda is another process's there, see local.cloud.applicationautoscaling.
    code, _ = refused(scaling.register_scalable_target, **function, MinCapacity=1, MaxCapacity=2)
    assert code == "UnsupportedByPocketAccount"
    groups = boto3.client("autoscaling", endpoint_url=address.url)
    assert groups.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_each_call_sees_what_the_last_one_left(address: Address) -> None:
    sagemaker = boto3.client("sagemaker", endpoint_url=address.url)
    configure(sagemaker, BLUE_GREEN)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    assert refused(sagemaker.delete_endpoint, EndpointName="shop")[1].startswith(
        "Cannot update in-progress endpoint"
    )
