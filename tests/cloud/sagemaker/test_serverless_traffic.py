"""Requests that reach a serverless variant, and what CloudWatch sees of them.

Metrics: SageMaker developer guide, monitoring-cloudwatch, "Serverless endpoint metrics".
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import WORLD
from local.cloud.sagemaker.executions import KEPT_WARM, Load
from local.cloud.sagemaker.serverless import Serverless
from local.cloud.traffic import Behaviour, Plan
from tests.cloud.conftest import Account
from tests.cloud.hosting import stand_up
from tests.cloud.sagemaker.test_serverless import resize, serverless
from tests.cloud.test_traffic import send, statistic

PROVISIONED = "ServerlessProvisionedConcurrency"


def send_at_once(concurrency: float, latency_ms: float = 1000) -> None:
    """Send so many requests that on average `concurrency` of them run at once."""
    send(Plan(60_000 * concurrency / latency_ms, {"blue": Behaviour(latency_ms=latency_ms)}))


def seen(account: Account, metric: str, stat: str = "Sum", minutes: int = 10) -> list[float]:
    return statistic(account, metric, "blue", stat, since_minutes=1, minutes=minutes)


@pytest.fixture
def shop(account: Account) -> Any:
    """SageMaker; two provisioned, twenty at most; at a full minute."""
    sagemaker = stand_up(account, [serverless(2, 20)])
    account.wait(60 - WORLD.clock() % 60)
    return sagemaker


@given(st.integers(1, 10_000), st.floats(1, 10_000), st.integers(1, 200), st.integers(0, 200))
def test_shares_are_shares_and_utilization_is_never_above_one(
    requests: int, latency: float, most: int, provisioned: int
) -> None:
    size, load = Serverless(1024, most, min(provisioned, most)), Load(requests, 60, latency)
    assert 0 <= load.throttled(size) <= 1
    assert 0 <= load.spilled(size) <= 1
    if size.provisioned:
        found = load.seen(requests, size.provisioned)
        assert sum(found.values()) == requests
        assert all(1 <= running <= size.provisioned for running in found)


def test_what_fits_is_held_by_provisioned_concurrency(account: Account, shop: Any) -> None:
    send_at_once(1.5)
    account.wait(60)
    assert seen(account, f"{PROVISIONED}Invocations") == [90]
    assert seen(account, f"{PROVISIONED}Executions", "Average") == [1.5]
    assert seen(account, f"{PROVISIONED}Executions", "Maximum") == [2]
    assert seen(account, f"{PROVISIONED}Utilization", "Average") == [0.75]
    assert seen(account, f"{PROVISIONED}SpilloverInvocations") == []
    assert seen(account, "ModelSetupTime") == []
    assert seen(account, "Invocations") == [90]
    assert seen(account, "InvocationsPerInstance") == []


def test_what_does_not_fit_spills_over_and_utilization_stays_at_one(
    account: Account, shop: Any
) -> None:
    send_at_once(8)
    account.wait(60)
    assert seen(account, f"{PROVISIONED}Invocations") == [120]
    assert seen(account, f"{PROVISIONED}SpilloverInvocations") == [360]
    assert seen(account, f"{PROVISIONED}Utilization", "Maximum") == [1]
    assert seen(account, f"{PROVISIONED}Executions", "Maximum") == [2]
    assert seen(account, "ServerlessConcurrentExecutionsUtilization", "Maximum") == [0.4]


def test_resources_on_demand_start_cold_once_and_stay_warm_for_a_while(
    account: Account, shop: Any
) -> None:
    """ModelSetupTime: a datum each time new compute resources are launched."""
    send_at_once(5)
    account.wait(120)
    assert seen(account, "ModelSetupTime", "SampleCount") == [3]
    assert seen(account, "ModelSetupTime", "Average") == [5_000_000]
    assert seen(account, "OverheadLatency", "Maximum") == [5_002_000, 2000]
    send_at_once(0)
    account.wait(KEPT_WARM - 60)
    send_at_once(6)
    account.wait(60)
    assert seen(account, "ModelSetupTime", "SampleCount", minutes=30) == [3, 1]
    send_at_once(0)
    account.wait(KEPT_WARM + 60)
    send_at_once(6)
    account.wait(60)
    assert seen(account, "ModelSetupTime", "SampleCount", minutes=40) == [3, 1, 4]


def test_what_exceeds_the_most_concurrency_is_throttled(account: Account, shop: Any) -> None:
    send_at_once(40)
    account.wait(60)
    assert seen(account, "Invocations") == [2400]
    assert seen(account, "Invocation4XXErrors") == [1200]
    assert seen(account, "Invocation5XXErrors") == [0]
    assert seen(account, "ModelLatency", "SampleCount") == [1200]
    assert seen(account, f"{PROVISIONED}Invocations") == [120]


def test_without_requests_there_is_no_datapoint(account: Account, shop: Any) -> None:
    """Why target tracking never scales an idle variant in."""
    send_at_once(0)
    account.wait(300)
    assert seen(account, f"{PROVISIONED}Utilization", "SampleCount") == []


def test_a_new_size_holds_more_once_it_has_come_about(account: Account, shop: Any) -> None:
    WORLD.durations.serverless_update = 60
    send_at_once(8)
    shop.update_endpoint_weights_and_capacities(**resize(ProvisionedConcurrency=10))
    account.wait(120)
    assert seen(account, f"{PROVISIONED}SpilloverInvocations") == [360]
    assert seen(account, f"{PROVISIONED}Utilization", "Maximum") == [1, 0.8]


def test_a_variant_without_provisioned_concurrency_publishes_none_of_its_metrics(
    account: Account,
) -> None:
    stand_up(account, [serverless(None)])
    account.wait(60 - WORLD.clock() % 60)
    send_at_once(3)
    account.wait(60)
    assert seen(account, "Invocations") == [180]
    assert seen(account, "ModelSetupTime", "SampleCount") == [3]
    for name in ("Executions", "Utilization", "Invocations", "SpilloverInvocations"):
        assert seen(account, f"{PROVISIONED}{name}") == []
