"""The EventBridge event SageMaker sends when an endpoint changes its state."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from local.cloud.sagemaker.resources import Endpoint
from local.cloud.world import WORLD


def announce(endpoint: Endpoint) -> None:
    """Send `SageMaker Endpoint State Change` for the endpoint's state as it is now.

    Shape: the sample of the SageMaker developer guide (automating-sagemaker-with-eventbridge):
    upper-case status, times in epoch milliseconds, tags as a map, variants without their names.
    `time` is ISO 8601 as in every EventBridge envelope; that one sample shows milliseconds.
    The same page: several events may be sent for one change.
    """
    _, _, _, region, account, _ = endpoint.arn.split(":")
    detail = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "ProductionVariants": [
            {
                "DesiredWeight": float(variant.desired_weight),
                "DesiredInstanceCount": float(variant.desired_count),
            }
            for variant in endpoint.variants
        ],
        "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", endpoint.status).upper(),
        "CreationTime": _milliseconds(endpoint.created),
        "LastModifiedTime": _milliseconds(endpoint.modified),
        "Tags": dict(endpoint.tags),
    }
    for _ in range(2 if WORLD.switches.duplicate_events else 1):
        WORLD.emit(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "SageMaker Endpoint State Change",
                "source": "aws.sagemaker",
                "account": account,
                "time": datetime.fromtimestamp(WORLD.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": region,
                "resources": [endpoint.arn],
                "detail": detail,
            }
        )


def _milliseconds(moment: float) -> float:
    return float(round(moment * 1000))
