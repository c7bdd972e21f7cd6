"""An instance refresh replaces every instance, new before old (EC2 Auto Scaling user guide,
"Use an instance refresh to update instances in an Auto Scaling group")."""

from __future__ import annotations

from typing import Any

from local.cloud import WORLD
from tests.cloud.autoscaling.conftest import Fleet
from tests.cloud.hosting import refused


def refreshes(fleet: Fleet) -> Any:
    answer = fleet.asg.describe_instance_refreshes(AutoScalingGroupName="workers")
    return answer["InstanceRefreshes"]


def test_it_runs_and_ends(fleet: Fleet) -> None:
    fleet.create(3)
    before = {each["InstanceId"] for each in fleet.group()["Instances"]}
    started = fleet.asg.start_instance_refresh(
        AutoScalingGroupName="workers", Preferences={"MinHealthyPercentage": 100}
    )
    [running] = refreshes(fleet)
    assert running["InstanceRefreshId"] == started["InstanceRefreshId"]
    assert (running["Status"], running["InstancesToUpdate"]) == ("InProgress", 3)
    assert "EndTime" not in running
    while refreshes(fleet)[0]["Status"] == "InProgress":
        assert fleet.states().count("InService") >= 3
        fleet.account.wait(1)
        assert WORLD.clock() < running["StartTime"].timestamp() + 300
    [ended] = refreshes(fleet)
    assert (ended["Status"], ended["PercentageComplete"]) == ("Successful", 100)
    assert ended["EndTime"] > ended["StartTime"]
    fleet.account.wait(60)
    after = {each["InstanceId"] for each in fleet.group()["Instances"]}
    assert (len(after), before & after) == (3, set())
    assert fleet.markets() == {"spot": 3}


def test_one_at_a_time(fleet: Fleet) -> None:
    fleet.create(1)
    fleet.asg.start_instance_refresh(AutoScalingGroupName="workers")
    code, message = refused(fleet.asg.start_instance_refresh, AutoScalingGroupName="workers")
    assert code == "InstanceRefreshInProgress"
    assert message.startswith("An Instance Refresh is already in progress")
    fleet.account.wait(60)
    fleet.asg.start_instance_refresh(AutoScalingGroupName="workers")
    assert [each["Status"] for each in refreshes(fleet)] == ["InProgress", "Successful"]


def test_what_is_not_simulated_says_so(fleet: Fleet) -> None:
    fleet.create(0)
    for more in ({"Strategy": "ReplaceRootVolume"}, {"Preferences": {"AutoRollback": True}}):
        code, _ = refused(fleet.asg.start_instance_refresh, AutoScalingGroupName="workers", **more)
        assert code == "UnsupportedByPocketAccount"
