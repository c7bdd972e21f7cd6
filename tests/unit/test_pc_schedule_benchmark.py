"""The benchmark of schedules: what it takes for right, and that it sees what is wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime

import pytest

from benchmarks import pc_schedule
from benchmarks.pc_schedule import (
    ASKED,
    LOCAL_CRON,
    OURS,
    SPOTS,
    UTC_CRON,
    Clock,
    Levels,
    Planned,
    Spot,
    by_local_cron,
    by_reading,
    by_schedule,
    by_utc_cron,
    draw,
    standing,
    truth,
    waited,
)
from functions.provisioned_concurrency.schedule import Schedule, parse

SPRING = Clock.of(Spot("Europe/Berlin", date(2026, 3, 29)))
AUTUMN = Clock.of(Spot("Europe/Berlin", date(2026, 10, 25)))
PLAIN = Clock.of(Spot("Asia/Kolkata", date(2026, 3, 29)))


def window(begins: str, ends: str, level: int = 5, days: str = "sun") -> Planned:
    first, last = (60 * int(each[:2]) + int(each[3:]) for each in (begins, ends))
    return Planned(days, first, last, level)


def told(levels: Levels, clock: Clock) -> list[str]:
    """Each change of the day: the time that the clock shows, and the level."""
    day = range(clock.begin, clock.end)
    return [f"{clock.shown[n]:%H:%M} {levels[n]}" for n in day if levels[n] != levels[n - 1]]


def every(clock: Clock) -> list[bool]:
    return [True] * len(clock.minutes)


@pytest.mark.parametrize(
    ("spot", "hours"), [*zip(SPOTS, (23, 25, 23, 25, 24.5, 23.5, 24, 24), strict=True)]
)
def test_each_day_is_walked_from_midnight_to_midnight(spot: Spot, hours: float) -> None:
    clock = Clock.of(spot)
    assert clock.end - clock.begin == 60 * hours
    assert clock.shown[clock.begin] == datetime.combine(spot.day, datetime.min.time())
    assert clock.shown[0].date() < spot.day - 2 * pc_schedule.DAY


def test_what_is_drawn_is_the_same_for_a_seed_and_is_what_the_text_says() -> None:
    drawn = [draw(random.Random(seed)) for seed in range(200)]
    assert drawn == [draw(random.Random(seed)) for seed in range(200)]
    for windows in drawn:
        read = parse(" ".join(map(str, windows))).windows
        assert [(each.days, each.begins, each.ends, each.level) for each in read] == [
            (each.weekdays, each.begins, each.ends, each.level) for each in windows
        ]


@pytest.mark.parametrize(
    ("clock", "planned", "right"),
    [
        (SPRING, [window("02:30", "04:00")], ["03:00 5", "04:00 None"]),
        (SPRING, [window("01:00", "02:30")], ["01:00 5", "03:00 None"]),
        (SPRING, [window("02:10", "02:50")], []),
        (AUTUMN, [window("02:30", "04:00")], ["02:30 5", "04:00 None"]),
        (AUTUMN, [window("01:00", "02:30")], ["01:00 5", "02:30 None"]),
        (PLAIN, [window("22:00", "06:00", days="sat")], ["06:00 None"]),
        (PLAIN, [window("08:00", "12:00"), window("10:00", "11:00", 9)], None),
    ],
)
def test_right_is_what_a_walk_along_the_clock_tells(
    clock: Clock, planned: Sequence[Planned], right: list[str] | None
) -> None:
    overlapping = ["08:00 5", "10:00 9", "11:00 5", "12:00 None"]
    assert told(truth(planned, clock), clock) == (overlapping if right is None else right)
    assert told(by_schedule(planned, clock), clock) == (overlapping if right is None else right)


def test_a_window_of_a_repeated_time_is_open_once_and_a_plain_reading_opens_it_twice() -> None:
    planned = [window("02:10", "02:50")]
    assert told(truth(planned, AUTUMN), AUTUMN) == ["02:10 5", "02:50 None"]
    assert told(by_reading(planned, AUTUMN), AUTUMN) == 2 * ["02:10 5", "02:50 None"]
    assert truth(planned, AUTUMN).count(5) == 100


def test_cron_in_utc_is_an_hour_late_in_spring_and_early_in_autumn() -> None:
    planned = [window("08:00", "18:00")]
    assert told(by_utc_cron(planned, SPRING), SPRING) == ["09:00 5", "19:00 None"]
    assert told(by_utc_cron(planned, AUTUMN), AUTUMN) == ["07:00 5", "17:00 None"]
    assert told(by_utc_cron(planned, PLAIN), PLAIN) == ["08:00 5", "18:00 None"]


def test_cron_in_the_zone_never_hears_what_the_clock_skips_and_is_right_elsewhere() -> None:
    heard = every(SPRING)
    begin_skipped = by_local_cron([window("02:30", "04:00")], SPRING, heard)
    assert told(begin_skipped, SPRING) == []
    end_skipped = by_local_cron([window("01:00", "02:30")], SPRING, heard)
    assert told(end_skipped, SPRING) == ["01:00 5"]
    for clock in (AUTUMN, PLAIN):
        planned = [window("01:00", "02:30"), window("22:00", "07:00", 3, "daily")]
        assert told(by_local_cron(planned, clock, every(clock)), clock) == told(
            truth(planned, clock), clock
        )


def test_a_lost_heartbeat_loses_an_event_and_only_delays_what_is_asked_anew() -> None:
    planned = [window("08:00", "18:00")]
    right = truth(planned, PLAIN)
    turn = PLAIN.first(datetime(2026, 3, 29, 8))
    beats = every(PLAIN)
    beats[turn] = beats[turn + 1] = False
    ours = standing(by_schedule(planned, PLAIN), beats)
    assert told(ours, PLAIN) == ["08:02 5", "18:00 None"]
    assert waited(turn, ours, right, beats) == 2
    assert waited(turn, by_local_cron(planned, PLAIN, beats), right, beats) is None


def values(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Figures and parts of a small run."""
    monkeypatch.setattr(pc_schedule, "SPOTS", (SPRING.spot, AUTUMN.spot))
    monkeypatch.setattr(pc_schedule, "SCHEDULES", 2)
    measured = pc_schedule.measure(lambda line: None)
    wrong, lost = (measured.figures[n : n + 3] for n in (0, 3))
    return {
        **{f"wrong {n}": f.value for n, f in zip((OURS, UTC_CRON, LOCAL_CRON), wrong, strict=True)},
        **{f"lost {n}": f.value for n, f in zip((OURS, UTC_CRON, LOCAL_CRON), lost, strict=True)},
        **{part.name: part.value for part in measured.parts},
    }


def test_what_is_measured_has_no_wrong_minute_and_its_peers_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = values(monkeypatch)
    assert found[f"wrong {OURS}"] == found[f"lost {OURS}"] == 0
    assert found["minutes with a wrong level ahead"] == 0
    assert found[f"wrong {UTC_CRON}"] > 0
    assert found["minutes looked at"] == 2 * 48 * 60


def test_a_schedule_that_is_wrong_in_a_repeated_hour_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ASKED, OURS, by_utc_cron)
    monkeypatch.setattr(Schedule, "highest", lambda *_: 51)
    found = values(monkeypatch)
    assert found[f"wrong {OURS}"] == found[f"wrong {UTC_CRON}"] > 0
    assert found[f"lost {OURS}"] == found[f"lost {UTC_CRON}"] > 0
    assert found["minutes with a wrong level ahead"] == found["minutes looked at"]
