"""On-Demand for exactly what Spot leaves a group without: the smallest base that replaces it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.core.decision import Act, Move, Refuse, Settled, Wait
from functions.spot_fallback.groups import decide
from functions.spot_fallback.observation import Rates, Rules
from tests.unit.groups import (
    NO_ON_DEMAND,
    NOW,
    PRICES,
    ROLE,
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


# how far it goes


def test_the_base_rises_so_many_units_and_no_more() -> None:
    seen = group(spot=20, base=0, warned=range(10))
    decision = decide(seen, None, Rules(roles=(ROLE,), on_demand_units=4))
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 4
    assert len(decision.write["leaving"]) == 10
    assert decision.evidence["neededBase"] == 10
    assert decision.evidence["highestBase"] == 4


def test_units_are_counted_from_the_groups_own_base() -> None:
    rules = Rules(roles=(ROLE,), on_demand_units=4)
    seen = group(spot=8, bought=8, base=5, desired=20, failures=(failed(),))
    decision = decide(seen, incident((60, 5), before=2), rules)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 6


def test_when_nothing_more_may_be_raised_a_person_is_called() -> None:
    rules = Rules(roles=(ROLE,), on_demand_units=4)
    seen = group(spot=10, bought=4, base=4, desired=20, failures=(failed(),))
    decision = decide(seen, incident((60, 4)), rules)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page, decision.again) == ("above-cap", True, 60)


def test_a_cap_of_nothing_allows_nothing() -> None:
    decision = decide(group(spot=9, warned=[0]), None, Rules(roles=(ROLE,), on_demand_units=0))
    assert isinstance(decision, Refuse)
    assert decision.code == "above-cap"


def test_at_the_cap_the_warned_leave_all_the_same() -> None:
    """The base is ours: with what is warned in the group, healthy Spot would be made to follow."""
    rules = Rules(roles=(ROLE,), on_demand_units=4)
    decision = decide(group(spot=16, bought=4, base=4, warned=[0]), incident((60, 4)), rules)
    assert isinstance(decision, Act)
    assert decision.write == {"distribution": distribution(4), "leaving": ["i-spot-0"]}


def test_dollars_are_counted_with_the_dearest_type_whose_price_is_known() -> None:
    rates = {"m5.large": Rates(0.1, 0.04), "m5.xlarge": Rates(0.5, 0.1), "c5.large": Rates()}
    seen = group(spot=20, warned=range(10), rates=rates)
    rules = Rules(roles=(ROLE,), on_demand_dollars_per_hour=3.4)
    decision = decide(seen, None, rules)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 6


def test_dollars_that_divide_evenly_are_not_lost_to_rounding() -> None:
    rules = Rules(roles=(ROLE,), on_demand_dollars_per_hour=0.3)
    decision = decide(group(spot=20, warned=range(10), rates=PRICES), None, rules)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 3


def test_no_base_goes_beyond_what_the_group_may_grow_to() -> None:
    decision = decide(group(spot=10, warned=range(10), max_size=8), None, RULES)
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 8


# On-Demand is short as well


def test_when_on_demand_is_short_too_a_person_is_told_what_was_tried() -> None:
    seen = group(spot=6, bought=1, base=4, desired=10, failures=(failed(5, "on-demand", NO_ON_DEMAND), failed(70)))  # fmt: skip
    decision = decide(seen, incident((60, 4)), RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page, decision.again) == ("on-demand-short", True, 60)
    assert "m5.large in us-east-1a, us-east-1b" in decision.reason
    arn = "arn:aws:ec2:us-east-1:123456789012:instance-type/m5.large"
    assert arn in decision.next_steps[0]


def test_failures_from_before_our_write_say_nothing_of_it() -> None:
    seen = group(spot=6, base=4, desired=10, failures=(failed(90, "on-demand"),))
    assert isinstance(decide(seen, incident((60, 4)), RULES), Wait)


@pytest.mark.parametrize(("ago", "told"), [(65, True), (66, False)])
def test_a_failure_that_came_while_we_wrote_is_an_answer(ago: int, told: bool) -> None:
    """The write is dated once its last call is over."""
    seen = group(spot=6, base=4, desired=10, failures=(failed(ago, "on-demand"),))
    assert isinstance(decide(seen, incident((60, 4)), RULES), Refuse) is told


def test_what_on_demand_does_not_have_is_asked_of_spot_again_once_it_was_quiet_there() -> None:
    seen = group(spot=6, bought=1, base=4, desired=10, failures=(failed(5, "on-demand"),))
    decision = decide(seen, incident((700, 4)), RULES)
    assert isinstance(decision, Act)
    assert decision.move is Move.FORWARD
    assert decision.write == {"distribution": distribution(1)}


# what cannot be helped


@pytest.mark.parametrize(
    ("different", "code"),
    [
        ({"distribution": {}}, "no-mixed-policy"),
        ({"distribution": {"DistributionSegments": [{}]}}, "distribution-segments"),
        ({"weighted": True}, "weighted"),
        ({"managed_by": "Amazon EKS"}, "managed-by-eks"),
        ({"managed_by": "Amazon ECS"}, "managed-by-ecs"),
        ({"suspended": ("Launch",)}, "launch-suspended"),
        ({"refreshing": True}, "refreshing"),
        ({"roles": ("arn:aws:iam::123456789012:role/other",)}, "role-not-allowed"),
    ],
)
def test_a_group_that_cannot_be_helped_is_refused_by_name(
    different: dict[str, Any], code: str
) -> None:
    decision = decide(group(spot=4, warned=[0], **different), None, RULES)
    assert isinstance(decision, Refuse)
    assert decision.code == code
    assert decision.again == (60 if code == "refreshing" else 0)


@pytest.mark.parametrize(
    "different",
    [
        {"roles": ()},
        {"suspended": ("AZRebalance", "Terminate")},
        {"roles": ("arn:aws:iam::123456789012:role/nodes/gpu",)},
    ],
)
def test_and_no_other(different: dict[str, Any]) -> None:
    rules = Rules(roles=("arn:aws:iam::123456789012:role/nodes*",))
    assert isinstance(decide(group(spot=4, warned=[0], **different), None, rules), Act)


def test_a_group_that_is_well_is_never_refused() -> None:
    assert isinstance(decide(group(spot=4, weighted=True), None, RULES), Settled)
    assert isinstance(decide(group(), None, RULES), Settled)


def test_instances_that_run_on_outside_the_group_are_told_once() -> None:
    left = {"distribution": distribution(2), "leaving": ["i-0", "i-1"]}
    written = ({"at": ago(301).isoformat(), "written": left},)
    ours = incident((301, 2), acts=written)
    seen = group(spot=8, bought=2, base=2, orphans=("i-1", "i-2"))
    decision = decide(seen, ours, RULES)
    assert isinstance(decision, Wait)
    assert decision.code == "still-running"
    assert decision.evidence == {"instances": ["i-1"]}
    later = ({"at": ago(100).isoformat(), "written": {"distribution": distribution(2)}},)
    assert (
        getattr(decide(seen, replace(ours, acts=written + later), RULES), "code", "")
        == "still-running"
    )
    long_ago = ({**written[0], "at": ago(600).isoformat()},)
    assert getattr(decide(seen, replace(ours, acts=long_ago + later), RULES), "code", "") == ""
    told = incident((301, 2), acts=written, told=("still-running",))
    assert getattr(decide(seen, told, RULES), "code", "") != "still-running"
