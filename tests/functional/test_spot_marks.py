"""What EC2 has marked counts as warned before anybody was told, and updates keep their distance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.functional.spot import UPDATE, Fleets, fleets, settings
from tests.functional.world import Call, Stage


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        yield scene


def test_one_warning_of_many_is_enough_to_know_of_all(fleet: Fleets) -> None:
    fleet.create(10)
    warned = fleet.storm(6)
    [first, *_] = [each for each in fleet.events if "instance-id" in each["detail"]]

    fleet.stage.batch(first)

    assert fleet.bases() == [6]
    assert sorted(fleet.detached()) == sorted(warned)


def test_of_other_groups_nothing_is_known_by_that(fleet: Fleets) -> None:
    fleet.create(4)
    fleet.create(4, "others")
    fleet.storm(3, "others")
    fleet.events.clear()
    fleet.storm(1)

    fleet.deliver()

    assert fleet.bases() == [1]


def test_late_warnings_of_what_the_group_has_let_go_of_are_one_question(fleet: Fleets) -> None:
    fleet.create(20)
    fleet.storm(10)
    first, *rest = [each for each in fleet.events if "instance-id" in each["detail"]]
    fleet.stage.batch(first)
    fleet.stage.calls.clear()

    answer = fleet.stage.batch(*rest)

    assert {each["code"] for each in answer["outcomes"]} == {"not-opted-in"}
    asked = Counter(str(call) for call in fleet.stage.calls)
    assert asked == {
        "autoscaling:DescribeAutoScalingInstances": 1,
        "ec2:DescribeInstances": 1,
    }


def test_a_lost_warning_is_found_by_the_look_at_a_launch_that_failed(fleet: Fleets) -> None:
    fleet.create(4)
    warned = fleet.storm(2)
    fleet.events.clear()
    fleet.ec2.terminate_instances(InstanceIds=[next(iter(fleet.spot() - set(warned)))])
    fleet.run(10)

    assert fleet.base() == 3
    assert sorted(fleet.detached()) == sorted(warned)


def test_updates_are_apart_though_a_look_takes_its_time(fleet: Fleets) -> None:
    """From call to call, not from look to look: the first one here takes 4 seconds to come to its."""
    moments: list[datetime] = []

    def slowly(moment: str, call: Call) -> None:
        if call.operation == "DescribeInstanceRefreshes" and not moments and moment == "before":
            fleet.stage.outside(lambda: fleet.stage.clock.shift(4))
        if call.operation == UPDATE and moment == "before":
            moments.append(datetime.now())

    fleet.create(10)
    fleet.stage.fault = slowly
    fleet.storm(3)
    fleet.deliver()
    fleet.storm(3)
    fleet.deliver()

    assert len(moments) == 2
    assert (moments[1] - moments[0]).total_seconds() >= 5
