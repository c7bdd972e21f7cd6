"""What about an alias or an endpoint allows no change, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from functions.provisioned_concurrency.obstacles import of_alias, of_endpoint

ALIAS: Mapping[str, Any] = {"Name": "live", "FunctionVersion": "3"}
VERSION: Mapping[str, Any] = {
    "Version": "3",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "MemorySize": 1024,
}
SERVERLESS = {"VariantName": "AllTraffic", "CurrentServerlessConfig": {"MaxConcurrency": 20}}
ENDPOINT: Mapping[str, Any] = {
    "EndpointName": "chat",
    "EndpointStatus": "InService",
    "ProductionVariants": [SERVERLESS],
}


def test_an_alias_of_a_version_that_is_ready_has_no_obstacle() -> None:
    assert of_alias("shop", "live", ALIAS, VERSION) is None
    no_weights = {**ALIAS, "RoutingConfig": {"AdditionalVersionWeights": {}}}
    assert of_alias("shop", "live", no_weights, VERSION) is None
    no_snapshots = {**VERSION, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}}
    assert of_alias("shop", "live", ALIAS, no_snapshots) is None


@pytest.mark.parametrize(
    ("alias", "described", "version", "code"),
    [
        ("$LATEST", {}, {}, "latest-version"),
        ("live", {"FunctionVersion": "$LATEST"}, {}, "latest-version"),
        (
            "live",
            {"RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}},
            {},
            "weighted-alias",
        ),
        ("live", {}, {"CapacityProviderConfig": {"x": "y"}}, "managed-instances"),
        ("live", {}, {"SnapStart": {"ApplyOn": "PublishedVersions"}}, "snap-start"),
        ("live", {}, {"State": "Pending"}, "deploying"),
        ("live", {}, {"LastUpdateStatus": "InProgress"}, "deploying"),
    ],
)
def test_an_obstacle_of_an_alias_has_a_name(
    alias: str, described: Mapping[str, Any], version: Mapping[str, Any], code: str
) -> None:
    found = of_alias("shop", alias, {**ALIAS, **described}, {**VERSION, **version})
    assert found is not None
    assert found.code == code


def test_an_alias_that_is_not_there_calls_a_person() -> None:
    for described, version in ((None, None), (ALIAS, None)):
        found = of_alias("shop", "live", described, version)
        assert found is not None
        assert (found.code, found.page) == ("alias-gone", True)


def test_with_snapshots_there_are_two_ways_out() -> None:
    found = of_alias(
        "shop", "live", ALIAS, {**VERSION, "SnapStart": {"ApplyOn": "PublishedVersions"}}
    )
    assert found is not None
    assert "version 3 of shop" in found.reason
    assert "point live to it" in found.next_steps[0]
    assert "take the tag away" in found.next_steps[0]


def test_weights_are_told_with_their_versions() -> None:
    weighted = {**ALIAS, "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}}
    found = of_alias("shop", "live", weighted, VERSION)
    assert found is not None
    assert "version 4 (10%)" in found.reason


@pytest.mark.parametrize("status", ["InService", "Updating"])
def test_a_serverless_endpoint_has_no_obstacle(status: str) -> None:
    assert of_endpoint({**ENDPOINT, "EndpointStatus": status}) is None


@pytest.mark.parametrize(
    ("different", "code"),
    [
        ({"EndpointStatus": "Failed"}, "not-in-service"),
        ({"EndpointStatus": "OutOfService"}, "not-in-service"),
        ({"EndpointStatus": "RollingBack"}, "not-in-service"),
        ({"EndpointStatus": "SystemUpdating"}, "deploying"),
        ({"EndpointStatus": "Creating", "ProductionVariants": []}, "deploying"),
        (
            {"EndpointStatus": "Updating", "PendingDeploymentSummary": {"x": 1}},
            "deploying",
        ),
        (
            {"ProductionVariants": [SERVERLESS, {**SERVERLESS, "VariantName": "b"}]},
            "several-variants",
        ),
        ({"ProductionVariants": [{"VariantName": "a"}]}, "not-serverless"),
        ({"ProductionVariants": []}, "not-serverless"),
    ],
)
def test_an_obstacle_of_an_endpoint_has_a_name(different: Mapping[str, Any], code: str) -> None:
    found = of_endpoint({**ENDPOINT, **different})
    assert found is not None
    assert found.code == code
