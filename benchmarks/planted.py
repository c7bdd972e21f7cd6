"""The quotas of the benchmarks' catalogue that are there for a reason: hot ones, and traps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.servicequotas.quotas import code_of

Key = tuple[str, str]
"""A service code and a quota code."""


@dataclass(frozen=True)
class Planted:
    """A quota, as the pocket account's `PUT /servicequotas/catalogue` takes it, and what it shows."""

    service: str
    why: str
    quota: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return key(self.service, self.quota)


def key(service: str, quota: Mapping[str, Any]) -> Key:
    """Service and quota code; a quota without a code gets the one that the account gives it."""
    return service, quota.get("code") or code_of(service, quota["name"])


def gauge(service: str, resource: str, **different: Any) -> dict[str, Any]:
    """The usage metric of things that exist (CloudWatch User Guide, "AWS usage metrics")."""
    dimensions = {"Service": service, "Class": "None", "Type": "Resource", "Resource": resource}
    return {
        "name": "ResourceCount",
        "dimensions": dimensions,
        "statistic": "Maximum",
    } | different


def calls(service: str, operation: str) -> dict[str, Any]:
    """The usage metric of an API's calls, whose sum is what tells (the same page)."""
    dimensions = {"Service": service, "Class": "None", "Type": "API", "Resource": operation}
    return {"name": "CallCount", "dimensions": dimensions, "statistic": "Sum"}


SECOND, MINUTE, DAY = ({"value": 1, "unit": unit} for unit in ("SECOND", "MINUTE", "DAY"))

HOT: Sequence[Planted] = (
    Planted(
        "ec2",
        "a gauge in vCPUs, with a class",
        {
            "code": "L-417A185B",
            "name": "Running On-Demand P instances",
            "default": 384,
            "used": 336,
            "metric": gauge(
                "EC2",
                "vCPU",
                dimensions={
                    "Service": "EC2",
                    "Class": "P/OnDemand",
                    "Type": "Resource",
                    "Resource": "vCPU",
                },
            ),
        },
    ),
    Planted(
        "sagemaker",
        "a gauge of instances, of a value that was raised before",
        {
            "name": "ml.g5.12xlarge for endpoint usage",
            "default": 4,
            "applied": 8,
            "used": 7,
            "metric": gauge("SageMaker", "endpoint/ml.g5.12xlarge"),
        },
    ),
    Planted(
        "lambda",
        "a metric outside the namespace AWS/Usage",
        {
            "code": "L-B99A9384",
            "name": "Concurrent executions",
            "default": 1000,
            "used": 930,
            "metric": {
                "name": "ConcurrentExecutions",
                "dimensions": {},
                "namespace": "AWS/Lambda",
                "statistic": "Maximum",
            },
        },
    ),
    Planted(
        "ssm",
        "a gauge without a period, of a quota that has a default value only",
        {
            "code": "L-09101E66",
            "name": "Concurrently executing Automations",
            "default": 100,
            "used": 88,
            "default_only": True,
            "metric": gauge("Systems Manager", "ConcurrentAutomations"),
        },
    ),
    Planted(
        "monitoring",
        "a rate a second, counted by the minute",
        {
            "name": "Rate of GetMetricData requests",
            "default": 50,
            "used": 46,
            "period": SECOND,
            "metric": calls("CloudWatch", "GetMetricData"),
        },
    ),
    Planted(
        "firehose",
        "a quota that AWS raises for nobody",
        {
            "name": "Rate of CreateDeliveryStream requests",
            "default": 5,
            "used": 4.75,
            "adjustable": False,
            "period": SECOND,
            "metric": calls("Firehose", "CreateDeliveryStream"),
        },
    ),
)

TRAPS: Sequence[Planted] = (
    Planted(
        # github.com/aws-solutions/quota-monitor-for-aws/issues/212 shows it as AWS lists it;
        # github.com/cloud-custodian/cloud-custodian/issues/10694
        "emr-serverless",
        "a gauge whose recommended statistic is Sum",
        {
            "code": "L-D05C8A75",
            "name": "Max concurrent vCPUs per account",
            "default": 16,
            "used": 5,
            "metric": gauge("EMR Serverless", "vCPU", statistic="Sum"),
        },
    ),
    Planted(
        "cloudtrail",
        "a rate a second of which a minute's calls are fifteen times the value",
        {
            "name": "Transactions per second (TPS) for the LookupEvents API",
            "default": 20,
            "used": 5,
            "period": SECOND,
            "metric": calls("CloudTrail", "LookupEvents"),
        },
    ),
    Planted(
        "cloudtrail",
        "calls in a time that is not said",
        {
            "name": "Calls of StartImport",
            "default": 100,
            "used": 40,
            "metric": calls("CloudTrail", "StartImport"),
        },
    ),
    Planted(
        "sns",
        "a rate a day",
        {
            "name": "Messages published a day",
            "default": 100_000,
            "used": 30_000,
            "period": DAY,
            "metric": calls("SNS", "Publish"),
        },
    ),
    Planted(
        "bedrock",
        "a sum that counts no calls",
        {
            "code": "L-CFA4FA0D",
            "name": "On-demand model inference tokens per minute for Amazon Nova Micro",
            "default": 4_000_000,
            "used": 900_000,
            "period": MINUTE,
            "metric": {
                "name": "InputTokenCount",
                "dimensions": {"ModelId": "amazon.nova-micro-v1:0"},
                "namespace": "AWS/Bedrock",
                "statistic": "Sum",
            },
        },
    ),
    Planted(
        "sagemaker",
        "a value of zero, none in use",
        {
            "code": "L-82E1C851",
            "name": "ml.p5.48xlarge for training job usage",
            "default": 0,
            "used": 0,
            "metric": gauge("SageMaker", "training-job/ml.p5.48xlarge"),
        },
    ),
    Planted(
        "sagemaker",
        "an error in place of the value",
        {
            "name": "ml.p4de.24xlarge for training job usage",
            "default": 4,
            "used": 1,
            "error": "DEPENDENCY_SERVICE_ERROR",
            "metric": gauge("SageMaker", "training-job/ml.p4de.24xlarge"),
        },
    ),
)
