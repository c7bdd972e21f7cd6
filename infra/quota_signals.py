"""Event patterns of what speaks of quotas and capacity, narrow enough to wake nobody for nothing.

Patterns: EventBridge user guide, "Amazon EventBridge event patterns" and "Comparison operators".
CloudTrail brings calls to the default bus where a trail logs them (same guide, "AWS service events
delivered via AWS CloudTrail").
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_events as events

# What EC2 answers when a quota or capacity is short (EC2 API reference, "Error codes").
_SHORT_OF_INSTANCES = (
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "UnfulfillableCapacity",
)


def refused_calls() -> events.EventPattern:
    """Calls that were refused for a quota or for capacity.

    CloudTrail writes EC2's codes with `Client.` or `Server.` in front, other services' without.
    Lambda's answer to PutFunctionConcurrency shares its code with other mistakes, and CloudTrail
    adds the API's version to the call's name.
    """
    return events.EventPattern(
        source=["aws.ec2", "aws.lambda", "aws.sagemaker"],
        detail_type=["AWS API Call via CloudTrail"],
        detail={
            "$or": [
                {
                    "eventSource": ["sagemaker.amazonaws.com"],
                    "errorCode": ["ResourceLimitExceeded", "ResourceLimitExceededException"],
                },
                {"eventSource": ["ec2.amazonaws.com"], "errorCode": _any_prefix()},
                {
                    "eventSource": ["lambda.amazonaws.com"],
                    "eventName": [{"prefix": "PutFunctionConcurrency"}],
                    "errorMessage": [{"wildcard": "*UnreservedConcurrentExecution below its*"}],
                },
            ]
        },
    )


def refused_fleets() -> events.EventPattern:
    """Fleets that were short of instances: CreateFleet succeeds, with an error for each pool.

    A pattern matches an array when any element does. How CloudTrail renders EC2's lists varies:
    {"item": [...]}, of one member {"item": {...}}, elsewhere {"items": [...]} or a bare list.
    """
    errors = {"errorCode": _any_prefix()}
    return events.EventPattern(
        source=["aws.ec2"],
        detail_type=["AWS API Call via CloudTrail"],
        detail={
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": ["CreateFleet"],
            "responseElements": {
                "CreateFleetResponse": {
                    "errorSet": {"$or": [{"item": errors}, {"items": errors}, errors]}
                }
            },
        },
    )


def failed_workloads() -> events.EventPattern:
    """Jobs and endpoints of SageMaker that failed for a quota or for capacity.

    The reason is text alone: a quota's begins with the code that the call would have had, or
    quotes the limit; capacity's has that word. An endpoint in service needs nothing now, whatever reason an
    earlier update left.
    """
    return events.EventPattern(
        source=["aws.sagemaker"],
        detail_type=[
            "SageMaker Endpoint State Change",
            "SageMaker HyperParameter Tuning Job State Change",
            "SageMaker Processing Job State Change",
            "SageMaker Training Job State Change",
            "SageMaker Transform Job State Change",
        ],
        detail={
            "FailureReason": [
                {"prefix": "ResourceLimitExceeded"},
                {"wildcard": "*service limit*"},
                {"wildcard": "*apacity*"},
            ],
            "$or": [
                {"EndpointStatus": ["FAILED", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED"]},
                {"HyperParameterTuningJobStatus": ["Failed"]},
                {"ProcessingJobStatus": ["Failed"]},
                {"TrainingJobStatus": ["Failed"]},
                {"TransformJobStatus": ["Failed"]},
            ],
        },
    )


def breached_thresholds() -> events.EventPattern:
    """Use that Service Quotas' Automatic Management found near a quota, through AWS Health and as
    its own record in CloudTrail.

    Source: Service Quotas user guide, "Automatic Management events" and "Amazon EventBridge".
    """
    return events.EventPattern(
        source=["aws.health", "aws.servicequotas"],
        detail_type=["AWS Health Event", "AWS Service Event via CloudTrail"],
        detail={
            "$or": [
                {
                    "service": ["SERVICEQUOTAS"],
                    "eventTypeCode": ["AWS_SERVICEQUOTAS_THRESHOLD_BREACH"],
                },
                {
                    "eventSource": ["servicequotas.amazonaws.com"],
                    "eventName": ["ServiceQuotasUtilizationBreachingThreshold"],
                },
            ]
        },
    )


def alarms_on_use() -> events.EventPattern:
    """Alarms in ALARM on a metric of use, metric math over one included.

    Lambda's concurrency is measured in its own namespace; a function's own is no quota's
    (CloudWatch user guide, "AWS usage metrics").
    """
    metrics: list[dict[str, Any]] = [
        {"namespace": ["AWS/Usage"]},
        {
            "namespace": ["AWS/Lambda"],
            "name": ["ConcurrentExecutions"],
            "dimensions": {"FunctionName": [{"exists": False}]},
        },
    ]
    return events.EventPattern(
        source=["aws.cloudwatch"],
        detail_type=["CloudWatch Alarm State Change"],
        detail={
            "state": {"value": ["ALARM"]},
            "configuration": {"metrics": {"metricStat": {"metric": {"$or": metrics}}}},
        },
    )


def limits_of_trusted_advisor() -> events.EventPattern:
    """Service limits of this Region that a refreshed check found used up or nearly so.

    The items of every Region arrive in one, "-" is a global service's
    (aws-solutions/quota-monitor-for-aws matches the same members).
    """
    return events.EventPattern(
        source=["aws.trustedadvisor"],
        detail_type=["Trusted Advisor Check Item Refresh Notification"],
        detail={
            "status": ["WARN", "ERROR"],
            "check-item-detail": {
                "Limit Name": [{"exists": True}],
                "Region": [Aws.REGION, "-"],
            },
        },
    )


def handed_over() -> events.EventPattern:
    """What another remediation of this stack was refused for a quota, unless it only observes.

    Of quota increase's own events none has such a code: a rule must not trigger itself (EventBridge
    API reference, PutRule).
    """
    return events.EventPattern(
        source=["ml-capacity-remediation"],
        detail_type=["Remediation Decided", "Remediation Refused"],
        detail={"code": ["account-headroom", "regional-quota"], "mode": ["approve", "act"]},
    )


def _any_prefix() -> list[dict[str, str]]:
    return [{"suffix": code} for code in _SHORT_OF_INSTANCES]
