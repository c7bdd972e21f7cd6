"""The corpus of events about quotas and capacity, and how answers are held against it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks.messages import CORPUS, differences, explained, is_wrong_code, kind

ENTRIES: list[dict[str, Any]] = json.loads(CORPUS.read_text())
SAID: dict[str, Any] = {
    "refusal": None,
    "quota_code": "L-1",
    "quota_name": "P",
    "instance_type": None,
    "readings": [{"percent": 80}],
}


def test_the_corpus_is_large_and_every_event_stands_in_it_once() -> None:
    assert len(ENTRIES) >= 200
    assert len({json.dumps(each["event"]) for each in ENTRIES}) == len(ENTRIES)


def test_it_holds_quotas_shortages_and_traps() -> None:
    kinds = Counter(kind(each["expected"]) for each in ENTRIES)

    assert min(kinds.values()) >= 20
    assert len(kinds) == 3


def test_every_event_of_it_is_read_rightly() -> None:
    said = explained([each["event"] for each in ENTRIES])

    wrong = [differences(e["expected"], s) for e, s in zip(ENTRIES, said, strict=True)]
    assert [each for each in wrong if each] == []


@pytest.mark.parametrize(
    ("expected", "right"),
    [
        ({"quota_code": "L-1", "quota_name": "P"}, True),
        ({"quota_code": "L-1", "percent": 80}, True),
        ({"quota_code": "L-2", "quota_name": "P"}, False),
        ({"quota_name": "P"}, False),
        ({"quota_code": "L-1", "readings": 2}, False),
        ({"quota_code": "L-1", "percent": 81}, False),
        ({"refusal": "muted"}, False),
        ({"instance_type": "p4d.24xlarge"}, False),
    ],
)
def test_whatever_differs_is_counted(expected: dict[str, Any], right: bool) -> None:
    assert (not differences(expected, SAID)) is right


@pytest.mark.parametrize(
    ("told", "expected", "wrong"),
    [
        ("L-1", {"quota_code": "L-1"}, False),
        (None, {"quota_code": "L-1"}, False),
        ("L-1", {"quota_code": "L-2"}, True),
        ("L-1", {"quota_code": None}, True),
        ("L-1", {"refusal": "muted"}, True),
        ("L-1", {"instance_type": "p4d.24xlarge"}, True),
    ],
)
def test_a_code_is_wrong_unless_it_is_the_events_own(
    told: str | None, expected: dict[str, Any], wrong: bool
) -> None:
    assert is_wrong_code(expected, {"quota_code": told}) is wrong
