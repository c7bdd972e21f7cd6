"""Whatever arrives is a signal or is refused by name; nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Kind, Place, Signal, read, read_body
from functions.traffic_shift.decision import endpoints_of

EVENTS = Path(__file__).parents[2] / "events"
HERE = Place("aws", "us-east-1", "123456789012")
REAL = [
    json.loads(path.read_text())
    for path in sorted(EVENTS.rglob("*.json"))
    if "invalid" not in path.parts and "operator" not in path.parts
]


def event(name: str = "alarm_single_metric") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / "traffic_shift" / f"{name}.json").read_text())
    return found


def code(envelope: object) -> str:
    with pytest.raises(BadSignal) as refused:
        read(envelope, HERE)
    assert refused.value.reason
    return refused.value.code


# mutations

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "\x00",
            "²",
            "9" * 5000,
            "\ud800",
            "\u202e",
            "arn:aws:::",
            ":" * 7,
            "2026-03-02",
            "NaN",
        ]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside an event."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A real event with one to three places dropped, retyped or nested."""
    found = copy.deepcopy(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(places(found)) or [("x",)]))
        parent = found
        try:
            for key in path:
                parent = parent[key]
            match draw(st.sampled_from(["drop", "replace", "nest"])):
                case "drop":
                    del parent[last]
                case "replace":
                    parent[last] = draw(ANYTHING)
                case "nest":
                    parent[last] = [parent[last]] if draw(st.booleans()) else {"x": parent[last]}
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
    return found


@given(mutated())
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_mutation_of_a_real_event_is_a_signal_or_refused_by_name(found: Any) -> None:
    with suppress(BadSignal):
        sighted(read(found, HERE))


@given(ANYTHING)
@settings(max_examples=300, deadline=None)
def test_anything_at_all_is_refused_by_name(found: Any) -> None:
    with pytest.raises(BadSignal):
        read(found, HERE)


@given(st.one_of(st.text(), st.binary(), ANYTHING.map(json.dumps)))
@settings(max_examples=300, deadline=None)
def test_any_body_is_refused_by_name(body: str | bytes) -> None:
    with pytest.raises(BadSignal):
        read_body(body, HERE)


def sighted(signal: Signal) -> None:
    """The room that sights must live with all that passes for a signal; its names are safe."""
    if signal.kind is not Kind.ALARM:
        return
    named = endpoints_of(signal)
    if not isinstance(named, Refuse):
        for name in named:
            assert name.isascii()
    signal.detail["alarmName"].encode()


# each rule


@pytest.mark.parametrize(
    "name", ["alarm_single_metric", "alarm_composite", "alarm_muted", "direct_single_metric"]
)
def test_a_real_alarm_is_read(name: str) -> None:
    signal = read(event(name), HERE)

    assert signal.kind is Kind.ALARM
    assert signal.direct is name.startswith("direct")
    assert signal.detail["state"]["value"] == "ALARM"
    assert signal.time.tzinfo is not None


def test_the_same_text_is_read_from_a_queue() -> None:
    assert read_body(json.dumps(event()), HERE) == read(event(), HERE)


def test_depth_without_end_is_refused() -> None:
    with pytest.raises(BadSignal) as refused:
        read_body("[" * 200_000, HERE)
    assert refused.value.code in {"not-json", "not-an-event"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"account": "999999999999"}, "foreign-account"),
        ({"account": None}, "foreign-account"),
        ({"region": "eu-west-1"}, "other-region"),
        ({"source": "my.app"}, "unknown-signal"),
        ({"source": None}, "unknown-signal"),
        ({"source": ["aws.cloudwatch"]}, "unknown-signal"),
        ({"detail-type": "CloudWatch Alarm State Change "}, "unknown-signal"),
        ({"resources": None}, "not-an-event"),
        ({"resources": []}, "not-an-event"),
        ({"resources": [1]}, "not-an-event"),
        ({"resources": ["a", "b"]}, "not-an-event"),
        ({"resources": ["arn:aws:cloudwatch:us-east-1:999999999999:alarm:x"]}, "foreign-account"),
        ({"resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x"]}, "other-region"),
        ({"resources": ["arn:aws:sns:us-east-1:123456789012:alarm:x"]}, "not-an-event"),
        ({"resources": ["arn:aws:cloudwatch:us-east-1:123456789012:rule:x"]}, "not-an-event"),
        ({"detail": None}, "not-an-event"),
        ({"time": "yesterday"}, "not-an-event"),
        ({"time": "2026-03-02T11:59:59"}, "not-an-event"),
        ({"time": 1}, "not-an-event"),
    ],
)
def test_an_envelope_that_is_not_ours_is_refused(change: dict[str, Any], expected: str) -> None:
    assert code(event() | change) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"alarmName": None},
        {"alarmName": ""},
        {"alarmName": "\ud800"},
        {"state": "ALARM"},
        {"state": {}},
        {"configuration": None},
        {"muteDetail": "yes"},
        {"muteDetail": {}},
        {"muteDetail": {"mutedByArn": 1}},
    ],
)
def test_a_detail_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    envelope = event()
    envelope["detail"] |= change

    assert code(envelope) == "not-an-event"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, "not-an-event"),
        ("shop", "not-an-event"),
        ("a:b:c:us-east-1:123456789012:endpoint/shop", "not-an-event"),
        ("arn:aws:sagemaker:us-east-1:999999999999:endpoint/shop", "foreign-account"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/shop", "other-region"),
    ],
)
def test_an_intent_for_elsewhere_is_refused(target: object, expected: str) -> None:
    envelope = event("operator_intent")
    envelope["detail"]["target"] = target

    assert code(envelope) == expected


def test_explaining_offline_reads_events_of_any_place() -> None:
    assert read(event() | {"account": "999999999999"}, None).kind is Kind.ALARM


def test_metrics_of_another_account_are_no_endpoints_of_ours() -> None:
    envelope = event()
    envelope["detail"]["configuration"]["metrics"][0]["accountId"] = "999999999999"
    named = endpoints_of(read(envelope, HERE))
    assert isinstance(named, Refuse)
    assert named.code == "not-an-endpoint"

    envelope["detail"]["configuration"]["metrics"][0]["accountId"] = "123456789012"
    assert endpoints_of(read(envelope, HERE)) == frozenset({"shop"})


def test_a_function_knows_its_place_by_its_arn() -> None:
    arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:traffic-shift:live"

    assert Place.of_arn(arn) == Place("aws-cn", "cn-north-1", "123456789012")
