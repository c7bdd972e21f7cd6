"""Demand that is ten times what it was from one instant to the next, and how long requests spill over.

The remediation beside target tracking, on the same requests, both from the same level.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from statistics import fmean, median

from benchmarks.figures import Figure, Measurement
from benchmarks.pc_policies import MOST, OURS, POLICIES, TRACKING, dollars, in_parallel
from benchmarks.pc_simulator import Fixed, Played, Site, play, spill
from benchmarks.pc_traffic import MINUTE, enough, step

SEEDS, FEWER, MORE = 20, 6, 140
"""Of each case, of those that show what matters, and of the steps x10 beyond the first, to see how rare
what is not among those is."""
QUIET, AFTER = 20, 45
"""Minutes before and after the step; the step is in the minute after the quiet ones."""
SPILL = 0.01
"""Share of a minute's requests, above which the minute counts."""
AT_FIRST = 0.001
"""Share of requests that the level may spill over that stands before the step."""
SERVICE = 6.0
OVER = 5
"""Minutes in a row without much spillover after which a step is over."""
SITE = Site()
WINDOW = 30
"""Minutes after the step, of which the spill is told as a whole."""


@dataclass(frozen=True)
class Case:
    """before, after: requests in flight at once, on average. service: seconds of one. alarmed: whether
    the alarm on spillover that is recommended for an alias is there, beside the heartbeat."""

    before: float
    after: float
    service: float = SERVICE
    site: Site = SITE
    alarmed: bool = True

    @property
    def floor(self) -> int:
        """The level that its owner chose for the quiet time."""
        return enough(self.before, AT_FIRST)


@dataclass(frozen=True)
class Result:
    """minutes: whole ones since the step of which more than SPILL spilled over, until the step was
    over. rises: until then. later: such minutes after that. changes: before the step and after it
    was over, to what else came. spill: share of the requests of the WINDOW. cost: to that of no
    provisioned concurrency. highest: level."""

    minutes: int
    rises: int
    later: int
    changes: int
    spill: float
    cost: float
    highest: int


USUAL = Case(5, 50)
TENFOLD = (USUAL, Case(20, 200))
OTHERS = (Case(20, 60), Case(50, 100))


def measure(say: Callable[[str], None]) -> Measurement:
    """All cases with all seeds."""
    sensitive = dict(_sensitive())
    todo = [
        *((case, list(POLICIES), seed) for case in (*TENFOLD, *OTHERS) for seed in range(SEEDS)),
        *(
            (case, [OURS, TRACKING], seed)
            for case in sensitive.values()
            if case != USUAL
            for seed in range(FEWER)
        ),
    ]
    beyond = [(case, [OURS], seed) for case in TENFOLD for seed in range(SEEDS, SEEDS + MORE)]
    say(f"{len(todo)} steps")
    done: dict[tuple[Case, str], list[Result]] = {}
    for (case, _, _), found in zip(todo, in_parallel(_played, todo), strict=True):
        for policy, result in found.items():
            done.setdefault((case, policy), []).append(result)
    tenfold = [r for case in TENFOLD for r in done[case, OURS]]
    tracked = [r for case in TENFOLD for r in done[case, TRACKING]]
    rest = [found[OURS] for found in in_parallel(_played, beyond)]
    return Measurement(
        figures=[
            Figure(
                "Minutes above 1 % spillover after a step x10, worst",
                max(r.minutes for r in tenfold),
                goal=4,
            ),
            Figure("The same minutes, median", median(r.minutes for r in tenfold)),
            Figure("Steps x10 over in 4 minutes", _share(r.minutes <= 4 for r in tenfold), "%"),
            Figure("Rises after a step x10, most", max(r.rises for r in tenfold), goal=1),
            Figure("Steps x10 that one rise answered", _share(r.rises == 1 for r in tenfold), "%"),
            Figure(
                f"Of {len(rest)} more, over in 4 minutes", _share(r.minutes <= 4 for r in rest), "%"
            ),
            Figure("Of them, the worst", max(r.minutes for r in rest)),
            Figure("Of them, answered by one rise", _share(r.rises == 1 for r in rest), "%"),
            Figure(
                "The same minutes with target tracking at 0.7, median",
                median(r.minutes for r in tracked),
            ),
            Figure("With target tracking at 0.7, least", min(r.minutes for r in tracked)),
            Figure("Its rises, median", median(r.rises for r in tracked)),
        ],
        parts=[
            *_parts(done),
            *(
                Figure(f"{name}: minutes above 1 %, worst{_beside(done, case)}", worst)
                for name, case in sensitive.items()
                for worst in [max(r.minutes for r in done[case, OURS])]
            ),
        ],
        settings=_settings(),
        limits=LIMITS,
    )


def _share(cases: Iterable[bool]) -> float:
    """Of 100."""
    return 100 * fmean(cases)


def _beside(done: Mapping[tuple[Case, str], Sequence[Result]], case: Case) -> str:
    """Of the same case, what else there is to know of it."""
    ours, theirs = done[case, OURS], done[case, TRACKING]
    rises = max(r.rises for r in ours)
    return f" (rises {rises}; target tracking {max(r.minutes for r in theirs)})"


def _parts(done: Mapping[tuple[Case, str], Sequence[Result]]) -> Iterator[Figure]:
    for case in (*TENFOLD, *OTHERS):
        for policy in POLICIES:
            found = done[case, policy]
            name = f"{case.before:g} to {case.after:g}, {policy}"
            yield Figure(f"{name}: minutes above 1 %, worst", max(r.minutes for r in found))
            yield Figure(f"{name}: minutes above 1 %, median", median(r.minutes for r in found))
            yield Figure(f"{name}: rises, most", max(r.rises for r in found))
            share = 100 * median(r.spill for r in found)
            yield Figure(f"{name}: spillover of {WINDOW} minutes, median", share, "%")
            yield Figure(f"{name}: cost to on demand, median", median(r.cost for r in found))


def _sensitive() -> Iterator[tuple[str, Case]]:
    for seconds in (60, 120, 180, 240, 360):
        yield f"allocation {seconds} s", replace(USUAL, site=Site(allocation=seconds))
    for service in (0.1, 1.0, 6.0, 30.0):
        yield f"requests of {service:g} s", replace(USUAL, service=service)
    for seconds in (0, 30, 60, 120):
        yield f"metrics {seconds} s late", replace(USUAL, site=Site(publishing=seconds))
    yield "heartbeat alone, no alarm", replace(USUAL, alarmed=False)


def _played(given: tuple[Case, Sequence[str], int]) -> dict[str, Result]:
    return results(*given)


def results(case: Case, policies: Sequence[str], seed: int) -> dict[str, Result]:
    """The same requests with each policy. Where in a minute the step, the heartbeat and the alarm's
    evaluation are, is drawn from the seed."""
    chance = random.Random(seed)
    at = (QUIET + chance.random()) * MINUTE
    phase, alarm = (chance.random() * MINUTE for _ in range(2))
    site = replace(case.site, phase=phase, alarm=alarm if case.alarmed else None)
    load = step(case.before, case.after, at, at + AFTER * MINUTE, case.service, seed)
    bare = dollars(play(load, site, 0, Fixed()))
    found = {}
    for policy in policies:
        played = play(load, site, case.floor, POLICIES[policy](case.floor))
        found[policy] = judge(played, at, dollars(played) / bare)
    return found


def judge(played: Played, at: float, cost: float) -> Result:
    """at: when the step was, from which minutes are counted. It is over when OVER minutes in a row
    had no more than SPILL."""
    bad = {
        minute
        for minute, each in played.counts.items()
        if minute >= 0 and each.spilled > SPILL * each.invocations
    }
    over = next(minute for minute in count() if not bad & set(range(minute, minute + OVER)))
    answer = [each for each in played.changes if 0 <= each.at - at < (over + OVER) * MINUTE]
    return Result(
        minutes=sum(minute < over for minute in bad),
        rises=sum(each.level > each.before for each in answer),
        later=sum(minute >= over for minute in bad),
        changes=len(played.changes) - len(answer),
        spill=spill(played.between(0, WINDOW)),
        cost=cost,
        highest=max((each.level for each in answer), default=0),
    )


def _settings() -> dict[str, object]:
    return {
        "seeds": [SEEDS, FEWER, MORE],
        "minutes_before_and_after": [QUIET, AFTER],
        "service_seconds": SERVICE,
        "site": {k: v for k, v in asdict(SITE).items() if k not in ("phase", "alarm")},
        "levels_before": {f"{case.before:g}": case.floor for case in (*TENFOLD, *OTHERS)},
        "maximum": MOST,
        "spill_at_first": AT_FIRST,
    }


LIMITS = (
    "Simulated: allocation lasts as long as is set, and nobody but AWS knows how Application Auto"
    " Scaling works inside; what is not published is taken in its favour.",
    "The heartbeat, with its echo half a minute later, and the alarm that is recommended each come at a"
    " moment of the minute that is drawn. Metrics are told a minute late.",
    "A rise adds to what was in flight at most while the burst was seen, which is a sample: what wavers"
    " beyond it spills over in a minute now and then, which then counts as the step's.",
    "Where allocation alone lasts longer than 4 minutes, so does the spillover, whoever asks for more.",
)
