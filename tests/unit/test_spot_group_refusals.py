"""Groups that cannot be helped are refused by name, and what runs on beside them is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.core.decision import Act, Refuse, Settled, Wait
from functions.spot_fallback.groups import decide
from functions.spot_fallback.observation import Rules
from tests.unit.groups import (
    ROLE,
    RULES,
    ago,
    group,
    incident,
)


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
    assert decision.page == (code != "refreshing")


def test_a_role_that_may_not_be_passed_is_shown_beside_those_that_may() -> None:
    other = "arn:aws:iam::123456789012:role/other"
    decision = decide(group(spot=4, warned=[0], roles=(other,)), None, RULES)
    assert isinstance(decision, Refuse)
    assert decision.evidence == {"role": other, "roles": [ROLE]}
    assert "spot_fallback.roles" in decision.reason


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
    def code(warned: float, *acts: tuple[float, int], **more: Any) -> str:
        seen = group(spot=8, bought=2, base=2, orphans=("i-1",))
        decision = decide(
            replace(seen, warned={"i-1": ago(warned)}), incident(*acts, **more), RULES
        )
        return getattr(decision, "code", "")

    assert code(303, (301, 2)) == "still-running"
    assert code(303, (301, 2), (100, 2)) == "still-running"
    assert code(600, (599, 2), (100, 2)) == ""
    assert code(303, (301, 2), told=("still-running",)) == ""


def test_of_many_that_run_on_ten_are_named() -> None:
    many = {f"i-{n:03}": ago(303) for n in range(300)}
    seen = replace(group(spot=8, bought=2, base=2, orphans=tuple(many)), warned=many)
    decision = decide(seen, incident((301, 2)), RULES)
    assert isinstance(decision, Wait)
    assert decision.evidence["inAll"] == 300
    assert len(decision.evidence["instances"]) == 10
    assert decision.reason.endswith("i-009 and 290 more")
