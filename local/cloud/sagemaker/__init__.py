"""SageMaker hosting: models, endpoint configurations, endpoints, their states and their events."""

from __future__ import annotations

from local.cloud.sagemaker.endpoints import SageMaker
from local.cloud.seam import extend

__all__ = ["SageMaker", "install_sagemaker"]


def install_sagemaker() -> None:
    """Serve SageMaker from this package. What moto has beyond it (training jobs, notebooks, ..)
    is not served: there it is complete at birth, which AWS's never is."""
    extend("sagemaker", SageMaker)
