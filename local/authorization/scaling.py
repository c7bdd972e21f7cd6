"""The rights that registering a scalable target needs beside its own: pure.

Application Auto Scaling calls, as whoever registers, what it will call later, and refuses the
registration when one of them is denied (user guide, "Permissions validation for Application Auto
Scaling API calls on target resources"; which calls: "Permissions required for API actions on target
services and CloudWatch"; the text: github.com/hashicorp/terraform-provider-aws/issues/46385). Some
calls name what does not exist: an endpoint configuration does in
github.com/aws-controllers-k8s/community/issues/2110. Which of Lambda's and SageMaker's do is not
documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from local.authorization.requests import Request, Right, of_endpoint, of_function

REGISTER = "application-autoscaling:RegisterScalableTarget"
MISSING = "User is missing the following permissions: {}"

MADE_UP = "00000000-0000-0000-0000-000000000000"
"""The name of what does not exist."""

_FUNCTION = re.compile(r"function:([^:]+):([^:]+)")
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/[^/]+")


def validated(request: Request, resource_id: str, *, made_up: bool) -> Iterator[Right]:
    """The rights that are tried out. `made_up`: the writes too name what does not exist, which has
    no tags."""
    if found := _FUNCTION.fullmatch(resource_id):
        name, qualifier = (MADE_UP, "1") if made_up else found.groups()
        for verb in ("Put", "Delete"):
            action = f"lambda:{verb}ProvisionedConcurrencyConfig"
            yield of_function(request, action, name, qualifier)
        yield of_function(request, "lambda:GetProvisionedConcurrencyConfig", *found.groups())
    elif found := _VARIANT.fullmatch(resource_id):
        write = "sagemaker:UpdateEndpointWeightsAndCapacities"
        yield of_endpoint(request, write, MADE_UP if made_up else found[1])
        yield of_endpoint(request, "sagemaker:DescribeEndpoint", found[1])
        config = request.arn("sagemaker", f"endpoint-config/{MADE_UP}")
        yield Right("sagemaker:DescribeEndpointConfig", config)
    for verb in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"):
        yield Right(f"cloudwatch:{verb}", request.arn("cloudwatch", "alarm:*"))
