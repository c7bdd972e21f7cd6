"""Windows with a level: how they are written, and when they hold, changes of the clocks included."""

from __future__ import annotations

import sys
import zoneinfo
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from timeit import repeat
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.provisioned_concurrency.schedule import BadSchedule, Schedule, Window, parse

MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(text: str) -> str:
    (window,) = parse(f"{text}@08:00-09:00=1").windows
    return " ".join(DAYS[day] for day in sorted(window.days))


def changes(text: str, begin: str, end: str) -> list[str]:
    """What the schedule asks for from minute to minute: when it changes (UTC), and to what."""
    schedule, at, told = parse(text), utc(begin), []
    last: int | None = -1
    while at < utc(end):
        if (level := schedule.level(at)) != last:
            told.append(f"{at:%H:%M} {level}")
        last, at = level, at + MINUTE
    return told


# how it is written


def test_a_schedule_is_windows_and_a_zone() -> None:
    schedule = parse("mon-fri@08:00-18:00=20 sat@10:00-14:30=5 tz=Europe/Berlin")
    assert schedule == Schedule(
        (
            Window(frozenset(range(5)), 8 * 60, 18 * 60, 20),
            Window(frozenset({5}), 10 * 60, 14 * 60 + 30, 5),
        ),
        ZoneInfo("Europe/Berlin"),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("mon", "mon"),
        ("mon-fri", "mon tue wed thu fri"),
        ("fri-mon", "mon fri sat sun"),
        ("mon+wed-fri", "mon wed thu fri"),
        ("tue-tue", "tue"),
        ("daily", "mon tue wed thu fri sat sun"),
        ("sun-sat", "mon tue wed thu fri sat sun"),
    ],
)
def test_days_are_single_or_from_to_and_may_pass_the_end_of_the_week(text: str, named: str) -> None:
    assert days(text) == named


def test_without_a_zone_it_is_utc_and_case_and_order_do_not_count() -> None:
    assert parse("Mon@08:00-09:00=1").zone.key == "UTC"
    assert parse("TZ=Asia/Tokyo  DAILY@08:00-09:00=1") == parse("daily@08:00-09:00=1 tz=Asia/Tokyo")


def test_a_day_ends_at_24_00_however_it_is_written() -> None:
    assert parse("mon@20:00-24:00=1") == parse("mon@20:00-00:00=1")
    assert parse("mon@00:00-24:00=1").windows[0].ends == 24 * 60


@pytest.mark.parametrize(
    ("text", "code", "about"),
    [
        ("", "bad-schedule", "no window; one looks like mon-fri@08:00-18:00=20"),
        ("tz=Europe/Berlin", "bad-schedule", "no window"),
        ("always", "bad-schedule", "'always'"),
        ("mon@08:00-18:00=1 tue@8:00-18:00=2", "bad-schedule", "'tue@8:00-18:00=2'"),
        ("mon@08:00-18:60=1", "bad-schedule", "mon-fri@08:00-18:00=20"),
        ("mon@24:00-08:00=1", "bad-schedule", "mon@24:00"),
        ("mon@08:00-25:00=1", "bad-schedule", "25:00"),
        ("mon@08:00-18:00=many", "bad-schedule", "many"),
        ("mon@08:00-18:00=1.5", "bad-schedule", "1.5"),
        ("mon@08:00-18:00=" + "9" * 5000, "bad-schedule", "mon@08:00-18:00=999"),
        ("mon@08:00-18:00=٣", "bad-schedule", "no window"),
        ("mon@08:00-18:00", "bad-schedule", "no window"),
        ("monday@08:00-18:00=1", "bad-schedule", "'monday' in 'monday@08:00-18:00=1'"),
        ("mon-@08:00-18:00=1", "bad-schedule", "'mon-'"),
        ("mon-tue-wed@08:00-18:00=1", "bad-schedule", "'mon-tue-wed'"),
        ("mon++tue@08:00-18:00=1", "bad-schedule", "'' in"),
        ("mon@08:00-18:00=-1", "bad-level", "from 0 to 10000"),
        ("mon@08:00-18:00=10001", "bad-level", "from 0 to 10000"),
        ("mon@08:00-08:00=1", "contradictory-windows", "00:00-24:00"),
        ("mon@00:00-00:00=1", "contradictory-windows", "00:00-24:00"),
        ("mon-tue@08:00-18:00=1 tue+mon@08:00-18:00=2", "contradictory-windows", "two levels"),
        ("mon@20:00-24:00=1 mon@20:00-00:00=2", "contradictory-windows", "two levels"),
        ("mon@08:00-18:00=1 tz=UTC tz=Asia/Tokyo", "contradictory-windows", "UTC and tz=Asia"),
        ("mon@08:00-18:00=1 tz=", "unknown-zone", "like Europe/Berlin"),
        ("mon@08:00-18:00=1 tz=Berlin", "unknown-zone", "'Berlin'"),
        ("mon@08:00-18:00=1 tz=Europe", "unknown-zone", "'Europe'"),
        ("mon@08:00-18:00=1 tz=" + "a" * 300, "unknown-zone", "IANA"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(text: str, code: str, about: str) -> None:
    with pytest.raises(BadSchedule, match=r".") as refused:
        parse(text)
    assert refused.value.code == code
    assert about in str(refused.value)


@pytest.mark.parametrize(
    "zone",
    [
        "../zoneinfo/UTC",
        "/usr/share/zoneinfo/UTC",
        "zone.tab",
        "right/UTC",
        "posix/UTC",
        "localtime",
    ],
)
def test_a_zone_is_a_name_of_iana_and_never_a_path_or_the_machines_own(zone: str) -> None:
    with pytest.raises(BadSchedule) as refused:
        parse(f"mon@08:00-18:00=1 tz={zone}")
    assert refused.value.code == "unknown-zone"


def test_a_folder_of_the_database_is_no_zone_where_it_comes_as_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("tzdata", "tzdata/zoneinfo", "tzdata/zoneinfo/Europe"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.split(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, module)
    zoneinfo.reset_tzpath(to=[])
    try:
        with pytest.raises(BadSchedule, match="'Europe' is no time zone"):
            parse("mon@08:00-18:00=1 tz=Europe")
    finally:
        zoneinfo.reset_tzpath()
        for module in [name for name in sys.modules if name.split(".")[0] == "tzdata"]:
            del sys.modules[module]


def test_the_same_window_twice_is_no_contradiction_and_part_of_another_is_neither() -> None:
    assert len(parse("mon@08:00-18:00=1 mon@08:00-18:00=1").windows) == 1
    assert len(parse("mon-fri@08:00-18:00=1 wed@08:00-18:00=2").windows) == 2


@given(st.text(alphabet="monfridaily@0123456789:-=+ tz/Euro.", max_size=40))
def test_any_text_is_a_schedule_or_refused_by_name(text: str) -> None:
    with suppress(BadSchedule):
        assert parse(text).windows


# when it holds


def test_a_window_holds_from_its_begin_until_just_before_its_end() -> None:
    schedule = parse("mon@08:00-18:00=20 tz=Europe/Berlin")
    assert schedule.level(utc("2026-03-02T06:59:59")) is None
    assert schedule.level(utc("2026-03-02T07:00")) == 20
    assert schedule.level(utc("2026-03-02T16:59:59")) == 20
    assert schedule.level(utc("2026-03-02T17:00")) is None


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    told = changes("fri@22:00-06:00=3", "2026-03-06T00:00", "2026-03-08T00:00")
    assert told == ["00:00 None", "22:00 3", "06:00 None"]
    assert parse("fri@22:00-06:00=3").level(utc("2026-03-06T05:00")) is None


def test_where_windows_overlap_the_highest_holds_and_a_level_of_0_is_not_none() -> None:
    told = changes(
        "daily@08:00-12:00=5 mon@10:00-11:00=9 mon@10:30-14:00=0",
        "2026-03-02T07:59",
        "2026-03-02T15:00",
    )
    assert told == ["07:59 None", "08:00 5", "10:00 9", "11:00 5", "12:00 0", "14:00 None"]


def test_any_zone_may_be_asked_in() -> None:
    tokyo = datetime(2026, 3, 2, 8, tzinfo=ZoneInfo("Asia/Tokyo"))
    schedule = parse("mon@08:00-18:00=20 tz=Asia/Tokyo")
    assert schedule.level(tokyo) == 20
    assert schedule.level(tokyo - MINUTE) is None
    assert schedule.next_change(tokyo) == utc("2026-03-02T09:00")


BERLIN_SPRING = ("2026-03-29T00:00", "2026-03-29T06:00")
BERLIN_AUTUMN = ("2026-10-24T23:00", "2026-10-25T06:00")


@pytest.mark.parametrize(
    ("windows", "when", "told"),
    [
        # 02:00 to 03:00 is skipped at 01:00 UTC.
        ("sun@02:30-05:00=1", BERLIN_SPRING, ["00:00 None", "01:00 1", "03:00 None"]),
        ("sun@01:30-02:30=1", BERLIN_SPRING, ["00:00 None", "00:30 1", "01:00 None"]),
        ("sun@02:10-02:50=1", BERLIN_SPRING, ["00:00 None"]),
        ("sun@01:00-04:00=1", BERLIN_SPRING, ["00:00 1", "02:00 None"]),
        # 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
        ("sun@02:30-05:00=1", BERLIN_AUTUMN, ["23:00 None", "00:30 1", "04:00 None"]),
        ("sun@01:30-02:30=1", BERLIN_AUTUMN, ["23:00 None", "23:30 1", "01:30 None"]),
        ("sun@02:10-02:50=1", BERLIN_AUTUMN, ["23:00 None", "00:10 1", "01:50 None"]),
        ("sun@03:00-05:00=1", BERLIN_AUTUMN, ["23:00 None", "02:00 1", "04:00 None"]),
    ],
)
def test_a_change_of_the_clocks_moves_begin_and_end_and_never_tears_a_window(
    windows: str, when: tuple[str, str], told: list[str]
) -> None:
    assert changes(f"{windows} tz=Europe/Berlin", *when) == told


def test_on_lord_howe_half_an_hour_is_skipped_and_comes_twice() -> None:
    zone = "tz=Australia/Lord_Howe"
    skipped = changes(f"sun@02:15-03:00=1 {zone}", "2026-10-03T14:00", "2026-10-03T18:00")
    assert skipped == ["14:00 None", "15:30 1", "16:00 None"]
    twice = changes(f"sun@01:45-03:00=1 {zone}", "2026-04-04T14:00", "2026-04-04T18:00")
    assert twice == ["14:00 None", "14:45 1", "16:30 None"]


def test_a_repeated_hour_over_midnight_is_still_inside_of_the_day_before_and_the_day_after() -> (
    None
):
    # America/St_Johns went from 00:01 back to 23:01 of the day before, on 2010-11-07.
    zone = "tz=America/St_Johns"
    late = changes(f"sat@20:00-23:30=1 {zone}", "2010-11-07T01:00", "2010-11-07T04:00")
    assert late == ["01:00 1", "03:00 None"]
    early = changes(f"sun@00:00-05:00=2 {zone}", "2010-11-07T01:00", "2010-11-07T04:00")
    assert early == ["01:00 None", "02:30 2"]
    since_friday = changes(f"fri@23:40-23:30=3 {zone}", "2010-11-07T01:00", "2010-11-07T04:00")
    assert since_friday == ["01:00 3", "03:00 None"]


def test_a_day_that_a_zone_skips_has_no_windows_and_takes_none_with_it() -> None:
    # On Apia the 29th of December 2011, a Thursday, was followed by the 31st, at 10:00 UTC.
    told = changes(
        "fri@08:00-18:00=5 thu@22:00-06:00=2 sat@00:00-08:00=3 tz=Pacific/Apia",
        "2011-12-30T00:00",
        "2011-12-31T00:00",
    )
    assert told == ["00:00 None", "08:00 2", "10:00 3", "18:00 None"]


def test_the_highest_of_a_while_counts_both_its_ends() -> None:
    schedule = parse("mon@08:00-09:00=5 mon@08:30-08:40=9")
    highest = schedule.highest
    assert highest(utc("2026-03-02T07:00"), utc("2026-03-02T07:59")) is None
    assert highest(utc("2026-03-02T07:00"), utc("2026-03-02T08:00")) == 5
    assert highest(utc("2026-03-02T08:00"), utc("2026-03-02T08:45")) == 9
    assert highest(utc("2026-03-02T08:40"), utc("2026-03-02T09:30")) == 5
    assert highest(utc("2026-03-02T09:00"), utc("2026-03-02T09:30")) is None
    assert highest(utc("2026-03-01T00:00"), utc("2026-03-04T00:00")) == 9


def test_the_next_change_is_a_begin_or_an_end_within_8_days() -> None:
    schedule = parse("mon@08:00-09:00=5")
    assert schedule.next_change(utc("2026-03-02T07:00")) == utc("2026-03-02T08:00")
    assert schedule.next_change(utc("2026-03-02T08:00")) == utc("2026-03-02T09:00")
    assert schedule.next_change(utc("2026-03-02T09:00")) == utc("2026-03-09T08:00")


def test_there_is_no_change_when_the_only_window_is_skipped() -> None:
    schedule = parse("sun@02:10-02:50=5 tz=Europe/Berlin")
    assert schedule.next_change(utc("2026-03-22T02:00")) is None
    assert schedule.next_change(utc("2026-03-27T23:00")) is None  # 8 days and 70 minutes
    assert schedule.next_change(utc("2026-03-29T02:00")) == utc("2026-04-05T00:10")


def test_a_question_takes_less_than_a_millisecond_with_10_windows() -> None:
    windows = " ".join(f"daily@{n:02}:00-{n + 3:02}:10={n}" for n in range(10))
    schedule = parse(f"{windows} tz=Europe/Berlin")
    at = utc("2026-03-29T00:30")
    for ask in (
        lambda: schedule.level(at),
        lambda: schedule.highest(at, at + 15 * MINUTE),
        lambda: schedule.next_change(at),
    ):
        assert min(repeat(ask, timer=process_time, number=10, repeat=20)) / 10 < 0.001
