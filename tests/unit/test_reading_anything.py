"""Whatever a signal holds, it says something usable or is refused by name; nothing else."""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.core import signals
from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Place
from functions.quota_increase import texts, untrusted
from functions.quota_increase.quota_names import CODES
from functions.quota_increase.reading import read
from functions.quota_increase.readings import CapacityShort, Reading, UsageAlarm
from tests.unit.test_signals import ANYTHING, places

EVENTS = Path(__file__).parents[2] / "events"
HERE = Place("aws", "us-east-1", "123456789012")
REAL = [json.loads(path.read_text()) for path in sorted(EVENTS.glob("quota_increase/*.json"))]
KNOWN = {code for codes in CODES.values() for code in codes.values()}
REASONS = {
    "foreign-account",
    "muted",
    "no-instance-type",
    "not-a-shortage",
    "not-a-usage-metric",
    "not-an-event",
    "only-observed",
    "other-region",
    "unknown-family",
    "unknown-signal",
    "unparsable-text",
}
WORDS = st.text(st.sampled_from("amlp4.-d' \n0123,:|%()\"\\"), max_size=60) | st.text(max_size=40)


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, Any]:
    """A real event with one to five parts of its detail dropped, retyped, nested or reworded."""
    found: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 5))):
        *path, last = draw(st.sampled_from(list(places(found["detail"])) or [("x",)]))
        parent = found["detail"]
        try:
            for key in path:
                parent = parent[key]
            match draw(st.sampled_from(["drop", "replace", "nest", "reword"])):
                case "drop":
                    del parent[last]
                case "replace":
                    parent[last] = draw(ANYTHING)
                case "nest":
                    parent[last] = [parent[last]] if draw(st.booleans()) else {"item": parent[last]}
                case "reword":
                    text = str(parent[last])
                    cut = draw(st.integers(0, len(text)))
                    parent[last] = text[:cut] + draw(WORDS) + text[cut + draw(st.integers(0, 9)) :]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return found


def said(envelope: Any) -> list[Reading] | Refuse:
    try:
        return read(signals.read(envelope, HERE))
    except BadSignal as bad:
        return Refuse(bad.code, bad.reason)


def check(found: list[Reading] | Refuse) -> None:
    if isinstance(found, Refuse):
        assert found.code in REASONS
        found.reason.encode()
        return
    assert found
    for each in found:
        if isinstance(each, UsageAlarm):
            assert each.metrics
            continue
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,62}", each.service)
        if isinstance(each, CapacityShort):
            assert re.fullmatch(rf"{texts.EC2_TYPE}|{texts.ML_TYPE}", each.instance_type)
            assert each.instance_type.isascii()
            assert each.instances >= 1
            continue
        each.quota_name.encode()
        assert each.quota_code is None or each.quota_code.isascii()
        for number in (each.limit, each.utilization):
            assert number is None or (math.isfinite(number) and number >= 0)


@given(mangled())
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_mangled_event_is_read_or_refused_by_name(envelope: dict[str, Any]) -> None:
    check(said(envelope))


@given(st.sampled_from(REAL), ANYTHING)
@settings(max_examples=500, deadline=None)
def test_any_detail_at_all_is_read_or_refused_by_name(envelope: Any, detail: Any) -> None:
    check(said({**envelope, "detail": detail if isinstance(detail, dict) else {"x": detail}}))


@given(
    st.sampled_from(["errorCode", "errorMessage", "requestParameters", "responseElements"]),
    st.sampled_from([each for each in REAL if "eventSource" in each["detail"]]),
    ANYTHING,
)
@settings(max_examples=1000, deadline=None)
def test_a_record_may_hold_anything_anywhere(part: str, envelope: Any, value: Any) -> None:
    check(said({**envelope, "detail": {**envelope["detail"], part: value}}))


@given(WORDS, WORDS)
@settings(max_examples=500, deadline=None)
@example("'", "' is 9")
@example("' is 1' is 2", "")
def test_any_words_in_a_quotas_text_do_no_harm(name: str, tail: str) -> None:
    words = untrusted.text(f"The account-level service limit '{name}' is 3 Instances{tail}")
    found = texts.sagemaker_limit(words)

    assert found is None or found.name


@given(st.floats(0, 10**9, allow_nan=False).map(lambda value: round(value, 3)))
def test_numbers_come_back_as_they_were_written(value: float) -> None:
    assert untrusted.number(f"{value:,.3f}") == pytest.approx(value)
    assert untrusted.number(value) == value


@pytest.mark.parametrize(
    "value", [None, True, "", "many", "1e9", "-1", -1, math.inf, math.nan, 10**400, [1], "9" * 5000]
)
def test_what_is_no_number_is_none(value: object) -> None:
    assert untrusted.number(value) is None


@pytest.mark.parametrize("value", [None, "", 0, -3, 0.2, 10**9, "one", {}])
def test_a_count_that_cannot_be_meant_is_one(value: object) -> None:
    assert untrusted.count(value) == 1


def test_texts_that_cannot_be_written_down_are_none() -> None:
    assert untrusted.text("a \ud800 b") == ""
    assert untrusted.text(" a\n\tb ") == "a b"


@pytest.mark.parametrize("depth", [10, 900])
def test_depth_does_no_harm(depth: int) -> None:
    value: Any = {"instanceType": "g5.xlarge"}
    for _ in range(depth):
        value = {"x": [value]}

    assert list(untrusted.within(value, "instanceType")) == ["g5.xlarge"]


def test_values_are_found_in_the_order_in_which_they_stand() -> None:
    nested = {"InstanceType": 1, "a": [{"instanceType": 2}, {"b": {"instancetype": 3}}], "c": 4}
    assert list(untrusted.within(nested, "instanceType")) == [1, 2, 3]
