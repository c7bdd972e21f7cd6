"""SageMaker's instance quotas: what goes beyond them is refused, what is in use is told.

Text: repost.aws/knowledge-center/sagemaker-resource-limit-exceeded-error, and the errors users
show since 2023.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from moto.backends import get_backend

from local.cloud import WORLD
from local.cloud.sagemaker import limits
from local.cloud.sagemaker.limits import in_use
from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import configure, refused, stand_up, variant
from tests.cloud.sagemaker.conftest import Control
from tests.cloud.sagemaker.training import (
    CPU,
    P4,
    P5,
    grant,
    request,
    resources,
    spot,
    until_training,
)

TRAINING = "Number of instances across all training jobs"
SPOT = "Number of instances across all spot training jobs"
ENDPOINTS = "Number of instances across active endpoints"


@pytest.fixture
def quotas(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Quotas of the test's own; those it does not name have no limit."""
    values: dict[str, float] = {}
    monkeypatch.setattr(limits, "applied", lambda account, region, service, name: values[name])
    return values


def exceeded(name: str, limit: int, used: int, delta: int) -> tuple[str, str]:
    """The refusal for a quota."""
    return (
        "ResourceLimitExceeded",
        f"The account-level service limit '{name}' is {limit} Instances, with current utilization "
        f"of {used} Instances and a request delta of {delta} Instances. Please use AWS Service "
        "Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
        "contact AWS support to request an increase for this quota.",
    )


def used(account: Account) -> dict[str, int]:
    """What is in use of each quota."""
    stores: Any = get_backend("sagemaker")
    with WORLD.turn():
        return in_use(stores["123456789012"]["us-east-1"])


def test_a_new_account_trains_on_no_accelerated_type(account: Account) -> None:
    create = account.client("sagemaker").create_training_job
    assert refused(create, **request(ResourceConfig=resources(P4))) == exceeded(
        f"{P4} for training job usage", 0, 0, 1
    )
    assert refused(create, **spot(ResourceConfig=resources(P4, 2))) == exceeded(
        f"{P4} for spot training job usage", 0, 0, 2
    )
    assert account.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_a_raised_quota_lets_the_same_call_pass(account: Account) -> None:
    grant(account, f"{P5} for training job usage", 2)
    create = account.client("sagemaker").create_training_job
    create(**request("one", ResourceConfig=resources(P5)))
    assert refused(create, **request("two", ResourceConfig=resources(P5, 2))) == exceeded(
        f"{P5} for training job usage", 2, 1, 2
    )
    create(**request("two", ResourceConfig=resources(P5)))


def test_instances_count_until_the_job_is_over(
    account: Account, quotas: dict[str, float], control: Control
) -> None:
    """Users of ml.p5.48xlarge saw their quota used up by jobs that wait."""
    quotas[f"{CPU} for training job usage"] = 1
    sagemaker = account.client("sagemaker")
    pool = {"instance_type": CPU, "market": "on-demand", "instances": 0}
    control("PUT", "/sagemaker/capacity", pool)
    sagemaker.create_training_job(**request("waits"))
    refusal = exceeded(f"{CPU} for training job usage", 1, 1, 1)
    assert refused(sagemaker.create_training_job, **request("next")) == refusal
    sagemaker.stop_training_job(TrainingJobName="waits")
    assert refused(sagemaker.create_training_job, **request("next")) == refusal
    account.wait(WORLD.durations.training_stop)
    sagemaker.create_training_job(**request("next"))


def test_a_name_that_is_taken_matters_more_than_a_quota(
    account: Account, quotas: dict[str, float]
) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request())
    quotas[f"{CPU} for training job usage"] = 0
    assert refused(sagemaker.create_training_job, **request())[0] == "ResourceInUse"


def test_the_total_of_all_types_is_a_quota_as_well(
    account: Account, quotas: dict[str, float]
) -> None:
    """Quota L-00C91CB5; Spot has a total of its own."""
    quotas |= {TRAINING: 3, SPOT: 1}
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request("one", ResourceConfig=resources(CPU, 2)))
    sagemaker.create_training_job(**spot("two"))
    other = request("three", ResourceConfig=resources("ml.m5.2xlarge", 2))
    assert refused(sagemaker.create_training_job, **other) == exceeded(TRAINING, 3, 2, 2)
    assert refused(sagemaker.create_training_job, **spot("three")) == exceeded(SPOT, 1, 1, 1)


def test_the_type_is_named_before_the_total(account: Account, quotas: dict[str, float]) -> None:
    quotas |= {TRAINING: 0, f"{CPU} for training job usage": 0}
    _, message = refused(account.client("sagemaker").create_training_job, **request())
    assert f"'{CPU} for training job usage'" in message


def test_every_type_of_a_list_must_be_covered(account: Account, quotas: dict[str, float]) -> None:
    """Developer guide, train-instance-preferences: if any type falls short, it is rejected."""
    quotas |= {f"{P4} for training job usage": 1, TRAINING: 4}
    sagemaker = account.client("sagemaker")
    config = {
        "InstancePreferences": [
            {"InstanceType": P5, "InstanceCount": 4},
            {"InstanceType": P4, "InstanceCount": 2},
        ]
    }
    assert refused(sagemaker.create_training_job, **request(ResourceConfig=config)) == exceeded(
        f"{P4} for training job usage", 1, 0, 2
    )
    quotas[f"{P4} for training job usage"] = 2
    sagemaker.create_training_job(**request(ResourceConfig=config))
    assert used(account) == {f"{P5} for training job usage": 4, TRAINING: 4}


def test_what_waits_for_any_type_of_a_list_counts_for_all(
    account: Account, quotas: dict[str, float], control: Control
) -> None:
    for instance_type in (P4, P5):
        pool = {"instance_type": instance_type, "market": "on-demand", "instances": 0}
        control("PUT", "/sagemaker/capacity", pool)
    entries = [{"InstanceType": P5}, {"InstanceType": P4}]
    config = {"InstanceCount": 2, "InstancePreferences": entries}
    account.client("sagemaker").create_training_job(**request(ResourceConfig=config))
    assert used(account) == {
        f"{P4} for training job usage": 2,
        f"{P5} for training job usage": 2,
        TRAINING: 2,
    }


def test_a_new_endpoint_needs_its_instances(account: Account, quotas: dict[str, float]) -> None:
    quotas["ml.m5.large for endpoint usage"] = 3
    sagemaker = account.client("sagemaker")
    configure(sagemaker, [variant("blue", count=3), variant("green", count=1)])
    assert refused(
        sagemaker.create_endpoint, EndpointName="shop", EndpointConfigName="config"
    ) == exceeded("ml.m5.large for endpoint usage", 3, 0, 4)
    assert sagemaker.list_endpoints()["Endpoints"] == []
    quotas |= {"ml.m5.large for endpoint usage": 4, ENDPOINTS: 3}
    assert refused(
        sagemaker.create_endpoint, EndpointName="shop", EndpointConfigName="config"
    ) == exceeded(ENDPOINTS, 3, 0, 4)


def test_growing_an_endpoint_needs_what_it_grows_by(
    account: Account, quotas: dict[str, float]
) -> None:
    sagemaker = stand_up(account, [variant("blue", count=3), variant("green", count=1)])
    quotas["ml.m5.large for endpoint usage"] = 5
    scale = sagemaker.update_endpoint_weights_and_capacities

    def to(count: int) -> dict[str, Any]:
        wish = {"VariantName": "blue", "DesiredInstanceCount": count}
        return {"EndpointName": "shop", "DesiredWeightsAndCapacities": [wish]}

    assert refused(scale, **to(5)) == exceeded("ml.m5.large for endpoint usage", 5, 4, 2)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"
    scale(**to(4))
    assert used(account)["ml.m5.large for endpoint usage"] == 5
    account.wait(WORLD.durations.instance_launch)
    quotas["ml.m5.large for endpoint usage"] = 0
    scale(**to(1))
    assert used(account)["ml.m5.large for endpoint usage"] == 5
    account.wait(WORLD.durations.instance_launch)
    assert used(account)["ml.m5.large for endpoint usage"] == 2


def test_weights_need_no_instances(account: Account, quotas: dict[str, float]) -> None:
    sagemaker = stand_up(account)
    quotas["ml.m5.large for endpoint usage"] = 0
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredWeight": 1}],
    )


def test_while_an_endpoint_is_updated_both_fleets_count(
    account: Account, quotas: dict[str, float]
) -> None:
    """Developer guide, deployment-guardrails-blue-green: the new fleet is launched beside the
    old one."""
    sagemaker = stand_up(account, [variant("blue", count=3)])
    configure(sagemaker, [variant("blue", count=2)], name="next")
    update = {"EndpointName": "shop", "EndpointConfigName": "next"}
    quotas["ml.m5.large for endpoint usage"] = 4
    assert refused(sagemaker.update_endpoint, **update) == exceeded(
        "ml.m5.large for endpoint usage", 4, 3, 2
    )
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"
    quotas["ml.m5.large for endpoint usage"] = 5
    sagemaker.update_endpoint(**update)
    assert used(account) == {"ml.m5.large for endpoint usage": 5, ENDPOINTS: 5}
    account.wait(WORLD.durations.endpoint_update)
    assert used(account) == {"ml.m5.large for endpoint usage": 2, ENDPOINTS: 2}
    sagemaker.delete_endpoint(EndpointName="shop")
    account.wait(WORLD.durations.endpoint_delete)
    assert used(account) == {}


def test_an_endpoint_that_failed_has_no_instances(
    account: Account, quotas: dict[str, float], control: Control
) -> None:
    sagemaker = stand_up(account)
    control("PUT", "/sagemaker/endpoints/shop/next-update", {"outcome": "fail"})
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="config")
    account.wait(WORLD.durations.endpoint_update)
    assert used(account) == {}


def test_service_quotas_and_cloudwatch_know_what_is_in_use(account: Account) -> None:
    """CloudWatch user guide, CloudWatch-Usage-Metrics: AWS/Usage, each minute."""
    account.client("sagemaker").create_training_job(**request(ResourceConfig=resources(CPU, 2)))
    until_training(account)
    account.wait(60)
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Usage",
        MetricName="ResourceCount",
        Dimensions=[
            {"Name": "Service", "Value": "SageMaker"},
            {"Name": "Class", "Value": "None"},
            {"Name": "Type", "Value": "Resource"},
            {"Name": "Resource", "Value": f"training-job/{CPU}"},
        ],
        StartTime=NOON,
        EndTime=NOON + timedelta(minutes=5),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert [each["Maximum"] for each in points] == [2]
