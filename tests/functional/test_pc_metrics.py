"""What is read of a target's traffic: minute by minute, and what silence means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.provisioned_concurrency.metrics import GLANCE, GLANCED, LOOK, Meter, traffic
from functions.provisioned_concurrency.observation import Minute, Service
from tests.functional.concurrency import Warm, warm
from tests.functional.conftest import NOON
from tests.functional.world import Stage

LIVE = Meter(Service.LAMBDA, {"FunctionName": "shop", "Resource": "shop:live"})
CHAT = Meter(Service.SAGEMAKER, {"EndpointName": "chat", "VariantName": "all"}, most=20)


class CloudWatch:
    """Answers GetMetricData with what a test says; counts the queries of each call."""

    def __init__(self, **told: tuple[str, dict[datetime, float]]) -> None:
        self.told = told
        self.queries: list[int] = []

    def get_paginator(self, name: str) -> CloudWatch:
        assert name == "get_metric_data"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        self.queries.append(len(asked["MetricDataQueries"]))
        results = []
        for query in asked["MetricDataQueries"]:
            name = query["MetricStat"]["Metric"]["MetricName"]
            status, points = self.told.get(name, ("Complete", {}))
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": list(points),
                    "Values": list(points.values()),
                    "StatusCode": status,
                }
            )
        return [{"MetricDataResults": results}]


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def read(cloudwatch: Any, now: datetime, meter: Meter = LIVE) -> tuple[Minute, ...]:
    return traffic(cloudwatch, {"x": meter}, now, GLANCE)["x"]


def now() -> datetime:
    return datetime.now(UTC)


def test_an_alias_is_read_minute_by_minute(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function()
        scene.provision(10)
        stage.wait(120)
        scene.send(25, seconds=2)
        stage.wait(65)

        newest = read(stage.client("cloudwatch"), now())[-1]

    assert newest == Minute(
        at=at(2), concurrent=25, provisioned=10, invocations=750, spilled=450, seconds=2
    )


def test_an_endpoint_s_share_is_turned_into_a_number(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.endpoint(provisioned=2)
        stage.wait(55)
        scene.request(8)
        stage.wait(65)

        newest = read(stage.client("cloudwatch"), now(), CHAT)[-1]

    assert (newest.at, newest.concurrent, newest.provisioned) == (at(1), 8, 2)
    assert (newest.invocations, newest.spilled) == (480, 360)
    assert newest.seconds > 1  # the model's second, and what SageMaker adds


def test_a_minute_without_a_datum_had_no_traffic(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function()
        scene.send(0, 3, 0)
        stage.wait(185)

        told = read(stage.client("cloudwatch"), now())

    assert [each.concurrent for each in told] == [0, 3]


def test_the_newest_closed_minute_may_only_be_late(stage: Stage) -> None:
    """It has no datum, so it is not told to have been idle."""
    with warm(stage) as scene:
        scene.function()
        stage.wait(600)

        told = traffic(stage.client("cloudwatch"), {"x": LIVE}, now(), LOOK)["x"]

    assert [each.at for each in told] == [at(minute) for minute in range(-5, 9)]
    assert not any(each.invocations for each in told)


def test_a_minute_that_is_not_over_is_not_read(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function()
        scene.send(3)
        stage.wait(110)

        assert read(stage.client("cloudwatch"), now())[-1].at == at(0)


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_where_not_all_was_told_silence_is_no_idleness(status: str) -> None:
    cloudwatch = CloudWatch(
        Invocations=("Complete", {at(0): 60.0, at(2): 60.0}),
        ProvisionedConcurrencySpilloverInvocations=(status, {at(2): 5.0}),
    )

    told = read(cloudwatch, at(3))

    assert [(each.at, each.spilled) for each in told] == [(at(2), 5)]


def test_a_series_that_did_not_come_back_tells_nothing() -> None:
    class Silent(CloudWatch):
        def paginate(self, **asked: Any) -> list[dict[str, Any]]:
            return [{"MetricDataResults": super().paginate(**asked)[0]["MetricDataResults"][:1]}]

    assert read(Silent(Invocations=("Complete", {at(2): 60.0})), at(3)) == ()


def test_a_page_that_is_cut_is_complete_with_the_next() -> None:
    class Pages(CloudWatch):
        def paginate(self, **asked: Any) -> list[dict[str, Any]]:
            [whole] = super().paginate(**asked)
            first = {**whole["MetricDataResults"][0], "StatusCode": "PartialData"}
            return [{"MetricDataResults": [first]}, whole]

    assert len(read(Pages(Invocations=("Complete", {at(2): 60.0})), at(3))) == GLANCE


def test_what_ran_at_once_is_not_known_where_only_invocations_are_told() -> None:
    [newest] = read(CloudWatch(Invocations=("Complete", {at(2): 60.0})), at(3))[-1:]

    assert newest.concurrent is None


def test_a_call_takes_five_hundred_metrics() -> None:
    """GetMetricData, API reference; a glance reads two metrics a target, and each is billed."""
    cloudwatch = CloudWatch()
    meters = {str(number): LIVE for number in range(501)}

    told = traffic(cloudwatch, meters, at(3), GLANCE, GLANCED)

    assert cloudwatch.queries == [500, 500, 2]
    assert len(told) == 501


def test_many_targets_are_told_apart(stage: Stage) -> None:
    with warm(stage) as scene:
        two_aliases(scene)
        stage.wait(65)
        beta = Meter(Service.LAMBDA, {"FunctionName": "shop", "Resource": "shop:beta"})

        told = traffic(stage.client("cloudwatch"), {"live": LIVE, "beta": beta}, now(), GLANCE)

    assert [told[name][-1].concurrent for name in ("live", "beta")] == [3, 7]


def two_aliases(scene: Warm) -> None:
    scene.function(aliases=("live", "beta"))
    scene.send(3)
    scene.send(7, to="shop:beta")
