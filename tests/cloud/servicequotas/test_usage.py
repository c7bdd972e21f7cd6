"""Service Quotas: what is used, and the CloudWatch metrics that tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.servicequotas import applied, meter, usage
from tests.cloud.conftest import NOON, Account
from tests.cloud.servicequotas.conftest import Control
from tests.cloud.servicequotas.test_reports import rows

PLACE = ("123456789012", "us-east-1")
TABLES = "Maximum number of tables"


@pytest.fixture
def tables(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, float]]:
    """How many DynamoDB tables there are, by quota name; metered while the test lasts."""
    monkeypatch.setattr(usage, "_measures", {})
    measured: dict[str, float] = {}

    def measure(account_id: str, region: str) -> Mapping[str, float]:
        return measured if (account_id, region) == PLACE else {}

    meter("dynamodb", measure)
    return measured


def ask_for_a_table() -> float:
    """What the service does before it lets a table be created."""
    with WORLD.turn():
        return applied(*PLACE, "dynamodb", TABLES)


def metric(quotas: Any, service: str, code: str) -> dict[str, Any]:
    """The usage metric of a quota as GetMetricStatistics asks for it."""
    quota = quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    told = quota["UsageMetric"]
    pairs = told["MetricDimensions"].items()
    return {
        "Namespace": told["MetricNamespace"],
        "MetricName": told["MetricName"],
        "Dimensions": [{"Name": name, "Value": value} for name, value in pairs],
    }


def points(account: Account, told: dict[str, Any], statistic: str, period: int = 60) -> list[float]:
    """The metric from NOON on, and the hour before it, oldest first."""
    answer = account.client("cloudwatch").get_metric_statistics(
        **told,
        StartTime=NOON - timedelta(hours=1),
        EndTime=NOON + timedelta(hours=1),
        Period=period,
        Statistics=[statistic],
    )
    found = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [point[statistic] for point in found]


def test_what_is_measured_is_published_each_minute(
    account: Account, quotas: Any, tables: dict[str, float]
) -> None:
    """CloudWatch User Guide, CloudWatch-Usage-Metrics: collected every minute."""
    assert ask_for_a_table() == 2500
    tables[TABLES] = 3
    told = metric(quotas, "dynamodb", "L-F98FE922")
    assert points(account, told, "Maximum") == []
    account.wait(60)
    tables[TABLES] = 5
    account.wait(120)
    assert points(account, told, "Maximum") == [3, 5, 5]
    assert rows(quotas, account) == [("L-F98FE922", 0.2)]


def test_a_metric_begins_with_the_first_use_and_goes_on(
    account: Account, quotas: Any, tables: dict[str, float]
) -> None:
    told = metric(quotas, "dynamodb", "L-F98FE922")
    ask_for_a_table()
    tables[TABLES] = 0
    account.wait(180)
    assert account.client("cloudwatch").list_metrics(Namespace="AWS/Usage")["Metrics"] == []
    ask_for_a_table()
    tables[TABLES] = 1
    account.wait(60)
    tables.clear()
    account.wait(120)
    assert points(account, told, "Maximum") == [1, 0, 0]


def test_asking_often_publishes_once(
    account: Account, quotas: Any, tables: dict[str, float]
) -> None:
    tables[TABLES] = 2
    for _ in range(3):
        ask_for_a_table()
    account.wait(60)
    told = metric(quotas, "dynamodb", "L-F98FE922")
    assert points(account, told, "SampleCount") == [1]


def test_names_nobody_knows_are_let_be(account: Account, tables: dict[str, float]) -> None:
    tables["Maximum number of chairs"] = 4
    ask_for_a_table()
    account.wait(60)
    assert account.client("cloudwatch").list_metrics(Namespace="AWS/Usage")["Metrics"] == []


def test_a_quota_nobody_knows_has_no_value(account: Account) -> None:
    with WORLD.turn():
        for service, name in (("dynamodb", "Chairs"), ("chairs", TABLES)):
            with pytest.raises(KeyError):
                applied(*PLACE, service, name)


def test_a_global_quotas_use_is_told_in_its_region(
    account: Account, quotas: Any, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever its service measures it, and whatever a report lists."""
    metric = {"name": "ResourceCount", "dimensions": {"Service": "Tea"}}
    pots = {"name": "Pots", "code": "L-1", "default": 4, "is_global": True, "metric": metric}
    pots["used"] = 3
    cups = {"name": "Cups", "code": "L-2", "default": 4}
    services = [{"code": "tea", "name": "Tea", "quotas": [pots, cups]}]
    control("PUT", "catalogue", {"services": services, "regions": ["us-east-1", "eu-west-1"]})
    monkeypatch.setattr(usage, "_measures", {})
    meter("tea", lambda account_id, region: {"Pots": 3})
    WORLD.switches.report_lists_unused_quotas = True
    for region, expected in (("us-east-1", [("L-1", 75.0)]), ("eu-west-1", [])):
        with WORLD.turn():
            applied(PLACE[0], region, "tea", "Pots")
        account.wait(60)
        assert rows(account.client("service-quotas", region), account) == expected
        told = account.client("cloudwatch", region).list_metrics(Namespace="AWS/Usage")
        assert len(told["Metrics"]) == len(expected)


def test_a_use_set_by_hand_hides_the_measured_one(
    account: Account, quotas: Any, control: Control, tables: dict[str, float]
) -> None:
    tables[TABLES] = 25
    path = "quotas/dynamodb/L-F98FE922/use"
    control("PUT", path, {"used": 250})
    assert rows(quotas, account) == [("L-F98FE922", 10.0)]
    control("DELETE", path)
    assert rows(quotas, account) == [("L-F98FE922", 1.0)]


def test_lambdas_concurrency_is_told_elsewhere(
    account: Account, quotas: Any, control: Control
) -> None:
    """Lambda developer guide, monitoring-concurrency: AWS/Lambda, ConcurrentExecutions, no
    dimensions."""
    control("PUT", "quotas/lambda/L-B99A9384/use", {"used": 900})
    told = metric(quotas, "lambda", "L-B99A9384")
    assert told == {
        "Namespace": "AWS/Lambda",
        "MetricName": "ConcurrentExecutions",
        "Dimensions": [],
    }
    account.wait(60)
    assert points(account, told, "Maximum") == [900, 900]


def test_calls_are_summed(account: Account, quotas: Any, control: Control) -> None:
    """CloudWatch User Guide, CloudWatch-Usage-Metrics: of CallCount the Sum is useful. 45 a second
    are 2,700 a minute; the Maximum tells nothing."""
    control("PUT", "quotas/monitoring/L-5E141212/use", {"used": 45, "history": [0, 10]})
    told = metric(quotas, "monitoring", "L-5E141212")
    assert points(account, told, "Sum") == [600, 2700]
    assert points(account, told, "Maximum") == [1, 1]
    assert rows(quotas, account) == [("L-5E141212", 90.0)]


def test_a_gauge_summed_over_an_hour_is_a_false_alarm(
    account: Account, quotas: Any, control: Control
) -> None:
    """github.com/aws-solutions/quota-monitor-for-aws/issues/212: AWS recommends Sum for EMR
    Serverless's vCPUs, of which 8 are in use all the time."""
    control("PUT", "quotas/emr-serverless/L-D05C8A75/use", {"used": 8, "history": [8] * 59})
    told = metric(quotas, "emr-serverless", "L-D05C8A75")
    assert points(account, told, "Sum", 3600) == [480]
    assert points(account, told, "Maximum", 3600) == [8]


def test_sagemakers_usage_may_come_every_twenty_minutes(
    account: Account, quotas: Any, control: Control
) -> None:
    """As users report; the other reading."""
    WORLD.switches.sparse_sagemaker_usage = True
    control("PUT", "quotas/sagemaker/L-00C91CB5/use", {"used": 3})
    control("PUT", "quotas/dynamodb/L-F98FE922/use", {"used": 3})
    account.wait(1200)
    assert points(account, metric(quotas, "sagemaker", "L-00C91CB5"), "Maximum") == [3, 3]
    assert len(points(account, metric(quotas, "dynamodb", "L-F98FE922"), "Maximum")) == 21
