"""What an event source mapping of a queue brings to its function.

Source: Lambda developer guide, services-sqs-configure and invocation-eventsourcemapping ("Batching
behavior").
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.pocket import Pocket
from tests.e2e.probe import ACCOUNT, a_queue, eventually, received

CODE = """
import json, os, boto3

def handler(event, context):
    told = {"records": len(event["Records"]), "bytes": len(json.dumps(event))}
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(told))
"""


@pytest.fixture
def counter(pocket: Pocket) -> Iterator[tuple[str, Callable[[], dict[str, int]]]]:
    """A function that counts its records, and what it counted next."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("counter.py", CODE)
    name, (seen, _) = f"counter-{uuid4().hex[:8]}", a_queue(pocket)
    functions = pocket.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}-role",
        Handler="counter.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
        Environment={"Variables": {"SEEN": seen}},
    )
    yield name, lambda: received(pocket, seen)
    functions.delete_function(FunctionName=name)


def send(pocket: Pocket, url: str, count: int, body: str = "{}", each: int = 10) -> None:
    for _ in range(count // each):
        entries = [{"Id": str(number), "MessageBody": body} for number in range(each)]
        pocket.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_a_batch_gathers_what_comes_within_its_window(pocket: Pocket, counter: Any) -> None:
    name, counted = counter
    url, arn = a_queue(pocket)
    mapping = pocket.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=name,
        BatchSize=500,
        MaximumBatchingWindowInSeconds=2,
    )["UUID"]
    began = time.monotonic()
    send(pocket, url, 200)
    found = [counted()["records"]]
    assert time.monotonic() - began >= 2
    while sum(found) < 200:
        found.append(counted()["records"])
    assert sum(found) == 200
    assert len(found) <= 3
    pocket.client("lambda").delete_event_source_mapping(UUID=mapping)


def test_a_full_batch_does_not_wait(pocket: Pocket, counter: Any) -> None:
    name, counted = counter
    url, arn = a_queue(pocket)
    send(pocket, url, 40)
    mapping = pocket.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=name,
        BatchSize=20,
        MaximumBatchingWindowInSeconds=300,
    )["UUID"]
    assert [counted()["records"], counted()["records"]] == [20, 20]
    pocket.client("lambda").delete_event_source_mapping(UUID=mapping)


def test_a_batch_holds_six_megabytes(pocket: Pocket, counter: Any) -> None:
    """What has no room comes with the next batch, each message once."""
    name, counted = counter
    url, arn = a_queue(pocket)
    send(pocket, url, 35, "x" * 200_000, each=1)
    mapping = pocket.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=name,
        BatchSize=500,
        MaximumBatchingWindowInSeconds=1,
    )["UUID"]
    first, second = sorted((counted(), counted()), key=lambda told: -told["records"])
    assert (first["records"], second["records"]) == (31, 4)
    assert first["bytes"] <= 6 * 2**20
    pocket.client("lambda").delete_event_source_mapping(UUID=mapping)


WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"BatchSize": 11}, WINDOW),
        ({"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "less than or equal to 10000"),
    ],
)
def test_a_batch_that_is_too_large_is_refused(
    pocket: Pocket, counter: Any, settings: dict[str, int], reason: str
) -> None:
    _, arn = a_queue(pocket)
    with pytest.raises(ClientError) as refusal:
        pocket.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=counter[0], **settings
        )
    error = refusal.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert reason in error["Message"]


def test_so_it_is_when_a_mapping_is_changed(pocket: Pocket, counter: Any) -> None:
    functions = pocket.client("lambda")
    _, arn = a_queue(pocket)
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=counter[0])
    with pytest.raises(ClientError) as refusal:
        functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=11)
    assert refusal.value.response["Error"]["Message"] == WINDOW
    functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_stack_cannot_have_one_either(pocket: Pocket, counter: Any) -> None:
    _, arn = a_queue(pocket)
    properties = {"EventSourceArn": arn, "FunctionName": counter[0], "BatchSize": 11}
    resource = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
    name, stacks = f"batches-{uuid4().hex[:8]}", pocket.client("cloudformation")
    stacks.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"Mapping": resource}})
    )

    def told() -> bool:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return any(WINDOW in each.get("ResourceStatusReason", "") for each in events)

    eventually(told, 20)
    stacks.delete_stack(StackName=name)


def test_a_fifo_queue_has_no_window(pocket: Pocket, counter: Any) -> None:
    url = pocket.client("sqs").create_queue(
        QueueName=f"q-{uuid4().hex}.fifo", Attributes={"FifoQueue": "true"}
    )["QueueUrl"]
    arn = pocket.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    with pytest.raises(ClientError) as refusal:
        pocket.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=counter[0], MaximumBatchingWindowInSeconds=1
        )
    message = refusal.value.response["Error"]["Message"]
    assert message == "Batching window is not supported for FIFO queues"
