"""Deployed functions' aliases and concurrency are held to AWS's rules, which `tests/cloud/awslambda`
states one by one for the same module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.pocket import ControlRefused, Pocket
from tests.e2e.probe import Probe, eventually, metric

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def functions(pocket: Pocket, probe: Probe) -> Iterator[Any]:
    """The Lambda client, the probe with two versions and its alias `live`; allocation is quick."""
    api = pocket.client("lambda")
    api.get_waiter("function_active_v2").wait(FunctionName=probe.name)
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


def test_traffic_is_measured_by_what_is_provisioned(
    pocket: Pocket, functions: Any, probe: Probe
) -> None:
    functions.put_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    eventually(lambda: status(functions, probe) == "READY")
    path = f"/lambda/functions/{probe.name}:live/traffic"
    pocket.control("PUT", path, {"concurrency": [1], "history": [5]})
    of_live = {"FunctionName": probe.name, "Resource": f"{probe.name}:live"}
    spilled = "ProvisionedConcurrencySpilloverInvocations"
    assert metric(pocket, "AWS/Lambda", spilled, **of_live) == 180
    pocket.control("DELETE", path)
    with pytest.raises(ControlRefused, match="Function not found"):
        pocket.control("PUT", f"/lambda/functions/{probe.name}:dead/traffic", {"concurrency": [1]})


def test_an_alias_runs_each_version_by_its_weight(
    pocket: Pocket, functions: Any, probe: Probe
) -> None:
    functions.update_alias(
        FunctionName=probe.name,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    ran = [
        functions.invoke(
            FunctionName=probe.name, Qualifier="live", Payload=json.dumps({"do": "environment"})
        )["ExecutedVersion"]
        for _ in range(8)
    ]
    assert sorted(ran) == ["1"] * 6 + ["2"] * 2
    found = functions.get_function_configuration(FunctionName=probe.name, Qualifier="live")
    assert found["Version"] == "1"
    of_two = {
        "FunctionName": probe.name,
        "Resource": f"{probe.name}:live",
        "ExecutedVersion": "2",
    }
    assert metric(pocket, "AWS/Lambda", "Invocations", **of_two) == 2


def test_while_an_alias_moves_the_old_version_runs(functions: Any, probe: Probe) -> None:
    functions.put_provisioned_concurrency_config(
        FunctionName=probe.name, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    eventually(lambda: status(functions, probe) == "READY")
    functions.update_alias(FunctionName=probe.name, Name="live", FunctionVersion="2")

    def version() -> str:
        ran: str = functions.invoke(
            FunctionName=f"{probe.name}:live", Payload=json.dumps({"do": "environment"})
        )["ExecutedVersion"]
        return ran

    assert version() == "1"
    eventually(lambda: version() == "2")


def test_a_function_is_neither_published_nor_updated_while_it_is_updated(
    functions: Any, probe: Probe
) -> None:
    functions.update_function_configuration(FunctionName=probe.name, MemorySize=512)
    for call, more in (
        (functions.publish_version, {}),
        (functions.update_function_configuration, {"MemorySize": 1024}),
    ):
        with pytest.raises(functions.exceptions.ResourceConflictException):
            call(FunctionName=probe.name, **more)
    functions.get_waiter("function_updated_v2").wait(FunctionName=probe.name)
    assert functions.publish_version(FunctionName=probe.name)["Version"] == "3"


def test_a_tagged_function_is_found_by_its_type(
    pocket: Pocket, functions: Any, probe: Probe
) -> None:
    key = f"lever-{probe.name}"
    functions.tag_resource(Resource=probe.arn, Tags={key: "act", f"{key}:live:max": "5"})
    search = pocket.client("resourcegroupstaggingapi").get_resources
    (found,) = search(
        TagFilters=[{"Key": key}], ResourceTypeFilters=["lambda:function", "sagemaker:endpoint"]
    )["ResourceTagMappingList"]
    assert found["ResourceARN"] == probe.arn
    assert {"Key": f"{key}:live:max", "Value": "5"} in found["Tags"]
    of_another_type = search(TagFilters=[{"Key": key}], ResourceTypeFilters=["sagemaker:endpoint"])
    assert of_another_type["ResourceTagMappingList"] == []
