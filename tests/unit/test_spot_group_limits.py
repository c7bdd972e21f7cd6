"""How far On-Demand goes for a group: the cap, and what is told where it does not help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.core.decision import Act, Move, Refuse, Wait
from functions.spot_fallback.groups import decide
from functions.spot_fallback.observation import Rates, Rules
from tests.unit.groups import (
    NO_ON_DEMAND,
    PRICES,
    ROLE,
    RULES,
    ago,
    distribution,
    failed,
    group,
    incident,
)

# how far it goes


def test_the_base_rises_so_many_units_and_no_more() -> None:
    seen = group(spot=20, base=0, warned=range(10))
    decision = decide(seen, None, Rules(roles=(ROLE,), on_demand_units=4))
    assert isinstance(decision, Act)
    assert decision.write["distribution"]["OnDemandBaseCapacity"] == 4
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


AT_MOST_4 = Rules(roles=(ROLE,), on_demand_units=4)


def test_at_the_cap_only_those_leave_that_on_demand_replaces_the_first_warned_first() -> None:
    seen = replace(group(spot=20), warned={f"i-spot-{n}": ago(n) for n in range(10)})
    decision = decide(seen, None, AT_MOST_4)
    assert isinstance(decision, Act)
    assert decision.write["leaving"] == ["i-spot-9", "i-spot-8", "i-spot-7", "i-spot-6"]
    assert "10 would be needed, 4 is the most allowed, so 4 of the 10" in decision.reason


def test_the_rest_serves_until_ec2_takes_it_and_a_person_is_called() -> None:
    seen = group(spot=16, bought=4, base=4, warned=[0])
    for ours in (None, incident((60, 4))):
        decision = decide(
            seen, ours, Rules(roles=(ROLE,), on_demand_units=0 if ours is None else 4)
        )
        assert isinstance(decision, Refuse)
        assert (decision.code, decision.page) == ("above-cap", True)


def test_while_those_are_launched_no_more_leave() -> None:
    """4 were let go of a moment ago, and nothing stands in their places yet."""
    seen = group(spot=16, desired=20, base=4, warned=range(6))
    assert isinstance(decide(seen, incident((6, 4)), AT_MOST_4), Refuse)


def test_after_a_crash_at_the_cap_those_leave_that_the_raised_base_replaces() -> None:
    """With more of them in the group, healthy Spot would be made to follow."""
    decision = decide(group(spot=20, base=4, warned=range(10)), incident((6, 4)), AT_MOST_4)
    assert isinstance(decision, Act)
    assert len(decision.write["leaving"]) == 4
    assert "lets 4 go; its On-Demand base of 4 buys as many" in decision.reason


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


VCPUS = "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more."
NO_SUCH_IMAGE = "Could not launch Spot Instances. InvalidAMIID.NotFound - no such image."


def test_a_quota_without_room_is_told_as_that() -> None:
    seen = group(spot=6, bought=1, base=4, desired=10, failures=(failed(5, "on-demand", VCPUS),))
    decision = decide(seen, incident((60, 4)), RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page, decision.again) == ("quota", True, 60)
    assert "a quota request" in decision.next_steps[0]


def test_a_quota_of_spot_is_as_good_as_a_shortage_of_it() -> None:
    text = "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count"
    assert isinstance(decide(group(spot=6, desired=10, failures=(failed(5, "spot", text),)), None, RULES), Act)  # fmt: skip


@pytest.mark.parametrize("warned", [[], [0]])
def test_a_mistake_in_the_template_is_told_and_nothing_is_bought(warned: list[int]) -> None:
    seen = group(spot=6, desired=10, warned=warned, failures=(failed(5, "spot", NO_SUCH_IMAGE),))
    decision = decide(seen, None, RULES)
    assert isinstance(decision, Refuse)
    assert (decision.code, decision.page, decision.again) == ("launch-misconfigured", True, 60)
    assert "InvalidAMIID.NotFound" in decision.reason


def test_a_launch_that_comes_as_far_as_to_find_no_capacity_is_no_mistake() -> None:
    seen = group(spot=6, desired=10, failures=(failed(5, "spot", NO_SUCH_IMAGE), failed(9)))
    assert isinstance(decide(seen, None, RULES), Act)


def test_neither_throttled_calls_nor_unknown_words_are_evidence() -> None:
    for text in ("Could not launch Spot Instances. RequestLimitExceeded - slow down", "odd"):
        seen = group(spot=6, bought=1, base=4, desired=10, failures=(failed(5, None, text),))
        assert isinstance(decide(replace(seen, distribution=distribution()), None, RULES), Wait)
    throttled = (failed(5, "on-demand", "RequestLimitExceeded"),)
    assert isinstance(decide(replace(seen, failures=throttled), incident((60, 4)), RULES), Wait)
    assert isinstance(decide(seen, incident((60, 4)), RULES), Refuse)
