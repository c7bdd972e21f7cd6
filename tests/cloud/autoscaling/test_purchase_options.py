"""On-Demand and Spot in one group, and what a change of their division does.

Source: EC2 Auto Scaling user guide, "Create a mixed instances group"; botocore service model,
`InstancesDistribution` and `UpdateAutoScalingGroup`.
"""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import ALL_SPOT, Fleet, policy
from tests.cloud.hosting import refused


def divided(base: int, percentage: int) -> dict[str, int]:
    return {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percentage}


def distribution(fleet: Fleet) -> Any:
    return fleet.group()["MixedInstancesPolicy"]["InstancesDistribution"]


@pytest.mark.parametrize(
    ("base", "percentage", "bought"),
    [(0, 0, 0), (2, 0, 2), (0, 50, 4), (2, 50, 5), (0, 10, 1), (0, 100, 7), (9, 0, 7)],
)
def test_the_base_and_a_percentage_above_it_are_on_demand(
    fleet: Fleet, base: int, percentage: int, bought: int
) -> None:
    """The percentage is rounded in favour of On-Demand."""
    mixed = policy("m5.large", **divided(base, percentage))
    fleet.create(7, MixedInstancesPolicy=mixed)
    assert fleet.markets().get("on-demand", 0) == bought
    assert fleet.markets().get("spot", 0) == 7 - bought


def test_without_a_word_everything_is_on_demand(fleet: Fleet) -> None:
    fleet.create(2, MixedInstancesPolicy=policy("m5.large"))
    assert fleet.markets() == {"on-demand": 2}
    assert distribution(fleet) == {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 100,
        "SpotAllocationStrategy": "lowest-price",
        "SpotInstancePools": 2,
    }


def test_the_first_override_is_launched_and_not_the_templates_type(fleet: Fleet) -> None:
    fleet.create(2, MixedInstancesPolicy=policy("m5a.large", "m5.xlarge", **ALL_SPOT))
    assert {each["InstanceType"] for each in fleet.group()["Instances"]} == {"m5a.large"}


def test_an_override_may_have_a_template_of_its_own(fleet: Fleet, image: str) -> None:
    data = {"ImageId": image, "InstanceType": "c5.large"}
    fleet.ec2.create_launch_template(LaunchTemplateName="other", LaunchTemplateData=data)
    mixed = policy()
    other = {"LaunchTemplateName": "other", "Version": "1"}
    mixed["LaunchTemplate"]["Overrides"] = [
        {"InstanceType": "c5.xlarge", "LaunchTemplateSpecification": other}
    ]
    fleet.create(1, MixedInstancesPolicy=mixed)
    [instance] = fleet.group()["Instances"]
    assert instance["InstanceType"] == "c5.xlarge"
    assert instance["LaunchTemplate"]["LaunchTemplateName"] == "other"
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    [kept] = fleet.group()["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert kept["LaunchTemplateSpecification"]["LaunchTemplateName"] == "other"


def test_a_changed_division_replaces_instances_one_by_one_new_before_old(fleet: Fleet) -> None:
    fleet.create(4)
    oldest = {each["InstanceId"] for each in fleet.group()["Instances"]}
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(2, 0)})
    seen = []
    for _ in range(40):
        states = fleet.states()
        assert states.count("InService") >= 4
        assert states.count("Pending") <= 1
        seen.append(fleet.markets().get("on-demand", 0))
        fleet.account.wait(1)
    assert sorted(seen) == seen
    assert set(seen) == {0, 1, 2}
    assert fleet.markets() == {"on-demand": 2, "spot": 2}
    assert len(oldest & {each["InstanceId"] for each in fleet.group()["Instances"]}) == 2


def test_what_runs_follows_a_changed_division_only_after_a_while(fleet: Fleet) -> None:
    """So that the order of two calls within a second decides nothing."""
    fleet.create(4)
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    fleet.account.wait(WORLD.durations.asg_step - 1)
    assert fleet.markets() == {"spot": 4}
    fleet.account.wait(1)
    assert fleet.markets() == {"spot": 4, "on-demand": 1}


def test_the_newest_are_replaced_first(fleet: Fleet) -> None:
    fleet.create(2)
    first = {each["InstanceId"] for each in fleet.group()["Instances"]}
    fleet.account.wait(60)
    fleet.update(DesiredCapacity=4)
    fleet.account.wait(60)
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(2, 0)})
    fleet.account.wait(60)
    spot = {x["InstanceId"] for x in fleet.instances() if x.get("InstanceLifecycle")}
    assert spot == first


def test_nothing_is_replaced_that_has_not_served(fleet: Fleet) -> None:
    fleet.create(0)
    fleet.update(DesiredCapacity=2)
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    assert fleet.states() == ["Pending"] * 2
    fleet.account.wait(60)
    assert fleet.markets() == {"on-demand": 1, "spot": 1}


def test_a_smaller_capacity_keeps_the_base(fleet: Fleet) -> None:
    fleet.create(4, MixedInstancesPolicy=policy("m5.large", **divided(2, 0)))
    fleet.update(DesiredCapacity=2)
    assert fleet.markets() == {"on-demand": 2}


def test_back_to_spot_likewise(fleet: Fleet) -> None:
    fleet.create(3, MixedInstancesPolicy=policy("m5.large", **divided(3, 0)))
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    fleet.account.wait(60)
    assert fleet.markets() == {"on-demand": 1, "spot": 2}


def test_a_base_that_fits_what_is_missing_replaces_nothing(fleet: Fleet) -> None:
    fleet.create(4)
    before = [each["InstanceId"] for each in fleet.group()["Instances"]]
    fleet.limit(0, market="spot")
    fleet.control("POST", "/ec2/spot/reclaim", {"instance_ids": before[:1]})
    fleet.account.wait(150)
    assert fleet.markets() == {"spot": 3}
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    assert fleet.markets() == {"on-demand": 1, "spot": 3}
    fleet.account.wait(60)
    now = [each["InstanceId"] for each in fleet.group()["Instances"]]
    assert set(before[1:]) < set(now)


def test_without_capacity_for_the_new_the_old_stays(fleet: Fleet) -> None:
    fleet.create(3)
    before = fleet.group()["Instances"]
    fleet.limit(0, market="on-demand")
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(3, 0)})
    fleet.account.wait(60)
    assert fleet.group()["Instances"] == before
    fleet.limit(None)
    fleet.account.wait(60)
    assert fleet.markets() == {"on-demand": 3}


def test_a_change_taken_back_leaves_the_rest_alone(fleet: Fleet) -> None:
    fleet.create(4)
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(4, 0)})
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(0, 0)})
    fleet.account.wait(60)
    assert fleet.markets() == {"spot": 4}
    assert fleet.states() == ["InService"] * 4


def test_a_replacement_that_dies_leaves_the_old_in_its_place(fleet: Fleet) -> None:
    fleet.create(2)
    before = [each["InstanceId"] for each in fleet.group()["Instances"]]
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    fleet.account.wait(WORLD.durations.asg_step)
    [new] = [x["InstanceId"] for x in fleet.instances() if "InstanceLifecycle" not in x]
    WORLD.durations.asg_health_check = 2 * WORLD.durations.instance_stop
    fleet.ec2.terminate_instances(InstanceIds=[new])
    fleet.account.wait(WORLD.durations.instance_stop)
    fleet.limit(0, market="on-demand")
    fleet.account.wait(60)
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(0, 0)})
    fleet.account.wait(60)
    assert [each["InstanceId"] for each in fleet.group()["Instances"]] == before
    [activity] = [each for each in fleet.activities() if each["Description"].endswith(f"instance: {new}") and "Launching" in each["Description"]]  # fmt: skip
    assert activity["StatusCode"] == "Cancelled"


def test_a_plain_group_that_gets_a_policy_is_converted(fleet: Fleet) -> None:
    fleet.create(2, LaunchTemplate={"LaunchTemplateName": "plain"})
    fleet.update(MixedInstancesPolicy=policy("m5.large", **divided(1, 0)))
    fleet.account.wait(60)
    assert "LaunchTemplate" not in fleet.group()
    assert fleet.markets() == {"on-demand": 1, "spot": 1}


def test_a_distribution_alone_keeps_the_template(fleet: Fleet) -> None:
    fleet.create(1, MixedInstancesPolicy=policy("m5a.large", **ALL_SPOT))
    before = fleet.group()["MixedInstancesPolicy"]["LaunchTemplate"]
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": divided(1, 0)})
    assert fleet.group()["MixedInstancesPolicy"]["LaunchTemplate"] == before


def test_or_it_is_refused(fleet: Fleet) -> None:
    WORLD.switches.distribution_updates_alone = False
    fleet.create(1)
    change = {"InstancesDistribution": divided(1, 0)}
    assert refused(
        fleet.asg.update_auto_scaling_group,
        AutoScalingGroupName="workers",
        MixedInstancesPolicy=change,
    ) == (
        "ValidationError",
        "Valid requests must contain either launchTemplateId or LaunchTemplateName",
    )
    fleet.update(MixedInstancesPolicy=policy("m5.large", **divided(1, 0)))


@pytest.mark.parametrize(("reset", "percentage"), [(True, 100), (False, 0)])
def test_what_a_distribution_does_not_say_is_reset_or_kept(
    fleet: Fleet, reset: bool, percentage: int
) -> None:
    WORLD.switches.absent_distribution_fields_reset = reset
    fleet.create(2, MixedInstancesPolicy=policy("m5.large", SpotMaxPrice="0.5", **ALL_SPOT))
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": {"OnDemandBaseCapacity": 1}})
    assert distribution(fleet)["OnDemandBaseCapacity"] == 1
    assert distribution(fleet)["OnDemandPercentageAboveBaseCapacity"] == percentage
    assert distribution(fleet)["SpotMaxPrice"] == "0.5"
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": {"SpotMaxPrice": ""}})
    assert "SpotMaxPrice" not in distribution(fleet)


def test_an_update_is_held_to_the_maximum_too(fleet: Fleet) -> None:
    fleet.create(1, MaxSize=4)
    call = fleet.asg.update_auto_scaling_group
    change = {"InstancesDistribution": divided(5, 0)}
    expected = "Max bound, {}, must be greater than or equal to OnDemandBaseCapacity, {}."
    _, message = refused(call, AutoScalingGroupName="workers", MixedInstancesPolicy=change)
    assert message == expected.format(4, 5)
    fleet.update(MixedInstancesPolicy=change, MaxSize=5)
    _, message = refused(call, AutoScalingGroupName="workers", MaxSize=2)
    assert message == expected.format(2, 5)


SEGMENTS = [{"TargetCapacityTypes": ["on-demand-capacity-reservation", "on-demand"]}]


def test_a_base_or_a_percentage_takes_segments_away(fleet: Fleet) -> None:
    fleet.create(1, MixedInstancesPolicy=policy("m5.large", DistributionSegments=SEGMENTS))
    assert distribution(fleet)["DistributionSegments"] == SEGMENTS
    assert "OnDemandBaseCapacity" not in distribution(fleet)
    assert fleet.markets() == {"on-demand": 1}
    change = {"SpotAllocationStrategy": "capacity-optimized"}
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": change})
    assert distribution(fleet)["DistributionSegments"] == SEGMENTS
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": {"OnDemandBaseCapacity": 1}})
    assert "DistributionSegments" not in distribution(fleet)


def test_an_empty_list_takes_segments_away(fleet: Fleet) -> None:
    fleet.create(1, MixedInstancesPolicy=policy("m5.large", DistributionSegments=SEGMENTS))
    fleet.update(MixedInstancesPolicy={"InstancesDistribution": {"DistributionSegments": []}})
    assert "DistributionSegments" not in distribution(fleet)
    assert distribution(fleet)["OnDemandPercentageAboveBaseCapacity"] == 100


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"OnDemandPercentageAboveBaseCapacity": 101}, "ValidationError"),
        ({"OnDemandBaseCapacity": -1}, "ValidationError"),
        ({"SpotAllocationStrategy": "cheapest"}, "ValidationError"),
        ({"SpotInstancePools": 21}, "ValidationError"),
        (
            {"SpotInstancePools": 2, "SpotAllocationStrategy": "capacity-optimized"},
            "ValidationError",
        ),
        ({"DistributionSegments": SEGMENTS, "OnDemandBaseCapacity": 1}, "ValidationError"),
        (
            {"DistributionSegments": [{"TargetCapacityTypes": ["capacity-block"]}]},
            "UnsupportedByPocketAccount",
        ),
    ],
)
def test_a_distribution_that_makes_no_sense_is_refused(
    fleet: Fleet, wrong: dict[str, Any], code: str
) -> None:
    fleet.create(0)
    asked = {"AutoScalingGroupName": "workers", "MixedInstancesPolicy": policy(**wrong)}
    assert refused(fleet.asg.update_auto_scaling_group, **asked)[0] == code
