"""Application Auto Scaling: scalable targets, target tracking, scheduled actions, activities.

`install_application_auto_scaling()` puts it in moto's place. It scales SageMaker variants, by
instances and by provisioned concurrency, through the SageMaker of the same account and Region; the
dial of another service is connected with `connect`.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

from local.cloud.applicationautoscaling.dials import Dial, Opener, Reading, connect
from local.cloud.cloudwatch.scaling import listen
from local.cloud.seam import extend

__all__ = ["Dial", "Opener", "Reading", "connect", "install_application_auto_scaling"]


def install_application_auto_scaling() -> None:
    """Put our Application Auto Scaling in moto's place, wholly. Run it before the first call."""
    from local.cloud.applicationautoscaling.backend import ApplicationAutoScaling

    extend("applicationautoscaling", ApplicationAutoScaling)
    listen(_heard)


def _heard(account_id: str, region: str, policy_arn: str, alarm_name: str) -> None:
    stores: Any = get_backend("applicationautoscaling")
    stores[account_id][region].triggered(policy_arn, alarm_name)
