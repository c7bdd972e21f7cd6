"""A burst that spills over: one rise to what it truly needs, held, and let go at a billing edge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.functional.concurrency import Warm, codes, refuse, relent, warm, wish
from tests.functional.world import FUNCTION, Stage

BURST = 44
NEEDED = 58
"""44 in flight at once, and twice their root above."""
ENOUGH = 49
"""44 and 10 % above, which is what stays of it while that many are seen to be in flight."""


@pytest.fixture
def scene(stage: Stage) -> Iterator[Warm]:
    """An alias that is kept at 5, which is enough for a while."""
    with warm(stage) as scene:
        scene.function(tags=wish(min=5))
        scene.send(4)
        scene.beat(20)
        assert scene.level() == scene.ready() == 5
        scene.stage.calls.clear()
        yield scene


def alarm(stage: Stage, **different: Any) -> None:
    """On the alias's spillover, as it is recommended."""
    stage.alarm(
        "spills",
        Namespace="AWS/Lambda",
        MetricName="ProvisionedConcurrencySpilloverInvocations",
        Dimensions=[
            {"Name": "FunctionName", "Value": "shop"},
            {"Name": "Resource", "Value": "shop:live"},
        ],
        Statistic="Sum",
        EvaluationPeriods=1,
        Threshold=0.0,
        **different,
    )


def test_the_heartbeat_answers_a_burst_with_one_rise_to_true_demand(scene: Warm) -> None:
    """The utilization stands at 1 whatever spills over, so it would ask for 8 at first."""
    scene.send(BURST)
    scene.beat(12)

    assert scene.writes() == [NEEDED]
    assert scene.ready() == NEEDED


def test_the_rise_comes_within_two_minutes_of_the_burst(scene: Warm) -> None:
    scene.send(BURST)

    assert scene.until(lambda: scene.level() == NEEDED) <= 2


def test_the_reason_says_what_spilled_over(scene: Warm) -> None:
    scene.send(BURST)
    scene.beat(3)

    reason = scene.stage.incidents()[-1]["timeline"][-1]["note"]
    assert "spilled over" in reason
    assert "44" in reason


def test_an_alarm_s_event_brings_the_look_before_the_heartbeat(scene: Warm) -> None:
    alarm(scene.stage)
    scene.send(BURST)
    scene.stage.wait_for_alarm("spills")

    assert codes(scene.stage.deliver()) == ["acted"]
    assert scene.writes() == [NEEDED]


def test_an_alarm_may_invoke_the_function_itself(scene: Warm) -> None:
    alarm(scene.stage, AlarmActions=[FUNCTION])
    scene.send(BURST)
    scene.stage.wait_for_alarm("spills")

    [answer] = scene.stage.deliver_direct()

    assert codes(answer) == ["acted"]
    assert scene.writes() == [NEEDED]


def test_a_burst_that_is_over_is_held_for_ten_minutes_and_falls_before_a_billing_edge(
    scene: Warm,
) -> None:
    scene.send(BURST, BURST, BURST, BURST, 4)
    scene.until(lambda: scene.level() == NEEDED)
    rose = datetime.now(UTC)

    scene.until(lambda: scene.level() < NEEDED)

    passed = (datetime.now(UTC) - rose).total_seconds()
    assert passed >= 600
    assert 240 <= passed % 300 < 300  # the last minute of five that are paid for anyway


def test_after_the_burst_the_level_is_the_owner_s_again(scene: Warm) -> None:
    scene.send(BURST, BURST, BURST, BURST, 4)
    scene.until(lambda: scene.level() == NEEDED)
    scene.until(lambda: scene.level() == 5)

    assert scene.writes() == [NEEDED, 5]
    scene.until(lambda: scene.stages()[-1] == "verified", minutes=30)


def test_traffic_that_comes_and_goes_is_no_ladder_and_does_not_flap(scene: Warm) -> None:
    scene.send(*[BURST, 4, 4] * 15, 4)
    scene.beat(45)

    assert scene.writes() == [NEEDED, ENOUGH]


def test_a_few_that_spill_over_are_no_reason(scene: Warm) -> None:
    """2 % of all and 2 a minute are let be."""
    scene.send(5.05)
    scene.beat(10)

    assert scene.writes() == []


def test_nothing_spills_over_where_nothing_is_provisioned(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function()
        scene.send(BURST)
        scene.beat(10)

        assert scene.writes() == []


def test_a_level_that_nobody_asked_for_in_a_tag_is_raised_and_put_back(stage: Stage) -> None:
    """Opted in without any wish: what stood there is the owner's."""
    with warm(stage) as scene:
        scene.function()
        scene.provision(5)
        scene.send(4, 4, 4, BURST, BURST, BURST, 4)
        scene.until(lambda: scene.level() == NEEDED)
        scene.until(lambda: scene.level() == 5)

        assert scene.writes() == [NEEDED, 5]


def test_a_throttled_glance_loses_nothing(scene: Warm) -> None:
    """CloudWatch refuses for two minutes; a minute stays in sight for three."""
    refuse(scene.stage, "GetMetricData", "ThrottlingException")
    scene.send(BURST)
    scene.beat(2)
    assert scene.writes() == []

    relent(scene.stage)
    scene.beat(2)
    assert scene.writes() == [NEEDED]
