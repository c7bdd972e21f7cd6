"""The heartbeat of provisioned concurrency comes twice a minute, and the second asks only for traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.concurrency import Warm, settings, warm, wish
from tests.functional.world import Stage

READS = {"GetResources", "ListProvisionedConcurrencyConfigs"}
TRAFFIC = {"GetMetricData"}
BURST = 44


@pytest.fixture
def scene(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Warm]:
    """An alias that is kept at 5, which is enough for a while."""
    environment.setenv(
        "ECHO_QUEUE_URL", stage.client("sqs").create_queue(QueueName="echo")["QueueUrl"]
    )
    with warm(stage) as scene:
        scene.function(tags=wish(min=5))
        scene.send(4)
        scene.beat(20)
        assert scene.ready() == 5
        scene.stage.wait(31)
        taken(scene)
        scene.stage.calls.clear()
        yield scene


def taken(scene: Warm) -> list[Any]:
    """What is in the queue by now, which is empty after."""
    sqs = scene.stage.client("sqs")
    url = sqs.get_queue_url(QueueName="echo")["QueueUrl"]
    bodies: list[Any] = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(each["Body"]) for each in found]
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return bodies


def echo(scene: Warm) -> None:
    """Half a minute passes, and the queue brings what is in it by then."""
    scene.stage.wait(30)
    scene.stage.batch(*taken(scene))


def asked(scene: Warm) -> set[str]:
    """What the function has asked AWS since the last time."""
    operations = {call.operation for call in scene.stage.calls}
    scene.stage.calls.clear()
    return operations & (READS | TRAFFIC)


def test_an_echo_comes_half_a_minute_after_its_heartbeat(scene: Warm) -> None:
    scene.beat()
    scene.stage.wait(29)
    assert taken(scene) == []

    scene.stage.wait(1)
    assert [each["detail-type"] for each in taken(scene)] == ["Heartbeat"]


def test_a_burst_is_found_by_the_echo_of_a_heartbeat_that_came_too_early(scene: Warm) -> None:
    scene.send(BURST)
    scene.stage.heartbeat()
    assert scene.writes() == []

    echo(scene)
    assert scene.writes() == [58]


def test_how_targets_stand_is_read_at_the_heartbeat_and_not_at_its_echo(scene: Warm) -> None:
    scene.beat()
    assert asked(scene) == READS | TRAFFIC

    echo(scene)
    assert asked(scene) == TRAFFIC

    scene.stage.wait(30)
    scene.stage.heartbeat()
    assert asked(scene) == READS | TRAFFIC


def test_an_echo_that_comes_late_reads_all_of_it(scene: Warm) -> None:
    scene.beat()
    asked(scene)

    scene.stage.wait(45)
    scene.stage.batch(*taken(scene))
    assert asked(scene) == READS | TRAFFIC


def test_who_opts_out_between_a_heartbeat_and_its_echo_is_let_be(scene: Warm) -> None:
    """The echo still knows it as opted in; the look reads its tags anew."""
    scene.stage.wait(60)
    taken(scene)
    scene.send(BURST)
    scene.stage.heartbeat()
    scene.retag(wish(mode="off"))
    scene.stage.wait(30)
    [outcome] = scene.stage.batch(*taken(scene))["outcomes"]

    assert outcome["code"] == "tag-off"
    assert scene.writes() == []


@pytest.mark.parametrize(("seconds", "echoes"), [(30, 1), (60, 0), (300, 0)])
def test_who_glances_once_a_minute_or_less_has_no_echo(
    scene: Warm, environment: pytest.MonkeyPatch, seconds: int, echoes: int
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(glance_seconds=seconds))
    scene.stage.heartbeat()
    scene.stage.wait(31)

    assert len(taken(scene)) == echoes
