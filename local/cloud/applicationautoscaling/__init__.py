"""Application Auto Scaling: scalable targets, target tracking, scheduled actions, activities.

`install_application_auto_scaling()` puts it in moto's place. It scales SageMaker variants, by
instances and by provisioned concurrency, and Lambda aliases, through the SageMaker and the Lambda of
the same account and Region; the dial of another service is connected with `connect`. The account's
server has its Lambda in another process and asks it through `elsewhere`.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

from local.cloud.applicationautoscaling.dials import Dial, Opener, Reading, connect
from local.cloud.applicationautoscaling.records import Key, ScalableTarget
from local.cloud.cloudwatch.scaling import listen
from local.cloud.sagemaker.scalers import scalers
from local.cloud.seam import extend

__all__ = ["Dial", "Opener", "Reading", "connect", "install_application_auto_scaling"]


def install_application_auto_scaling() -> None:
    """Put our Application Auto Scaling in moto's place, wholly. Run it before the first call."""
    from local.cloud.applicationautoscaling.backend import ApplicationAutoScaling

    extend("applicationautoscaling", ApplicationAutoScaling)
    listen(_heard)
    scalers.append(Variants())


class Variants:
    """What SageMaker asks and tells of endpoints whose variants are registered."""

    def scaled(self, account_id: str, region: str, endpoint_name: str) -> set[str]:
        targets = _of_endpoint(account_id, region, endpoint_name)
        return {target.resource_id.rpartition("/")[2] for target in targets}

    def gone(self, account_id: str, region: str, endpoint_name: str) -> None:
        for target in _of_endpoint(account_id, region, endpoint_name):
            _backend(account_id, region).deregister(target)


def _of_endpoint(account_id: str, region: str, endpoint_name: str) -> list[ScalableTarget]:
    start = f"endpoint/{endpoint_name}/variant/"
    targets: dict[Key, ScalableTarget] = _backend(account_id, region).targets
    return [each for each in targets.values() if each.resource_id.startswith(start)]


def _heard(account_id: str, region: str, policy_arn: str, alarm_name: str) -> None:
    _backend(account_id, region).triggered(policy_arn, alarm_name)


def _backend(account_id: str, region: str) -> Any:
    stores: Any = get_backend("applicationautoscaling")
    return stores[account_id][region]
