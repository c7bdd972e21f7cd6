"""The benchmarks' catalogue has the size that was asked for, its hot quotas and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.catalogue import COLD, RAISED, Catalogue, Size, generate
from benchmarks.planted import HOT, TRAPS, Key
from benchmarks.quota_event import Answer
from benchmarks.quota_peer import SIZES
from benchmarks.quota_scan import METRICS_GOAL, WHOLE
from benchmarks.quota_scene import HOT_PERCENT, Scanned
from local.cloud.schema import problems
from local.cloud.servicequotas.catalogue_control import CATALOGUE

SEED = 7
SMALL = SIZES[0]


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size.quotas} quotas")
def generated(request: pytest.FixtureRequest) -> tuple[Size, Catalogue]:
    return request.param, generate(request.param, SEED)


def share(quota: Mapping[str, Any]) -> float:
    """How much of its value a quota is in use to."""
    value = quota.get("applied", quota["default"])
    return float(quota.get("used", 0) / value) if value else 0.0


def test_it_has_as_many_of_everything_as_was_asked_for(generated: tuple[Size, Catalogue]) -> None:
    size, catalogue = generated
    quotas = [quota for _, quota in catalogue.quotas()]
    assert len(catalogue.body["services"]) == size.services
    assert len(quotas) == size.quotas
    assert sum("metric" in quota for quota in quotas) == size.measured
    assert sum(quota.get("used", 0) > 0 for quota in quotas) == size.used


def test_it_is_what_the_account_takes(generated: tuple[Size, Catalogue]) -> None:
    _, catalogue = generated
    assert list(problems(CATALOGUE, catalogue.body)) == []
    keys = Counter(key for key, _ in catalogue.quotas())
    assert set(keys.values()) == {1}


def test_what_is_hot_is_what_was_planted_so_and_nothing_comes_near(
    generated: tuple[Size, Catalogue],
) -> None:
    _, catalogue = generated
    hot = {each.key for each in HOT}
    shares = {key: share(quota) for key, quota in catalogue.quotas()}
    assert {key for key, used in shares.items() if 100 * used >= HOT_PERCENT} == hot
    assert all(used <= COLD for key, used in shares.items() if key not in hot)


def test_all_that_is_in_use_has_a_usage_metric(generated: tuple[Size, Catalogue]) -> None:
    _, catalogue = generated
    assert all("metric" in quota for _, quota in catalogue.quotas() if "used" in quota)


def test_one_of_the_six_hot_quotas_is_raised_for_nobody() -> None:
    assert (len(HOT), len(RAISED)) == (6, 5)


def test_hot_quotas_and_traps_are_of_every_kind_that_misleads() -> None:
    hot = {each.why: each.quota for each in HOT}
    assert any(quota["metric"].get("namespace") == "AWS/Lambda" for quota in hot.values())
    assert any("period" not in quota for quota in hot.values())
    assert any(quota.get("period", {}).get("unit") == "SECOND" for quota in hot.values())
    traps = [each.quota for each in TRAPS]
    gauges = [quota for quota in traps if quota["metric"]["name"] == "ResourceCount"]
    assert any(quota["metric"]["statistic"] == "Sum" for quota in gauges)
    assert any(quota["default"] == 0 for quota in traps)
    calls = [quota for quota in traps if quota["metric"]["name"] == "CallCount"]
    assert any("period" not in quota for quota in calls)
    assert any(60 * quota["used"] > quota["default"] for quota in calls if "period" in quota)


def test_a_seed_gives_one_catalogue_and_another_seed_another() -> None:
    assert generate(SMALL, SEED) == generate(SMALL, SEED)
    assert generate(SMALL, SEED) != generate(SMALL, SEED + 1)


@pytest.mark.parametrize(
    "size",
    [
        Size(services=5, quotas=400, measured=183, used=40),
        Size(services=25, quotas=20, measured=20, used=15),
        Size(services=25, quotas=400, measured=10, used=10),
        Size(services=25, quotas=400, measured=40, used=60),
    ],
)
def test_a_size_that_the_planted_quotas_do_not_fit_is_refused(size: Size) -> None:
    with pytest.raises(ValueError, match="planted"):
        generate(size, SEED)


def test_a_page_is_listed_for_every_hundred_quotas_of_a_service() -> None:
    def service(count: int) -> dict[str, Any]:
        return {"code": "s", "quotas": [{}] * count}

    assert Catalogue({"services": [service(1), service(100), service(101)]}).pages == 4


def test_the_goal_of_a_scan_by_metrics_is_every_metric_once_and_the_history() -> None:
    assert WHOLE.measured == 3867
    assert METRICS_GOAL == 8 + 1


def scanned(*found: Key, **calls: int) -> Scanned:
    return Scanned(frozenset(found), calls, refused=0, looks=1, seconds=0.0, answering=0.0)


def test_a_scan_is_judged_by_what_was_planted() -> None:
    hot = [each.key for each in HOT]
    assert (scanned(*hot).missed, scanned(*hot).false) == (0, 0)
    assert scanned(*hot[1:]).missed == 1
    assert scanned(*hot, TRAPS[0].key).false == 1


def test_the_ledgers_calls_are_none_of_a_scan() -> None:
    calls = {
        "servicequotas ListServices": 3,
        "monitoring GetMetricData": 8,
        "dynamodb Query": 2,
        "sts GetCallerIdentity": 1,
    }
    assert scanned(**calls).counted == 11


def test_a_looks_reads_are_what_it_asks_of_services_beside_its_request() -> None:
    operations = {
        "servicequotas GetServiceQuota": 1,
        "servicequotas ListRequestedServiceQuotaChangeHistory": 1,
        "servicequotas RequestServiceQuotaIncrease": 1,
        "ec2 DescribeInstanceTypes": 1,
        "monitoring GetMetricData": 1,
        "dynamodb GetItem": 5,
        "events PutEvents": 1,
    }
    answer = Answer(excess=1.0, seconds=0.1, function=0.1, operations=operations)
    assert (answer.reads, answer.writes) == (4, 1)
