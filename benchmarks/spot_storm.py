"""A thousand interruption warnings over ten groups, through the deployed stack: what was done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil
from typing import Any

from benchmarks.deployed import Deployed
from benchmarks.figures import Figure, Measurement
from benchmarks.scene import wait_for
from benchmarks.spot_scene import Losses, SpotScene, storm
from local.pocket import Pocket

GROUPS, SIZE, WARNED_OF_EACH = 10, 120, 100
SEED = 20260302
BURST, SPREAD = 5.0, 60.0
"""Seconds over which the events of the two storms come."""
BURST_GOAL, PACE, PACE_GOAL, FIRST_GOAL = 2, 5.0, 1, 10.0
A_CALL = 50
"""Instances that one DescribeAutoScalingInstances may name (API reference)."""
NOTICE = 45.0
AFTER = 15.0
"""Seconds that groups are left alone after the last of the warned instances is gone."""
UPDATE, DETACH = "UpdateAutoScalingGroup", "DetachInstances"
LOOKUP = "DescribeAutoScalingInstances"
LOOK = "DescribeInstanceRefreshes"
"""Called once at each look at a group."""
SETTINGS = {
    "spot_fallback": {
        "on_demand_units": 1000,
        "on_demand_dollars_per_hour": 100_000,
        "hold_seconds": 3600,
    }
}
LIMITS = (
    "The pocket account answers one call at a time, on the cores that the functions run on as well:"
    " five invocations wait for each other there, as they do not on AWS. What carries over is the"
    " number of looks and of calls a look; the seconds to the first update are mostly that waiting.",
    "They have cold starts and the queue's window of 1 s in them; a batch looks at its groups one"
    " after the other, first at those that no other batch has just looked at.",
    "That an update ends no healthy Spot is shown against the pocket account's reading of how a"
    " group follows a changed distribution: one by one, new before old, the newest first. AWS does"
    " not document which instances it chooses.",
    "The notice is 45 s instead of two minutes, so that the run is short; for what must be done in"
    " time that is the harder case.",
    "Every second group lists a type that Spot still has: On-Demand is bought there too, for exactly"
    " what was warned.",
    "The caps on On-Demand are set beyond need; with the default of 20 instances a group the rest is"
    " told instead of bought.",
)


@dataclass(frozen=True)
class Storm:
    """One storm, played out. updates: when each group was updated, epoch seconds, in order. firsts:
    seconds from a group's first warning to its first update. lookups: instances that each look-up
    named, by invocation. waited: seconds that the function's calls took, all together. took: seconds
    over which the events came; whole: from their end until all groups were in service."""

    updates: Mapping[str, Sequence[float]]
    firsts: Mapping[str, float]
    lookups: Mapping[str, Sequence[int]]
    operations: Mapping[str, int]
    waited: float
    losses: Losses
    took: float
    whole: float
    reports: Sequence[float]
    failed: int

    @property
    def most_updates(self) -> int:
        """Updates of the group that had most."""
        return max(len(times) for times in self.updates.values())

    @property
    def slowest(self) -> float:
        """Seconds from the first warning to the first update of the group that waited longest."""
        return max(self.firsts.values())

    @property
    def crowded(self) -> int:
        """The most updates that one group had within PACE seconds."""
        return max(most_within(times, PACE) for times in self.updates.values())

    @property
    def gap(self) -> float | None:
        """The fewest seconds between two updates of one group; None where no group had two."""
        gaps = [b - a for times in self.updates.values() for a, b in pairwise(times)]
        return min(gaps, default=None)

    @property
    def lookup_ratio(self) -> float:
        """Look-ups of the invocation that made most, times the fewest that A_CALL allows."""
        return max(len(named) / ceil(sum(named) / A_CALL) for named in self.lookups.values())


def most_within(times: Sequence[float], seconds: float) -> int:
    """How many of the moments lie in the fullest stretch shorter than so many seconds."""
    ordered = sorted(times)
    return max(
        (sum(start <= each < start + seconds for each in ordered) for start in ordered), default=0
    )


def measure(say: Callable[[str], None]) -> Measurement:
    """Both storms, each in an account of its own."""
    burst, spread = (_play(seconds, say) for seconds in (BURST, SPREAD))
    storms = {f"{BURST:.0f} s": burst, f"{SPREAD:.0f} s": spread}
    both = list(storms.values())
    return Measurement(
        figures=[
            Figure(
                "1,000 warnings within 5 s: updates of a group", burst.most_updates, goal=BURST_GOAL
            ),
            Figure(
                "1,000 warnings over 60 s: updates of a group in any 5 s",
                spread.crowded,
                goal=PACE_GOAL,
            ),
            *(
                Figure(
                    f"1,000 warnings {over} {seconds:.0f} s: first warning of a group to its first"
                    f" update, slowest of {GROUPS} groups",
                    each.slowest,
                    "s",
                    FIRST_GOAL,
                )
                for over, seconds, each in (("within", BURST, burst), ("over", SPREAD, spread))
            ),
            Figure(
                "Healthy Spot Instances that a storm ended",
                max(each.losses.ended for each in both),
                goal=0,
            ),
            Figure("Instances missing after a storm", max(e.losses.missing for e in both), goal=0),
            Figure(
                "Look-ups of instances, times the fewest with 50 a call",
                max(each.lookup_ratio for each in both),
                goal=1,
            ),
        ],
        parts=[part for name, each in storms.items() for part in _parts(name, each)],
        settings={
            "groups": GROUPS,
            "instances_of_a_group": SIZE,
            "warned_of_a_group": WARNED_OF_EACH,
            "recommended_to_leave_of_a_group": WARNED_OF_EACH,
            "seed": SEED,
            "notice_seconds": NOTICE,
            "settings": SETTINGS,
            "heartbeat": "every minute, as deployed",
        },
        limits=LIMITS,
    )


def _parts(name: str, storm: Storm) -> Iterator[Figure]:
    yield Figure(f"{name}: events came over", storm.took, "s")
    yield Figure(f"{name}: updates of a group, most", storm.most_updates)
    yield Figure(f"{name}: updates of a group in any 5 s", storm.crowded)
    if storm.gap is not None:
        yield Figure(f"{name}: between two updates of a group, least", storm.gap, "s")
    yield Figure(f"{name}: first warning to first update, fastest", min(storm.firsts.values()), "s")
    yield Figure(f"{name}: last warning to all in service", storm.whole, "s")
    yield Figure(f"{name}: healthy Spot ended", storm.losses.ended)
    yield Figure(f"{name}: On-Demand beyond what was warned", storm.losses.surplus)
    for operation in (UPDATE, DETACH, LOOKUP):
        yield Figure(f"{name}: {operation}", storm.operations.get(operation, 0))
    looks = storm.operations[LOOK]
    yield Figure(f"{name}: looks at a group", looks)
    yield Figure(f"{name}: calls a look", sum(storm.operations.values()) / looks)
    yield Figure(f"{name}: seconds a look waits for its calls", storm.waited / looks, "s")
    most = max(count for named in storm.lookups.values() for count in named)
    yield Figure(f"{name}: instances in one look-up, most", most)
    yield Figure(f"{name}: invocations", len(storm.reports))
    yield Figure(f"{name}: longest invocation", max(storm.reports), "s")
    yield Figure(f"{name}: looks that failed and were taken up again", storm.failed)


def _play(seconds: float, say: Callable[[str], None]) -> Storm:
    with Pocket() as account:
        say(f"{GROUPS} groups of {SIZE} Spot Instances")
        scene = SpotScene(account, GROUPS, SIZE)
        say("deploying the stack")
        stack = Deployed(account, "SpotFallbackFunctionArn", SETTINGS)
        since = datetime.now(UTC).isoformat()
        blows = storm(scene.before, WARNED_OF_EACH, seconds, SEED)
        say(f"{len(blows)} events over {seconds:.0f} s")
        took = scene.strike(blows, NOTICE)
        last = time.time()
        wait_for("groups in service", lambda: scene.whole() or None, every=2)
        whole = time.time() - last
        say("waiting until EC2 has taken what it warned")
        time.sleep(max(0.0, last + NOTICE + AFTER - time.time()))
        calls = account.calls(caller=stack.function, since=since)
        updates = updates_of(calls)
        missing = sorted(set(scene.before) - set(updates))
        if missing:
            raise AssertionError(f"no update of {', '.join(missing)}")
        first = scene.first_warnings()
        return Storm(
            updates=updates,
            firsts={name: times[0] - first[name] for name, times in updates.items()},
            lookups=lookups_of(calls),
            operations=Counter(call["operation"] for call in calls),
            waited=sum(call["milliseconds"] for call in calls) / 1000,
            losses=scene.losses(),
            took=took,
            whole=whole,
            reports=stack.reports(),
            failed=stack.logged('"look failed"'),
        )


def updates_of(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """When each group was updated, in order; refused calls are none."""
    found: dict[str, list[float]] = {}
    for call in calls:
        if call["operation"] == UPDATE and call["status"] < 300:
            moment = datetime.fromisoformat(call["time"]).timestamp()
            found.setdefault(call["parameters"]["AutoScalingGroupName"], []).append(moment)
    return {name: sorted(times) for name, times in found.items()}


def lookups_of(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """How many instances each look-up named, by invocation."""
    found: dict[str, list[int]] = {}
    for call in calls:
        if call["operation"] == LOOKUP:
            named = sum(name.startswith("InstanceIds.") for name in call["parameters"])
            found.setdefault(call["trace"], []).append(named)
    return found
