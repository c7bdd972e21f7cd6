"""Two weeks of 16 real request rates: levels that are left and come back to, spillover, and cost.

The remediation without a schedule beside target tracking, on the same requests. REMEDIATION_DATA names
the folder that holds `servegen/`, of github.com/alibaba/ServeGen (`data/*/chunk-*-trace.csv`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.figures import Figure, Measurement
from benchmarks.pc_policies import MOST, OURS, POLICIES, TRACKING, dollars, in_parallel
from benchmarks.pc_simulator import Fixed, Site, overtakes, play, returns, spill
from benchmarks.pc_traffic import DAY, MINUTE, Trace, data_folder, draw, servegen

SEED = 20260302
CONCURRENCY, SERVICE = 18.0, 6.0
"""Requests in flight at once, on average over a trace, and seconds of one."""
MOST_CV = 2.0
"""Of the time between two requests. What a trace tells above it is of many clients together."""
KNOWN = 7 * DAY
FLOOR = 0.4
"""The floor is the level that is busy for three fifths of the time in the first week: there an
environment just pays (0.6 is where the prices break even)."""
WITHIN = 600.0
SITE = Site(phase=20.0)
PEERS = (TRACKING,)
SLO = 0.005
"""Share of requests that may spill over for a trace to count as well served."""


@dataclass(frozen=True)
class Result:
    """flaps: when a level was come back to that was left less than WITHIN before, in seconds.
    overtaken: when one was gone beyond that was left for a lower one as short a time before. changes:
    a day. cost: to that of no provisioned concurrency. cold: cold starts to those of none."""

    trace: str
    policy: str
    floor: int
    flaps: Sequence[float]
    overtaken: int
    changes: float
    spill: float
    worst_hour: float
    cost: float
    cold: float


def measure(say: Callable[[str], None]) -> Measurement:
    """Every trace with every policy. Raises NoData when the traces are not there."""
    traces = servegen(data_folder("servegen"))
    say(f"{len(traces)} traces of {traces[0].seconds / DAY:.0f} days")
    found: dict[str, list[Result]] = {policy: [] for policy in (OURS, *PEERS)}
    for results in in_parallel(played, traces):
        for each in results:
            found[each.policy].append(each)
        say(f"{results[0].trace}: {'; '.join(_line(each) for each in results)}")
    ours = found[OURS]
    return Measurement(
        figures=[
            Figure(
                "Levels left and come back to within 10 minutes, 16 traces of 14 days",
                sum(len(each.flaps) for each in ours),
                goal=0,
            ),
            *_compared(found),
        ],
        parts=list(_parts(found)),
        settings={
            "seed": SEED,
            "mean_concurrency": CONCURRENCY,
            "service_seconds": SERVICE,
            "cv_at_most": MOST_CV,
            "floors": {each.trace: each.floor for each in ours},
            "maximum": MOST,
            "phase_seconds": SITE.phase,
            "flaps": {
                each.trace: [round(t) for t in each.flaps][:10] for each in ours if each.flaps
            },
            "more_spillover_than_target_tracking": _losses(found, lambda each: each.spill),
            "dearer_than_target_tracking": _losses(found, lambda each: each.cost),
        },
        limits=LIMITS,
    )


def _line(each: Result) -> str:
    return (
        f"{each.policy} spills {100 * each.spill:.2f} % at {each.cost:.3f},"
        f" {each.changes:.0f} changes a day, {len(each.flaps)} come back to"
    )


def _compared(found: Mapping[str, Sequence[Result]]) -> Iterator[Figure]:
    for policy, results in found.items():
        well = sum(each.spill <= SLO for each in results)
        cost = fmean(each.cost for each in results)
        yield Figure(f"Traces with at most 0.5 % spillover, {policy}", well)
        yield Figure(f"Their cost to on demand, mean of all, {policy}", cost)


def _parts(found: Mapping[str, Sequence[Result]]) -> Iterator[Figure]:
    for policy, results in found.items():
        yield Figure(f"{policy}: levels come back to", sum(len(each.flaps) for each in results))
        overtaken = sum(each.overtaken for each in results)
        yield Figure(f"{policy}: levels left and gone beyond within 10 minutes", overtaken)
        yield Figure(f"{policy}: changes a day, median", median(each.changes for each in results))
        yield Figure(f"{policy}: changes a day, most", max(each.changes for each in results))
        yield Figure(f"{policy}: spillover, median", 100 * median(r.spill for r in results), "%")
        yield Figure(f"{policy}: spillover, worst", 100 * max(r.spill for r in results), "%")
        worst = 100 * median(each.worst_hour for each in results)
        yield Figure(f"{policy}: spillover of a trace's worst hour, median", worst, "%")
        yield Figure(f"{policy}: cost to on demand, median", median(r.cost for r in results))
        cold = 100 * median(each.cold for each in results)
        yield Figure(f"{policy}: cold starts to those of none, median", cold, "%")


def _losses(
    found: Mapping[str, Sequence[Result]], value: Callable[[Result], float]
) -> dict[str, list[float]]:
    """Traces of which target tracking's value is the lower one, with ours and its."""
    pairs = zip(found[OURS], found[TRACKING], strict=True)
    return {
        ours.trace: [round(value(ours), 4), round(value(theirs), 4)]
        for ours, theirs in pairs
        if value(ours) > value(theirs)
    }


def played(trace: Trace) -> list[Result]:
    """One trace with each policy, and with none."""
    stretches = trace.scaled(CONCURRENCY, SERVICE, MOST_CV)
    load = draw(stretches, trace.seconds, SERVICE, SEED)
    known = sorted(each.rate * SERVICE for each in stretches if each.begin < KNOWN)
    floor = max(1, math.ceil(known[int(FLOOR * len(known))]))
    bare = play(load, SITE, 0, Fixed())
    cold = sum(each.cold for each in bare.counts.values())
    results = []
    for policy in (OURS, *PEERS):
        it = play(load, SITE, floor, POLICIES[policy](floor))
        hours = range(0, int(load.seconds // MINUTE), 60)
        results.append(
            Result(
                trace=trace.name,
                policy=policy,
                floor=floor,
                flaps=[each.at for each in returns(it.changes, WITHIN)],
                overtaken=len(overtakes(it.changes, WITHIN)),
                changes=len(it.changes) / (load.seconds / DAY),
                spill=spill(it.counts.values()),
                worst_hour=max(spill(it.between(hour, hour + 60)) for hour in hours),
                cost=dollars(it) / dollars(bare),
                cold=sum(each.cold for each in it.counts.values()) / max(1, cold),
            )
        )
    return results


LIMITS = (
    "Rates are of 10 minutes; how requests come within them is drawn anew, with at most a coefficient"
    " of variation of 2, so bursts of seconds are modelled and not observed.",
    "The floor is learned from the first week and both weeks are played, for every policy alike.",
    "A rise beyond the level that was left is new demand and no coming back, but shows that the fall"
    " came too early: how often that was is told apart.",
    "One seed and one set of prices; spilled requests mostly meet an environment that is warm, which"
    " is why cold starts are told apart.",
    "Allocation is taken to last 2 minutes; how Application Auto Scaling works inside is not published.",
)
