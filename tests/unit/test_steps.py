"""The way to the goal, step by step: nothing is asked of anyone that it cannot carry."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions.core.decision import Act, Dial, Refuse, Settled
from functions.core.incident import Incident, Stage
from functions.traffic_shift.decision import decide
from functions.traffic_shift.observation import Load, Observation, Rules, Variant
from functions.traffic_shift.steps import stands
from tests.unit.endpoints import SHOP, counts, endpoint, watch, weights

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CARRIES = 300.0
"""Requests that one instance of blue has stood in its busiest minute."""


def small_blue(total: float = 600, blue: float = 2, instances: int = 1) -> Observation:
    return endpoint(
        {"blue": blue, "green": 10 - blue},
        counts={"blue": instances, "green": 4},
        per_minute={"blue": total * blue / 10, "green": total * (10 - blue) / 10},
        busiest={"blue": CARRIES},
    )


def follow(seen: Observation, act: Act) -> Observation:
    """The endpoint once it has followed: SageMaker routes by weight over sum."""
    total = sum(load.per_minute for load in seen.loads.values())
    whole = sum(v["weight"] for v in act.write.values())
    variants = tuple(
        Variant(v.name, w["weight"], w["weight"], w["count"], w["count"])
        for v in seen.variants
        for w in [act.write[v.name]]
    )
    loads = {
        v.name: Load(3 * rate, rate, seen.loads[v.name].busiest)
        for v in variants
        for rate in [total * v.weight / whole]
    }
    return replace(seen, variants=variants, loads=loads)


def recorded(incident: Incident | None, seen: Observation, act: Act) -> Incident:
    """The incident as a look records an action that was done."""
    incident = incident or Incident.opened("traffic_shift", SHOP, NOON)
    return replace(
        incident,
        stage=Stage.ACTED,
        before=seen.dial if incident.attempts == 0 else incident.before,
        written=act.write,
        goal=act.goal,
        evidence=act.evidence,
        attempts=incident.attempts + 1,
    )


def play(
    seen: Observation, rules: Rules, incident: Incident | None = None
) -> tuple[list[tuple[Observation, Act]], Observation, Incident, Settled | Refuse]:
    """All steps until no action follows: each with what was seen before it, and the end."""
    steps: list[tuple[Observation, Act]] = []
    for _ in range(12):
        decision = decide(seen, incident, rules)
        if not isinstance(decision, Act):
            assert isinstance(decision, Settled | Refuse)
            assert incident is not None
            return steps, seen, incident, decision
        steps.append((seen, decision))
        incident = recorded(incident, seen, decision)
        seen = follow(seen, decision)
    raise AssertionError(f"no end: {[act.write for _, act in steps]}")


def test_what_is_carried_then_an_instance_then_the_rest() -> None:
    steps, _, _, end = play(small_blue(), Rules(20, 4))

    assert [(weights(act.write), counts(act.write)) for _, act in steps] == [
        ({"blue": 5, "green": 5}, {"blue": 1, "green": 4}),
        ({"blue": 5, "green": 5}, {"blue": 2, "green": 4}),
        ({"blue": 10, "green": 0}, {"blue": 2, "green": 4}),
    ]
    assert isinstance(end, Settled)
    assert "blue carries 37% of the move on 1 instances, all of it on 2" in steps[0][1].reason


def test_who_carries_nothing_more_grows_first() -> None:
    steps, _, _, _ = play(small_blue(blue=5), Rules(20, 4))

    assert weights(steps[0][1].write) == {"blue": 5, "green": 5}
    assert counts(steps[0][1].write) == {"blue": 2, "green": 4}


def test_no_more_instances_than_allowed_and_the_rest_stays() -> None:
    _, seen, _, end = play(small_blue(total=3000, blue=1), Rules(20, 4))

    assert isinstance(end, Refuse)
    assert end.code == "instances-limit"
    assert end.page
    assert counts(seen.dial)["blue"] == 5
    assert weights(seen.dial) == {"blue": 5, "green": 5}


def test_no_instances_allowed_adds_none() -> None:
    _, seen, _, end = play(small_blue(), Rules(20, 0))

    assert isinstance(end, Refuse)
    assert counts(seen.dial) == {"blue": 1, "green": 4}
    assert weights(seen.dial) == {"blue": 5, "green": 5}


def test_exactly_what_was_stood_before_is_carried() -> None:
    steps, _, _, _ = play(small_blue(total=CARRIES), Rules(20, 4))

    assert [weights(act.write) for _, act in steps] == [{"blue": 10, "green": 0}]


@pytest.mark.parametrize(
    ("weight", "same"), [(9.0, True), (9.0005, True), (9.01, False), (8.99, False), (0.0, False)]
)
def test_weights_stand_but_for_noise(weight: float, same: bool) -> None:
    written: Dial = {"blue": {"weight": 9, "count": 1}}

    assert stands({"blue": {"weight": weight, "count": 7}}, written) is same


def test_another_variant_does_not_stand() -> None:
    one = {"weight": 9, "count": 1}

    assert not stands({"blue": one, "green": one}, {"blue": one})
    assert not stands({"red": one}, {"blue": one})


def test_a_weight_of_nothing_stands_only_at_nothing() -> None:
    nothing: Dial = {"green": {"weight": 0.0, "count": 1}}

    assert stands({"green": {"weight": 0.0, "count": 1}}, nothing)
    assert not stands({"green": {"weight": 0.0001, "count": 1}}, nothing)


# properties

WEIGHTS = st.one_of(
    st.integers(0, 100).map(float),
    st.floats(2.0**-10, 1000, width=32),
)


@st.composite
def endpoints(draw: st.DrawFn) -> Observation:
    """Endpoints of two to four variants, the first of which fails."""
    names = ["green", "blue", "red", "grey"][: draw(st.integers(2, 4))]
    weights = {name: draw(WEIGHTS) for name in names}
    assume(weights["green"] > 0)
    whole = sum(weights.values())
    total = draw(st.floats(50, 100_000))
    serverless = draw(st.booleans())
    variants, loads = [], {}
    for name in names:
        count = None if serverless else draw(st.integers(1, 5))
        rate = total * weights[name] / whole
        # What an instance has stood, at least what it stands now.
        stood = rate / (count or 1) * draw(st.floats(1, 5))
        variants.append(Variant(name, weights[name], weights[name], count, count))
        loads[name] = Load(3 * rate, rate, stood or None)
    return Observation("shop", "InService", tuple(variants), (watch(),), loads)


def acting(seen: Observation, rules: Rules) -> bool:
    return isinstance(decide(seen, None, rules), Act)


RULES = st.builds(Rules, st.just(20), st.integers(0, 6))


def whole(dial: Mapping[str, Any]) -> float:
    return sum(weights(dial).values())


@given(endpoints(), RULES)
@settings(max_examples=500, deadline=None)
def test_no_step_gives_anyone_more_than_it_carries(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    steps, _, _, _ = play(seen, rules)

    for before, act in steps:
        after = follow(before, act)
        for variant in after.variants:
            busiest = after.loads[variant.name].busiest
            gains = after.loads[variant.name].per_minute > before.loads[variant.name].per_minute
            if variant.count is None or busiest is None or not gains:
                continue
            carried = variant.count * busiest
            assert after.loads[variant.name].per_minute <= carried * (1 + 1e-4) + 1e-6


@given(endpoints(), RULES)
@settings(max_examples=500, deadline=None)
def test_weights_are_never_negative_and_keep_their_sum(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    steps, _, _, _ = play(seen, rules)

    for _, act in steps:
        assert min(weights(act.write).values()) >= 0
        assert whole(act.write) == pytest.approx(whole(seen.dial), rel=1e-4)


@given(endpoints(), RULES)
@settings(max_examples=300, deadline=None)
def test_who_neither_fails_nor_is_well_keeps_its_share(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    steps, _, _, _ = play(seen, rules)

    for _, act in steps:
        for name, health in act.evidence["health"].items():
            if health != "well":
                was = weights(seen.dial)[name] / whole(seen.dial)
                share = weights(act.write)[name] / whole(act.write)
                assert share == pytest.approx(was, rel=1e-4, abs=1e-9)


@given(endpoints(), RULES)
@settings(max_examples=300, deadline=None)
def test_each_step_moves_on_and_a_call_changes_one_thing(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    steps, _, _, _ = play(seen, rules)

    for before, act in steps:
        moved = not stands(before.dial, act.write)
        grown = [n for n in act.write if counts(act.write)[n] != counts(before.dial)[n]]
        assert len(grown) == (0 if moved else 1)
        assert weights(act.write)["green"] <= weights(before.dial)["green"]


@given(endpoints(), RULES)
@settings(max_examples=500, deadline=None)
def test_no_variant_gets_more_instances_than_allowed(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    _, last, _, _ = play(seen, rules)

    for name, count in counts(last.dial).items():
        was = counts(seen.dial)[name]
        assert (count or 0) - (was or 0) <= rules.instances_added
        assert (count or 0) >= (was or 0)


@given(endpoints(), RULES)
@settings(max_examples=500, deadline=None)
def test_a_revert_undoes_whatever_was_done(seen: Observation, rules: Rules) -> None:
    assume(acting(seen, rules))
    _, last, incident, _ = play(seen, rules)
    asked = replace(incident, goal=incident.before, reverted_by="jane", attempts=0)

    _, back, _, end = play(last, rules, asked)

    assert isinstance(end, Settled)
    assert stands(back.dial, seen.dial)
    assert counts(back.dial) == counts(seen.dial)


@given(st.floats(0.01, 1e6), st.floats(0, 1))
def test_single_precision_is_noise_and_one_percent_is_not(weight: float, other: float) -> None:
    shown = struct.unpack("f", struct.pack("f", weight))[0]
    written: Dial = {"blue": {"weight": weight, "count": 1}}

    assert stands({"blue": {"weight": shown, "count": 1}}, written)
    assert not stands({"blue": {"weight": weight * 1.01, "count": 1}}, written)
    assert math.isfinite(shown)
