"""Many single Spot Instances taken at once: each has its twin first, and everything else after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud import WORLD
from tests.functional.quotas import control
from tests.functional.singles import REGISTER, RUN, Singles, singles
from tests.functional.spot import settings
from tests.functional.world import Call, Stage

HEALTH = "DescribeTargetHealth"


@pytest.fixture
def scene(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Singles]:
    environment.setenv("LEVER_SETTINGS", settings())
    with singles(stage) as scene:
        yield scene


def calls(scene: Singles) -> list[str]:
    """Of the AWS services that an instance is of, in order."""
    services = ("ec2", "elbv2", "elasticloadbalancingv2", "iam", "autoscaling")
    return [call.operation for call in scene.stage.calls if call.service in services]


def test_no_target_group_is_read_before_the_launch(scene: Singles) -> None:
    scene.target_group("web", "instance", 80, id := scene.launch())
    scene.take(id)
    scene.deliver()
    made = calls(scene)
    assert made.index(RUN) < made.index("DescribeTargetGroups") < made.index(HEALTH)


def test_what_a_launch_costs_and_what_one_more_of_its_kind_does(scene: Singles) -> None:
    first, second = scene.launch(), scene.another()
    WORLD.durations.instance_boot = 90
    scene.take(first)
    scene.take(second)
    scene.deliver()
    made = calls(scene)
    one, other = (made.index(RUN), made.index(RUN) + 1 + made[made.index(RUN) + 1 :].index(RUN))
    looks = [name for name in made[one + 1 : other + 1] if not name.startswith("DescribeTarget")]
    assert looks == [
        "DescribeInstances",
        "DescribeInstances",
        "DescribeSpotInstanceRequests",
        "DescribeScalingActivities",
        "RunInstances",
    ]
    assert made.count("DescribeLaunchTemplateVersions") == 1
    assert made.count("GetInstanceProfile") == 1


def test_a_storm_reads_each_target_group_once(scene: Singles) -> None:
    ids = [scene.launch(), *(scene.another() for _ in range(4))]
    groups = [scene.target_group(name, "instance", 80, *ids) for name in ("web", "api")]
    WORLD.durations.instance_boot = 90
    for id in ids:
        scene.take(id)
    scene.deliver()
    asked = [call.parameters["TargetGroupArn"] for call in scene.stage.made(HEALTH)]
    assert sorted(asked) == sorted(groups)
    scene.beat(4)
    for group in groups:
        served = {id for id, _ in scene.targets(group)}
        assert served >= {each["InstanceId"] for each in scene.on_demand()}
    assert len(scene.on_demand()) == len(ids)


def test_a_twin_that_boots_longer_than_the_first_lives_still_serves_where_that_did(
    scene: Singles,
) -> None:
    id = scene.launch()
    group = scene.target_group("web", "instance", 80, id)
    WORLD.durations.instance_boot = 150
    scene.take(id)
    scene.deliver()
    scene.stage.wait(115)
    scene.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": id, "Port": 80}])
    scene.beat(2)
    assert scene.described(id)["State"]["Name"] == "terminated"
    assert (scene.twin()["InstanceId"], 80) in scene.targets(group)
    assert len(scene.stage.made(REGISTER)) == 1


def test_a_look_does_not_wait_for_a_twin_to_boot(scene: Singles) -> None:
    scene.take(scene.launch())
    WORLD.durations.instance_boot = 90
    scene.deliver()
    assert scene.stage.pauses == [10]


def test_while_a_twin_boots_no_target_group_is_read_again(scene: Singles) -> None:
    id = scene.launch()
    scene.target_group("web", "instance", 80, id)
    WORLD.durations.instance_boot = 90
    scene.take(id)
    scene.deliver()
    scene.beat()
    assert scene.twin()["State"]["Name"] == "pending"
    assert len(scene.stage.made(HEALTH)) == 1


def test_without_capacity_it_is_tried_again_within_seconds_while_the_notice_runs(
    scene: Singles,
) -> None:
    scene.capacity(0)
    scene.take(scene.launch())

    def free(moment: str, call: Call) -> None:
        if (moment, call.operation) == ("after", RUN):
            scene.stage.outside(lambda: scene.capacity(None))

    scene.stage.fault = free
    scene.deliver()
    assert len(scene.launches()) == 2
    assert len(scene.on_demand()) == 1
    assert scene.stage.told().count("Remediation Decided: on-demand-short") == 1


def test_after_the_notice_each_minute_is_one_try(scene: Singles) -> None:
    scene.capacity(0)
    scene.take(scene.launch())
    scene.deliver()
    scene.beat(3)
    before = len(scene.launches())
    scene.beat(2)
    assert len(scene.launches()) == before + 2


def test_a_quota_without_room_is_tried_each_minute(scene: Singles) -> None:
    id = scene.launch()
    control("PUT", "/servicequotas/quotas/ec2/L-1216C47A/value", {"value": 0})
    scene.take(id)
    scene.deliver()
    assert len(scene.launches()) == 1
    scene.beat()
    assert len(scene.launches()) == 2
