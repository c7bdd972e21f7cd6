"""What a look at a group sees of it, and what it is not fooled by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.clients import client
from functions.core.remediation import Gone
from functions.spot_fallback.aws import Groups
from functions.spot_fallback.observation import GroupSeen, Rates
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.settings import Price
from tests.functional.spot import ROLE, TYPE, Fleets, arn, fleets
from tests.functional.world import Stage


@pytest.fixture
def fleet(stage: Stage) -> Iterator[Fleets]:
    with fleets(stage) as scene:
        yield scene


class Doctored:
    """The client of Auto Scaling, but a group has members that the pocket account cannot play."""

    def __init__(self, **members: Any) -> None:
        self._members = members

    def __getattr__(self, name: str) -> Any:
        return getattr(client("autoscaling"), name)

    def describe_auto_scaling_groups(self, **asked: Any) -> Any:
        answer = client("autoscaling").describe_auto_scaling_groups(**asked)
        for group in answer["AutoScalingGroups"]:
            group.update(self._members)
        return answer


def look(causes: Mapping[str, Mapping[str, Any]] | None = None, **doctored: Any) -> GroupSeen:
    def given(service: str) -> Any:
        return Doctored(**doctored) if service == "autoscaling" and doctored else client(service)

    rates = RateCard((Price(TYPE, 0.1, 0.04),), client("ec2"))
    return Groups(given, rates).observe(arn(), causes or {}, datetime.now(UTC))


def test_all_that_is_decided_from(fleet: Fleets) -> None:
    fleet.create(5, base=1, percentage=25, zones=2, types=[TYPE, "c5.large"], MaxSize=9)
    seen = look()
    assert (seen.name, seen.desired, seen.max_size) == ("workers", 5, 9)
    assert seen.dial["distribution"]["OnDemandBaseCapacity"] == 1
    assert sorted(str(each.market) for each in seen.members) == ["on-demand"] * 2 + ["spot"] * 3
    assert {each.state for each in seen.members} == {"InService"}
    assert all(each.healthy and each.launched and not each.protected for each in seen.members)
    assert seen.types == (TYPE, "c5.large")
    assert seen.zones == ("us-east-1a", "us-east-1b")
    assert seen.roles == (ROLE,)
    assert seen.rates == {TYPE: Rates(0.1, 0.04), "c5.large": Rates()}
    assert not any((seen.failures, seen.orphans, seen.suspended))
    assert not any((seen.rebalances, seen.weighted, seen.refreshing, seen.managed_by))


def test_causes_say_what_is_warned_and_what_is_at_risk(fleet: Fleets) -> None:
    fleet.create(2)
    at = datetime.now(UTC)
    note = {"at": at.isoformat()}
    seen = look({"warned i-1": note, "at-risk i-2": note, "launched": note, "short": note})
    assert seen.warned == {"i-1": at}
    assert seen.at_risk == {"i-2": at}


class Coded:
    """The client of EC2, but every Spot request asked for has one status code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Any:
        return getattr(client("ec2"), name)

    def describe_spot_instance_requests(self, Filters: list[dict[str, Any]]) -> Any:
        asked = {each["Name"]: each["Values"] for each in Filters}
        status = {"Code": self._code, "UpdateTime": datetime.now(UTC)}
        ids = asked["instance-id"] if self._code in asked["status-code"] else []
        return {"SpotInstanceRequests": [{"InstanceId": id, "Status": status} for id in ids]}


@pytest.mark.parametrize(
    ("code", "warned"),
    [
        ("marked-for-termination", True),
        ("instance-terminated-no-capacity", True),
        ("instance-terminated-by-experiment", True),
        ("instance-terminated-by-user", False),
        ("fulfilled", False),
    ],
)
def test_what_runs_under_such_a_status_is_warned_and_what_has_ended_is_not(
    fleet: Fleets, code: str, warned: bool
) -> None:
    fleet.create(2)
    ended, running = sorted(fleet.spot())
    fleet.ec2.terminate_instances(InstanceIds=[ended])

    def given(service: str) -> Any:
        return Coded(code) if service == "ec2" else client(service)

    seen = Groups(given, RateCard((), client("ec2"))).observe(arn(), {}, datetime.now(UTC))
    assert {each.id for each in seen.members} >= {ended, running}
    assert set(seen.warned) == ({running} if warned else set())


def test_only_launches_that_failed_are_failures_and_their_text_names_the_market(
    fleet: Fleets,
) -> None:
    fleet.create(4, base=2)
    fleet.capacity(0)
    fleet.asg.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=6)
    fleet.stage.wait(10)
    found = look().failures
    assert {each.market for each in found} == {"spot"}
    assert {each.zone for each in found} <= {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert all("Could not launch Spot Instances" in each.text for each in found)
    fleet.capacity(0, market="on-demand")
    change = {"OnDemandBaseCapacity": 6, "OnDemandPercentageAboveBaseCapacity": 0}
    fleet.asg.update_auto_scaling_group(
        AutoScalingGroupName="workers", MixedInstancesPolicy={"InstancesDistribution": change}
    )
    fleet.stage.wait(10)
    assert "on-demand" in {each.market for each in look().failures}


def test_a_group_without_a_policy_has_no_distribution(fleet: Fleets) -> None:
    plain = {"LaunchTemplateName": "plain"}
    fleet.create(1, LaunchTemplate=plain, MixedInstancesPolicy=None)
    assert look().distribution == {}


@pytest.mark.parametrize(
    "members",
    [
        {"DesiredCapacityType": "vcpu"},
        {
            "MixedInstancesPolicy": {
                "LaunchTemplate": {"Overrides": [{"InstanceType": TYPE, "WeightedCapacity": "2"}]},
                "InstancesDistribution": {},
            }
        },
    ],
)
def test_weights_of_any_kind_are_seen(fleet: Fleets, members: dict[str, Any]) -> None:
    fleet.create(1)
    assert look(**members).weighted


def test_plain_counting_is_not_taken_for_weights(fleet: Fleets) -> None:
    fleet.create(1)
    assert not look(DesiredCapacityType="units").weighted


def test_processes_that_are_suspended_are_seen(fleet: Fleets) -> None:
    fleet.create(1)
    suspended = [{"ProcessName": "Launch", "SuspensionReason": "by hand"}]
    assert look(SuspendedProcesses=suspended).suspended == ("Launch",)


def test_what_ec2_does_not_list_has_no_market(fleet: Fleets) -> None:
    fleet.create(1)
    stranger = {
        "InstanceId": "i-0123456789abcdef0",
        "InstanceType": TYPE,
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": True,
    }
    [member] = look(Instances=[stranger]).members
    assert (member.market, member.launched, member.protected) == (None, None, True)


def test_an_instance_refresh_is_seen_until_it_has_ended(fleet: Fleets) -> None:
    fleet.create(2)
    fleet.asg.start_instance_refresh(AutoScalingGroupName="workers")
    assert look().refreshing
    fleet.stage.wait(120)
    assert not look().refreshing


def test_what_runs_on_is_looked_for_once_it_should_be_gone(fleet: Fleets) -> None:
    fleet.create(2)
    outside, inside = sorted(fleet.spot())
    fleet.asg.detach_instances(
        AutoScalingGroupName="workers",
        InstanceIds=[outside],
        ShouldDecrementDesiredCapacity=False,
    )

    def orphans(minutes: float) -> tuple[str, ...]:
        note = {"at": (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()}
        return look({f"warned {each}": note for each in (outside, inside)}).orphans

    assert orphans(4.9) == ()
    assert orphans(5) == (outside,)
    assert orphans(21) == ()
    fleet.ec2.terminate_instances(InstanceIds=[outside])
    assert orphans(5) == ()


def test_a_group_that_is_being_deleted_is_gone(fleet: Fleets) -> None:
    fleet.create(1)
    fleet.asg.delete_auto_scaling_group(AutoScalingGroupName="workers", ForceDelete=True)
    with pytest.raises(Gone):
        look()
    with pytest.raises(Gone):
        Groups(client, RateCard((), client("ec2"))).opt_in(arn())


def test_the_look_that_follows_an_opt_in_does_not_read_the_group_again_and_an_act_does(
    fleet: Fleets,
) -> None:
    fleet.create(2)
    groups = Groups(client, RateCard((), client("ec2")))
    fleet.stage._inside = True

    def reads() -> int:
        made = len(fleet.stage.made("DescribeAutoScalingGroups"))
        fleet.stage.calls.clear()
        return made

    groups.opt_in(arn())
    assert reads() == 1
    seen = groups.observe(arn(), {}, datetime.now(UTC))
    assert reads() == 0
    assert len(seen.members) == 2
    groups.act(arn(), seen.dial, seen.dial)
    assert reads() == 1
    groups.observe(arn(), {}, datetime.now(UTC))
    assert reads() == 1
    fleet.stage._inside = False


def test_a_look_costs_seven_calls_and_the_next_of_the_invocation_five(fleet: Fleets) -> None:
    fleet.create(5)
    groups = Groups(client, RateCard((), client("ec2")))
    for expected in (7, 5):
        fleet.stage.calls.clear()
        fleet.stage._inside = True
        groups.observe(arn(), {}, datetime.now(UTC))
        fleet.stage._inside = False
        assert len(fleet.stage.calls) == expected
