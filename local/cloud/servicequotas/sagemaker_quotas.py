"""SageMaker's quotas: a family for each use of an instance type, and totals over all types.

Names, the codes given here and the dimensions of the totals and of endpoints and notebooks are
those of real accounts' lists (responses of ListServiceQuotas on github.com); other dimensions
follow their pattern, other codes are made up. AWS's default is 4 where fresh accounts show it, and
0 for what needs an accelerator, which this account has as well; it has plenty of everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from local.cloud.servicequotas.quotas import Period, Quota, UsageMetric, code_of

CPU_SIZES: Mapping[str, str] = {
    "t3": "medium large xlarge 2xlarge",
    "m4": "xlarge 2xlarge 4xlarge 10xlarge 16xlarge",
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "c4": "large xlarge 2xlarge 4xlarge 8xlarge",
    "c5": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "c7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "r7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
}
ACCELERATED_SIZES: Mapping[str, str] = {
    "p3": "2xlarge 8xlarge 16xlarge",
    "p3dn": "24xlarge",
    "p4d": "24xlarge",
    "p4de": "24xlarge",
    "p5": "4xlarge 48xlarge",
    "p5e": "48xlarge",
    "p5en": "48xlarge",
    "p6-b200": "48xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g6": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g6e": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "trn1": "2xlarge 32xlarge",
    "trn1n": "32xlarge",
    "trn2": "48xlarge",
    "inf1": "xlarge 2xlarge 6xlarge 24xlarge",
    "inf2": "xlarge 8xlarge 24xlarge 48xlarge",
}
USES: Mapping[str, str | None] = {
    "training job usage": "training-job",
    "spot training job usage": "spot-training-job",
    "training warm pool usage": "training-warm-pool",
    "processing job usage": "processing-job",
    "transform job usage": "transform-job",
    "endpoint usage": "endpoint",
    "notebook instance usage": "notebook-instance",
    "cluster usage": None,
}
"""Each family by the words in its name, and the `Resource` that its usage metric names."""

FEW, PLENTY = 4.0, 500.0

CODES: Mapping[str, str] = {
    "ml.p4d.24xlarge for training job usage": "L-09B4A649",
    "ml.p4d.24xlarge for spot training job usage": "L-09D56C4F",
    "ml.p4d.24xlarge for endpoint usage": "L-09F79647",
    "ml.p5.48xlarge for training job usage": "L-82E1C851",
    "ml.p5.48xlarge for spot training job usage": "L-82733FAD",
    "ml.p5.4xlarge for training job usage": "L-C2764A80",
    "ml.g6e.48xlarge for training job usage": "L-0DA2E7B0",
    "ml.g6.4xlarge for training job usage": "L-07B51BA0",
    "ml.g5.48xlarge for endpoint usage": "L-0100B823",
}
TOTALS: Mapping[str, tuple[str | None, str]] = {
    "Number of instances across all training jobs": (
        "L-00C91CB5",
        "training-job/total_instance_count",
    ),
    "Number of instances across all spot training jobs": (
        None,
        "spot-training-job/total_instance_count",
    ),
    "Number of instances across all processing jobs": (
        "L-F311B08F",
        "processing-job/total_instance_count",
    ),
    "Number of instances across all transform jobs": (
        "L-60D2A6F0",
        "transform-job/total_instance_count",
    ),
    "Number of instances across active endpoints": (
        "L-7A3DF611",
        "endpoint/total_instance_count",
    ),
    "Total number of notebook instances": ("L-04CE2E67", "notebook-instance/total_count"),
}
SERVERLESS: Mapping[str, tuple[str | None, float]] = {
    "Maximum total concurrency that can be allocated across all serverless endpoints": (
        "L-96300102",
        10.0,
    ),
    "Maximum number of serverless endpoints": (None, 5.0),
}
"""Quotas on serverless endpoints: code, and the value in a fresh account as users show it."""
RESERVED = "Number of {} instances in reserved capacity across training plans per Region"
"""SageMaker developer guide, "View SageMaker training plans quotas"."""


def sagemaker_quotas() -> Iterator[Quota]:
    """Every SageMaker quota of the built-in catalogue."""
    for name, (code, resource) in TOTALS.items():
        yield _quota(name, FEW, PLENTY, _metric(resource), code)
    for instance_type in _types(CPU_SIZES):
        yield from _of_type(instance_type, FEW, PLENTY)
    for instance_type in _types(ACCELERATED_SIZES):
        yield from _of_type(instance_type, 0.0, 0.0)
        yield _quota(RESERVED.format(instance_type), 0.0, 0.0)
    for name, (code, fresh) in SERVERLESS.items():
        yield _quota(name, fresh, PLENTY, code=code)
    yield _quota("Longest run time for a training job", 432000.0, 432000.0)
    yield _quota("Maximum number of instances per training job", 20.0, PLENTY)
    second = Period(1, "SECOND")
    for operation in ("CreateEndpoint", "CreateTrainingJob", "StopTrainingJob"):
        name = f"Rate of {operation} requests"
        code = code_of("sagemaker", name)
        yield Quota(name, 10.0, code, adjustable=False, period=second)


def _types(sizes: Mapping[str, str]) -> Iterator[str]:
    for family, names in sizes.items():
        for size in names.split():
            yield f"ml.{family}.{size}"


def _of_type(instance_type: str, default: float, applied: float) -> Iterator[Quota]:
    for use, resource in USES.items():
        name = f"{instance_type} for {use}"
        metric = _metric(f"{resource}/{instance_type}") if resource else None
        yield _quota(name, default, applied, metric, CODES.get(name))


def _quota(
    name: str,
    default: float,
    applied: float,
    metric: UsageMetric | None = None,
    code: str | None = None,
) -> Quota:
    code = code or code_of("sagemaker", name)
    return Quota(name, default, code, applied=applied, metric=metric)


def _metric(resource: str) -> UsageMetric:
    return UsageMetric(
        "ResourceCount",
        {"Service": "SageMaker", "Class": "None", "Type": "Resource", "Resource": resource},
    )
