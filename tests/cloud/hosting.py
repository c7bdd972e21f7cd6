"""What several tests need to have standing before their own story begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/hosting"


def variant(name: str, weight: float | None = 1.0, count: int = 1) -> dict[str, Any]:
    """A production variant; with weight None the configuration leaves the weight out."""
    spec = {
        "VariantName": name,
        "ModelName": "model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
    }
    return spec if weight is None else spec | {"InitialVariantWeight": weight}


BLUE_GREEN = (variant("blue", 0.9, 3), variant("green", 0.1, 1))


def configure(
    sagemaker: Any, variants: Sequence[dict[str, Any]], name: str = "config", **more: Any
) -> None:
    """An endpoint configuration, and the model its variants need."""
    if not sagemaker.list_models()["Models"]:
        sagemaker.create_model(
            ModelName="model", PrimaryContainer={"Image": "image"}, ExecutionRoleArn=ROLE
        )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants), **more
    )


def stand_up(account: Any, variants: Sequence[dict[str, Any]] = BLUE_GREEN, **config: Any) -> Any:
    """The endpoint `shop` in service; gives the SageMaker client."""
    sagemaker = account.client("sagemaker")
    configure(sagemaker, variants, **config)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    account.wait(5)
    account.events.clear()
    return sagemaker


def serving(sagemaker: Any, name: str = "shop") -> dict[str, tuple[float, int]]:
    """What each variant serves with now: its weight and its instances."""
    described = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    return {
        each["VariantName"]: (each["CurrentWeight"], each["CurrentInstanceCount"])
        for each in described
    }


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    """The error code and message that a call is refused with."""
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]
