"""The metrics of a function's concurrency, as AWS publishes them.

Sources: Lambda developer guide, monitoring-concurrency and monitoring-metrics-types; Application Auto
Scaling user guide, target tracking ("cannot scale until new data points").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.awslambda.traffic_control import set_in_process, traffic_faults
from local.cloud.control import create_app
from tests.cloud.awslambda.conftest import Shop
from tests.cloud.conftest import NOON

UTILIZATION = "ProvisionedConcurrencyUtilization"
SPILLED = "ProvisionedConcurrencySpilloverInvocations"
ON_IT = "ProvisionedConcurrencyInvocations"
BUSY = "ProvisionedConcurrentExecutions"
LIVE = {"FunctionName": "shop", "Resource": "shop:live"}


@pytest.fixture
def control() -> Any:
    return create_app(traffic_faults(set_in_process)).test_client()


def send(control: Any, *concurrency: float, to: str = "shop:live", **more: Any) -> None:
    body = {"concurrency": concurrency, **more}
    answer = control.put(f"/lambda/functions/{to}/traffic", json=body)
    assert answer.status_code == 200, answer.json


def minutes(
    shop: Shop, name: str, statistic: str = "Sum", before: int = 0, of: Mapping[str, str] = LIVE
) -> list[float]:
    """A metric of `live` (or of other dimensions), one number a minute that has one, from `before`
    minutes before noon on."""
    found = shop.account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in of.items()],
        StartTime=NOON - timedelta(minutes=before),
        EndTime=NOON + timedelta(hours=2),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    return [each[statistic] for each in sorted(found, key=lambda each: each["Timestamp"])]


def test_demand_within_what_is_provisioned_is_served_by_it(shop: Shop, control: Any) -> None:
    WORLD.durations.lambda_provisioning = 0
    shop.provision("live", 10)
    send(control, 6)
    shop.account.wait(120)
    assert minutes(shop, "ConcurrentExecutions", "Maximum") == [6, 6]
    assert minutes(shop, BUSY, "Maximum") == [6, 6]
    assert minutes(shop, UTILIZATION, "Maximum") == [0.6, 0.6]
    assert minutes(shop, ON_IT) == minutes(shop, "Invocations") == [360, 360]
    assert minutes(shop, SPILLED) == []


def test_demand_beyond_spills_over_and_utilization_never_exceeds_one(
    shop: Shop, control: Any
) -> None:
    WORLD.durations.lambda_provisioning = 0
    shop.provision("live", 10)
    send(control, 25)
    shop.account.wait(60)
    assert minutes(shop, "ConcurrentExecutions", "Maximum") == [25]
    assert minutes(shop, BUSY, "Maximum") == [10]
    assert minutes(shop, UTILIZATION, "Maximum") == [1.0]
    assert (minutes(shop, ON_IT), minutes(shop, SPILLED)) == ([600], [900])


def test_without_traffic_there_is_no_datapoint(shop: Shop, control: Any) -> None:
    WORLD.durations.lambda_provisioning = 0
    shop.provision("live", 10)
    send(control, 4, 0, 4)
    shop.account.wait(180)
    assert len(minutes(shop, UTILIZATION, "SampleCount")) == 2
    assert minutes(shop, ON_IT) == [240, 240]
    control.delete("/lambda/functions/shop:live/traffic")
    shop.account.wait(180)
    assert len(minutes(shop, "ConcurrentExecutions", "Maximum")) == 2


def test_without_provisioned_concurrency_nothing_is_told_of_it(shop: Shop, control: Any) -> None:
    send(control, 4)
    shop.account.wait(60)
    assert minutes(shop, "ConcurrentExecutions", "Maximum") == [4]
    for name in (BUSY, UTILIZATION, ON_IT, SPILLED):
        assert minutes(shop, name, "SampleCount") == []


def test_what_is_added_serves_from_the_moment_it_is_ready(shop: Shop, control: Any) -> None:
    WORLD.durations.lambda_provisioning = 30
    shop.provision("live", 10)
    shop.account.wait(60)
    send(control, 20)
    shop.provision("live", 20)
    shop.account.wait(60)
    assert minutes(shop, ON_IT) == [10 * 30 + 20 * 30]
    assert minutes(shop, SPILLED) == [10 * 30]
    assert minutes(shop, BUSY, "Maximum") == [20]


def test_an_alias_that_moves_is_served_by_the_old_version_until_then(
    shop: Shop, control: Any
) -> None:
    WORLD.durations.lambda_provisioning = 30
    shop.provision("live", 10)
    shop.account.wait(60)
    send(control, 10)
    shop.update(FunctionVersion="2")
    shop.account.wait(60)
    counted = {
        version: minutes(shop, "Invocations", of={**LIVE, "ExecutedVersion": version})
        for version in ("1", "2")
    }
    assert counted == {"1": [300], "2": [300]}
    assert minutes(shop, SPILLED) == []


def test_versions_get_their_share_and_answer_each_in_its_way(shop: Shop, control: Any) -> None:
    shop.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    send(control, 8, versions={"2": {"error_rate": 0.5, "duration_ms": 500}})
    shop.account.wait(60)
    new = {**LIVE, "ExecutedVersion": "2"}
    assert minutes(shop, "ConcurrentExecutions", "Maximum", of=new) == [2]
    assert minutes(shop, "Invocations", of=new) == [2 * 60 * 2]
    assert minutes(shop, "Errors", of=new) == [120]
    assert minutes(shop, "Duration", "Average", of=new) == [500]
    assert minutes(shop, "Errors") == minutes(shop, "Errors", of={"FunctionName": "shop"}) == [120]
    assert minutes(shop, "Invocations") == [6 * 60 + 240]


def test_what_is_provisioned_for_versions_serves_their_share_of_an_alias(
    shop: Shop, control: Any
) -> None:
    WORLD.durations.lambda_provisioning = 0
    shop.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    shop.provision("1", 8)
    shop.provision("2", 1)
    send(control, 8)
    shop.account.wait(60)
    old, new = ({**LIVE, "ExecutedVersion": version} for version in ("1", "2"))
    assert minutes(shop, UTILIZATION, "Maximum", of=old) == [0.75]
    assert minutes(shop, UTILIZATION, "Maximum", of=new) == [1.0]
    assert (minutes(shop, SPILLED, of=new), minutes(shop, SPILLED)) == ([60], [60])


def test_beyond_the_reservation_invocations_are_throttled(shop: Shop, control: Any) -> None:
    shop.reserve(10)
    send(control, 15)
    shop.account.wait(60)
    assert minutes(shop, "ConcurrentExecutions", "Maximum") == [10]
    assert minutes(shop, "Throttles") == [300]
    shop.reserve(0)
    shop.account.wait(60)
    assert minutes(shop, "Invocations") == [600]
    assert minutes(shop, "Throttles") == [300, 900]
    for of in (LIVE, {**LIVE, "ExecutedVersion": "1"}):
        assert minutes(shop, "ConcurrentExecutions", "Maximum", of=of) == [10]


def test_what_is_throttled_is_shared_by_the_versions_too(shop: Shop, control: Any) -> None:
    shop.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    shop.reserve(8)
    send(control, 16)
    shop.account.wait(60)
    assert minutes(shop, "Throttles", of={**LIVE, "ExecutedVersion": "2"}) == [120]
    assert minutes(shop, "Throttles") == [480]


def test_minutes_gone_by_can_be_there_before(shop: Shop, control: Any) -> None:
    WORLD.durations.lambda_provisioning = 0
    shop.provision("live", 4)
    send(control, 1, history=[2, 8, 0, 3])
    assert minutes(shop, "ConcurrentExecutions", "Maximum", before=4) == [2, 8, 3]
    assert minutes(shop, UTILIZATION, "Maximum", before=4) == [0.5, 1.0, 0.75]


def test_less_than_one_at_a_time_adds_up(shop: Shop, control: Any) -> None:
    send(control, 0.1)
    shop.account.wait(600)
    assert sum(minutes(shop, "Invocations")) == 60
    assert set(minutes(shop, "ConcurrentExecutions", "Maximum")) == {1}


def test_traffic_ends_with_what_it_was_sent_to(shop: Shop, control: Any) -> None:
    send(control, 1)
    shop.api.delete_alias(FunctionName="shop", Name="live")
    shop.account.wait(60)
    shop.alias()
    shop.account.wait(60)
    assert minutes(shop, "Invocations") == []


def test_a_target_that_is_not_there_is_refused(shop: Shop, control: Any) -> None:
    for target, reason in (
        ("shop:dead", f"Function not found: {shop.arn}:dead"),
        ("shops:live", "There is no function 'shops'. Create it with CreateFunction first."),
    ):
        answer = control.put(f"/lambda/functions/{target}/traffic", json={"concurrency": [1]})
        assert (answer.status_code, answer.json) == (404, {"error": reason})
    answer = control.put("/lambda/functions/shop:live/traffic", json={"concurrency": []})
    assert answer.status_code == 400


class TestTheAccountAsAWhole:
    """monitoring-concurrency, "General concurrency metrics" and "Working with the
    ClaimedAccountConcurrency metric"."""

    def told(self, shop: Shop) -> list[list[float]]:
        """Executions, unreserved ones, and what is claimed, minute by minute."""
        names = ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
        return [
            minutes(shop, name, "Maximum", of={}) for name in (*names, "ClaimedAccountConcurrency")
        ]

    def test_what_is_provisioned_is_claimed_and_what_spills_over_is_unreserved(
        self, shop: Shop, control: Any
    ) -> None:
        WORLD.durations.lambda_provisioning = 0
        shop.provision("live", 10)
        send(control, 6, 13)
        shop.account.wait(120)
        assert self.told(shop) == [[6, 13], [0, 3], [10, 13]]

    def test_all_functions_count_and_reservations_whole(self, shop: Shop, control: Any) -> None:
        shop.create("other", 1)
        shop.reserve(50, "other")
        send(control, 6)
        send(control, 70, to="other")
        send(control, 4, to="shop:2")
        shop.account.wait(60)
        assert self.told(shop) == [[60], [10], [60]]
        assert minutes(shop, "ConcurrentExecutions", "SampleCount", of={}) == [1]

    def test_without_invocations_nothing_is_told(self, shop: Shop, control: Any) -> None:
        shop.reserve(50)
        send(control, 0)
        shop.account.wait(60)
        assert self.told(shop) == [[], [], []]
