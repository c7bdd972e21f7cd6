"""Events go in and calls come out through the control interface, or it says why not."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from local.calls import Call, CallLog, Identity
from local.cloud.control import create_app
from local.control import faults

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "SageMaker Endpoint State Change",
    "source": "aws.sagemaker",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


@pytest.fixture
def put() -> list[Any]:
    return []


@pytest.fixture
def calls() -> CallLog:
    return CallLog()


@pytest.fixture
def client(calls: CallLog, put: list[Any]) -> FlaskClient:
    def put_event(event: dict[str, Any]) -> list[str]:
        put.append(event)
        return ["a-rule"]

    return create_app(faults(calls, put_event)).test_client()


def test_an_event_is_put_whole_and_its_rules_are_named(client: FlaskClient, put: list[Any]) -> None:
    answer = client.post("/events", json=EVENT)
    assert (answer.status_code, answer.json) == (200, {"matched_rules": ["a-rule"]})
    assert put == [EVENT]


@pytest.mark.parametrize("field", sorted(EVENT))
def test_an_event_without_a_field_is_refused_by_name(
    client: FlaskClient, put: list[Any], field: str
) -> None:
    answer = client.post("/events", json={k: v for k, v in EVENT.items() if k != field})
    assert answer.status_code == 400
    assert field in answer.json["error"]  # type: ignore[index]
    assert put == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "1"),
        ("account", "12"),
        ("time", "yesterday"),
        ("time", "2026-01-01T00:00:00"),
        ("resources", [1]),
        ("detail", "text"),
        ("more", "x"),
    ],
)
def test_an_event_that_is_none_is_refused_with_a_reason(
    client: FlaskClient, put: list[Any], field: str, value: Any
) -> None:
    answer = client.post("/events", json=EVENT | {field: value})
    assert answer.status_code == 400
    assert field in answer.json["error"]  # type: ignore[index]
    assert put == []


def test_calls_are_listed_by_caller_and_forgotten(client: FlaskClient, calls: CallLog) -> None:
    function = Identity("shifter", "arn:aws:iam::000000000000:role/Shifter")
    calls.add(Call(5, "ASIA1", function, "sqs", "SendMessage", 403, "AccessDenied", 1))
    calls.add(Call(9, "AKIA2", None, "sqs", "SendMessage", 200, None, 1))
    (found,) = client.get("/calls?caller=shifter&since=1970-01-01T00:00:05Z").json  # type: ignore[misc]
    assert (found["service"], found["operation"], found["error"]) == (
        "sqs",
        "SendMessage",
        "AccessDenied",
    )
    assert len(client.get("/calls?since=6").json) == 1  # type: ignore[arg-type]
    assert client.delete("/calls").status_code == 200
    assert client.get("/calls").json == []


@pytest.mark.parametrize("query", ["who=me", "since=later", "since=2026-01-01"])
def test_a_strange_filter_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/calls?{query}").status_code == 400


def test_the_list_names_these_faults_too(client: FlaskClient) -> None:
    listed = {(f["method"], f["path"]) for f in client.get("/").json["faults"]}  # type: ignore[index]
    assert {("POST", "/events"), ("GET", "/calls"), ("DELETE", "/calls")} <= listed
