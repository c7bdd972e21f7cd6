"""Application Auto Scaling, where it owns the dial: the floor it keeps to, and the call that moves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from functions.core.remediation import Busy, Impossible
from functions.provisioned_concurrency.observation import Owner, Service

DIMENSIONS = {
    Service.LAMBDA: "lambda:function:ProvisionedConcurrency",
    Service.SAGEMAKER: "sagemaker:variant:DesiredProvisionedConcurrency",
}
IDS_A_CALL = 50
"""As many targets as one answer of DescribeScalableTargets holds (API reference, MaxResults)."""


class Owners:
    """scaling: a boto3 client of Application Auto Scaling."""

    def __init__(self, scaling: Any) -> None:
        self._scaling = scaling

    def of(self, service: Service, ids: Sequence[str]) -> dict[str, Owner]:
        """The owner of each resource ID that has one; a call for every 50."""
        found: dict[str, Owner] = {}
        for start in range(0, len(ids), IDS_A_CALL):
            pages = self._scaling.get_paginator("describe_scalable_targets").paginate(
                ServiceNamespace=service.value,
                ResourceIds=list(ids[start : start + IDS_A_CALL]),
                ScalableDimension=DIMENSIONS[service],
            )
            for page in pages:
                for each in page["ScalableTargets"]:
                    found[each["ResourceId"]] = Owner(each["MinCapacity"], each["MaxCapacity"])
        return found

    def move(self, service: Service, id: str, minimum: int) -> None:
        """Set the floor alone: what a registration leaves out stays as it is (API reference,
        RegisterScalableTarget). Raises Busy, Impossible and what the API raises.
        """
        try:
            self._scaling.register_scalable_target(
                ServiceNamespace=service.value,
                ResourceId=id,
                ScalableDimension=DIMENSIONS[service],
                MinCapacity=minimum,
            )
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ConcurrentUpdateException":
                    raise Busy(str(error)) from error
                case "ValidationException":
                    raise Impossible("refused-by-aws", str(error)) from error
                case _:
                    raise
