"""The benchmarks of provisioned concurrency: the simulated alias, the peer, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks import pc_step
from benchmarks.pc_ours import Ours
from benchmarks.pc_simulator import (
    Alias,
    Change,
    Counts,
    Fixed,
    Played,
    Site,
    Told,
    overtakes,
    play,
    returns,
    spill,
)
from benchmarks.pc_tracking import TargetTracking
from benchmarks.pc_traffic import (
    NoData,
    Stretch,
    data_folder,
    draw,
    enough,
    read_servegen,
    servegen,
    step,
)
from functions.provisioned_concurrency.settings import UnitPrices

HOUR = 3600.0
SITE = Site(allocation=120, publishing=60, keep_alive=600, start=5)


# traffic


def test_a_seed_gives_one_load_and_another_seed_another() -> None:
    loads = [step(2, 20, 600, 1200, 3, seed) for seed in (1, 1, 2)]
    assert loads[0] == loads[1] != loads[2]


def test_requests_come_at_the_rate_and_last_as_long_as_asked() -> None:
    load = step(6, 60, HOUR, 2 * HOUR, 3, seed=1)
    before = sum(at < HOUR for at in load.arrivals)
    assert before == pytest.approx(2 * HOUR, rel=0.05)
    assert len(load.arrivals) - before == pytest.approx(20 * HOUR, rel=0.05)
    assert fmean(load.services) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("cv", [0.5, 1.0, 2.0])
def test_time_between_requests_varies_as_asked(cv: float) -> None:
    arrivals = draw([Stretch(0, 5, cv)], 4 * HOUR, 1, seed=1).arrivals
    gaps = [b - a for a, b in pairwise(arrivals)]
    mean = fmean(gaps)
    assert mean == pytest.approx(1 / 5, rel=0.05)
    assert fmean((gap - mean) ** 2 for gap in gaps) ** 0.5 / mean == pytest.approx(cv, rel=0.1)


def test_stretches_without_requests_have_none() -> None:
    load = draw([Stretch(0, 1), Stretch(100, 0), Stretch(200, 1)], 300, 1, seed=1)
    assert not [at for at in load.arrivals if 100 <= at < 200]
    assert max(load.arrivals) > 200


def test_a_trace_is_scaled_to_a_concurrency() -> None:
    trace = read_servegen("t", ["0,1,1.0,Gamma,0,0", "600,3,9.0,Weibull,0,0", "1200,0,,,,"])
    assert trace.seconds == 1800
    scaled = trace.scaled(concurrency=8, service=6, most_cv=2)
    assert [each.rate * 6 for each in scaled] == pytest.approx([6, 18, 0])
    assert [each.cv for each in scaled] == [1, 2, 1]


def test_without_the_data_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("REMEDIATION_DATA", raising=False)
    with pytest.raises(NoData, match="REMEDIATION_DATA is not set"):
        data_folder("servegen")
    monkeypatch.setenv("REMEDIATION_DATA", str(tmp_path))
    with pytest.raises(NoData, match=r"there is no .*servegen"):
        data_folder("servegen")
    with pytest.raises(NoData, match=r"trace\.csv"):
        servegen(tmp_path)


@pytest.mark.parametrize(("demand", "level"), [(0.5, 4), (1, 5), (5, 11), (10, 18), (20, 30)])
def test_a_level_is_enough_as_erlangs_table_says(demand: float, level: int) -> None:
    assert enough(demand, 0.01) == level


# the alias


def test_every_request_is_counted_once_and_what_ran_adds_up() -> None:
    load = step(3, 30, HOUR, 2 * HOUR, 3, seed=1)
    alias = Alias(SITE, 8)
    for at, service in zip(load.arrivals, load.services, strict=True):
        alias.arrive(at, service)
    alias.tell(load.seconds + HOUR)
    requests = len(load.arrivals)
    assert sum(each.invocations for each in alias.counts.values()) == requests
    assert sum(each.invocations for each in alias.told.values()) == requests
    spilled = sum(each.spilled for each in alias.counts.values())
    assert 0 < spilled == sum(each.spilled for each in alias.told.values()) < requests
    started = sum(each.cold for each in alias.counts.values()) * SITE.start
    ran = alias.on_provisioned + alias.on_demand
    assert ran == pytest.approx(sum(load.services) + started)


def test_littles_law_holds_on_the_environments() -> None:
    load = step(10, 10, HOUR, 5 * HOUR, 6, seed=1)
    played = play(load, SITE, 100, Fixed())
    assert played.on_provisioned / load.seconds == pytest.approx(10, rel=0.05)
    assert spill(played.counts.values()) == 0


def test_as_many_spill_over_as_erlang_says() -> None:
    load = step(10, 10, 10 * HOUR, 20 * HOUR, 6, seed=1)
    assert spill(play(load, SITE, 10, Fixed()).counts.values()) == pytest.approx(0.215, rel=0.1)


def test_more_is_usable_all_at_once_when_it_is_ready_and_less_at_once() -> None:
    alias = Alias(SITE, 2)
    alias.put(5, 1000)
    assert (alias.requested, alias.available, alias.in_progress(1119)) == (5, 2, True)
    with pytest.raises(RuntimeError, match="in progress"):
        alias.put(6, 1119)
    alias.allocate(1119.9)
    assert alias.available == 2
    alias.allocate(1120)
    assert (alias.available, alias.in_progress(1120)) == (5, False)
    alias.put(1, 2000)
    assert alias.available == 1


def test_an_idle_environment_stays_warm_for_its_time() -> None:
    alias = Alias(SITE, 0)
    for at in (0, 10, 620, 1221):
        alias.arrive(at, 1)
    cold = [each.cold for each in alias.counts.values()]
    assert (sum(cold), alias.counts[10].cold) == (2, 1)


def test_provisioned_time_is_billed_in_whole_blocks_the_newest_first() -> None:
    alias = Alias(SITE, 2)
    alias.put(5, 1000)
    alias.put(3, 1301)
    alias.put(1, 2000)
    alias.close(2400)
    blocks = 2 * 600 + 1 * 1200 + 1 * 2100 + 1 * 2400
    assert alias.billed == blocks


def test_a_play_costs_what_stands_and_what_runs() -> None:
    played = Played({}, [], billed=1000, on_provisioned=100, on_demand=10, seconds=0)
    prices = UnitPrices(on_demand=0.05, provisioned=0.001, duration=0.01)
    assert played.dollars(prices, 2) == pytest.approx(2 * (1 + 1 + 0.5))


# metrics


def test_a_minute_is_told_of_requests_that_ended_long_enough_ago() -> None:
    alias = Alias(SITE, 1)
    alias.arrive(10, 5)
    alias.arrive(11, 100)
    alias.tell(74)
    assert alias.told == {}
    alias.tell(75)
    assert alias.told[0].invocations == 1
    alias.tell(11 + 100 + 5 + 60)
    assert alias.told[0] == Told(2, 1, 2, 1, 105, 2, 2.0, 1.0)


def test_utilization_is_at_most_one_and_untold_while_nothing_is_provisioned() -> None:
    alias = Alias(SITE, 0)
    alias.arrive(0, 30)
    alias.put(1, 0)
    alias.allocate(120)
    alias.arrive(130, 30)
    alias.arrive(131, 30)
    alias.tell(1000)
    assert (alias.told[0].samples, alias.told[0].spilled) == (0, 0)
    assert (alias.told[2].samples, alias.told[2].highest, alias.told[2].spilled) == (2, 1, 1)


# looks


class Watch:
    """A controller that looks again 10 s after its first look, and notes when it was called."""

    def __init__(self, every: float = 60) -> None:
        self.every = every
        self.looks: list[float] = []
        self.evaluations: list[float] = []

    def look(self, alias: Alias, now: float) -> float:
        self.looks.append(now)
        return 10 if len(self.looks) == 1 else 0

    def evaluate(self, alias: Alias, now: float) -> float:
        self.evaluations.append(now)
        return 15 if len(self.evaluations) == 2 else 0


def test_looks_and_evaluations_come_each_minute_and_again_when_one_asks_for_it() -> None:
    watch = Watch()
    load = step(1, 1, 100, 200, 1, seed=1)
    play(load, replace(SITE, phase=20, alarm=50), 1, watch)
    assert watch.evaluations == [50, 110, 170]
    assert watch.looks == [20, 30, 80, 125, 140, 200]


def test_looks_come_as_often_as_the_controller_has_it() -> None:
    watch = Watch(every=30)
    play(step(1, 1, 100, 140, 1, seed=1), replace(SITE, phase=20), 1, watch)
    assert watch.looks == [20, 30, 50, 80, 110, 140]


def test_without_an_alarm_nothing_is_evaluated() -> None:
    watch = Watch()
    play(step(1, 1, 100, 200, 1, seed=1), replace(SITE, phase=20), 1, watch)
    assert (watch.evaluations, watch.looks[-1]) == ([], 200)


def test_an_alarm_on_spillover_calls_once_and_again_after_a_minute_without() -> None:
    """Nothing is looked at before the alarm; a level for which nothing is told is not in it."""
    ours, alias = Ours(1, 100), Alias(SITE, 1)
    calls: list[str] = []
    ours._look = lambda alias, now, cause: calls.append(f"{now:g} {cause}") or 0  # type: ignore
    spilled = (0, 3, 4, 0, 0, 2)
    for minute, each in enumerate(spilled):
        alias.told[minute] = Told(invocations=60, spilled=each, samples=60)
        assert ours.evaluate(alias, 60.0 * minute + 70) == 0
    assert calls == ["130 alarm", "370 alarm"]
    del alias.told[5]
    assert ours.evaluate(alias, 380.0) == 0
    assert len(calls) == 2


# target tracking


def tracked(level: int, used: Sequence[float], **different: bool) -> Alias:
    """An alias that target tracking has looked at after minutes of such utilization."""
    alias = Alias(SITE, level)
    peer = TargetTracking(0.7, 1, 100, **different)
    for minute, share in enumerate(used):
        if share:
            top = min(1.0, share + 0.1)
            alias.told[minute] = Told(samples=4, utilization=4 * share, highest=top)
        peer.look(alias, 60.0 * (minute + 1))
    return alias


def levels(alias: Alias) -> list[int]:
    return [each.level for each in alias.changes]


def test_three_datapoints_above_its_target_raise_in_proportion() -> None:
    assert levels(tracked(10, [0.9, 0.9])) == []
    assert levels(tracked(10, [0.9, 0.9, 0.9])) == [13]
    assert levels(tracked(10, [0.9, 0.5, 0.9, 0.9])) == []


def test_a_saturated_metric_lets_it_grow_by_no_more_than_one_over_its_target() -> None:
    alias = tracked(10, [1.0] * 30)
    assert len(alias.changes) > 4
    for change in alias.changes:
        assert change.level <= ceil(change.before / 0.7)
    gaps = [b.at - a.at for a, b in pairwise(alias.changes)]
    assert min(gaps) >= SITE.allocation


def test_waiting_for_new_datapoints_makes_it_slower() -> None:
    eager, patient = tracked(10, [1.0] * 12), tracked(10, [1.0] * 12, patient=True)
    assert len(eager.changes) > len(patient.changes) > 1


def test_fifteen_datapoints_of_the_level_that_stands_lower_it_to_the_highest_of_them() -> None:
    assert levels(tracked(10, [0.5] * 14)) == []
    assert levels(tracked(10, [0.55, *[0.35] * 14])) == [8]
    assert levels(tracked(10, [0.65, *[0.5] * 14])) == []
    steps = tracked(20, [0.35] * 30).changes
    assert [(each.at, each.level) for each in steps] == [(900, 10)]


def test_the_maximum_is_above_the_average() -> None:
    assert levels(tracked(10, [0.65] * 3)) == []
    assert levels(tracked(10, [0.65] * 3, highest=True)) == [11]


def test_without_traffic_it_does_nothing_for_ever() -> None:
    assert levels(tracked(50, [0.0] * 60)) == []
    assert levels(tracked(50, [*[0.2] * 10, *[0.0] * 60])) == []


# what is counted


def change(at: float, before: int, level: int) -> Change:
    return Change(at, before, level)


def test_a_level_that_is_left_and_come_back_to_too_soon_is_counted() -> None:
    rise, back = change(0, 10, 20), change(599, 20, 10)
    assert returns([rise, back], 600) == [back]
    assert returns([rise, replace(back, at=600)], 600) == []
    assert returns([rise, change(599, 20, 11)], 600) == []
    assert returns([rise, change(599, 20, 5)], 600) == [change(599, 20, 5)]
    fall, up = change(0, 20, 10), change(300, 10, 20)
    assert returns([fall, up], 600) == [up]
    assert returns([fall, change(300, 10, 19)], 600) == []
    assert returns([fall, change(300, 10, 21)], 600) == []


def test_it_is_counted_over_steps_between_and_once_for_each_way_back() -> None:
    ladder = [change(0, 10, 20), change(60, 20, 30), change(120, 30, 8)]
    assert returns(ladder, 600) == [ladder[2]]
    falls = [change(0, 30, 20), change(60, 20, 10), change(120, 10, 30), change(180, 30, 40)]
    assert returns(falls, 600) == [falls[2]]


def test_a_rise_beyond_a_level_that_was_just_left_is_told_apart() -> None:
    fall, up = change(0, 20, 10), change(300, 10, 25)
    assert overtakes([fall, up], 600) == [up]
    assert overtakes([fall, replace(up, at=600)], 600) == []
    assert overtakes([fall, change(300, 10, 20)], 600) == []
    further = [fall, up, change(400, 25, 30)]
    assert overtakes(further, 600) == [up]
    assert overtakes([change(0, 10, 20), change(300, 20, 25)], 600) == []


def test_a_step_is_judged_from_its_minute_on_until_it_is_over() -> None:
    bad, good = Counts(100, 2, 0), Counts(100, 1, 0)
    played = Played(
        counts={-1: bad, 0: bad, 1: good, 2: bad, **dict.fromkeys(range(3, 8), good), 8: bad},
        changes=[change(50, 5, 6), change(130, 6, 20), change(300, 20, 15), change(580, 15, 30)],
        billed=0,
        on_provisioned=0,
        on_demand=0,
        seconds=0,
    )
    found = pc_step.judge(played, at=100, cost=1.5)
    assert (found.minutes, found.rises, found.later, found.changes) == (2, 1, 1, 2)
    assert found.spill == pytest.approx(12 / 900)
    assert found.highest == 20
