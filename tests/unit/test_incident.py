"""An incident's record, as a document and over its life."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.incident import MOST_CAUSES, Incident, Stage, merged
from functions.operator.handler import INCIDENT_ID
from tests.unit.endpoints import SHOP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXT = st.text(max_size=10)
DIALS = st.none() | st.dictionaries(
    TEXT,
    st.fixed_dictionaries({"weight": st.floats(0, 1e6), "count": st.none() | st.integers(0, 99)}),
    max_size=3,
)
NOTES = st.dictionaries(TEXT, st.none() | TEXT | st.integers() | st.booleans(), max_size=3)
INCIDENTS = st.builds(
    Incident,
    id=TEXT,
    remediation=TEXT,
    target=TEXT,
    opened_at=TEXT,
    stage=st.sampled_from(Stage),
    mode=TEXT,
    causes=st.dictionaries(TEXT, NOTES, max_size=3),
    action=TEXT,
    reason=TEXT,
    evidence=NOTES,
    before=DIALS,
    writing=DIALS,
    written=DIALS,
    goal=DIALS,
    move=TEXT,
    attempts=st.integers(0, 9),
    approved_by=st.none() | TEXT,
    reverted_by=st.none() | TEXT,
    told=st.lists(TEXT, max_size=3).map(tuple),
    untold=st.lists(NOTES, max_size=3).map(tuple),
    timeline=st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=3).map(tuple),
    closed_at=st.none() | TEXT,
)


@given(INCIDENTS)
def test_a_document_is_read_back_as_it_was(incident: Incident) -> None:
    document = json.loads(json.dumps(incident.as_document()))

    assert Incident.from_document(document) == incident


def test_the_document_holds_every_field() -> None:
    document = Incident.opened("traffic_shift", SHOP, NOON).as_document()

    assert document.keys() == {f.name for f in fields(Incident)}


@pytest.mark.parametrize("stage", Stage)
def test_only_an_end_closes(stage: Stage) -> None:
    moved = Incident.opened("traffic_shift", SHOP, NOON).to(stage, NOON, "why")

    assert (moved.closed_at is None) == stage.is_open
    assert moved.timeline[-1] == {"at": NOON.isoformat(), "stage": stage.value, "note": "why"}


def test_the_timeline_keeps_the_last_fifty_lines() -> None:
    incident = Incident.opened("traffic_shift", SHOP, NOON)
    for n in range(60):
        incident = incident.to(Stage.ACTED, NOON, f"{n}")

    assert [incident.timeline[0]["note"], incident.timeline[-1]["note"]] == ["10", "59"]


def test_an_id_sorts_by_time_and_is_what_the_operator_takes() -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    earlier = Incident.opened("traffic_shift", SHOP, tokyo)
    later = Incident.opened("traffic_shift", SHOP, NOON + timedelta(seconds=1))

    assert INCIDENT_ID.fullmatch(earlier.id)
    assert earlier.id.startswith("traffic-shift-20260302T120000-")
    assert earlier.id < later.id
    assert replace(earlier, id="") != earlier


def test_as_many_causes_as_are_kept_fit_into_an_item_of_the_ledger() -> None:
    note = {"at": "2026-03-02T12:00:00+00:00", "limit": 768, "utilization": 768, "delta": 96}
    causes = {f"refused {i:4} ml.p4d.24xlarge, 768.0 + 96.0": note for i in range(5000)}
    incident = replace(Incident.opened("quota_increase", "target", NOON), causes=merged({}, causes))

    assert len(incident.causes) == MOST_CAUSES
    assert len(json.dumps(incident.as_document())) < 300_000  # of 400 KB
