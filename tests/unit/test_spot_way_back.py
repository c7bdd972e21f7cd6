"""A group's way back to Spot: a probe, then more while Spot holds, never more often than allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.core.decision import Act, Decision, Move, Settled, Wait
from functions.core.incident import Incident
from functions.spot_fallback.groups import decide
from functions.spot_fallback.observation import GroupSeen, Rules
from tests.unit.groups import ROLE, RULES, ago, distribution, failed, group, incident, members

LONG = 700
"""Seconds; longer than Spot must hold."""


def to(decision: Decision) -> int:
    """The base that a decision writes."""
    assert isinstance(decision, Act), decision
    return int(decision.write["distribution"]["OnDemandBaseCapacity"])


def waits(seen: GroupSeen, ours: Incident, rules: Rules = RULES) -> Wait:
    decision = decide(seen, ours, rules)
    assert isinstance(decision, Wait), decision
    return decision


def test_it_begins_with_one() -> None:
    decision = decide(group(spot=6, bought=4, base=4), incident((LONG, 4)), RULES)
    assert isinstance(decision, Act)
    assert decision.move is Move.FORWARD
    assert decision.write == {"distribution": distribution(3)}
    assert decision.goal == {"distribution": distribution(0)}


def test_not_before_what_is_missing_serves() -> None:
    coming = members("on-demand", 1, 3, "Pending")
    seen = group(desired=10, base=4, members=members("spot", 6) + members("on-demand", 3) + coming)
    assert "9 of 10 instances in service" in waits(seen, incident((LONG, 4))).reason


@pytest.mark.parametrize("evidence", ["warned", "failures"])
def test_not_before_the_last_evidence_is_as_old_as_spot_must_hold(evidence: str) -> None:
    def seen(seconds: float) -> GroupSeen:
        what: Any = {
            "warned": {"warned": {"i-gone": ago(seconds)}},
            "failures": {"failures": (failed(seconds),)},
        }[evidence]
        return replace(group(spot=6, bought=4, base=4), **what)

    ours = incident((3000, 4))
    assert waits(seen(400), ours).again == 200
    assert waits(seen(599), ours).again == 1
    assert to(decide(seen(600), ours, RULES)) == 3


def test_on_demand_that_failed_is_no_evidence_against_spot() -> None:
    seen = group(spot=6, bought=4, base=4, failures=(failed(5, "on-demand"),))
    assert to(decide(seen, incident((LONG, 4)), RULES)) == 3


def test_nor_is_a_call_that_was_throttled() -> None:
    throttled = failed(
        5, "spot", "Could not launch Spot Instances. RequestLimitExceeded - slow down"
    )
    seen = group(spot=6, bought=4, base=4, failures=(throttled,))
    assert to(decide(seen, incident((LONG, 4)), RULES)) == 3


def test_nor_before_the_raised_base_itself_is() -> None:
    assert waits(group(spot=6, bought=4, base=4), incident((590, 4))).again == 10


@pytest.mark.parametrize(("many", "holds_back"), [(3, False), (4, True)])
def test_recommendations_hold_it_back_together(many: int, holds_back: bool) -> None:
    seen = group(spot=6, bought=4, base=4, at_risk={f"i-{n}": ago(60 * n) for n in range(1, 1 + many)})  # fmt: skip
    decision = decide(seen, incident((LONG, 4)), RULES)
    assert isinstance(decision, Wait) == holds_back
    if isinstance(decision, Wait):
        assert decision.again == 300


def test_the_oldest_that_makes_up_the_weight_says_for_how_long() -> None:
    at_risk = {f"i-{n}": ago(seconds) for n, seconds in enumerate([10, 20, 30, 500])}
    seen = group(spot=6, bought=4, base=4, at_risk=at_risk)
    assert waits(seen, incident((LONG, 4))).again == 100


def test_a_step_that_holds_is_followed_by_twice_as_much() -> None:
    ours = incident((5000, 9), (4000, 8), (3000, 6))
    assert to(decide(group(spot=14, bought=6, base=6), ours, RULES)) == 2
    assert to(decide(group(spot=12, bought=8, base=8), incident((5000, 9), (4000, 8)), RULES)) == 6


def test_never_below_the_groups_own_base() -> None:
    ours = incident((5000, 9), (4000, 8), (3000, 6), before=5)
    assert to(decide(group(spot=14, bought=6, base=6), ours, RULES)) == 5


def test_after_trouble_it_is_one_again() -> None:
    ours = incident((5000, 9), (4000, 8), (3000, 6))
    seen = replace(group(spot=14, bought=6, base=6), warned={"i-gone": ago(2000)})
    assert to(decide(seen, ours, RULES)) == 5
    seen = group(spot=14, bought=6, base=6, failures=(failed(2000),))
    assert to(decide(seen, ours, RULES)) == 5


def test_a_step_waits_until_spot_has_followed_the_one_before() -> None:
    """A probe that fails costs nothing: the On-Demand instance still serves."""
    seen = group(spot=6, bought=4, base=3, failures=(failed(5),))
    wait = waits(seen, incident((5000, 4), (4000, 3)))
    assert "6 of 7 on Spot" in wait.reason


def test_and_until_that_has_held() -> None:
    ours = incident((5000, 4), (4000, 3))
    fresh = members("spot", 1, first=6, launched=ago(590))
    seen = group(desired=10, base=3, members=members("spot", 6) + fresh + members("on-demand", 3))
    assert waits(seen, ours).again == 10
    held = members("spot", 1, first=6, launched=ago(600))
    seen = group(desired=10, base=3, members=members("spot", 6) + held + members("on-demand", 3))
    assert to(decide(seen, ours, RULES)) == 1


def test_a_base_that_buys_no_less_is_passed_over() -> None:
    """50 % above it: of 10, a base of 4 buys 7, and so does 3 + 4."""
    seen = group(spot=3, bought=7, base=4, percentage=50)
    assert to(decide(seen, incident((LONG, 4), percentage=50), RULES)) == 2


def test_beyond_a_capacity_that_has_shrunk_the_base_falls_to_where_it_counts() -> None:
    seen = group(spot=0, bought=3, base=8)
    assert to(decide(seen, incident((LONG, 8)), RULES)) == 2


def test_what_is_taken_on_the_way_back_is_replaced_like_the_first() -> None:
    ours = incident((5000, 4), (4000, 3))
    decision = decide(group(spot=7, bought=3, base=3, warned=[6]), ours, RULES)
    assert isinstance(decision, Act)
    assert decision.move is Move.SAFETY
    assert decision.write == {"distribution": distribution(4), "leaving": ["i-spot-6"]}


# how often


def test_a_way_back_begins_twice_an_hour_at_most() -> None:
    twice = incident((3599, 2), (2900, 1), (2400, 2), (1700, 1), (1000, 2))
    seen = group(spot=8, bought=2, base=2)
    wait = waits(seen, twice)
    assert wait.code == "flips-spent"
    assert to(decide(seen, twice, Rules(roles=(ROLE,), flips_per_hour=3))) == 1


def test_going_on_is_no_beginning() -> None:
    ours = incident((3599, 4), (2900, 3), (2400, 4), (1700, 3))
    assert to(decide(group(spot=7, bought=3, base=3), ours, RULES)) == 1


def test_what_began_more_than_an_hour_ago_is_not_counted() -> None:
    old = incident((6000, 2), (3601, 1), (2400, 2), (1700, 1), (1000, 2))
    assert to(decide(group(spot=8, bought=2, base=2), old, RULES)) == 1


def test_none_allowed_is_none() -> None:
    wait = waits(group(spot=8, bought=2, base=2), incident((LONG, 2)), Rules(roles=(ROLE,), flips_per_hour=0))  # fmt: skip
    assert wait.code == "flips-spent"


def test_an_act_that_moved_no_base_is_neither_a_raise_nor_a_step() -> None:
    ours = incident((5000, 9), (4000, 8), (3500, 8), (3000, 6))
    assert to(decide(group(spot=14, bought=6, base=6), ours, RULES)) == 2


def test_with_as_many_acts_as_are_kept_the_first_change_is_not_guessed() -> None:
    """It may have been a step back itself, from a write that is no longer kept."""
    still = [(3000.0 - n, 2) for n in range(45)]
    acts = [(3500.0, 3), (3400.0, 2), *still, (1500.0, 3), (1400.0, 2), (1000.0, 3)]
    assert to(decide(group(spot=7, bought=3, base=3), incident(*acts), RULES)) == 2


# the end


def test_back_at_its_own_base_it_is_watched_for_an_hour() -> None:
    seen = group(spot=10)
    wait = waits(seen, incident((5000, 1), (3400, 0)))
    assert (wait.code, wait.again) == ("returned", 200)
    assert waits(seen, incident((5000, 1), (1000, 0))).again == 300
    assert isinstance(decide(seen, incident((5000, 1), (3600, 0)), RULES), Settled)


def test_spot_that_is_taken_within_that_hour_is_replaced() -> None:
    seen = group(spot=10, warned=[0])
    assert to(decide(seen, incident((5000, 1), (1000, 0)), RULES)) == 1


# an operator


def reverted(*acts: tuple[float, int]) -> Incident:
    goal = {"distribution": distribution(0)}
    return incident(*acts, goal=goal, reverted_by="ana")


def test_an_operator_has_it_put_back_in_one_write() -> None:
    decision = decide(group(spot=6, bought=4, base=4), reverted((5, 4)), RULES)
    assert isinstance(decision, Act)
    assert decision.write == decision.goal == {"distribution": distribution(0)}


def test_even_while_spot_is_being_taken() -> None:
    seen = group(spot=6, bought=4, base=4, warned=[0], failures=(failed(),), refreshing=True)
    assert to(decide(seen, reverted((5, 4)), RULES)) == 0


def test_and_then_it_is_done() -> None:
    assert isinstance(decide(group(spot=6, desired=10), reverted((5, 0)), RULES), Settled)
