"""What another remediation was refused for a quota is read as a call that was refused for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Place
from functions.core.signals import read as signal_of
from functions.quota_increase.reading import read
from functions.quota_increase.readings import Reading, Refused

EVENTS = Path(__file__).parents[2] / "events" / "quota_increase"
HERE = Place("aws", "us-east-1", "123456789012")
OURS, LAMBDAS = "concurrency_handed_over", "concurrency_refused_by_lambda_handed_over"


def said(name: str = OURS, **different: Any) -> list[Reading] | Refuse:
    """Of the recorded event, with parts of its detail exchanged."""
    event = json.loads((EVENTS / f"{name}.json").read_text())
    event["detail"] |= different
    return read(signal_of(event, HERE))


def evidence(**different: Any) -> dict[str, Any]:
    found = json.loads((EVENTS / f"{OURS}.json").read_text())["detail"]["evidence"] | different
    return {name: value for name, value in found.items() if value is not ...}


def test_what_is_missing_is_missing_on_top_of_a_limit_that_counts_as_used_up() -> None:
    quota = ("lambda", "Concurrent executions", "L-B99A9384")
    assert said() == [Refused(*quota, limit=1000, utilization=1000, delta=30)]


@pytest.mark.parametrize("delta", [..., None, 0, -1, "many", True])
def test_how_much_is_missing_is_not_known_where_it_is_not_said(delta: object) -> None:
    [reading] = said(evidence=evidence(delta=delta))  # type: ignore[misc]

    assert isinstance(reading, Refused)
    assert reading.delta is None


def test_where_lambda_refused_it_is_the_whole_rise_at_most() -> None:
    quota = ("lambda", "Concurrent executions", "L-B99A9384")
    assert said(LAMBDAS) == [Refused(*quota, None, None, delta=50)]
    assert said(LAMBDAS, evidence={"from": 20, "to": 50}) == [Refused(*quota, None, None, 30)]


@pytest.mark.parametrize("rise", [{}, {"from": 5, "to": 5}, {"from": 9, "to": 5}])
def test_what_does_not_rise_tells_no_need(rise: dict[str, int]) -> None:
    quota = ("lambda", "Concurrent executions", "L-B99A9384")
    assert said(LAMBDAS, evidence=rise) == [Refused(*quota, None, None, delta=None)]


def test_a_quota_of_sagemaker_is_told_in_its_own_words() -> None:
    name = "Maximum total concurrency that can be allocated across all serverless endpoints"
    [reading] = said("serverless_concurrency_handed_over")  # type: ignore[misc]

    assert reading == Refused("sagemaker", name, "L-96300102", 10, 10, 4)


@pytest.mark.parametrize("mode", ["observe", "off", "", None, 7])
def test_what_is_only_observed_needs_nothing(mode: object) -> None:
    refusal = said(mode=mode)

    assert isinstance(refusal, Refuse)
    assert refusal.code == "only-observed"


@pytest.mark.parametrize(
    ("different", "code"),
    [
        ({"code": "maximum"}, "unknown-signal"),
        ({"code": None}, "unknown-signal"),
        ({"code": "regional-quota", "reason": "not now"}, "unparsable-text"),
        ({"evidence": evidence(quota_code="concurrent executions")}, "unparsable-text"),
        ({"evidence": evidence(service_code="Lambda!")}, "unparsable-text"),
        ({"evidence": evidence(service_code=...)}, "unparsable-text"),
    ],
)
def test_what_names_no_quota_is_refused_by_name(different: dict[str, Any], code: str) -> None:
    with pytest.raises(BadSignal) as bad:
        said(**different)

    assert bad.value.code == code
