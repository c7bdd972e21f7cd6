"""An endpoint that Application Auto Scaling scales, and the metrics it goes by."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.cloudwatch import record
from tests.cloud.conftest import Account
from tests.cloud.hosting import stand_up, variant

ACCOUNT = "123456789012"
RESOURCE = "endpoint/shop/variant/blue"
INSTANCES = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
CONCURRENCY = INSTANCES | {"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}
FUNCTION = {
    "ServiceNamespace": "lambda",
    "ResourceId": "function:shop:live",
    "ScalableDimension": "lambda:function:ProvisionedConcurrency",
}
PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
UTILIZATION = "SageMakerVariantProvisionedConcurrencyUtilization"


@pytest.fixture
def scaling(account: Account) -> Any:
    """The client of us-east-1."""
    return account.client("application-autoscaling")


@pytest.fixture
def sagemaker(account: Account) -> Any:
    """SageMaker, with two instances of the endpoint's variant in service."""
    return stand_up(account, [variant("blue", count=2)])


def register(scaling: Any, low: int = 1, high: int = 10, **more: Any) -> Any:
    """Register the variant's instances, or what `more` names."""
    return scaling.register_scalable_target(
        **{**INSTANCES, "MinCapacity": low, "MaxCapacity": high, **more}
    )


def track(scaling: Any, value: float, metric: str = PER_INSTANCE, **more: Any) -> Any:
    """Put a target tracking policy, named "policy" unless told otherwise."""
    place = {key: more.pop(key, INSTANCES[key]) for key in INSTANCES}
    return scaling.put_scaling_policy(
        PolicyName=more.pop("PolicyName", "policy"),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            **more,
        },
        **place,
    )


def load(account: Account, per_instance: float, minutes: int) -> None:
    """Let minutes pass, in each of which an instance gets so many invocations."""
    for _ in range(minutes):
        publish("InvocationsPerInstance", per_instance)
        account.wait(60)


def publish(name: str, value: float) -> None:
    """A datum of the variant, now."""
    with WORLD.turn():
        record(
            ACCOUNT,
            "us-east-1",
            "AWS/SageMaker",
            name,
            {"EndpointName": "shop", "VariantName": "blue"},
            value=value,
            timestamp=WORLD.clock(),
        )


def instances(sagemaker: Any) -> int:
    """How many instances the variant is to have."""
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    return int(told["DesiredInstanceCount"])


def activities(scaling: Any, **more: Any) -> list[dict[str, Any]]:
    """SageMaker's scaling activities, the newest first."""
    found: list[dict[str, Any]] = scaling.describe_scaling_activities(
        ServiceNamespace="sagemaker", **more
    )["ScalingActivities"]
    return found


def reasons(scaling: Any) -> list[str]:
    """Why nothing was scaled, the newest first."""
    return [
        each["NotScaledReasons"][0]["Code"]
        for each in activities(scaling, IncludeNotScaledActivities=True)
        if "NotScaledReasons" in each
    ]
