"""SageMaker as it is served: hosting, training, training plans."""

from __future__ import annotations

from local.cloud.sagemaker.endpoints import Endpoints
from local.cloud.sagemaker.plans import TrainingPlans
from local.cloud.sagemaker.training import TrainingJobs


class SageMaker(Endpoints, TrainingJobs, TrainingPlans):
    """One account's SageMaker in one Region."""
