"""On-Demand for exactly what Spot leaves a group without: the smallest base that replaces it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.core.decision import Act, Move, Settled, Wait
from functions.spot_fallback.groups import decide
from tests.unit.groups import (
    NOW,
    RULES,
    ago,
    distribution,
    failed,
    group,
    incident,
    members,
)

# warnings


def test_what_is_warned_leaves_and_the_base_replaces_it() -> None:
    decision = decide(group(spot=10, warned=[1, 4, 7]), None, RULES)
    assert isinstance(decision, Act)
    assert decision.move is Move.SAFETY
    assert decision.write == {
        "distribution": distribution(3),
        "leaving": ["i-spot-1", "i-spot-4", "i-spot-7"],
    }
    assert decision.goal == {"distribution": distribution(3)}
    assert decision.evidence["healthySpot"] == 7


def test_the_whole_distribution_is_written() -> None:
    whole = distribution(1, 25, SpotMaxPrice="0.3")
    seen = group(spot=6, bought=4, warned=[0], distribution=whole)
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write["distribution"] == {**whole, "OnDemandBaseCapacity": 3}


def test_the_percentage_is_counted_on() -> None:
    """Of 10, 5 on Spot: 50 % above a base of 0 buys 5. With one less on Spot, 2 + 4 buys 6, and
    so does 1 + 5."""
    decision = decide(group(spot=5, bought=5, percentage=50, warned=[0]), None, RULES)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 1


def test_a_base_that_suffices_is_left_and_the_warned_still_leave() -> None:
    decision = decide(group(spot=4, bought=3, base=3, desired=6, warned=[0]), None, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(3), "leaving": ["i-spot-0"]}


def test_after_a_crash_between_the_two_calls_the_second_is_made_up_at_once() -> None:
    seen = group(spot=10, base=3, warned=[1, 4, 7])
    decision = decide(seen, incident((1, 3)), RULES)
    assert isinstance(decision, Act)
    assert decision.write == {
        "distribution": distribution(3),
        "leaving": ["i-spot-1", "i-spot-4", "i-spot-7"],
    }


def test_what_has_left_asks_for_nothing_more() -> None:
    seen = group(spot=7, base=3, desired=10, warned=[8, 9])
    assert isinstance(decide(seen, incident((30, 3)), RULES), Wait)


def test_one_on_its_way_cannot_leave_yet_and_counts_until_it_can() -> None:
    pending = members("spot", 1, first=9, state="Pending")
    seen = group(desired=10, members=members("spot", 9) + pending, warned=[9])
    assert isinstance(decide(seen, None, RULES), Settled)


def test_one_that_is_unhealthy_is_the_groups_own_to_replace() -> None:
    sick = members("spot", 1, first=9, healthy=False)
    seen = group(desired=10, members=members("spot", 9) + sick, warned=[9])
    assert isinstance(decide(seen, None, RULES), Wait)


def test_on_demand_is_never_taken_for_warned() -> None:
    seen = group(spot=2, bought=1, warned=(), base=1)
    seen.warned["i-on-demand-0"] = ago(1)  # type: ignore[index]
    assert isinstance(decide(seen, None, RULES), Settled)


def test_two_updates_are_five_seconds_apart() -> None:
    seen = group(spot=10, base=2, warned=[0, 1, 2])
    decision = decide(seen, incident((1.2, 2)), RULES)
    assert decision == Wait("workers was updated a moment ago", again=4)
    assert isinstance(decide(seen, incident((5, 2)), RULES), Act)


# capacity rebalancing


def test_a_group_that_rebalances_lets_go_by_itself() -> None:
    seen = group(spot=10, warned=[0, 1], warned_ago=25, rebalances=True)
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(2)}


def test_and_it_is_given_a_moment_to_find_other_spot() -> None:
    seen = group(spot=10, warned=[0, 1], warned_ago=5, rebalances=True)
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Wait)
    assert decision.again == 10
    replaced = group(desired=10, members=members("spot", 12), warned=[0, 1], rebalances=True)
    assert isinstance(decide(replaced, None, RULES), Wait)


def test_but_not_when_it_already_fails() -> None:
    seen = group(spot=10, warned=[0, 1], warned_ago=5, rebalances=True, failures=(failed(2),))
    assert isinstance(decide(seen, None, RULES), Act)


def test_what_is_protected_from_scale_in_it_does_not_let_go() -> None:
    all_protected = members("spot", 10, protected=True)
    seen = group(desired=10, members=all_protected, warned=[3], rebalances=True)
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write["leaving"] == ["i-spot-3"]


@pytest.mark.parametrize(("fresh", "acts"), [(4, False), (3, True)])
def test_new_warnings_do_not_put_off_what_is_overdue(fresh: int, acts: bool) -> None:
    """Of 10 warned, what was warned a moment ago is the group's own to replace, no more."""
    came = members("spot", 10 - 4, first=20)
    seen = group(desired=14, members=members("spot", 14) + came, rebalances=True)
    at = {f"i-spot-{n}": ago(5 if n < fresh else 30) for n in range(10)}
    decision = decide(replace(seen, warned=at), None, RULES)
    assert isinstance(decision, Act if acts else Wait)


def test_once_what_was_warned_is_gone_the_group_has_its_usual_time() -> None:
    seen = group(spot=8, desired=10, warned=[8, 9], warned_ago=30, rebalances=True)
    assert isinstance(decide(seen, None, RULES), Wait)


def test_fresh_warnings_alone_are_waited_for_whatever_else_is_missing() -> None:
    seen = group(spot=10, desired=12, warned=[0], warned_ago=5, rebalances=True)
    assert isinstance(decide(seen, None, RULES), Wait)


# rebalance recommendations


def test_recommendations_alone_raise_nothing() -> None:
    seen = group(spot=10, at_risk={f"i-spot-{n}": ago(5) for n in range(10)})
    assert isinstance(decide(seen, None, RULES), Settled)


# launches that fail


def test_launches_that_fail_are_replaced_by_exactly_what_is_missing() -> None:
    decision = decide(group(spot=6, desired=10, failures=(failed(),)), None, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(4)}
    assert "Spot launches fail" in decision.reason


def test_a_group_that_is_just_launching_is_left_alone() -> None:
    assert isinstance(decide(group(spot=6, desired=10), None, RULES), Wait)


def test_what_is_on_its_way_is_not_missing() -> None:
    seen = group(
        desired=10,
        members=members("spot", 6) + members("spot", 4, 6, "Pending:Wait"),
        failures=(failed(),),
    )
    assert isinstance(decide(seen, None, RULES), Settled)


@pytest.mark.parametrize("state", ["Standby", "Terminating:Wait", "Detaching", "Warmed:Stopped"])
def test_what_neither_serves_nor_comes_is(state: str) -> None:
    seen = group(
        desired=10,
        members=members("spot", 6) + members("spot", 4, 6, state),
        failures=(failed(),),
    )
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(4)}


def test_a_failure_that_a_launch_has_followed_says_nothing() -> None:
    later = members("spot", 1, first=6, launched=ago(60))
    seen = group(desired=10, members=members("spot", 6) + later, failures=(failed(90),))
    assert isinstance(decide(seen, None, RULES), Wait)


def test_nor_does_an_old_one() -> None:
    seen = group(spot=6, desired=10, failures=(failed(601),))
    assert isinstance(decide(seen, None, RULES), Wait)


def test_a_message_that_names_no_market_may_speak_of_spot() -> None:
    text = "We currently do not have sufficient m5.large capacity in the Availability Zone"
    seen = group(spot=6, desired=10, failures=(failed(5, None, text),))
    assert isinstance(decide(seen, None, RULES), Act)


def test_on_demand_that_fails_is_no_reason_for_more_of_it() -> None:
    seen = group(spot=6, bought=2, base=4, desired=10, failures=(failed(5, "on-demand"),))
    assert isinstance(decide(seen, None, RULES), Wait)


def test_three_minutes_short_is_as_good_as_a_failure() -> None:
    seen = group(spot=6, desired=10)
    since = NOW.timestamp()
    waited = incident(tally={"_short": since - 179})
    assert isinstance(decide(seen, waited, RULES), Wait)
    waited = incident(tally={"_short": since - 180})
    decision = decide(seen, waited, RULES)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(4)}


def test_each_base_is_given_those_three_minutes_anew() -> None:
    seen = group(spot=6, bought=3, base=3, desired=10)
    short = {"_short": NOW.timestamp() - 900}
    assert isinstance(decide(seen, incident((1000, 4), (179, 3), tally=short), RULES), Wait)
    assert isinstance(decide(seen, incident((1000, 4), (180, 3), tally=short), RULES), Act)


# what EC2 does not list yet


def test_a_just_launched_on_demand_instance_lowers_no_need_and_is_not_missing() -> None:
    """3 of base 3 are bought, of which EC2 lists 2; of healthy Spot there are 6 of 10."""
    coming = members("on-demand", 1, 2, "Pending", launched=None)
    unlisted = tuple(replace(each, market=None) for each in coming)
    there = members("spot", 7) + members("on-demand", 2) + unlisted
    seen = group(desired=10, base=3, members=there, warned=[0])
    decision = decide(seen, incident((60, 3)), RULES)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 4
    seen = group(desired=9, base=3, members=members("spot", 6) + members("on-demand", 2) + unlisted)
    assert decide(seen, None, RULES) == Settled("workers has the 9 instances that it is to have")


def test_and_beyond_what_is_bought_it_is_spot() -> None:
    coming = tuple(replace(each, market=None) for each in members("spot", 1, 9, "Pending"))
    there = members("spot", 8) + members("on-demand", 1) + coming
    seen = group(desired=10, base=1, members=there, warned=[0])
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 2
