"""When a mute rule mutes. Sources: API_Schedule, API_PutAlarmMuteRule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.cloud.cloudwatch.mutes import CronUnsupported, ScheduleError, length_of, window_of


def test_a_window_begins_at_its_time_in_its_zone() -> None:
    window = window_of("at(2026-07-01T02:00)", "PT2H", "Europe/Berlin")
    assert window.start == datetime(2026, 7, 1, 0, 0, tzinfo=UTC).timestamp()
    assert window.end - window.start == 7200


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1M", timedelta(minutes=1)),
        ("PT4H", timedelta(hours=4)),
        ("P2DT12H", timedelta(days=2, hours=12)),
        ("P15D", timedelta(days=15)),
    ],
)
def test_durations_are_iso_8601(text: str, length: timedelta) -> None:
    assert length_of(text) == length


@pytest.mark.parametrize("text", ["PT0M", "P16D", "PT30S", "2h", "P", "PT", "P1DT", "P15DT1M"])
def test_durations_stay_between_a_minute_and_fifteen_days(text: str) -> None:
    with pytest.raises(ScheduleError):
        length_of(text)


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("at(2026-07-01)", None),
        ("at(2026-13-01T00:00)", None),
        ("rate(1 hour)", None),
        ("at(2026-07-01T02:00)", "Mars/Olympus"),
    ],
)
def test_other_schedules_are_refused(expression: str, zone: str | None) -> None:
    with pytest.raises(ScheduleError):
        window_of(expression, "PT1H", zone)


def test_recurring_schedules_are_not_simulated() -> None:
    with pytest.raises(CronUnsupported):
        window_of("cron(0 2 * * *)", "PT1H", None)
