"""The scalable dimensions that are simulated, and what Application Auto Scaling knows of each.

Sources: resource ids and dimensions are the service model's (`RegisterScalableTarget`), roles those
of the user guide's application-auto-scaling-service-linked-roles, which metrics fit which dimension
`PredefinedMetricSpecification` (the text of the refusal: github.com/aws/aws-cdk/issues/29065), step
scaling `PutScalingPolicy`, cooldowns target-tracking-scaling-policy-overview, "Define cooldown
periods": 300 seconds for SageMaker endpoint variants, 0 for Lambda. A serverless variant is taken
for a variant there, which nobody verified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.cloud.seam import Refusal


@dataclass(frozen=True)
class TrackedMetric:
    """The CloudWatch metric behind a predefined one."""

    namespace: str
    name: str
    statistic: str


@dataclass(frozen=True)
class Dimension:
    """A scalable dimension. `counted` is what activities call its capacity, `tracks` are its
    predefined metrics (None: one that is not simulated), `labels` their CloudWatch dimensions, made
    of the groups of `resource`."""

    name: str
    resource: re.Pattern[str]
    labels: Mapping[str, str]
    role: str
    counted: str
    cooldown: int
    steps: bool
    tracks: Mapping[str, TrackedMetric | None]

    @property
    def namespace(self) -> str:
        return self.name.partition(":")[0]

    def metric_dimensions(self, resource_id: str) -> list[dict[str, str]]:
        """The CloudWatch dimensions of a resource's metrics."""
        found = self.resource.fullmatch(resource_id)
        assert found is not None, resource_id
        return [
            {"Name": name, "Value": value.format(*found.groups())}
            for name, value in self.labels.items()
        ]


_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_VARIANT_LABELS = {"EndpointName": "{0}", "VariantName": "{1}"}
_SAGEMAKER = "SageMakerEndpoint"

DIMENSIONS: Mapping[str, Dimension] = {
    each.name: each
    for each in (
        Dimension(
            "sagemaker:variant:DesiredInstanceCount",
            _VARIANT,
            _VARIANT_LABELS,
            _SAGEMAKER,
            "desired instance count",
            300,
            steps=True,
            tracks={
                "SageMakerVariantInvocationsPerInstance": TrackedMetric(
                    "AWS/SageMaker", "InvocationsPerInstance", "Sum"
                ),
                "SageMakerVariantConcurrentRequestsPerModelHighResolution": None,
            },
        ),
        Dimension(
            "sagemaker:variant:DesiredProvisionedConcurrency",
            _VARIANT,
            _VARIANT_LABELS,
            _SAGEMAKER,
            "desired concurrency",
            300,
            steps=True,
            tracks={
                "SageMakerVariantProvisionedConcurrencyUtilization": TrackedMetric(
                    "AWS/SageMaker", "ServerlessProvisionedConcurrencyUtilization", "Average"
                )
            },
        ),
        Dimension(
            "lambda:function:ProvisionedConcurrency",
            re.compile(r"function:([^:]+):(?!\$LATEST$)([^:]+)"),
            {"FunctionName": "{0}", "Resource": "{0}:{1}"},
            "LambdaConcurrency",
            "desired concurrency",
            0,
            steps=False,
            tracks={
                "LambdaProvisionedConcurrencyUtilization": TrackedMetric(
                    "AWS/Lambda", "ProvisionedConcurrencyUtilization", "Average"
                )
            },
        ),
    )
}


def dimension_of(namespace: str, resource_id: str, name: str) -> Dimension:
    """The dimension that a request names, or AWS's refusal (text:
    github.com/pulumi/pulumi-aws/issues/822). What AWS knows and this account does not is refused
    as such."""
    found = DIMENSIONS.get(name)
    if found is None and name.startswith(f"{namespace}:"):
        raise Refusal("UnsupportedByPocketAccount", f"The pocket account does not simulate {name}.")
    if found is None or found.namespace != namespace or not found.resource.fullmatch(resource_id):
        raise Refusal(
            "ValidationException",
            "Unsupported service namespace, resource type or scalable dimension",
        )
    return found
