"""Requests that reach an endpoint, and what CloudWatch sees of them.

Metrics, dimensions, units: SageMaker developer guide, monitoring-cloudwatch, "endpoint invocation
metrics".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import WORLD
from local.cloud.cloudwatch import record
from local.cloud.sagemaker.control import find_endpoint
from local.cloud.traffic import Behaviour, History, Plan, Split, Traffic
from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import configure, stand_up, variant

ENHANCED = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}


def send(plan: Plan) -> None:
    """Start the plan on the endpoint `shop`."""
    with WORLD.turn():
        Traffic(find_endpoint("shop"), plan, record).start()


def statistic(
    account: Account,
    metric: str,
    variant_name: str,
    stat: str = "Sum",
    since_minutes: int = 0,
    minutes: int = 10,
    period: int = 60,
) -> list[float]:
    """The metric's values from `since_minutes` after noon on, one a period that has data."""
    start = NOON + timedelta(minutes=since_minutes)
    query = {
        "Id": "q",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SageMaker",
                "MetricName": metric,
                "Dimensions": [
                    {"Name": "EndpointName", "Value": "shop"},
                    {"Name": "VariantName", "Value": variant_name},
                ],
            },
            "Period": period,
            "Stat": stat,
        },
    }
    answer = account.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query],
        StartTime=start,
        EndTime=start + timedelta(minutes=minutes),
        ScanBy="TimestampAscending",
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return values


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=30),
    st.dictionaries(st.sampled_from("abcde"), st.floats(0, 100), min_size=1),
)
def test_splitting_loses_no_request_and_starves_nobody(
    batches: list[int], weights: dict[str, float]
) -> None:
    split, received = Split(), dict.fromkeys(weights, 0)
    for batch in batches:
        shares = split.divide(batch, weights)
        if any(weights.values()):
            assert sum(shares.values()) == batch
        for name, count in shares.items():
            assert count >= 0
            assert weights[name] > 0
            received[name] += count
    if any(weights.values()):
        for name, weight in weights.items():
            exact = sum(batches) * weight / sum(weights.values())
            assert received[name] == pytest.approx(exact, abs=len(weights))


def test_traffic_is_split_by_the_current_weights(account: Account) -> None:
    """botocore model, InitialVariantWeight: a variant's share is its weight over the sum."""
    stand_up(account, [variant("blue", 3), variant("green", 1), variant("idle", 0)])
    account.wait(55)
    send(Plan(100))
    account.wait(120)
    assert statistic(account, "Invocations", "blue", since_minutes=1) == [75, 75]
    assert statistic(account, "Invocations", "green", since_minutes=1) == [25, 25]
    assert statistic(account, "Invocations", "idle", since_minutes=1) == []


def test_while_an_update_runs_the_old_weights_serve(account: Account) -> None:
    sagemaker = stand_up(account, [variant("blue", 1), variant("green", 0)])
    account.wait(55)
    WORLD.durations.weights_update = 90
    send(Plan(60))
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[
            {"VariantName": "blue", "DesiredWeight": 0},
            {"VariantName": "green", "DesiredWeight": 1},
        ],
    )
    account.wait(180)
    assert statistic(account, "Invocations", "blue", since_minutes=1) == [60, 30]
    assert statistic(account, "Invocations", "green", since_minutes=1) == [30, 60]


def test_failures_are_counted_one_or_zero_a_request(account: Account) -> None:
    """Invocation5XXErrors, InvocationModelErrors: 1 for an error, else 0: Sum counts, Average is
    the rate."""
    stand_up(account, [variant("blue")])
    account.wait(55)
    send(Plan(40, {"blue": Behaviour(error_rate=0.25)}))
    account.wait(60)
    for metric in ("Invocation5XXErrors", "InvocationModelErrors"):
        assert statistic(account, metric, "blue", "Sum") == [10]
        assert statistic(account, metric, "blue", "Average") == [0.25]
        assert statistic(account, metric, "blue", "SampleCount") == [40]
    assert statistic(account, "Invocation4XXErrors", "blue", "Sum") == [0]


def test_a_rare_failure_comes_in_time(account: Account) -> None:
    stand_up(account, [variant("blue")])
    account.wait(55)
    send(Plan(10, {"blue": Behaviour(error_rate=0.02)}))
    account.wait(600)
    failures = statistic(account, "Invocation5XXErrors", "blue", since_minutes=1)
    assert sum(failures) == 2


def test_latency_is_in_microseconds(account: Account) -> None:
    stand_up(account, [variant("blue")])
    account.wait(55)
    send(Plan(30, {"blue": Behaviour(latency_ms=120)}))
    account.wait(60)
    assert statistic(account, "ModelLatency", "blue", "p99") == [120_000]
    assert statistic(account, "ModelLatency", "blue", "SampleCount") == [30]
    assert statistic(account, "OverheadLatency", "blue", "Average") == [2000]


def test_invocations_per_instance_are_normalised(account: Account) -> None:
    """API reference, ScalingPolicyMetric: 1/numberOfInstances is sent for each request."""
    stand_up(account, [variant("blue", count=4)])
    account.wait(55)
    send(Plan(100))
    account.wait(60)
    assert statistic(account, "InvocationsPerInstance", "blue") == [25]


def test_what_exceeds_the_instances_fails(account: Account) -> None:
    stand_up(account, [variant("blue", count=2)])
    account.wait(55)
    send(Plan(100, {"blue": Behaviour(capacity_per_instance=30)}))
    account.wait(60)
    assert statistic(account, "Invocations", "blue") == [100]
    assert statistic(account, "Invocation5XXErrors", "blue") == [40]
    assert statistic(account, "ModelLatency", "blue", "SampleCount") == [60]


def test_enhanced_metrics_come_every_ten_seconds(account: Account) -> None:
    """botocore model, MetricsConfig: the interval applies to invocation metrics when
    EnableEnhancedMetrics is set."""
    stand_up(account, [variant("blue")], MetricsConfig=ENHANCED)
    account.wait(55)
    send(Plan(60))
    account.wait(30)
    assert statistic(account, "Invocations", "blue", period=10) == [10, 10, 10]


def test_without_enhanced_metrics_the_frequency_is_a_minute(account: Account) -> None:
    metrics = ENHANCED | {"EnableEnhancedMetrics": False}
    stand_up(account, [variant("blue")], MetricsConfig=metrics)
    account.wait(55)
    send(Plan(60))
    account.wait(59)
    assert statistic(account, "Invocations", "blue") == []
    account.wait(1)
    assert statistic(account, "Invocations", "blue") == [60]


def test_no_traffic_reaches_an_endpoint_before_it_is_in_service(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    configure(sagemaker, [variant("blue")])
    WORLD.durations.endpoint_create = 90
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    send(Plan(60))
    account.wait(180)
    assert statistic(account, "Invocations", "blue") == [30, 60]


def test_a_history_fills_the_minutes_before(account: Account) -> None:
    stand_up(account, [variant("blue", 1), variant("green", 1)])
    account.wait(600)
    send(Plan(0, history=History(3, 20, {"blue": 1})))
    assert statistic(account, "Invocations", "blue", minutes=15) == [18, 20, 20, 2]
    assert statistic(account, "Invocations", "green", minutes=15) == []


def test_new_traffic_takes_the_place_of_the_old(account: Account) -> None:
    stand_up(account, [variant("blue")])
    account.wait(55)
    send(Plan(60))
    account.wait(30)
    send(Plan(120))
    account.wait(90)
    assert statistic(account, "Invocations", "blue", since_minutes=1) == [90, 120]


def test_a_deleted_endpoint_gets_no_more_traffic(account: Account) -> None:
    sagemaker: Any = stand_up(account, [variant("blue")])
    account.wait(55)
    send(Plan(60))
    account.wait(30)
    sagemaker.delete_endpoint(EndpointName="shop")
    account.wait(300)
    assert statistic(account, "Invocations", "blue") == [30]
