"""Provisioned concurrency: its signals, and what it may touch."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Aws, Validations
from aws_cdk import aws_events as events
from constructs import Construct

from infra.foundation import Foundation
from infra.guarded_function import GuardedFunction
from infra.settings import as_variable

_TAG = "ml-remediation:provisioned-concurrency"
_OPTED_IN = {"StringEquals": {f"aws:ResourceTag/{_TAG}": ["approve", "act"]}}


class ProvisionedConcurrency(Construct):
    """Keeps execution environments ready ahead of demand, and lets them go after it."""

    def __init__(self, scope: Construct, id: str, foundation: Foundation) -> None:
        super().__init__(scope, id)
        self.guarded = GuardedFunction(
            self,
            "ProvisionedConcurrency",
            name="provisioned_concurrency",
            description="Keeps execution environments ready ahead of demand, and lets them go after.",
            foundation=foundation,
            environment={
                "LEVER_SETTINGS": as_variable(foundation.settings.provisioned_concurrency)
            },
        )
        self.queue = self.guarded.receive_queue()
        self.guarded.route(
            "AlarmRule",
            self.queue,
            _alarms_on_concurrency(),
            "Alarms on provisioned concurrency, and composite alarms, that went into ALARM.",
        )
        self.guarded.receive_alarms()
        self.guarded.receive_heartbeat()
        self.guarded.echo_heartbeat(self.queue)
        self.guarded.allow_remediating()
        self._allow_reading()
        self._allow_writing()

    def _allow_reading(self) -> None:
        """Source: Service Authorization Reference, each service's page; DescribeAlarms as in
        traffic shift."""
        allow = self.guarded.allow
        allow(
            [
                "application-autoscaling:DescribeScalableTargets",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "lambda:GetAccountSettings",
                "tag:GetResources",
            ],
            ["*"],
        )
        self._acknowledge("*", "Reads for which AWS takes no resource, or tells nothing with one.")
        allow(
            [
                "lambda:GetAlias",
                "lambda:GetFunctionConcurrency",
                "lambda:GetFunctionConfiguration",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:ListAliases",
                "lambda:ListProvisionedConcurrencyConfigs",
                "lambda:ListTags",
            ],
            [self._functions],
        )
        allow(["sagemaker:DescribeEndpoint", "sagemaker:ListTags"], [self._endpoints])

    def _allow_writing(self) -> None:
        """A function's tags count for its aliases (Lambda developer guide, "Using attribute-based
        access control in Lambda"). Of a scalable target IAM knows its own tags alone, which are not
        those of the function or endpoint that it scales: the code checks these.
        """
        allow = self.guarded.allow
        allow(
            [
                "lambda:DeleteProvisionedConcurrencyConfig",
                "lambda:PutProvisionedConcurrencyConfig",
            ],
            [self._functions],
            _OPTED_IN,
        )
        allow(["sagemaker:UpdateEndpointWeightsAndCapacities"], [self._endpoints], _OPTED_IN)
        targets = self._every(
            "application-autoscaling",
            "scalable-target/*",
            "IAM sees a scalable target's own tags, not those of what it scales: the code does.",
        )
        allow(
            ["application-autoscaling:RegisterScalableTarget"],
            [targets],
            {
                "StringEquals": {
                    "application-autoscaling:service-namespace": ["lambda", "sagemaker"],
                    "application-autoscaling:scalable-dimension": [
                        "lambda:function:ProvisionedConcurrency",
                        "sagemaker:variant:DesiredProvisionedConcurrency",
                    ],
                }
            },
        )
        self._allow_being_tried_out()

    def _allow_being_tried_out(self) -> None:
        """Whoever registers a target must have the rights to what Application Auto Scaling will do.
        It tries them out in the caller's name, on the target, on names that do not exist, or on none
        (Application Auto Scaling user guide, "Permissions validation"; which: "Permissions required
        for API actions on target services and CloudWatch"). The function itself has none of them:
        such calls come through another service.
        """
        through_a_service = {"Bool": {"aws:ViaAWSService": "true"}}
        nothing = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"]
        self.guarded.allow([*nothing, "sagemaker:DescribeEndpointConfig"], ["*"], through_a_service)
        provision = ["DeleteProvisionedConcurrencyConfig", "PutProvisionedConcurrencyConfig"]
        self.guarded.allow(
            [f"lambda:{each}" for each in provision], [self._functions], through_a_service
        )
        self.guarded.allow(
            ["sagemaker:UpdateEndpointWeightsAndCapacities"], [self._endpoints], through_a_service
        )

    @property
    def _functions(self) -> str:
        return self._every(
            "lambda",
            "function:*",
            "Functions opt in by tag: reads are harmless, the writes need the tag.",
        )

    @property
    def _endpoints(self) -> str:
        return self._every(
            "sagemaker",
            "endpoint/*",
            "Endpoints opt in by tag: reads are harmless, the write needs the tag.",
        )

    def _every(self, service: str, resource: str, reason: str) -> str:
        """The ARN of every such resource here, which cdk-nag is given the reason of."""
        place = f":{service}:<AWS::Region>:<AWS::AccountId>:{resource}"
        self._acknowledge(f"arn:<AWS::Partition>{place}", reason)
        return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"

    def _acknowledge(self, resource: str, reason: str) -> None:
        Validations.of(self).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason=reason
            )
        )


def _alarms_on_concurrency() -> events.EventPattern:
    """Alarms in ALARM on what provisioned concurrency publishes, by itself or in metric math, and
    composites, which carry no metric: the function looks at their children (CloudWatch user guide,
    "Alarm events and EventBridge"). Names: Lambda developer guide, "Types of metrics for Lambda
    functions"; SageMaker developer guide, "Alarms and logs for tracking metrics from serverless
    endpoints"."""
    metrics = [
        {"namespace": ["AWS/Lambda"], "name": [{"prefix": "ProvisionedConcurrency"}]},
        {"namespace": ["AWS/SageMaker"], "name": [{"prefix": "ServerlessProvisionedConcurrency"}]},
    ]
    watched = [{"configuration": {"metrics": {"metricStat": {"metric": each}}}} for each in metrics]
    return events.EventPattern(
        source=["aws.cloudwatch"],
        detail_type=["CloudWatch Alarm State Change"],
        detail={
            "state": {"value": ["ALARM"]},
            "$or": [*watched, {"configuration": {"alarmRule": [{"exists": True}]}}],
        },
    )
