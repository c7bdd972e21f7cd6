"""SageMaker: models, endpoint configurations, endpoints, training jobs, training plan offerings;
their states, their events, and the quotas and the capacity they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend

from local.cloud.sagemaker.backend import SageMaker
from local.cloud.sagemaker.limits import in_use
from local.cloud.seam import extend
from local.cloud.servicequotas import meter

__all__ = ["SageMaker", "install_sagemaker"]


def install_sagemaker() -> None:
    """Serve SageMaker from this package. What moto has beyond it (notebooks, processing jobs, ..)
    is not served: there it is complete at birth, which AWS's never is."""
    extend("sagemaker", SageMaker)
    meter("sagemaker", _measure)


def _measure(account_id: str, region: str) -> Mapping[str, float]:
    stores: Any = get_backend("sagemaker")
    return in_use(stores[account_id][region])
