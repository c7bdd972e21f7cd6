"""How long allocation lasts: what counts as a sample, and what is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.provisioned_concurrency.lead import KEPT, NOTHING, begun, lead, seen
from functions.provisioned_concurrency.observation import Status

T = 1_772_438_400.0


def after(*samples: float) -> Mapping[str, Any]:
    """The document once so many rises were measured."""
    document = NOTHING
    for took in samples:
        document = seen(begun(document, T), Status.READY, T + took)
    return document


def test_nothing_is_known_before_the_first_rise_was_seen_ready() -> None:
    assert lead(NOTHING) is None
    assert lead(begun(NOTHING, T)) is None
    assert lead(seen(begun(NOTHING, T), Status.IN_PROGRESS, T + 60)) is None


def test_a_rise_is_measured_from_the_call_until_it_is_seen_ready() -> None:
    document = begun(NOTHING, T)
    for minute in (1, 2):
        document = seen(document, Status.IN_PROGRESS, T + 60 * minute)
    assert lead(seen(document, Status.READY, T + 180)) == timedelta(minutes=3)


def test_one_rise_is_one_sample_however_often_it_is_seen_ready() -> None:
    document = seen(after(90), Status.READY, T + 150)
    assert document == after(90) == {"seconds": [90.0], "pending": None, "floor": 0}


def test_what_is_ready_without_a_rise_of_ours_is_no_sample() -> None:
    assert seen(NOTHING, Status.READY, T) == NOTHING


@pytest.mark.parametrize("status", [Status.FAILED, Status.NONE])
def test_a_rise_that_failed_or_was_taken_back_is_no_sample(status: Status) -> None:
    document = seen(begun(after(90), T), status, T + 60)
    assert document == after(90)
    assert seen(document, Status.READY, T + 120) == after(90)


def test_a_raised_floor_is_measured_once_the_level_has_followed_to_it() -> None:
    """Until Application Auto Scaling asks for more, what stood before is ready."""
    document = begun(NOTHING, T, floor=20)
    document = seen(document, Status.READY, T + 60, requested=2, floor=20)
    document = seen(document, Status.IN_PROGRESS, T + 120, requested=20, floor=20)
    assert lead(document) is None

    document = seen(document, Status.READY, T + 240, requested=20, floor=20)
    assert lead(document) == timedelta(minutes=4)


def test_a_level_that_target_tracking_raised_beyond_the_floor_has_followed() -> None:
    document = seen(begun(NOTHING, T, floor=20), Status.READY, T + 180, requested=26, floor=20)
    assert lead(document) == timedelta(minutes=3)


@pytest.mark.parametrize("floor", [2, 0])
def test_a_floor_that_was_put_back_or_is_gone_before_the_level_followed_is_no_sample(
    floor: int,
) -> None:
    document = begun(after(90), T, floor=20)
    assert seen(document, Status.READY, T + 60, requested=2, floor=floor) == after(90)


def test_what_was_begun_before_floors_were_kept_is_measured() -> None:
    document = {"seconds": [], "pending": T}
    assert lead(seen(document, Status.READY, T + 90, requested=5)) == timedelta(seconds=90)


def test_a_second_call_begins_the_measuring_anew() -> None:
    document = begun(begun(NOTHING, T), T + 100)
    assert lead(seen(document, Status.READY, T + 160)) == timedelta(seconds=60)


@pytest.mark.parametrize(("took", "counts"), [(3600, True), (3601, False), (0, True), (-1, False)])
def test_a_sample_of_more_than_an_hour_tells_of_missed_looks(took: float, counts: bool) -> None:
    document = after(took)
    assert (lead(document) is not None) == counts
    assert document["pending"] is None


def test_the_lead_is_the_95th_percentile_by_nearest_rank() -> None:
    assert lead(after(*range(1, 21))) == timedelta(seconds=19)
    assert lead(after(*range(1, 20))) == timedelta(seconds=19)
    assert lead(after(60, 240, 120)) == timedelta(seconds=240)


def test_the_newest_samples_are_kept() -> None:
    document = after(*[500] * 5, *[60] * KEPT)
    assert document["seconds"] == [60.0] * KEPT


def test_a_document_is_never_changed_in_place() -> None:
    document = after(60)
    pending = begun(document, T)
    seen(pending, Status.READY, T + 90)
    assert document == after(60)
    assert pending == begun(after(60), T)
    assert NOTHING == {"seconds": [], "pending": None, "floor": 0}


@given(st.lists(st.floats(0, 3600), min_size=1, max_size=50))
def test_at_least_95_percent_of_the_kept_samples_are_within_the_lead(samples: list[float]) -> None:
    document = json.loads(json.dumps(after(*samples)))
    longest = lead(document)
    assert longest is not None
    kept = [timedelta(seconds=each) for each in document["seconds"]]
    assert longest in kept
    assert sum(each <= longest for each in kept) >= 0.95 * len(kept)
    assert sum(each < longest for each in kept) < 0.95 * len(kept)
