"""What spills over is answered by one rise to the true demand, and let go of when that is over."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.decision import Act, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.core.intake import SOON as LOOKED_AT_ONCE_MORE
from functions.provisioned_concurrency.decision import decide
from functions.provisioned_concurrency.demand import concurrency, peak, to_serve, with_headroom
from functions.provisioned_concurrency.levels import level_of as level_of_dial
from functions.provisioned_concurrency.observation import Minute, Owner, Seen, Status, Wish
from functions.provisioned_concurrency.schedule import parse
from tests.unit.pc import (
    ALWAYS,
    NOON,
    OFFICE,
    RULES,
    alias,
    bursting,
    follow,
    level_of,
    minute,
    steady,
    variant,
    written,
)

HOLD = RULES.hold
BOUNDLESS = replace(ALWAYS, maximum=None)


# demand


def test_demand_is_what_was_in_flight_whatever_was_provisioned() -> None:
    assert concurrency(minute(1, 44, 500)) == 44


def test_demand_follows_from_what_spilled_over_where_concurrency_is_not_told() -> None:
    seen = Minute(NOON, None, 10.0, 2000, 600, 3.0)
    assert concurrency(seen) == 10 + 600 * 3 / 60


def test_in_the_minute_in_which_more_became_ready_the_same_demand_is_not_counted_twice() -> None:
    assert concurrency(Minute(NOON, 62.0, 57.0, 482, 274, 6.0)) == 62


def test_no_minutes_are_no_demand_of_zero() -> None:
    assert peak(()) is None


def test_headroom_is_rounded_up_but_not_for_the_sake_of_a_float() -> None:
    assert with_headroom(10, RULES) == 11
    assert with_headroom(10.1, RULES) == 12


@pytest.mark.parametrize(("demand", "level"), [(0, 0), (1, 3), (9, 15), (100, 120), (400, 440)])
def test_a_rise_adds_two_roots_of_the_demand_or_the_headroom_whichever_is_more(
    demand: float, level: int
) -> None:
    assert to_serve(demand, RULES) == level


@given(st.floats(0, 10_000))
def test_what_a_rise_adds_is_never_less_than_the_headroom(demand: float) -> None:
    assert to_serve(demand, RULES) >= with_headroom(demand, RULES)


# up


def test_a_burst_is_answered_by_one_rise_to_what_was_in_flight_and_a_margin() -> None:
    decision = decide(alias(20, minutes=bursting(44, 500, 15)), written(0, 20, ago=[120]), RULES)
    assert level_of(decision) == 58
    assert isinstance(decision, Act)
    assert "500 of 2640 invocations of shop:live spilled over" in decision.reason
    assert "44 were in flight at once" in decision.reason
    assert "$0.87 an hour" in decision.reason


@pytest.mark.parametrize("spilled", [2, 0])
def test_a_few_cold_starts_are_no_reason_to_buy(spilled: float) -> None:
    minutes = (*steady(1)[:-1], Minute(NOON - timedelta(minutes=1), 21, 20, 30, spilled, 1.0))
    assert isinstance(decide(alias(20, minutes=minutes), None, RULES), Settled)


def test_a_small_share_of_much_is_no_reason_to_buy() -> None:
    minutes = bursting(25, 25 * 60 * 0.02, 15)
    assert isinstance(decide(alias(20, minutes=minutes), None, RULES), Settled)
    more = bursting(25, 25 * 60 * 0.02 + 1, 15)
    assert isinstance(decide(alias(20, minutes=more), None, RULES), Act)


def test_where_nothing_is_provisioned_nothing_spills() -> None:
    seen = alias(0, wish=Wish(), minutes=bursting(44, 500, 15))
    assert isinstance(decide(seen, None, RULES), Settled)


def test_what_spilled_over_while_the_rise_was_allocated_buys_no_second_one() -> None:
    ready = (NOON - timedelta(minutes=1)).timestamp()
    incident = replace(written(20, 49, ago=[4]), tally={"_ready_at": ready})
    minutes = (*steady(15)[:-3], minute(3, 44, 900), minute(2, 47, 900), minute(1, 46, 0))
    assert isinstance(decide(alias(49, minutes=minutes, wish=ALWAYS), incident, RULES), Wait)
    early = replace(incident, tally={})
    seen = alias(49, minutes=(*minutes[:-1], minute(1, 46, 100)), wish=ALWAYS)
    assert isinstance(decide(seen, early, RULES), Wait)


def test_what_even_the_new_level_would_not_have_held_is_bought() -> None:
    incident = replace(written(20, 49, ago=[4]), tally={})
    minutes = (*steady(15)[:-2], minute(2, 44, 900), minute(1, 80, 1900))
    decision = decide(alias(49, minutes=minutes, wish=BOUNDLESS), incident, RULES)
    assert level_of(decision) == 98


@pytest.mark.parametrize(("seen", "rises"), [(63, False), (64, True)])
def test_a_little_more_than_was_expected_while_a_rise_was_allocated_buys_no_second_one(
    seen: float, rises: bool
) -> None:
    incident = replace(written(20, 49, ago=[4]), tally={})
    minutes = (*steady(15)[:-2], minute(2, 44, 900), minute(1, seen, 900))
    decision = decide(alias(49, minutes=minutes, wish=ALWAYS), incident, RULES)
    assert isinstance(decision, Act if rises else Wait)


def slow(ago: int, concurrent: float, spilled: float) -> Minute:
    """A minute in which ten a second began, each for half a minute."""
    return Minute(NOON - timedelta(minutes=ago), concurrent, 5, 600, spilled, 30.0)


@pytest.mark.parametrize(
    ("before", "spilled", "rises"),
    [((0, 0), 69, False), ((0, 0), 70, True), ((0, 20), 50, True), ((20, 5), 14, True)],
)
def test_a_burst_is_answered_when_it_was_seen_for_twice_as_long_as_an_invocation_lasts(
    before: tuple[float, float], spilled: float, rises: bool
) -> None:
    old, young = before
    minutes = (*steady(4)[:-3], slow(3, 10, old), slow(2, 12, young), slow(1, 40, spilled))
    decision = decide(alias(5, wish=ALWAYS, minutes=minutes), None, RULES)
    if rises:
        assert level_of(decision) == 53
    else:
        assert isinstance(decision, Wait)
        assert "how high that goes is not seen yet" in decision.reason
        assert 0 < decision.again <= LOOKED_AT_ONCE_MORE


@pytest.mark.parametrize("every", [2, 3, 5])
def test_as_many_at_once_as_come_again_and_again_are_answered(every: int) -> None:
    """Fifty that all come in the same second, against ten: only forty of them ever spill over. Where
    it was another number before, or hardly any spilled over, it is not known that it goes no higher."""
    batch = Minute(NOON - timedelta(minutes=1), 50, 10, 50, 40, 5.0)
    before = replace(batch, at=batch.at - timedelta(minutes=every))
    quiet = [m for m in steady(0)[:-1] if m.at != before.at]
    minutes = (*sorted([*quiet, before], key=lambda each: each.at), batch)
    seen = alias(10, wish=BOUNDLESS, minutes=minutes)
    assert level_of(decide(seen, None, RULES)) == 65
    for at_once, known in ((46, False), (47, True), (54, True), (55, False)):
        other = replace(before, concurrent=at_once)
        told = tuple(other if each == before else each for each in minutes)
        decision = decide(replace(seen, minutes=told), None, RULES)
        assert isinstance(decision, Act if known or every == 2 else Wait), at_once
    less = replace(before, provisioned=5)
    told = tuple(less if each == before else each for each in minutes)
    assert isinstance(decide(replace(seen, minutes=told), None, RULES), Act if every == 2 else Wait)
    quiet = replace(before, spilled=2)
    told = tuple(quiet if each == before else each for each in minutes)
    assert isinstance(decide(replace(seen, minutes=told), None, RULES), Wait)


def test_a_burst_that_a_scalable_target_with_no_floor_meets_is_answered() -> None:
    seen = alias(10, wish=Wish(), owner=Owner(0, 90), minutes=bursting(50, 600, 5))
    assert decide(seen, None, RULES).write == {"provisioned": 10, "minimum": 65}  # type: ignore


def test_after_the_rise_was_ready_what_still_spills_over_counts() -> None:
    incident = written(20, 49, ago=[10])
    minutes = (*steady(15)[:-1], minute(1, 48, 600))
    decision = decide(alias(49, minutes=minutes, wish=BOUNDLESS), incident, RULES)
    assert level_of(decision) == 62


@pytest.mark.parametrize(("level", "rises"), [(30, False), (36, False), (37, True)])
def test_after_a_fall_only_what_is_new_is_a_reason_to_rise(level: int, rises: bool) -> None:
    incident = written(5, 40, 20, ago=[60, 4])
    seen = alias(20, wish=ALWAYS, minutes=bursting(level, 1500, 15))
    decision = decide(seen, incident, RULES)
    assert isinstance(decision, Act if rises else Wait)
    assert isinstance(decide(seen, written(5, 40, 20, ago=[60, 10]), RULES), Act)


@pytest.mark.parametrize(("level", "rises"), [(30, False), (36, False), (37, True)])
def test_of_several_falls_none_is_gone_back_on(level: int, rises: bool) -> None:
    seen = alias(20, wish=ALWAYS, minutes=bursting(level, 1500, 15))
    decision = decide(seen, written(5, 40, 25, 20, ago=[60, 9, 4]), RULES)
    assert isinstance(decision, Act if rises else Wait)
    forgotten = decide(seen, written(5, 40, 25, 20, ago=[60, 10, 4]), RULES)
    assert isinstance(forgotten, Act)


def test_after_a_fall_a_bound_at_where_it_has_been_lets_nothing_rise() -> None:
    seen = alias(20, wish=replace(ALWAYS, maximum=40), minutes=bursting(50, 1500, 15))
    assert isinstance(decide(seen, written(5, 40, 20, ago=[60, 4]), RULES), Wait)


def test_a_rise_after_a_fall_may_go_on() -> None:
    seen = alias(50, wish=BOUNDLESS, minutes=bursting(52, 1500, 15))
    assert level_of(decide(seen, written(5, 40, 20, 50, ago=[60, 9, 4]), RULES)) == 67


# down


def burst(changed: float, ago: float, **different: Any) -> Seen:
    """40 provisioned for a burst that is over; minutes since it was asked for last."""
    return alias(
        40,
        wish=ALWAYS,
        minutes=steady(15),
        changed_at=NOON - timedelta(minutes=changed),
        **different,
    )


@pytest.mark.parametrize(("ago", "falls"), [(14, True), (13, False), (15, False), (9, False)])
def test_what_a_burst_left_falls_in_the_last_minute_of_what_is_paid_for(
    ago: float, falls: bool
) -> None:
    decision = decide(burst(ago, ago), written(5, 40, ago=[ago]), RULES)
    if falls:
        assert level_of(decision) == with_headroom(15, RULES) == 17
    else:
        assert isinstance(decision, Wait)
        assert decision.code == "kept"


def test_within_the_hold_nothing_falls_though_an_edge_comes() -> None:
    assert isinstance(decide(burst(4.5, 4.5), written(5, 40, ago=[4.5]), RULES), Wait)
    assert isinstance(decide(burst(9.5, 9.5), written(5, 40, ago=[9.5]), RULES), Wait)


def test_a_fall_follows_another_only_when_that_has_stood_for_the_hold() -> None:
    seen = burst(9.5, 9.5)
    assert isinstance(decide(seen, written(5, 60, 40, ago=[60, 9.5]), RULES), Wait)
    assert level_of(decide(burst(14, 14), written(5, 60, 40, ago=[60, 14]), RULES)) == 17


def test_by_the_schedule_a_fall_may_follow_another_at_once() -> None:
    wish = Wish(parse("mon@08:00-11:58=60 mon@08:00-11:59=40 mon@08:00-20:00=20"))
    seen = alias(40, wish=wish, changed_at=NOON - timedelta(minutes=2))
    assert level_of(decide(seen, written(0, 60, 40, ago=[240, 2]), RULES)) == 20


def test_a_fall_of_a_tenth_or_less_is_not_worth_it() -> None:
    seen = replace(burst(14, 14), minutes=steady(33))
    assert isinstance(decide(seen, written(5, 40, ago=[14]), RULES), Wait)
    less = replace(seen, minutes=steady(31))
    assert level_of(decide(less, written(5, 40, ago=[14]), RULES)) == 35


def test_the_busiest_minute_of_the_hold_counts() -> None:
    minutes = (*steady(15)[:-9], minute(9, 30, 0), *steady(15)[-8:])
    seen = replace(burst(14, 14), minutes=minutes)
    assert level_of(decide(seen, written(5, 40, ago=[14]), RULES)) == 33


def test_a_hold_shorter_than_a_minute_still_knows_the_newest_minutes() -> None:
    """Of the last minute CloudWatch has not told yet."""
    seen = replace(burst(14, 14), minutes=steady(15)[:-1])
    brief = replace(RULES, hold=timedelta(seconds=20))
    assert level_of(decide(seen, written(5, 40, ago=[14]), brief)) == 17


def test_missing_metrics_are_no_reason_to_fall() -> None:
    decision = decide(replace(burst(14, 14), minutes=()), written(5, 40, ago=[14]), RULES)
    assert isinstance(decision, Wait)
    assert "not known" in decision.reason


def test_nothing_falls_below_what_the_schedule_wants_soon() -> None:
    wish = Wish(parse("mon@12:09-18:00=30"), 5, 60)
    seen = replace(burst(14, 14), wish=wish)
    assert level_of(decide(seen, written(5, 40, ago=[14]), RULES)) == 30


@pytest.mark.parametrize(("minutes", "falls"), [(30, False), (29, True)])
def test_a_burst_ends_with_its_window_where_nothing_is_wanted_outside(
    minutes: int, falls: bool
) -> None:
    """Once what was paid for it is used up."""
    night = datetime(2026, 3, 2, 18, 0, tzinfo=NOON.tzinfo)
    changed = night - timedelta(minutes=minutes)
    seen = alias(49, night, minutes=steady(40, night), changed_at=changed)
    decision = decide(seen, written(0, 20, 49, ago=[500, minutes], now=night), RULES)
    if falls:
        assert level_of(decision) == 0
    else:
        assert isinstance(decision, Wait)


@pytest.mark.parametrize(
    ("ago", "again"), [(3, 11 * 60 - 10), (12, 110), (13.9, 300 - 4), (4, 10 * 60 - 10)]
)
def test_what_a_burst_left_is_looked_at_again_when_it_may_fall(ago: float, again: int) -> None:
    """In the last 70 seconds of five minutes that are paid for, and after the hold."""
    decision = decide(
        replace(burst(ago, ago), minutes=steady(38)), written(5, 40, ago=[ago]), RULES
    )
    assert isinstance(decision, Wait)
    assert decision.again == again


# how far


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (alias(5, wish=replace(ALWAYS, maximum=5)), "maximum"),
        (alias(5, room=replace(alias().room, unreserved=105)), "account-headroom"),
        (alias(5, room=replace(alias().room, unreserved=None, reserved=5)), "reserved-concurrency"),
        (variant(5, room=replace(variant(5).room, max_concurrency=5)), "max-concurrency"),
        (alias(5, memory_gb=10_000.0 / 15), "too-dear"),
    ],
)
def test_what_has_no_room_is_refused_by_name(seen: Seen, code: str) -> None:
    wish = seen.wish if code == "maximum" else ALWAYS
    full = replace(seen, wish=wish, minutes=bursting(30, 600, 4))
    decision = decide(full, None, RULES)
    assert isinstance(decision, Refuse), decision
    assert (decision.code, decision.page) == (code, True)


def test_what_has_some_room_takes_it_and_says_why_it_takes_no_more() -> None:
    room = replace(alias().room, unreserved=120)
    decision = decide(alias(5, room=room, wish=ALWAYS, minutes=bursting(30, 600, 4)), None, RULES)
    assert level_of(decision) == 20
    assert "41 are wanted, but" in decision.reason


def test_want_of_account_concurrency_names_the_quota_and_what_is_missing() -> None:
    room = replace(alias().room, unreserved=105, limit=1000)
    decision = decide(alias(5, room=room, wish=ALWAYS, minutes=bursting(30, 600, 4)), None, RULES)
    assert isinstance(decision, Refuse)
    said = {key: decision.evidence[key] for key in ("service_code", "quota_code", "limit", "delta")}
    assert said == {
        "service_code": "lambda",
        "quota_code": "L-B99A9384",
        "limit": 1000,
        "delta": 36,
    }


# any traffic


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=20, max_size=90),
    st.sampled_from([ALWAYS, replace(OFFICE, minimum=4), Wish()]),
    st.integers(0, 3),
)
def test_any_traffic_keeps_within_bounds_and_never_goes_back_within_the_hold(
    demand: list[int], wish: Wish, allocation: int
) -> None:
    """A minute a look; what was asked for is ready some minutes later, all at once."""
    level, ready_at, changed = 5, NOON - timedelta(days=1), NOON - timedelta(hours=3)
    usable = level
    incident: Incident | None = None
    minutes: list[Minute] = list(steady(0))
    moves: list[tuple[datetime, int, int]] = []
    for step, wanted in enumerate(demand):
        now = NOON + timedelta(minutes=step + 1)
        if now >= ready_at:
            usable = level
        spilled = max(0, wanted - usable) * 60.0
        minutes.append(minute(1, wanted, spilled, now))
        status = Status.READY if now >= ready_at else Status.IN_PROGRESS
        seen = alias(
            level,
            now,
            wish=wish,
            available=usable,
            status=status,
            changed_at=changed,
            minutes=tuple(minutes[-15:]),
        )
        decision, incident = follow(seen, incident, RULES)
        if not isinstance(decision, Act):
            continue
        to = level_of_dial(decision.write)
        assert status is Status.READY
        assert to <= (wish.maximum or RULES.maximum)
        assert to >= (wish.minimum or 0)
        moves.append((now, level, to))
        changed, ready_at = now, now + timedelta(minutes=allocation if to > level else 0)
        level = to
    for (first, was, over), (then, stood, back) in itertools.combinations(moves, 2):
        if then - first < HOLD:
            assert not (over > was and back <= was < stood), moves
            assert not (over < was and back == was), moves
