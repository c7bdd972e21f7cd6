"""Serverless variants: their size, what changes it, and what SageMaker refuses of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.cloud import WORLD
from local.cloud.sagemaker.control import find_endpoint
from local.cloud.sagemaker.resources import Mishap
from tests.cloud.conftest import Account
from tests.cloud.hosting import configure, refused, stand_up, variant
from tests.cloud.sagemaker.conftest import Control

TOTAL = "Maximum total concurrency that can be allocated across all serverless endpoints"


def serverless(
    provisioned: int | None = 2, most: int = 20, memory: int = 2048, **more: Any
) -> dict[str, Any]:
    """A serverless production variant."""
    config = {"MemorySizeInMB": memory, "MaxConcurrency": most}
    if provisioned is not None:
        config["ProvisionedConcurrency"] = provisioned
    return {"VariantName": "blue", "ModelName": "model", "ServerlessConfig": config, **more}


def resize(**change: int) -> dict[str, Any]:
    """Arguments of UpdateEndpointWeightsAndCapacities for a serverless variant's size."""
    wish = {"VariantName": "blue", "ServerlessUpdateConfig": change}
    return {"EndpointName": "shop", "DesiredWeightsAndCapacities": [wish]}


def sizes(sagemaker: Any) -> tuple[dict[str, int], dict[str, int]]:
    """The variant's size now, and the one it is to have."""
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    return told["CurrentServerlessConfig"], told["DesiredServerlessConfig"]


def size(provisioned: int, most: int = 20) -> dict[str, int]:
    return {"MemorySizeInMB": 2048, "MaxConcurrency": most, "ProvisionedConcurrency": provisioned}


def test_a_serverless_variant_has_a_size_and_no_instances(account: Account) -> None:
    """botocore model, ProductionVariantSummary: Current- and DesiredServerlessConfig."""
    sagemaker = stand_up(account, [serverless()])
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert told == {
        "VariantName": "blue",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentServerlessConfig": size(2),
        "DesiredServerlessConfig": size(2),
    }
    [kept] = sagemaker.describe_endpoint_config(EndpointConfigName="config")["ProductionVariants"]
    assert kept == serverless()


def test_without_provisioned_concurrency_none_is_told(account: Account) -> None:
    """botocore model, ProductionVariantServerlessConfig: the least ProvisionedConcurrency is 1."""
    sagemaker = stand_up(account, [serverless(None)])
    assert sizes(sagemaker)[0] == {"MemorySizeInMB": 2048, "MaxConcurrency": 20}


def test_a_new_size_serves_only_when_the_update_is_over(account: Account) -> None:
    """botocore model, UpdateEndpointWeightsAndCapacities: Updating, then InService."""
    sagemaker = stand_up(account, [serverless()])
    WORLD.durations.serverless_update = 90
    sagemaker.update_endpoint_weights_and_capacities(**resize(ProvisionedConcurrency=5))
    account.wait(89)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "Updating"
    assert sizes(sagemaker) == (size(2), size(5))
    account.wait(1)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"
    assert sizes(sagemaker) == (size(5), size(5))


def test_what_an_update_does_not_name_stays(account: Account) -> None:
    sagemaker = stand_up(account, [serverless()])
    sagemaker.update_endpoint_weights_and_capacities(**resize(MaxConcurrency=40))
    account.wait(WORLD.durations.serverless_update)
    assert sizes(sagemaker)[0] == size(2, most=40)


def test_an_endpoint_that_is_not_in_service_refuses_another_size(account: Account) -> None:
    """botocore model, EndpointStatus: only an endpoint InService is re-scaled."""
    sagemaker = stand_up(account, [serverless()])
    weights = sagemaker.update_endpoint_weights_and_capacities
    weights(**resize(ProvisionedConcurrency=5))
    code, message = refused(weights, **resize(ProvisionedConcurrency=6))
    assert (code, "Cannot update in-progress endpoint" in message) == ("ValidationException", True)
    assert sizes(sagemaker)[1] == size(5)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ProvisionedConcurrency": 21}, "less than or equal to MaxConcurrency (20)"),
        ({"MaxConcurrency": 1}, "less than or equal to MaxConcurrency (1)"),
        ({"ProvisionedConcurrency": 0}, "greater than or equal to 1"),
        ({"ProvisionedConcurrency": 201}, "less than or equal to 200"),
    ],
)
def test_a_size_out_of_bounds_is_refused_and_changes_nothing(
    account: Account, change: dict[str, int], word: str
) -> None:
    """botocore model, ProductionVariantServerlessUpdateConfig: 1 to 200, at most MaxConcurrency."""
    sagemaker = stand_up(account, [serverless()])
    call = _unchecked().update_endpoint_weights_and_capacities
    code, message = refused(call, **resize(**change))
    assert code == "ValidationException"
    assert word in message
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"
    assert sizes(sagemaker) == (size(2), size(2))


@cache
def _unchecked() -> Any:
    """A SageMaker client that leaves the checking of parameters to SageMaker."""
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    return session.client("sagemaker", config=Config(parameter_validation=False))


@pytest.mark.parametrize(
    ("variants", "word"),
    [
        ([serverless(memory=1500)], "1500"),
        ([serverless(21)], "less than or equal to MaxConcurrency"),
        ([serverless(InstanceType="ml.m5.large")], "InstanceType"),
        ([serverless(InitialInstanceCount=1)], "InitialInstanceCount"),
        ([serverless(), variant("green")], "more than one variant"),
    ],
)
def test_configurations_that_are_refused(
    account: Account, variants: list[dict[str, Any]], word: str
) -> None:
    """botocore model, ProductionVariantServerlessConfig and ProductionVariant; developer guide,
    serverless-endpoints: no multiple production variants."""
    with pytest.raises(Exception, match="ValidationException") as refusal:
        configure(account.client("sagemaker"), variants)
    assert word in str(refusal.value)


def test_each_kind_of_variant_refuses_the_other_kinds_size(account: Account) -> None:
    sagemaker = stand_up(account, [serverless()])
    weights = sagemaker.update_endpoint_weights_and_capacities
    count = {"VariantName": "blue", "DesiredInstanceCount": 2}
    code, message = refused(weights, EndpointName="shop", DesiredWeightsAndCapacities=[count])
    assert (code, "DesiredInstanceCount" in message) == ("ValidationException", True)
    configure(sagemaker, [variant("blue")], "instances")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="instances")
    account.wait(WORLD.durations.endpoint_update)
    code, message = refused(weights, **resize(ProvisionedConcurrency=2))
    assert (code, "ServerlessUpdateConfig" in message) == ("ValidationException", True)


def test_instances_do_not_become_serverless(account: Account) -> None:
    """Developer guide, serverless endpoints: an instance-based endpoint is not converted."""
    sagemaker = stand_up(account, [variant("blue")])
    configure(sagemaker, [serverless()], "serverless")
    update = {"EndpointName": "shop", "EndpointConfigName": "serverless"}
    assert refused(sagemaker.update_endpoint, **update)[0] == "ValidationException"


@pytest.mark.parametrize(("keeps", "left"), [(True, 5), (False, 2)])
def test_whether_a_deployment_retains_provisioned_concurrency_is_a_switch(
    account: Account, keeps: bool, left: int
) -> None:
    """botocore model, UpdateEndpoint: RetainAllVariantProperties, "such as"."""
    sagemaker = stand_up(account, [serverless()])
    sagemaker.update_endpoint_weights_and_capacities(**resize(ProvisionedConcurrency=5))
    account.wait(WORLD.durations.serverless_update)
    WORLD.switches.retain_keeps_provisioned_concurrency = keeps
    configure(sagemaker, [serverless()], "again")
    sagemaker.update_endpoint(
        EndpointName="shop", EndpointConfigName="again", RetainAllVariantProperties=True
    )
    account.wait(WORLD.durations.endpoint_update)
    assert sizes(sagemaker)[0] == size(left)


def test_a_deployment_takes_the_configurations_size(account: Account) -> None:
    """botocore model, UpdateEndpoint: unless properties are retained."""
    sagemaker = stand_up(account, [serverless()])
    configure(sagemaker, [serverless(None)], "plain")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="plain")
    pending = sagemaker.describe_endpoint(EndpointName="shop")["PendingDeploymentSummary"]
    assert pending["ProductionVariants"][0]["DesiredServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 20,
    }
    account.wait(WORLD.durations.endpoint_update)
    assert "ProvisionedConcurrency" not in sizes(sagemaker)[0]


@pytest.mark.parametrize("told", [True, False])
def test_an_update_that_is_rolled_back_leaves_the_size_as_it_was(
    account: Account, told: bool
) -> None:
    """Its reason may be told until an update is done (API reference, EndpointMetadata)."""
    WORLD.switches.rollback_tells_reason = told
    sagemaker = stand_up(account, [serverless()])
    with WORLD.turn():
        find_endpoint("shop").mishap = Mishap(rolls_back=True, reason="no capacity")
    sagemaker.update_endpoint_weights_and_capacities(**resize(ProvisionedConcurrency=5))
    account.wait(2 * WORLD.durations.serverless_update)
    assert sizes(sagemaker) == (size(2), size(2))
    described = sagemaker.describe_endpoint(EndpointName="shop")
    assert described.get("FailureReason") == ("no capacity" if told else None)

    sagemaker.update_endpoint_weights_and_capacities(**resize(ProvisionedConcurrency=5))
    account.wait(WORLD.durations.serverless_update)
    assert "FailureReason" not in sagemaker.describe_endpoint(EndpointName="shop")


def limit(control: Control, value: float) -> None:
    """Give the account another total of serverless concurrency."""
    path = "/servicequotas/quotas/sagemaker/L-96300102/value"
    status, _ = control("PUT", path, {"value": value})
    assert status == 200


def test_the_regions_total_concurrency_is_a_quota(account: Account, control: Control) -> None:
    """The quota's name and code: Service Quotas console, sagemaker/quotas/L-96300102."""
    sagemaker = stand_up(account, [serverless()])
    limit(control, 30)
    code, message = refused(
        sagemaker.update_endpoint_weights_and_capacities, **resize(MaxConcurrency=31)
    )
    assert code == "ResourceLimitExceeded"
    assert f"'{TOTAL}' is 30 " in message
    assert "current utilization of 20 " in message
    assert "request delta of 11 " in message
    sagemaker.update_endpoint_weights_and_capacities(**resize(MaxConcurrency=30))
    assert (
        refused(sagemaker.create_endpoint, EndpointName="other", EndpointConfigName="config")[0]
        == "ResourceLimitExceeded"
    )


def test_a_deployment_of_the_same_size_needs_no_more_concurrency(
    account: Account, control: Control
) -> None:
    sagemaker = stand_up(account, [serverless()])
    limit(control, 20)
    configure(sagemaker, [serverless(4)], "again")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="again")
    account.wait(WORLD.durations.endpoint_update)
    assert sizes(sagemaker)[0] == size(4)
