"""Whether schedules hold at every minute of the days on which clocks change, beside cron twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from benchmarks.figures import Figure, Measurement
from functions.provisioned_concurrency.schedule import parse

SEED = 20260329
SCHEDULES = 50
"""Of each zone and day."""
LOST = 0.3
"""Share of heartbeats that never come."""
LEAD = timedelta(minutes=5)
"""How far ahead a rise looks."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = ("daily", "sun", "sat", "mon", "sat-sun", "mon-fri", "fri-mon", "sat+mon")
OURS, UTC_CRON, LOCAL_CRON, CLOCK = "schedule", "cron in UTC", "cron in the zone", "reading"
LIMITS = (
    "Cron in UTC is set right on the eve and ignores the change; cron in the zone fires each begin"
    " and each end once, as EventBridge Scheduler does: one that falls into skipped time not at all"
    ' (AWS re:Post, "How can I adjust my Amazon EventBridge schedule for daylight saving?"). Which time'
    " of a repeated one it fires at is not told; here it is the right one, to its advantage.",
    "A lost heartbeat loses the firing of cron in the same minute. EventBridge Scheduler tries"
    " again what a target refused, so that much is to cron's disadvantage.",
    "What is right in a repeated hour is a matter of definition: a window begins at a time's first"
    " showing and ends at its last, so it is never torn. A reading of the clock alone, minute by"
    " minute, is right everywhere else.",
    "Most windows were drawn with an edge before 05:00, where clocks change; of those that people"
    " write fewer have one.",
    "The level is what the schedule asks for; that it stands in time is measured elsewhere.",
)


@dataclass(frozen=True)
class Spot:
    """A zone and a day of it, on which the clocks change or, as a control, do not."""

    zone: str
    day: date


SPOTS = (
    Spot("Europe/Berlin", date(2026, 3, 29)),
    Spot("Europe/Berlin", date(2026, 10, 25)),
    Spot("America/New_York", date(2026, 3, 8)),
    Spot("America/New_York", date(2026, 11, 1)),
    Spot("Australia/Lord_Howe", date(2026, 4, 5)),
    Spot("Australia/Lord_Howe", date(2026, 10, 4)),
    Spot("Asia/Kolkata", date(2026, 3, 29)),
    Spot("Asia/Kolkata", date(2026, 10, 25)),
)


@dataclass(frozen=True)
class Planned:
    """A window as it was drawn: minutes after midnight, `ends` on the next day if not later."""

    days: str
    begins: int
    ends: int
    level: int

    def __str__(self) -> str:
        return f"{self.days}@{_time(self.begins)}-{_time(self.ends)}={self.level}"

    @property
    def weekdays(self) -> frozenset[int]:
        listed: set[int] = set()
        for item in self.days.replace("daily", "mon-sun").split("+"):
            first, last = NAMES.index(item[:3]), NAMES.index(item[-3:])
            listed |= {day % 7 for day in range(first, last + (1 if first <= last else 8))}
        return frozenset(listed)

    def dated(self, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Begin and end by the local clock, of each of so many days from the first on."""
        for midnight in (datetime.combine(first, time.min) + n * DAY for n in range(days)):
            if midnight.weekday() in self.weekdays:
                end = midnight + self.ends * MINUTE
                begin = midnight + self.begins * MINUTE
                yield begin, end if begin < end else end + DAY


@dataclass(frozen=True)
class Clock:
    """The minutes from two days before a day until its morrow, and what the local clock shows.

    begin, end: index of the day's own first minute and of the one after its last.
    """

    spot: Spot
    minutes: Sequence[datetime]
    shown: Sequence[datetime]
    begin: int
    end: int

    @classmethod
    def of(cls, spot: Spot) -> Clock:
        zone = ZoneInfo(spot.zone)
        noon = datetime.combine(spot.day, time(12), UTC)
        minutes = [noon + n * MINUTE for n in range(-72 * 60, 36 * 60)]
        shown = [minute.astimezone(zone).replace(tzinfo=None) for minute in minutes]
        of_day = [n for n, each in enumerate(shown) if each.date() == spot.day]
        return cls(spot, minutes, shown, of_day[0], of_day[-1] + 1)

    def first(self, wall: datetime) -> int:
        """Index of the first minute at which the clock shows a time, or a later one."""
        return next((n for n, each in enumerate(self.shown) if each >= wall), len(self.shown))

    def past(self, wall: datetime) -> int:
        """Index of the first minute from which on the clock never shows less than a time."""
        size = len(self.shown)
        return next((n for n in range(size, 0, -1) if self.shown[n - 1] < wall), 0)


Levels = Sequence[int | None]
"""Of each minute of the clock; None outside of all windows."""


def measure(say: Callable[[str], None]) -> Measurement:
    """Every minute of each day, first with all heartbeats, then with some lost."""
    wrong: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    minutes = transitions = ahead = longest = 0
    for spot in SPOTS:
        clock = Clock.of(spot)
        chance = random.Random(f"{SEED} {spot.zone} {spot.day}")
        before = wrong[OURS]
        for _ in range(SCHEDULES):
            windows = draw(chance)
            right = truth(windows, clock)
            beats = [chance.random() >= LOST for _ in clock.minutes]
            minutes += clock.end - clock.begin
            turns = turning(right, clock)
            transitions += len(turns)
            told = {name: ask(windows, clock) for name, ask in ASKED.items()}
            levels = {name: (each, standing(each, beats)) for name, each in told.items()}
            levels[LOCAL_CRON] = (
                by_local_cron(windows, clock, [True] * len(beats)),
                by_local_cron(windows, clock, beats),
            )
            for name, (all_come, some_lost) in levels.items():
                wrong[name] += len(differing(all_come, right, clock))
                waits = [waited(turn, some_lost, right, beats) for turn in turns]
                lost[name] += waits.count(None)
                if name == OURS:
                    longest = max([longest, *(each for each in waits if each is not None)])
            ahead += len(differing(looked_ahead(windows, clock), ahead_of(right), clock))
        say(f"{spot.zone} {spot.day}: {wrong[OURS] - before} minutes wrong")
    peers = (UTC_CRON, LOCAL_CRON)
    return Measurement(
        figures=[
            Figure("Minutes with a wrong scheduled level where clocks change", wrong[OURS], goal=0),
            *(Figure(f"the same by {name}", wrong[name]) for name in peers),
            Figure("Scheduled changes lost with 30 % of heartbeats lost", lost[OURS], goal=0),
            *(Figure(f"the same by {name}", lost[name]) for name in peers),
        ],
        parts=[
            Figure("minutes looked at", minutes),
            Figure("changes of the level in them", transitions),
            Figure("minutes with a wrong level ahead", ahead),
            Figure("longest wait for a change, heartbeats lost", longest, "min"),
            Figure("minutes wrong by a reading of the clock alone", wrong[CLOCK]),
            Figure("changes lost by a reading of the clock alone", lost[CLOCK]),
        ],
        settings={
            "seed": SEED,
            "schedules": SCHEDULES,
            "days": [f"{spot.zone} {spot.day}" for spot in SPOTS],
            "lost_heartbeats": LOST,
            "lead_seconds": LEAD.total_seconds(),
        },
        limits=LIMITS,
    )


def draw(chance: random.Random) -> list[Planned]:
    """One to four windows, most of them with an edge in the small hours, when clocks change."""

    def minute() -> int:
        return (
            chance.randrange(0, 300, 5) if chance.random() < 0.7 else chance.randrange(0, 1440, 15)
        )

    windows: dict[tuple[frozenset[int], int, int], Planned] = {}
    for _ in range(chance.randint(1, 4)):
        begins, ends = minute(), minute() or 1440
        if begins != ends:
            drawn = Planned(chance.choice(DAYS), begins, ends, chance.randint(0, 50))
            windows[drawn.weekdays, begins, ends] = drawn
    return list(windows.values()) or draw(chance)


def truth(windows: Sequence[Planned], clock: Clock) -> Levels:
    """The level of each minute, by a walk along what the clock shows."""
    spans = [
        (clock.first(begin), clock.past(end), window.level)
        for window in windows
        for begin, end in window.dated(clock.spot.day - 2 * DAY, 4)
    ]
    return [
        _highest(level for b, e, level in spans if b <= n < e) for n in range(len(clock.minutes))
    ]


def turning(right: Levels, clock: Clock) -> list[int]:
    """The minutes of the day at which the level changes."""
    return [n for n in range(clock.begin, clock.end) if right[n] != right[n - 1]]


def differing(levels: Levels, right: Levels, clock: Clock) -> list[int]:
    """The minutes of the day with another level than the right one."""
    return [n for n in range(clock.begin, clock.end) if levels[n] != right[n]]


def waited(turn: int, levels: Levels, right: Levels, beats: Sequence[bool]) -> int | None:
    """Minutes from a change until the next heartbeat; None if the level is wrong after that."""
    beat = next(n for n in range(turn, len(beats)) if beats[n])
    return beat - turn if levels[beat] == right[beat] else None


def ahead_of(right: Levels) -> Levels:
    """The highest level from each minute until LEAD after it."""
    further = LEAD // MINUTE + 1
    return [
        _highest(each for each in right[n : n + further] if each is not None)
        for n in range(len(right))
    ]


# what is compared: what each asks for in each minute that counts


def by_schedule(windows: Sequence[Planned], clock: Clock) -> Levels:
    """What is measured."""
    schedule = parse(_text(windows, clock))
    return _of_each(clock, lambda n: schedule.level(clock.minutes[n]))


def looked_ahead(windows: Sequence[Planned], clock: Clock) -> Levels:
    """The highest level until LEAD later, of the same schedule."""
    schedule, minutes = parse(_text(windows, clock)), clock.minutes
    return _of_each(clock, lambda n: schedule.highest(minutes[n], minutes[n] + LEAD))


def by_reading(windows: Sequence[Planned], clock: Clock) -> Levels:
    """By the time that the local clock shows, and nothing else."""
    return _of_each(clock, lambda n: _read(windows, clock.shown[n]))


def by_utc_cron(windows: Sequence[Planned], clock: Clock) -> Levels:
    """As if the clocks went on as they did on the eve. It is told as a level, so a lost heartbeat
    harms it no more than us."""
    eve = clock.begin - 720
    offset = clock.shown[eve] - clock.minutes[eve].replace(tzinfo=None)
    walls = [minute.replace(tzinfo=None) + offset for minute in clock.minutes]
    return _of_each(clock, lambda n: _read(windows, walls[n]))


def standing(levels: Levels, beats: Sequence[bool]) -> Levels:
    """What stands after each minute when it is asked for at heartbeats only."""
    stands: list[int | None] = [None]
    for level, beat in zip(levels, beats, strict=True):
        stands.append(level if beat else stands[-1])
    return stands[1:]


def by_local_cron(windows: Sequence[Planned], clock: Clock, beats: Sequence[bool]) -> Levels:
    """Each begin and each end an event: one that the clock skips, or whose heartbeat is lost, is
    never heard of. What holds at first is right, and the highest of the open windows holds."""
    heard: dict[int, list[tuple[bool, tuple[Planned, datetime]]]] = {}
    open_now: set[tuple[Planned, datetime]] = set()
    shown = set(clock.shown)
    for window in windows:
        for begin, end in window.dated(clock.spot.day - 2 * DAY, 4):
            begins, ends = clock.first(begin), clock.past(end)
            if begins < clock.begin < ends:
                open_now.add((window, begin))
            for opens, wall, n in ((True, begin, begins), (False, end, ends)):
                if wall in shown and clock.begin <= n:
                    heard.setdefault(n, []).append((opens, (window, begin)))
    levels: list[int | None] = []
    for n, beat in enumerate(beats):
        for opens, which in heard.get(n, []) if beat else []:
            (open_now.add if opens else open_now.discard)(which)
        levels.append(_highest(window.level for window, _ in open_now))
    return levels


ASKED: dict[str, Callable[[Sequence[Planned], Clock], Levels]] = {
    OURS: by_schedule,
    UTC_CRON: by_utc_cron,
    CLOCK: by_reading,
}


def _of_each(clock: Clock, ask: Callable[[int], int | None]) -> Levels:
    """Asked in each minute of the day, and of an hour before and after it."""
    asked = range(clock.begin - 60, clock.end + 60)
    return [ask(n) if n in asked else None for n in range(len(clock.minutes))]


def _read(windows: Sequence[Planned], wall: datetime) -> int | None:
    return _highest(
        window.level
        for window in windows
        for begin, end in window.dated(wall.date() - DAY, 2)
        if begin <= wall < end
    )


def _highest(levels: Iterator[int]) -> int | None:
    return max(levels, default=None)


def _text(windows: Sequence[Planned], clock: Clock) -> str:
    return " ".join([*map(str, windows), f"tz={clock.spot.zone}"])


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
