"""Events of AWS services are read whatever they tell of; what is no event is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.signals import BadSignal, Kind, Place, Signal, read, read_body

EVENTS = Path(__file__).parents[2] / "events" / "quota_increase"
HERE = Place("aws", "us-east-1", "123456789012")
OF_SERVICES = [
    path
    for path in sorted(EVENTS.glob("*.json"))
    if json.loads(path.read_text())["source"] != "aws.cloudwatch"
]


def event(**different: Any) -> dict[str, Any]:
    """EventBridge user guide, "Events in Amazon EventBridge"."""
    return {
        "version": "0",
        "id": "6f0c2a51-3b7e-4d19-9c84-000000000042",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": "2026-03-02T11:59:59Z",
        "region": "us-east-1",
        "resources": ["arn:aws:sagemaker:us-east-1:123456789012:training-job/x"],
        "detail": {"errorCode": "ResourceLimitExceeded"},
    } | different


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in event().items() if name != key}


def refused(envelope: object, here: Place | None = HERE) -> BadSignal:
    with pytest.raises(BadSignal) as bad:
        read(envelope, here)
    return bad.value


@pytest.mark.parametrize("path", OF_SERVICES, ids=lambda path: path.stem)
def test_a_recorded_event_is_read(path: Path) -> None:
    envelope = json.loads(path.read_text())
    signal = read(envelope, HERE)

    assert signal.kind is Kind.EVENT
    assert (signal.source, signal.detail_type) == (envelope["source"], envelope["detail-type"])
    assert signal.detail == envelope["detail"]
    assert signal.place == HERE


def test_an_event_is_read_as_it_came() -> None:
    assert read(event(), HERE) == Signal(
        Kind.EVENT,
        time=datetime(2026, 3, 2, 11, 59, 59, tzinfo=UTC),
        detail={"errorCode": "ResourceLimitExceeded"},
        place=HERE,
        source="aws.sagemaker",
        detail_type="AWS API Call via CloudTrail",
        resources=("arn:aws:sagemaker:us-east-1:123456789012:training-job/x",),
    )
    assert read_body(json.dumps(event()), HERE) == read(event(), HERE)


@pytest.mark.parametrize("kind", ["Remediation Refused", "Remediation Decided"])
def test_what_another_remediation_could_not_do_is_an_event_like_those_of_aws(kind: str) -> None:
    own = {"source": "ml-capacity-remediation", "detail-type": kind}

    assert read(event(**own), HERE).kind is Kind.EVENT
    assert refused(event(account="999999999999", **own)).code == "foreign-account"
    assert refused(event(region="eu-west-1", **own)).code == "other-region"


@pytest.mark.parametrize("kind", ["Remediation Acted", "Approval Requested", ["Heartbeat"], None])
def test_what_else_the_stack_tells_brings_nobody_to_look(kind: object) -> None:
    own = {"source": "ml-capacity-remediation", "detail-type": kind}

    assert refused(event(**own)).code == "unknown-signal"


def test_a_person_calls_it_by_its_type() -> None:
    assert read(event(detail={"alarmName": "x"}), HERE).subject == "AWS API Call via CloudTrail"


def test_an_event_need_not_name_resources() -> None:
    assert read(event(resources=[]), HERE).resources == ()
    assert read(without("resources"), HERE).resources == ()


@pytest.mark.parametrize("source", ["aws.ec2", "aws.health", "aws.servicequotas", "aws.anything"])
def test_any_service_of_aws_may_speak(source: str) -> None:
    assert read(event(source=source), HERE).kind is Kind.EVENT


@pytest.mark.parametrize(
    "envelope",
    [
        event(source="my.app"),
        event(source="aws"),
        event(source="AWS.ec2"),
        event(source="aws.cloudwatch"),
        event(source="aws.cloudwatch", **{"detail-type": "CloudWatch Alarm Configuration Change"}),
        event(source="ml-capacity-remediation"),
        event(source=["aws.ec2"]),
        event(source=None),
        event(**{"detail-type": None}),
        event(**{"detail-type": ["AWS API Call via CloudTrail"]}),
        without("source"),
        without("detail-type"),
    ],
    ids=lambda envelope: f"{envelope.get('source')}, {envelope.get('detail-type')}",
)
def test_what_no_service_says_is_unknown(envelope: dict[str, Any]) -> None:
    assert refused(envelope).code == "unknown-signal"


@pytest.mark.parametrize("account", ["999999999999", "", None, 123456789012, ["123456789012"]])
def test_an_event_of_another_account_is_refused(account: object) -> None:
    assert refused(event(account=account)).code == "foreign-account"


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1a", "", None, ["us-east-1"]])
def test_an_event_of_another_region_is_refused(region: object) -> None:
    assert refused(event(region=region)).code == "other-region"


@pytest.mark.parametrize("key", ["account", "region"])
def test_an_event_from_nowhere_is_refused(key: str) -> None:
    assert refused(without(key)).code in {"foreign-account", "other-region"}
    assert refused(without(key), here=None).code == "not-an-event"


@pytest.mark.parametrize(
    "different",
    [
        {"detail": None},
        {"detail": "ResourceLimitExceeded"},
        {"detail": []},
        {"resources": None},
        {"resources": "arn:aws:sagemaker:us-east-1:123456789012:training-job/x"},
        {"resources": {"arn": "x"}},
        {"resources": [1]},
        {"resources": ["x", None]},
        {"time": None},
        {"time": 1772452799},
        {"time": ""},
        {"time": "yesterday"},
        {"time": "2026-03-02T11:59:59"},
        {"detail-type": ""},
        {"detail-type": "\ud800"},
        {"source": "aws.\udfff"},
    ],
    ids=repr,
)
def test_an_event_of_another_shape_is_refused(different: dict[str, Any]) -> None:
    bad = refused(event(**different))

    assert bad.code == "not-an-event"
    bad.reason.encode()  # it can be kept


@pytest.mark.parametrize("key", ["detail", "time"])
def test_an_event_without_a_part_it_needs_is_refused(key: str) -> None:
    assert key in refused(without(key)).reason


def test_explaining_offline_reads_events_of_any_place() -> None:
    signal = read(event(account="999999999999", region="eu-west-1"), None)

    assert signal.place == Place("aws", "eu-west-1", "999999999999")
