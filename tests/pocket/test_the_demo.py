"""The demo plays its scenes side by side, and one that cannot be played out fails alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from cli.status import REMEDIATIONS
from infra.settings import StackSettings, read_settings
from infra.settings_file import over
from local.account import ROOT
from local.demo.account import Hands
from local.demo.acts import ACTS
from local.demo.acts.groups import Group
from local.demo.acts.quotas import NODE, ON_SALE, ranked
from local.demo.acts.spot_fallback import FREE, ML_TYPE, SETTINGS, TYPES
from local.demo.scene import DemoFailed, Scene, attempt, together, until
from local.pocket import ControlRefused


def steps(name: str, count: int, log: list[str]) -> Iterator[None]:
    for step in range(count):
        log.append(f"{name}{step}")
        yield
    log.append(f"{name} over")


def test_scripts_wait_side_by_side() -> None:
    log: list[str] = []
    looks = sum(1 for _ in together([steps("a", 3, log), steps("b", 1, log)]))

    assert log == ["a0", "b0", "a1", "b over", "a2", "a over"]
    assert looks == 3


def test_waiting_gives_what_was_found() -> None:
    answers = iter([None, "", "found"])
    waiting = until("it", lambda: next(answers), 60)

    assert [next(waiting), next(waiting)] == [None, None]
    with pytest.raises(StopIteration) as over:
        next(waiting)
    assert over.value.value == "found"


def test_what_does_not_come_is_named() -> None:
    with pytest.raises(DemoFailed, match="an alarm did not happen within 0 s"):
        list(until("an alarm", lambda: False, 0))


@pytest.mark.parametrize(
    "failure",
    [
        DemoFailed("it never came"),
        ControlRefused("it never came"),
        ClientError({"Error": {"Code": "Throttling", "Message": "it never came"}}, "Any"),
    ],
)
def test_a_failure_is_its_own_scenes_alone(failure: Exception) -> None:
    def fails() -> Iterator[None]:
        yield
        raise failure

    broken, whole = Scene("broken", "", passed=True), Scene("whole", "", passed=True)
    log: list[str] = []
    for _ in together([attempt(broken, fails()), attempt(whole, steps("a", 2, log))]):
        pass

    assert not broken.passed
    assert "it never came" in broken.why
    assert whole.passed
    assert log[-1] == "a over"


def test_a_scene_fails_until_it_passed() -> None:
    assert not Scene("any", "").passed


def test_seconds_are_counted_from_the_first_moment() -> None:
    scene = Scene("any", "", moments={"refused": 100.0, "requested": 101.5, "verified": 160.0})

    assert scene.seconds == {"requested": 1.5, "verified": 60.0}


def test_each_remediation_has_its_act() -> None:
    acts = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", act.__name__).lower() for act in ACTS}

    assert acts == set(REMEDIATIONS)


def demo_settings() -> StackSettings:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]["remediation"]
    return read_settings(over(context, SETTINGS))


def test_the_demos_settings_go_over_those_that_are_delivered() -> None:
    settings = demo_settings()

    assert settings.quota_increase.quotas, "the delivered ones"
    assert {price.instance_type for price in settings.spot_fallback.prices} == {*TYPES, ML_TYPE}


def test_a_job_goes_on_demand_when_that_much_time_is_left_beside_its_work() -> None:
    """Two changeovers, a sweep and the minute until the next heartbeat."""
    own = demo_settings().spot_fallback

    assert 60 * (2 * own.changeover_minutes + own.sweep_minutes + 1) == FREE


def test_offers_are_ranked_when_all_are_there_the_cheapest_hour_first() -> None:
    prices = sorted(price for price, _ in ON_SALE[NODE].values())
    offers = [{"feePerInstanceHour": price} for price in prices]

    assert ranked(offers, NODE)
    assert not ranked(offers[::-1], NODE)
    assert not ranked(offers[1:], NODE)


class Cloud:
    """Instances of one group, as Auto Scaling and EC2 tell of them: market by ID, all in service."""

    def __init__(self, markets: Mapping[str, str]) -> None:
        self.markets = markets

    def client(self, service: str) -> Cloud:
        return self

    def describe_auto_scaling_groups(self, **_: Any) -> dict[str, Any]:
        instances = [{"InstanceId": id, "LifecycleState": "InService"} for id in self.markets]
        policy = {"InstancesDistribution": {"OnDemandBaseCapacity": 0}}
        group = {"Instances": instances, "MixedInstancesPolicy": policy}
        return {"AutoScalingGroups": [group]}

    def describe_instances(self, InstanceIds: list[str]) -> dict[str, Any]:
        lifecycle = {"spot": {"InstanceLifecycle": "spot"}, "on-demand": {}}
        instances = [{"InstanceId": id, **lifecycle[self.markets[id]]} for id in InstanceIds]
        return {"Reservations": [{"Instances": instances}]}


def test_a_group_is_seen_by_market_and_by_what_it_is_missing() -> None:
    cloud = Cloud({"i-1": "spot", "i-2": "spot", "i-3": "on-demand"})
    group = Group(cast(Hands, cloud), "any", 4, ["g5.xlarge"])

    assert not group.is_whole
    assert (group.spot, group.on_demand, group.missing) == ({"i-1", "i-2"}, {"i-3"}, 1)


def test_a_groups_chart_begins_once_it_is_whole_and_keeps_its_worst() -> None:
    cloud = Cloud({"i-1": "spot"})
    group = Group(cast(Hands, cloud), "any", 2, ["g5.xlarge"])
    for markets in (
        {"i-1": "spot"},
        {"i-1": "spot", "i-2": "spot"},
        {"i-1": "spot"},
        {"i-1": "spot", "i-3": "on-demand"},
        {"i-1": "spot", "i-4": "spot"},
    ):
        cloud.markets = markets
        group.look()

    drawn = {line.name: [value for _, value in line.points] for line in group.chart().lines}
    assert drawn == {"Spot": [2, 1, 1, 2], "On-Demand": [0, 0, 1, 0], "missing": [0, 1, 0, 0]}
    assert group.most_on_demand == 1
