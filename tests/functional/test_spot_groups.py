"""A group that Spot is taken from has On-Demand for exactly that, and keeps its healthy Spot."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.spot import DETACH, LEVER, UPDATE, Fleets, arn, codes, fleets, settings
from tests.functional.world import ACCOUNT, REGION, Call, Stage

READS = ("autoscaling", "ec2", "iam")


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        yield scene


def refusal(operation: str, code: str, text: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


# warnings


def test_what_is_warned_is_replaced_on_demand_and_nothing_else_is(fleet: Fleets) -> None:
    fleet.create(10)
    warned = set(fleet.storm(4))
    healthy = fleet.spot() - warned

    assert codes(fleet.deliver()) == ["acted"]
    assert fleet.bases() == [4]
    assert set(fleet.detached()) == warned
    fleet.run(300)
    assert fleet.markets() == {"spot": 6, "on-demand": 4}
    assert fleet.spot() == healthy
    assert not healthy & set(fleet.ended)
    assert {fleet.state(each) for each in warned} == {"terminated"}


def test_capacity_is_back_before_what_was_warned_is_gone(fleet: Fleets) -> None:
    fleet.create(10)
    warned = fleet.storm(4)
    fleet.deliver()
    fleet.run(20)

    assert len(fleet.members()) == 10
    assert {fleet.state(each) for each in warned} == {"running"}


def test_the_group_is_updated_first_and_then_lets_go(fleet: Fleets) -> None:
    fleet.create(3)
    fleet.storm(1)
    fleet.deliver()

    assert fleet.writes() == [UPDATE, DETACH]
    assert fleet.stage.incident()["target"] == arn()


def test_a_hundred_warnings_in_one_batch_are_one_update(
    fleet: Fleets, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(on_demand_units=100))
    fleet.create(100)
    warned = fleet.storm()
    fleet.stage.calls.clear()
    fleet.deliver()

    assert fleet.writes() == [UPDATE, *[DETACH] * 6]
    assert fleet.bases() == [100]
    assert sorted(fleet.detached()) == sorted(warned)
    read = Counter(str(call) for call in fleet.stage.calls if call.service in READS)
    [act] = fleet.stage.incident()["acts"]
    assert act["written"] == {"distribution": fleet.distribution(), "detached": 100}
    assert not any(each in json.dumps(fleet.stage.messages()) for each in warned[10:])
    assert read == {
        "autoscaling:DescribeAutoScalingInstances": 2,
        "autoscaling:DescribeAutoScalingGroups": 2,
        "ec2:DescribeInstances": 1,
        "ec2:DescribeSpotInstanceRequests": 1,
        "autoscaling:DescribeScalingActivities": 1,
        "autoscaling:DescribeInstanceRefreshes": 1,
        "ec2:DescribeLaunchTemplateVersions": 1,
        "iam:GetInstanceProfile": 1,
        "autoscaling:UpdateAutoScalingGroup": 1,
        "autoscaling:DetachInstances": 6,
    }


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("reset", [True, False])
def test_all_of_a_policy_stays_as_it_is_but_for_the_base(
    fleet: Fleets, alone: bool, reset: bool
) -> None:
    """Whichever way AWS reads an update that does not say everything."""
    WORLD.switches.distribution_updates_alone = alone
    WORLD.switches.absent_distribution_fields_reset = reset
    fleet.template("other", InstanceType="c5.large")
    fleet.create(
        4,
        percentage=25,
        types=["m5.large", "m5a.large"],
        distribution={"SpotAllocationStrategy": "capacity-optimized", "SpotMaxPrice": "0.5"},
    )
    policy = copy.deepcopy(fleet.group()["MixedInstancesPolicy"])
    fleet.storm(1)
    fleet.deliver()

    policy["InstancesDistribution"]["OnDemandBaseCapacity"] = fleet.base()
    assert fleet.base() == 1
    assert fleet.group()["MixedInstancesPolicy"] == policy
    fleet.run(60)
    assert fleet.stage.incident()["stage"] == "acted"


def test_a_group_that_rebalances_itself_is_not_told_what_to_let_go(fleet: Fleets) -> None:
    fleet.create(10, CapacityRebalance=True)
    warned = set(fleet.storm(4))
    healthy = fleet.spot() - warned
    fleet.run(300)

    assert fleet.writes() == [UPDATE]
    assert fleet.markets() == {"spot": 6, "on-demand": 4}
    assert fleet.spot() == healthy


def test_and_is_left_alone_where_it_finds_other_spot(fleet: Fleets) -> None:
    fleet.create(10, CapacityRebalance=True)
    fleet.storm(4, gone=False)
    fleet.run(300)

    assert fleet.writes() == []
    assert fleet.markets() == {"spot": 10}
    assert {each["stage"] for each in fleet.stage.incidents()} <= {"recovered"}


def test_recommendations_alone_change_nothing(fleet: Fleets) -> None:
    fleet.create(10)
    control("POST", "/ec2/spot/rebalance", {"group": "workers", "count": 10})
    assert codes(fleet.deliver()) == ["settled"]
    fleet.run(120)
    assert fleet.writes() == []
    assert fleet.stage.incidents() == []


# launches


def test_a_group_that_grows_where_spot_has_run_out_is_filled_up(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.capacity(1)
    fleet.asg.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=10)
    fleet.run(60)

    assert fleet.bases() == [3]
    assert fleet.markets() == {"spot": 7, "on-demand": 3}
    assert fleet.detached() == []


def test_a_group_that_just_grows_is_left_alone(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.asg.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=10)
    fleet.run(180)
    assert fleet.writes() == []
    assert fleet.markets() == {"spot": 10}


def test_an_instance_that_crashed_is_the_groups_own_to_replace(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.ec2.terminate_instances(InstanceIds=[sorted(fleet.spot())[0]])
    fleet.run(180)
    assert fleet.writes() == []
    assert fleet.markets() == {"spot": 4}


def test_what_no_event_told_the_sweep_finds(fleet: Fleets) -> None:
    fleet.create(10)
    fleet.storm(4)
    fleet.run(300, deliver=False)
    assert fleet.markets() == {"spot": 6, "on-demand": 4}


def test_a_sweep_passes_over_groups_that_are_well_or_not_ours(fleet: Fleets) -> None:
    fleet.create(2)
    fleet.create(2, name="others", tags={LEVER: "off"})
    fleet.create(2, name="strangers", tags={})
    plain = {"LaunchTemplateName": "plain"}
    fleet.create(2, name="plain", LaunchTemplate=plain, MixedInstancesPolicy=None)
    fleet.capacity(0)
    fleet.capacity(0, market="on-demand")
    for name in ("others", "strangers", "plain"):
        fleet.asg.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=9)
    fleet.stage.wait(70)
    assert codes(fleet.stage.heartbeat()) == []
    assert fleet.stage.incidents() == []


def test_when_on_demand_is_short_as_well_a_person_is_told_and_spot_is_tried_again(
    fleet: Fleets,
) -> None:
    fleet.create(4)
    fleet.capacity(0, market="on-demand")
    fleet.storm(2)
    fleet.run(120)
    assert "Remediation Refused: on-demand-short" in fleet.stage.told()
    incident = fleet.stage.incident()
    assert "us-east-1a, us-east-1b, us-east-1c" in incident["reason"]
    fleet.capacity(None)
    fleet.run(900)
    assert fleet.markets() == {"spot": 4}


# hardships


def test_a_crash_between_the_two_calls_ends_no_healthy_spot(fleet: Fleets) -> None:
    fleet.create(10)
    warned = set(fleet.storm(4))
    healthy = fleet.spot() - warned

    def crash(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == DETACH:
            fleet.stage.fault = lambda moment, call: None
            raise RuntimeError("the function dies here")

    fleet.stage.fault = crash
    fleet.deliver()
    assert fleet.detached() == [] or len(fleet.stage.made(DETACH)) == 1
    fleet.stage.heartbeat()

    assert fleet.bases() == [4]
    assert not warned & fleet.members().keys()
    fleet.run(300)
    assert fleet.markets() == {"spot": 6, "on-demand": 4}
    assert fleet.spot() == healthy
    assert not healthy & set(fleet.ended)


def test_one_that_leaves_by_itself_at_that_moment_does_not_keep_the_rest(fleet: Fleets) -> None:
    fleet.create(4)
    first, second = sorted(fleet.storm(2))

    def leaves(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == DETACH:
            fleet.stage.fault = lambda moment, call: None
            fleet.stage.outside(lambda: fleet.ec2.terminate_instances(InstanceIds=[first]))
            fleet.stage.outside(lambda: fleet.stage.wait(3))

    fleet.stage.fault = leaves
    fleet.deliver()
    assert second not in fleet.members()
    fleet.run(60)
    assert fleet.markets() == {"spot": 2, "on-demand": 2}


@pytest.mark.parametrize("code", ["ScalingActivityInProgress", "ResourceContention"])
def test_a_group_that_is_busy_is_tried_again(fleet: Fleets, code: str) -> None:
    fleet.create(4)
    fleet.storm(1)
    left = [1, 1]

    def busy(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == UPDATE and left:
            left.pop()
            raise refusal(UPDATE, code, "An activity is in progress.")

    fleet.stage.fault = busy
    fleet.deliver()
    assert fleet.base() == 1
    assert fleet.stage.pauses[:2] == [5, 5]
    fleet.run(60)
    assert len(fleet.stage.made(UPDATE)) == 3
    assert fleet.stage.told() == ["Remediation Decided: decided", "Remediation Acted: acted"]


def test_a_group_that_goes_meanwhile_is_let_be(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.storm(1)

    def gone(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == UPDATE:
            fleet.stage.outside(
                lambda: fleet.asg.delete_auto_scaling_group(
                    AutoScalingGroupName="workers", ForceDelete=True
                )
            )

    fleet.stage.fault = gone
    fleet.deliver()
    fleet.run(60)
    assert fleet.stage.incident()["stage"] == "recovered"
    assert "does not exist any more" in fleet.stage.incident()["reason"]


def test_a_person_who_changes_it_between_our_look_and_our_write_wins(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.storm(1)
    policy = {"InstancesDistribution": {"OnDemandBaseCapacity": 3, "OnDemandPercentageAboveBaseCapacity": 0}}  # fmt: skip

    def change(moment: str, call: Call) -> None:
        if moment == "after" and call.operation == "DescribeInstanceRefreshes":
            fleet.stage.fault = lambda moment, call: None
            fleet.stage.outside(
                lambda: fleet.asg.update_auto_scaling_group(
                    AutoScalingGroupName="workers", MixedInstancesPolicy=policy
                )
            )

    fleet.stage.fault = change
    fleet.deliver()
    assert fleet.writes() == []
    assert fleet.base() == 3
    assert fleet.stage.incident()["stage"] == "superseded"


def test_and_so_does_one_who_changes_it_afterwards(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.storm(1)
    fleet.deliver()
    policy = {"InstancesDistribution": {"OnDemandBaseCapacity": 3, "OnDemandPercentageAboveBaseCapacity": 0}}  # fmt: skip
    fleet.asg.update_auto_scaling_group(AutoScalingGroupName="workers", MixedInstancesPolicy=policy)
    fleet.run(120)
    assert fleet.base() == 3
    assert fleet.stage.incident()["stage"] == "superseded"


def test_instances_that_ec2_does_not_take_after_all_are_told_once(fleet: Fleets) -> None:
    fleet.create(4)
    spared = sorted(fleet.spot())[0]
    warning = now_warned(spared)
    fleet.stage.batch(warning)
    fleet.run(900)
    told = [each for each in fleet.stage.told() if each.endswith("still-running")]
    assert told == ["Remediation Decided: still-running"]
    assert any(spared in str(message) for message in fleet.stage.messages())


def now_warned(instance: str) -> dict[str, Any]:
    """A warning that EC2 does not follow."""
    return {
        "version": "0",
        "id": "1",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "time": datetime.now(UTC).isoformat(),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"],
        "detail": {"instance-id": instance, "instance-action": "terminate"},
    }
