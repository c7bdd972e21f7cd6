"""Deployed functions' aliases and concurrency are held to AWS's rules, which `tests/cloud/awslambda`
states one by one for the same module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.pocket import Pocket
from tests.e2e.probe import Probe, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def functions(pocket: Pocket, probe: Probe) -> Iterator[Any]:
    """The Lambda client, the probe with two versions and its alias `live`; allocation is quick."""
    api = pocket.client("lambda")
    for size in (128, 256):
        api.update_function_configuration(FunctionName=probe.name, MemorySize=size)
        api.get_waiter("function_updated_v2").wait(FunctionName=probe.name)
        api.publish_version(FunctionName=probe.name)
    api.create_alias(FunctionName=probe.name, Name="live", FunctionVersion="1")
    before = pocket.control("GET", "/durations")["lambda_provisioning"]
    pocket.control("PUT", "/durations", {"lambda_provisioning": 0.3})
    yield api
    pocket.control("PUT", "/lambda/account", {})
    pocket.control("PUT", "/durations", {"lambda_provisioning": before})


def status(functions: Any, probe: Probe) -> str:
    found: str = functions.get_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live"
    )["Status"]
    return found


def test_provisioned_concurrency_comes_and_moves_with_its_alias(
    functions: Any, probe: Probe
) -> None:
    live = {"FunctionName": probe.name, "Qualifier": "live"}
    functions.put_provisioned_concurrency_config(**live, ProvisionedConcurrentExecutions=5)
    assert status(functions, probe) == "IN_PROGRESS"
    eventually(lambda: status(functions, probe) == "READY")
    (listed,) = functions.list_provisioned_concurrency_configs(FunctionName=probe.name)[
        "ProvisionedConcurrencyConfigs"
    ]
    assert listed["FunctionArn"] == f"{probe.arn}:live"
    moved = functions.update_alias(FunctionName=probe.name, Name="live", FunctionVersion="2")
    assert moved["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 1.0}}
    eventually(lambda: status(functions, probe) == "READY")
    assert "RoutingConfig" not in functions.get_alias(FunctionName=probe.name, Name="live")
    functions.delete_provisioned_concurrency_config(**live)
    with pytest.raises(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        status(functions, probe)


def test_a_function_that_cannot_start_is_told_so(
    pocket: Pocket, functions: Any, probe: Probe
) -> None:
    pocket.control("PUT", "/lambda/account", {"failing": [probe.name]})
    functions.put_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live", ProvisionedConcurrentExecutions=5
    )
    eventually(lambda: status(functions, probe) == "FAILED")


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        (
            "put_provisioned_concurrency_config",
            {"Qualifier": "$LATEST", "ProvisionedConcurrentExecutions": 1},
            "InvalidParameterValueException",
        ),
        (
            "put_provisioned_concurrency_config",
            {"Qualifier": "live", "ProvisionedConcurrentExecutions": 100_000},
            "InvalidParameterValueException",
        ),
        (
            "put_function_concurrency",
            {"ReservedConcurrentExecutions": 100_000},
            "InvalidParameterValueException",
        ),
        (
            "update_alias",
            {"Name": "live", "FunctionVersion": "2", "RevisionId": "another"},
            "PreconditionFailedException",
        ),
        (
            "update_alias",
            {"Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}},
            "InvalidParameterValueException",
        ),
        (
            "get_provisioned_concurrency_config",
            {"Qualifier": "live"},
            "ProvisionedConcurrencyConfigNotFoundException",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    functions: Any, probe: Probe, operation: str, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(functions, operation)(FunctionName=probe.name, **arguments)
    assert refusal.value.response["Error"]["Code"] == code


def test_what_is_provisioned_is_missing_from_the_account(functions: Any, probe: Probe) -> None:
    def unreserved() -> int:
        found: int = functions.get_account_settings()["AccountLimit"][
            "UnreservedConcurrentExecutions"
        ]
        return found

    before = unreserved()
    functions.put_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live", ProvisionedConcurrentExecutions=5
    )
    assert unreserved() == before - 5
    functions.put_function_concurrency(FunctionName=probe.name, ReservedConcurrentExecutions=8)
    assert unreserved() == before - 8
