"""The way from the dial as it stands to the goal, one permitted call at a time. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.core.decision import Act, Decision, Dial, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.traffic_shift.observation import Observation, Rules

SMALLEST_STEP = 0.01
"""Share of the traffic to be moved that is worth a call of its own."""


def stands(dial: Dial, written: Dial) -> bool:
    """Whether the weights are as written. Counts may follow autoscaling without anyone's word."""
    return dial.keys() == written.keys() and all(
        math.isclose(dial[name]["weight"], written[name]["weight"], rel_tol=1e-4, abs_tol=1e-6)
        for name in dial
    )


def step(
    seen: Observation,
    goal: Dial,
    before: Dial,
    evidence: Mapping[str, Any],
    rules: Rules,
    why: str,
) -> Decision:
    """The next single call towards `goal`: what is carried now, then instances, then the rest.

    One call changes weights, or the instance count of one variant: UpdateEndpointWeightsAndCapacities
    documents no more, and an endpoint that is Updating takes no second call.
    """
    if not stands(seen.dial, goal) and not any(each.per_minute for each in seen.loads.values()):
        return Wait("no requests were seen lately, so what is carried is unknown")
    shortages = [
        shortage
        for name in goal
        if grows(goal, before, name) and (shortage := _shortage(seen, goal, before, name))
    ]
    if not shortages:
        if stands(seen.dial, goal):
            return Settled(f"the weights stand as decided: {_shares(goal)}", evidence)
        return Act(why, _with_weights(seen.dial, goal), goal, Move.SAFETY, evidence)
    raised = {
        s.name: min(s.need, before[s.name]["count"] + rules.instances_added) for s in shortages
    }
    goal = {n: {**v, "count": raised.get(n, v["count"])} for n, v in goal.items()}
    added = {s.name: [s.have, raised[s.name]] for s in shortages}
    evidence = {**evidence, "instances": {**evidence.get("instances", {}), **added}}
    needs = ", ".join(
        f"{s.name} carries {s.part:.0%} of the move on {s.have} instances, all of it on {s.need}"
        for s in shortages
    )
    partial = _between(before, goal, min(s.part for s in shortages))
    if _progress(seen.dial, before, goal) + SMALLEST_STEP < _progress(partial, before, goal):
        write = _with_weights(seen.dial, partial)
        return Act(f"{why}; {needs}", write, goal, Move.SAFETY, evidence)
    for name, count in raised.items():
        if seen.dial[name]["count"] < count:
            write = {**seen.dial, name: {**seen.dial[name], "count": count}}
            return Act(f"{why}; {needs}", write, goal, Move.SAFETY, evidence)
    return Refuse(
        "instances-limit",
        f"{needs}; one action may add {rules.instances_added}. What is carried has moved, the "
        "rest stays where it fails",
        page=True,
        evidence=evidence,
    )


def put_back(seen: Observation, goal: Dial, incident: Incident) -> Decision:
    """Towards the dial as it was before: weights first, then the instances that were added."""
    why = f"{incident.reverted_by} asks to put it back"
    if not stands(seen.dial, goal):
        write = _with_weights(seen.dial, goal)
        return Act(why, write, goal, Move.FORWARD, incident.evidence)
    for name, (_, added_to) in incident.evidence.get("instances", {}).items():
        if seen.dial[name]["count"] == added_to != goal[name]["count"]:
            write = {**seen.dial, name: {**seen.dial[name], "count": goal[name]["count"]}}
            return Act(why, write, goal, Move.FORWARD, incident.evidence)
    return Settled(f"it stands as it did before: {_shares(goal)}", incident.evidence)


@dataclass(frozen=True)
class _Shortage:
    """have, need: instances. part: of the whole move that `have` instances carry, 0 to 1."""

    name: str
    have: int
    need: int
    part: float


def _shortage(seen: Observation, goal: Dial, before: Dial, name: str) -> _Shortage | None:
    """What `name` lacks to carry its share of the goal, by the busiest minute it has stood."""
    variant = next(v for v in seen.variants if v.name == name)
    load = seen.loads[name]
    total = sum(each.per_minute for each in seen.loads.values())
    if variant.count is None or load.busiest is None or total == 0:
        return None
    share, was = _share(goal, name), _share(before, name)
    need = math.ceil(total * share / load.busiest - 1e-9)
    if need <= variant.count:
        return None
    part = (variant.count * load.busiest / total - was) / (share - was)
    return _Shortage(name, variant.count, need, min(max(part, 0.0), 1.0))


def grows(goal: Dial, before: Dial, name: str) -> bool:
    return bool(goal[name]["weight"] > before[name]["weight"])


def _share(dial: Dial, name: str) -> float:
    return float(dial[name]["weight"] / sum(v["weight"] for v in dial.values()))


def _with_weights(dial: Dial, weights: Dial) -> Dial:
    """The dial with other weights, everything else as it stands."""
    return {name: {**value, "weight": weights[name]["weight"]} for name, value in dial.items()}


def _between(before: Dial, goal: Dial, part: float) -> Dial:
    def weight(name: str) -> float:
        was, will = before[name]["weight"], goal[name]["weight"]
        return float(f"{was + part * (will - was):.6g}")

    return {name: {**value, "weight": weight(name)} for name, value in goal.items()}


def _progress(dial: Dial, before: Dial, goal: Dial) -> float:
    """How much of the traffic to be moved away has been, 0 to 1."""
    losing = [name for name in goal if goal[name]["weight"] < before[name]["weight"]]
    whole = sum(before[name]["weight"] - goal[name]["weight"] for name in losing)
    moved = sum(before[name]["weight"] - dial[name]["weight"] for name in losing)
    return float(moved / whole) if whole else 1.0


def _shares(dial: Dial) -> str:
    return ", ".join(f"{name} {_share(dial, name):.0%}" for name in dial)
