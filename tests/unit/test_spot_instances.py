"""When a single Spot Instance gets an On-Demand twin, and what becomes of the two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.decision import Act, Dial, Fail, Move, Refuse, Settled, Wait
from functions.core.incident import Incident, Stage
from functions.core.intake import SOON
from functions.spot_fallback.decision import stands
from functions.spot_fallback.instances import decide, tally
from functions.spot_fallback.observation import InstanceSeen, Rates, Rules

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ID, NEW = "i-0b1c2d3e4f5061728", "i-0c1c2d3e4f5061728"
ARN = f"arn:aws:ec2:us-east-1:123456789012:instance/{ID}"
ROLE = "arn:aws:iam::123456789012:role/nodes"
VERSION = {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "3"}
RULES = Rules(roles=("arn:aws:iam::123456789012:role/no*",))
WEB = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"
PODS = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/pods/2"
TAKEN = {"Code": "Server.SpotInstanceTermination", "Message": "Spot instance termination"}
BOTH = (
    {"TargetGroupArn": PODS, "Port": 8080, "Id": "10.0.0.5"},
    {"TargetGroupArn": WEB, "Port": 80, "Id": ID},
)
BOTH_TWIN = (
    {"TargetGroupArn": PODS, "Port": 8080, "Id": "10.0.0.9"},
    {"TargetGroupArn": WEB, "Port": 80, "Id": NEW},
)


def described(
    id: str = ID, state: str = "running", tags: Any = None, **more: Any
) -> dict[str, Any]:
    return {
        "InstanceId": id,
        "InstanceType": "g5.xlarge",
        "ImageId": "ami-1",
        "SubnetId": "subnet-a",
        "Placement": {"AvailabilityZone": "us-east-1a"},
        "State": {"Name": state},
        "InstanceLifecycle": "spot",
        "PrivateIpAddress": "10.0.0.5",
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        "LaunchTime": NOW - timedelta(hours=5),
        **more,
    }


def twin(state: str = "running", **more: Any) -> dict[str, Any]:
    own = {"PrivateIpAddress": "10.0.0.9", "LaunchTime": NOW - timedelta(minutes=1), **more}
    found = described(NEW, state, **own)
    del found["InstanceLifecycle"]
    return found


def seen(minutes: float = 1, description: Any = None, **more: Any) -> InstanceSeen:
    """Warned so many minutes ago."""
    usual: dict[str, Any] = {
        "template": {},
        "template_version": VERSION,
        "role": ROLE,
        "warned": NOW - timedelta(minutes=minutes),
    }
    return InstanceSeen(ARN, NOW, description or described(), **(usual | more))


def incident(**more: Any) -> Incident:
    return replace(Incident.opened("spot_fallback", ARN, NOW), **more)


def launched(registered: Any = (), goal: Any = BOTH) -> Incident:
    """An incident in which the twin was launched."""
    written: Dial = {"twin": True, "id": NEW, "registered": list(registered)}
    return incident(
        stage=Stage.ACTED,
        attempts=1,
        before={"twin": False, "registered": []},
        written=written,
        goal={"twin": True, "registered": list(goal)},
    )


def act(found: InstanceSeen, open: Incident | None = None, rules: Rules = RULES) -> Act:
    decision = decide(found, open, rules)
    assert isinstance(decision, Act), decision
    return decision


def refused(found: InstanceSeen, rules: Rules = RULES) -> Refuse:
    decision = decide(found, None, rules)
    assert isinstance(decision, Refuse), decision
    return decision


# the launch


def test_a_warned_instance_gets_a_twin_at_once() -> None:
    decision = act(seen())
    assert decision.move is Move.SAFETY
    assert decision.write["twin"] is True
    assert decision.write["version"] == VERSION
    assert decision.write["like"]["SubnetId"] == "subnet-a"
    assert stands(decision.goal, decision.write)
    assert not stands(seen().dial, decision.write)


def test_the_goal_notes_where_it_serves_before_that_is_forgotten() -> None:
    decision = act(seen(target_groups=BOTH))
    assert decision.write["registered"] == []
    assert decision.goal["registered"] == list(BOTH)


def test_the_dial_of_a_twin_whose_record_was_lost_is_what_was_to_be_written() -> None:
    assert stands(seen(twin=twin("pending")).dial, act(seen()).write)


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_one_that_is_gone_already_is_still_replaced_for_ten_minutes(state: str) -> None:
    gone = described(state=state, StateReason=TAKEN)
    assert isinstance(decide(seen(10, gone), None, RULES), Act)
    assert isinstance(decide(seen(10.1, gone), None, RULES), Settled)


def test_a_late_duplicate_of_a_warning_that_came_to_nothing_does_nothing() -> None:
    assert isinstance(decide(seen(11), None, RULES), Settled)


def test_when_no_twin_could_be_launched_in_time_a_person_is_told() -> None:
    tried = incident(stage=Stage.ACTING, attempts=3, reason="EC2 has no capacity")
    decision = decide(seen(11), tried, RULES)
    assert isinstance(decision, Fail)
    assert decision.code == "not-replaced"
    assert "EC2 has no capacity" in decision.reason


def test_a_try_after_the_instance_is_gone_asks_for_the_same_as_the_first() -> None:
    first = act(seen(target_groups=BOTH))
    gone = described(state="terminated", StateReason=TAKEN, SubnetId="")
    again = act(
        seen(3, gone, template=None, template_version={}, role=""),
        incident(stage=Stage.ACTING, attempts=1, writing=first.write, goal=first.goal),
    )
    assert again.write == first.write
    assert again.goal == first.goal


# who is left alone


@pytest.mark.parametrize(
    "code", ["Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown"]
)
def test_one_that_a_person_or_its_own_work_ended_is_not_replaced(code: str) -> None:
    ended = described(state="terminated", StateReason={"Code": code, "Message": code})
    assert isinstance(decide(seen(1, ended), None, RULES), Settled)


def test_on_demand_instances_and_those_nobody_warned_of_are_left_alone() -> None:
    assert isinstance(decide(seen(1, described(InstanceLifecycle=None)), None, RULES), Settled)
    assert isinstance(decide(seen(warned=None), None, RULES), Settled)


def test_a_member_of_a_group_is_left_to_its_group() -> None:
    member = described(tags={"aws:autoscaling:groupName": "workers"})
    decision = decide(seen(1, member), None, RULES)
    assert isinstance(decision, Settled)
    assert "workers" in decision.reason
    assert isinstance(decide(seen(group="workers"), None, RULES), Settled)


@pytest.mark.parametrize("tag", ["aws:ec2:fleet-id", "aws:ec2spot:fleet-request-id"])
def test_a_fleets_instance_is_refused(tag: str) -> None:
    assert refused(seen(1, described(tags={tag: "fleet-1"}))).code == "fleet-managed"


@pytest.mark.parametrize(
    "tag", ["kubernetes.io/cluster/prod", "karpenter.sh/nodepool", "eks:cluster-name", "aws:eks:cluster-name"]
)  # fmt: skip
def test_a_node_of_a_cluster_is_refused_even_when_a_fleet_launched_it(tag: str) -> None:
    node = described(tags={"aws:ec2:fleet-id": "fleet-1", tag: "owned"})
    assert refused(seen(1, node)).code == "managed-by-eks"


def test_a_persistent_request_is_refused_as_it_launches_again_by_itself() -> None:
    assert refused(seen(persistent=True)).code == "persistent-request"


def test_without_a_template_a_person_is_told_and_nothing_is_guessed() -> None:
    refusal = refused(seen(template=None, template_version={}))
    assert (refusal.code, refusal.page) == ("no-template", True)
    assert refusal.next_steps


def test_a_template_that_was_deleted_is_told_by_name() -> None:
    refusal = refused(seen(template=None))
    assert (refusal.code, refusal.page) == ("template-gone", True)
    assert "lt-0123456789abcdef0 version 3" in refusal.reason


def test_without_a_known_subnet_a_person_is_told_and_nothing_is_guessed() -> None:
    gone = described(state="terminated", StateReason=TAKEN, SubnetId="")
    refusal = refused(seen(3, gone))
    assert (refusal.code, refusal.page) == ("place-unknown", True)
    in_template = {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-b"}]}
    assert isinstance(decide(seen(3, gone, template=in_template), None, RULES), Act)


def test_a_role_that_no_pattern_fits_is_not_passed() -> None:
    for roles in ((), ("arn:aws:iam::123456789012:role/other",)):
        refusal = refused(seen(), replace(RULES, roles=roles))
        assert (refusal.code, refusal.page) == ("role-not-allowed", True)
        assert ROLE in refusal.reason
    assert isinstance(decide(seen(role=""), None, Rules()), Act)


def test_a_type_that_costs_more_than_the_cap_is_not_launched() -> None:
    rules = replace(RULES, on_demand_dollars_per_hour=1.0)
    rates = {"g5.xlarge": Rates(on_demand=1.006)}
    refusal = refused(seen(rates=rates), rules)
    assert (refusal.code, refusal.page) == ("above-cap", True)
    assert isinstance(decide(seen(rates={"g5.xlarge": Rates(1.0)}), None, rules), Act)
    assert isinstance(decide(seen(), None, rules), Act)


# beside its twin


def test_a_launch_is_looked_at_in_ten_seconds_and_what_still_boots_is_left_to_the_heartbeat() -> (
    None
):
    assert act(seen()).again == 10 == SOON
    decision = decide(seen(twin=twin("pending")), launched(), RULES)
    assert isinstance(decision, Wait)
    assert SOON < decision.again < 60


def test_it_is_registered_where_the_launch_noted_that_the_first_served() -> None:
    noted = launched(goal=())
    noted = replace(noted, written={**(noted.written or {}), "serves": list(BOTH)})
    for groups in ((), BOTH):
        decision = act(seen(twin=twin(), target_groups=groups), noted)
        assert decision.write == {"twin": True, "id": NEW, "registered": list(BOTH_TWIN)}


def test_once_it_runs_it_is_registered_where_the_first_is_by_id_or_by_address() -> None:
    decision = act(seen(twin=twin(), target_groups=BOTH), launched(goal=()))
    assert decision.write == {"twin": True, "id": NEW, "registered": list(BOTH_TWIN)}
    assert decision.move is Move.SAFETY


def test_it_is_registered_where_the_first_was_though_the_groups_have_forgotten_that() -> None:
    decision = act(seen(twin=twin(), target_groups=()), launched(goal=BOTH))
    assert decision.write["registered"] == list(BOTH_TWIN)


def test_where_it_is_already_it_is_not_registered_again() -> None:
    half = act(seen(twin=twin(), target_groups=BOTH, twin_in=BOTH_TWIN[:1]), launched())
    assert half.write["registered"] == list(BOTH_TWIN)
    assert "web" in half.reason
    assert "pods" not in half.reason
    whole = decide(seen(twin=twin(), target_groups=BOTH, twin_in=BOTH_TWIN), launched(), RULES)
    assert isinstance(whole, Wait)


def test_a_repeat_of_a_lost_registration_names_each_target_once() -> None:
    lost = launched(goal=BOTH_TWIN)
    again = act(seen(twin=twin(), target_groups=BOTH), lost)
    assert again.write["registered"] == list(BOTH_TWIN)


def test_out_of_a_group_that_a_person_took_it_out_of_it_stays() -> None:
    done = launched(registered=BOTH_TWIN)
    assert isinstance(decide(seen(twin=twin(), target_groups=BOTH), done, RULES), Wait)


def test_it_is_over_when_the_first_is_gone_and_not_before() -> None:
    assert isinstance(decide(seen(twin=twin()), launched(goal=()), RULES), Wait)
    gone = described(state="terminated", StateReason=TAKEN)
    assert isinstance(decide(seen(3, gone, twin=twin()), launched(goal=()), RULES), Settled)


def test_it_is_not_over_before_the_twin_runs_and_is_registered() -> None:
    gone = described(state="terminated", StateReason=TAKEN)
    assert isinstance(decide(seen(3, gone, twin=twin("pending")), launched(), RULES), Wait)
    assert isinstance(decide(seen(3, gone, twin=twin()), launched(), RULES), Act)


def test_the_pair_is_looked_at_when_the_notice_is_over() -> None:
    found = decide(seen(0.25, twin=twin()), launched(goal=()), RULES)
    assert isinstance(found, Wait)
    assert found.again == 105


def test_that_both_run_on_is_told_with_what_to_do() -> None:
    decision = decide(seen(11, twin=twin()), launched(goal=()), RULES)
    assert isinstance(decision, Wait)
    assert (decision.code, decision.again) == ("both-run", 300)
    assert decision.next_steps


@pytest.mark.parametrize("state", ["stopped", "shutting-down", "terminated"])
def test_a_twin_that_ended_is_told_and_not_launched_again(state: str) -> None:
    ended = twin(state, StateReason={"Code": "Client.InternalError", "Message": "no key"})
    decision = decide(seen(twin=ended), launched(), RULES)
    assert isinstance(decision, Fail)
    assert decision.code == "twin-ended"
    assert "no key" in decision.reason
    assert isinstance(decide(seen(twin=ended), None, RULES), Settled)


# what it comes to


def test_the_twins_hours_count_from_its_launch_and_then_from_look_to_look() -> None:
    rates = {"g5.xlarge": Rates(on_demand=1.0, spot=0.4)}
    first = tally(seen(twin=twin(), rates=rates), launched())
    assert first["onDemandHours"] == pytest.approx(1 / 60)
    assert first["onDemandDollars"] == pytest.approx(1 / 60)
    assert first["fallbackDollars"] == pytest.approx(0.6 / 60)
    later = replace(seen(twin=twin(), rates=rates), now=NOW + timedelta(minutes=30))
    second = tally(later, replace(launched(), tally=first))
    assert second["onDemandHours"] == pytest.approx(31 / 60)
    assert second["fallbackDollars"] == pytest.approx(0.6 * 31 / 60)


def test_without_prices_hours_alone_are_counted() -> None:
    assert set(tally(seen(twin=twin()), launched())) == {"_at", "onDemandHours"}
    rates = {"g5.xlarge": Rates(on_demand=1.0)}
    some = tally(seen(twin=twin(), rates=rates), launched())
    assert set(some) == {"_at", "onDemandHours", "onDemandDollars"}


def test_nothing_is_counted_without_a_twin_or_after_its_end() -> None:
    before = {"_at": NOW.timestamp() - 600, "onDemandHours": 1.0}
    for found in (seen(), seen(twin=twin("terminated"))):
        after = tally(found, replace(launched(), tally=before))
        assert after == {"_at": NOW.timestamp(), "onDemandHours": 1.0}
