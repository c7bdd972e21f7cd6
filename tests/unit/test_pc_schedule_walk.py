"""Windows around changes of the clocks, against a walk of the local clock minute by minute."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, product
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.provisioned_concurrency.schedule import Schedule, Window

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SPOTS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kolkata", date(2026, 3, 29)),
]


@dataclass(frozen=True)
class Walk:
    """The minutes from 4 days before a day until 4 days after it, as the local clock shows them.

    highest: the latest time that the clock has shown by each of them. lowest: the earliest that it
    shows from then on.
    """

    minutes: Sequence[datetime]
    highest: Sequence[datetime]
    lowest: Sequence[datetime]

    @classmethod
    def around(cls, zone: str, day: date) -> Walk:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        minutes = [noon + n * MINUTE for n in range(-4 * 1440, 4 * 1440)]
        clock = [each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for each in minutes]
        lowest = list(accumulate(reversed(clock), min))[::-1]
        return cls(minutes, list(accumulate(clock, max)), lowest)

    def spans(self, windows: Sequence[Window]) -> Iterator[tuple[datetime, datetime, int]]:
        """A window holds once the clock has shown its begin, until it never again shows less than
        its end."""
        for n, window in product(range(9), windows):
            midnight = datetime.combine(self.highest[0].date(), time.min) + n * DAY
            if midnight.weekday() in window.days:
                until = midnight + window.ends * MINUTE + (window.ends <= window.begins) * DAY
                begins = bisect_left(self.highest, midnight + window.begins * MINUTE)
                ends = bisect_left(self.lowest, until)
                if begins < ends:
                    ends = min(ends, len(self.minutes) - 1)
                    yield self.minutes[begins], self.minutes[ends], window.level


WALKS = {spot: Walk.around(*spot) for spot in SPOTS}

a_time = st.one_of(st.integers(0, 1439), st.integers(0, 239))
a_window = (
    st.builds(
        Window,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        begins=a_time,
        ends=st.one_of(a_time, st.just(1440)),
        level=st.integers(0, 50),
    )
    .filter(lambda window: window.begins != window.ends)
    .filter(lambda window: (window.begins, window.ends) != (0, 0))
)


some_windows = st.lists(a_window, min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(spot=st.sampled_from(SPOTS), windows=some_windows, data=st.data())
def test_around_a_change_of_the_clocks_it_holds_as_a_walk_of_the_clock_tells(
    spot: tuple[str, date], windows: list[Window], data: st.DataObject
) -> None:
    walk, schedule = WALKS[spot], Schedule(tuple(windows), ZoneInfo(spot[0]))
    spans = list(walk.spans(windows))

    def highest(begin: datetime, end: datetime) -> int | None:
        return max((n for b, e, n in spans if b <= end and begin < e), default=None)

    edges = [edge + n * MINUTE for span in spans for edge in span[:2] for n in (-1, 0, 1)]
    for at in [*edges, *walk.minutes[2 * 1440 + data.draw(st.integers(0, 60)) : 6 * 1440 : 61]]:
        if walk.minutes[2 * 1440] <= at < walk.minutes[6 * 1440]:
            assert schedule.level(at) == highest(at, at)
    first = walk.minutes[data.draw(st.integers(2 * 1440, 6 * 1440))]
    last = first + data.draw(st.integers(0, 90)) * MINUTE
    assert schedule.highest(first, last) == highest(first, last)


@settings(max_examples=400, deadline=None)
@given(spot=st.sampled_from(SPOTS), windows=some_windows, n=st.integers(2 * 1440, 6 * 1440))
def test_the_next_change_is_the_next_begin_or_end_that_a_walk_of_the_clock_finds(
    spot: tuple[str, date], windows: list[Window], n: int
) -> None:
    walk, schedule = WALKS[spot], Schedule(tuple(windows), ZoneInfo(spot[0]))
    at, known_until = walk.minutes[n], walk.minutes[7 * 1440]
    edges = [edge for begins, ends, _ in walk.spans(windows) for edge in (begins, ends)]
    found = schedule.next_change(at)
    if found is not None and found > known_until:
        found = None
    assert found == min((each for each in edges if at < each <= known_until), default=None)
