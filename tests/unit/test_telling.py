"""What is told, in whose schema, and what is kept when it cannot be told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from functions.core.incident import Incident
from functions.core.telling import Teller, chat, count, message
from tests.unit.endpoints import SHOP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = replace(
    Incident.opened("traffic_shift", SHOP, NOON),
    reason="green fails",
    before={"green": {"weight": 1, "count": 1}},
    written={"green": {"weight": 0, "count": 1}},
)


class Bus:
    """Takes events, or refuses whole calls or the entries named."""

    def __init__(self, error: Exception | None = None, refuses: int = 0) -> None:
        self.error, self.refuses = error, refuses
        self.calls: list[Sequence[Mapping[str, Any]]] = []

    def put_events(self, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.error:
            raise self.error
        self.calls.append(Entries)
        return {"FailedEntryCount": self.refuses, "Entries": []}


class Topic:
    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.messages: list[dict[str, Any]] = []

    def publish(self, TopicArn: str, Message: str) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        self.messages.append(json.loads(Message))


DOWN = [
    ClientError({"Error": {"Code": "InternalError", "Message": "down"}}, "Publish"),
    ConnectTimeoutError(endpoint_url="https://sns"),
]


def told(code: str = "acted", notify: bool = True) -> dict[str, Any]:
    return message(INCIDENT, "Remediation Acted", code, notify=notify)


def test_an_event_says_all_of_the_contract() -> None:
    bus = Bus()
    assert Teller(bus, Topic(), "topic").tell([told()]) == []

    [[entry]] = bus.calls
    assert entry["Source"] == "ml-capacity-remediation"
    assert entry["DetailType"] == "Remediation Acted"
    assert entry["Resources"] == [SHOP]
    assert json.loads(entry["Detail"]).keys() >= {
        "incidentId", "remediation", "target", "mode", "decision", "reason", "evidence",
        "before", "after",
    }  # fmt: skip


def test_people_hear_only_what_is_for_them() -> None:
    topic = Topic()
    Teller(Bus(), topic, "topic").tell([told(notify=False), told("verified")])

    assert [each["content"]["keywords"][1] for each in topic.messages] == ["verified"]


def test_chat_follows_the_schema_with_a_thread_an_incident() -> None:
    said = chat(told())

    assert (said["version"], said["source"]) == ("1.0", "custom")
    assert said["content"]["textType"] == "client-markdown"
    assert said["content"]["title"] == "Acted: traffic shift on shop"
    assert said["content"]["description"].startswith("green fails\nbefore: ")
    assert said["metadata"]["threadId"] == INCIDENT.id
    assert said["metadata"]["relatedResources"] == [SHOP]
    assert said["id"] != chat(told("verified"))["id"]


def test_who_is_asked_for_approval_is_told_how() -> None:
    asked = chat(message(INCIDENT, "Approval Requested", "needs-approval", notify=True))

    assert [step.split("`")[1].split()[1] for step in asked["content"]["nextSteps"]] == [
        "approve",
        "reject",
    ]
    assert (
        "nextSteps"
        not in chat(message(INCIDENT, "Remediation Failed", "f", notify=True))["content"]
    )


@pytest.mark.parametrize("error", DOWN)
def test_what_the_bus_does_not_take_is_kept_whole(error: Exception) -> None:
    topic = Topic()
    messages = [told(), told("verified")]

    assert Teller(Bus(error), topic, "topic").tell(messages) == messages
    assert topic.messages == []


def test_an_entry_that_the_bus_refuses_is_kept() -> None:
    assert Teller(Bus(refuses=1), Topic(), "topic").tell([told()]) == [told()]


@pytest.mark.parametrize("error", DOWN)
def test_what_the_topic_does_not_take_is_kept_and_not_put_on_the_bus_again(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    bus, topic = Bus(), Topic(error, None)
    teller = Teller(bus, topic, "topic")

    kept = teller.tell([told(), told("verified")])
    assert [each["code"] for each in kept] == ["acted"]
    assert teller.tell(kept) == []

    assert sum(len(entries) for entries in bus.calls) == 2
    assert [each["content"]["keywords"][1] for each in topic.messages] == ["verified", "acted"]
    assert capsys.readouterr().out.count('"_aws"') == 2


def test_more_events_than_a_call_takes_go_in_several() -> None:
    bus = Bus()
    Teller(bus, Topic(), "topic").tell([told(notify=False)] * 23)

    assert [len(entries) for entries in bus.calls] == [10, 10, 3]


def test_nothing_to_tell_calls_nobody() -> None:
    bus = Bus(AssertionError("called"))

    assert Teller(bus, Topic(), "topic").tell([]) == []


def test_a_metric_has_two_dimensions_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    count("traffic_shift", "acted")

    line = json.loads(capsys.readouterr().out)
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "MlCapacityRemediation"
    assert [sorted(each) for each in described["Dimensions"]] == [["outcome", "remediation"]]
    assert (line["remediation"], line["outcome"]) == ("traffic_shift", "acted")
