"""Lambda aliases as scalable targets: the rules of Lambda hold for Application Auto Scaling too."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.cloudwatch import record
from tests.cloud.applicationautoscaling.conftest import ACCOUNT, FUNCTION, register, track
from tests.cloud.awslambda.conftest import Shop, shop  # noqa: F401
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused

LIVE = {"FunctionName": "shop", "Qualifier": "live"}
UTILIZATION = "LambdaProvisionedConcurrencyUtilization"


@pytest.fixture
def live(shop: Shop) -> Any:  # noqa: F811
    """The Lambda client; the function `shop` has the alias `live`, with 4 provisioned."""
    shop.api.put_provisioned_concurrency_config(**LIVE, ProvisionedConcurrentExecutions=4)
    shop.account.wait(WORLD.durations.lambda_provisioning)
    return shop.api


def provisioned(api: Any) -> int:
    told = api.get_provisioned_concurrency_config(**LIVE)
    return int(told["RequestedProvisionedConcurrentExecutions"])


def activities(scaling: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.describe_scaling_activities(ServiceNamespace="lambda")[
        "ScalingActivities"
    ]
    return found


def use(account: Account, utilization: float, minutes: int) -> None:
    """Let minutes pass, in each of which so much of what is provisioned is busy."""
    for _ in range(minutes):
        with WORLD.turn():
            record(
                ACCOUNT,
                "us-east-1",
                "AWS/Lambda",
                "ProvisionedConcurrencyUtilization",
                {"FunctionName": "shop", "Resource": "shop:live"},
                value=utilization,
                timestamp=WORLD.clock(),
            )
        account.wait(60)


def test_an_alias_is_brought_into_the_bounds(account: Account, scaling: Any, live: Any) -> None:
    """Role: user guide, service-linked roles; the description: activities that users published."""
    register(scaling, 6, 9, **FUNCTION)
    account.wait(60)
    assert provisioned(live) == 6
    [told] = activities(scaling)
    assert told["Description"] == "Setting desired concurrency to 6."
    assert told["StatusCode"] == "Successful"
    [target] = scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    assert target["RoleARN"].endswith(
        "lambda.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
    )


def test_an_alias_can_be_left_without(account: Account, scaling: Any, live: Any) -> None:
    """RegisterScalableTarget: the least MinCapacity of Lambda is 0; Lambda's least is 1."""
    register(scaling, 0, 0, **FUNCTION)
    account.wait(60)
    code, _ = refused(live.get_provisioned_concurrency_config, **LIVE)
    assert code == "ProvisionedConcurrencyConfigNotFoundException"
    register(scaling, 3, 9, **FUNCTION)
    account.wait(60)
    assert provisioned(live) == 3


def test_utilization_is_tracked_without_cooldown(account: Account, scaling: Any, live: Any) -> None:
    """ScaleOutCooldown of Lambda: 0 by default. Dimensions: FunctionName and Resource."""
    register(scaling, 1, 50, **FUNCTION)
    track(scaling, 0.7, UTILIZATION, **FUNCTION)
    account.wait(62 - WORLD.clock() % 60)
    use(account, 1, 3)
    assert provisioned(live) == 6
    use(account, 1, 1)
    assert provisioned(live) == 9


def test_what_lambda_refuses_fails(account: Account, scaling: Any, live: Any) -> None:
    """Lambda developer guide: no provisioned concurrency on an alias with a routing configuration."""
    live.delete_provisioned_concurrency_config(**LIVE)
    live.update_alias(
        FunctionName="shop",
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    register(scaling, 6, 9, **FUNCTION)
    account.wait(60)
    [told] = activities(scaling)
    assert told["StatusCode"] == "Failed"
    assert told["StatusMessage"].startswith("Failed to set desired concurrency to 6. Reason: ")


def test_a_function_that_does_not_start_fails(account: Account, scaling: Any, live: Any) -> None:
    WORLD.lambdas.failing = ["shop"]
    register(scaling, 6, 9, **FUNCTION)
    account.wait(60)
    assert activities(scaling)[0]["StatusCode"] == "Failed"


@pytest.mark.parametrize("resource", ["function:shop:other", "function:none:live"])
def test_what_does_not_exist_is_not_registered(scaling: Any, live: Any, resource: str) -> None:
    place = FUNCTION | {"ResourceId": resource}
    assert refused(register, scaling=scaling, low=1, high=2, **place)[0] == "ValidationException"
