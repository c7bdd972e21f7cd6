"""The tags of a SageMaker endpoint, which SageMaker keeps under an ARN in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

NOT_THERE = ("could not find", "does not exist", "not found")


def endpoint_tags(sagemaker: Any, arn: str) -> Mapping[str, str]:
    """The endpoint's tags; none where there is no such endpoint. sagemaker: a boto3 client.

    arn: with the name in its own case. SageMaker writes ARNs in lower case (developer guide,
    "Automating SageMaker with Amazon EventBridge": endpoint MyEndpoint, ARN
    endpoint/myendpoint); where one keeps the name's case, the second question finds it.
    """
    path, name = arn.rsplit("/", 1)
    tags = _list(sagemaker, f"{path}/{name.lower()}")
    if not tags and name != name.lower():
        tags = _list(sagemaker, arn)
    return tags


def _list(sagemaker: Any, arn: str) -> dict[str, str]:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    try:
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    except ClientError as error:
        message = error.response["Error"].get("Message", "").lower()
        if any(text in message for text in NOT_THERE):
            return {}
        raise
