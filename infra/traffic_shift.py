"""Traffic shift: its signals, and what it may touch."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_events as events
from constructs import Construct

from infra.foundation import Foundation
from infra.guarded_function import GuardedFunction
from infra.settings import as_variable

_TAG = "ml-remediation:traffic-shift"


class TrafficShift(Construct):
    """Moves traffic between an endpoint's variants when an alarm, a schedule or a person asks."""

    def __init__(self, scope: Construct, id: str, foundation: Foundation) -> None:
        super().__init__(scope, id)
        self.guarded = GuardedFunction(
            self,
            "TrafficShift",
            name="traffic_shift",
            description="Moves an endpoint's traffic off a failing variant and on to a good one.",
            foundation=foundation,
            environment={"LEVER_SETTINGS": as_variable(foundation.settings.traffic_shift)},
        )
        self.queue = self.guarded.receive_queue()
        self.guarded.route(
            "AlarmRule",
            self.queue,
            _alarms_on_endpoints(),
            "Alarms on SageMaker metrics, and composite alarms, that went into ALARM.",
        )
        self.guarded.receive_alarms()
        self.guarded.receive_heartbeat()
        self._allow()
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="Reads for which AWS takes no resource, or tells nothing with one.",
            ),
            Acknowledgment(
                id=(
                    "AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sagemaker"
                    ":<AWS::Region>:<AWS::AccountId>:endpoint/*]"
                ),
                reason="Endpoints opt in by tag: reads are harmless, the write needs the tag.",
            ),
        )

    def _allow(self) -> None:
        """What observing and acting need.

        Resource types and condition keys: Service Authorization Reference. Without a resource:
        GetMetricData, GetResources; DescribeAlarms tells of composite alarms only when its
        permission covers `*` (botocore's cloudwatch model, DescribeAlarms).
        """
        allow = self.guarded.allow
        endpoints = Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name="*"
        )
        self.guarded.allow_remediating()
        allow(
            [
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListAlarmMuteRules",
                "tag:GetResources",
            ],
            ["*"],
        )
        allow(["sagemaker:DescribeEndpoint", "sagemaker:ListTags"], [endpoints])
        allow(
            ["sagemaker:UpdateEndpointWeightsAndCapacities"],
            [endpoints],
            {"StringEquals": {f"aws:ResourceTag/{_TAG}": ["approve", "act"]}},
        )


def _alarms_on_endpoints() -> events.EventPattern:
    """Alarms in ALARM on a metric of AWS/SageMaker, metric math over one included, or composites.

    A pattern matches an array when any element does, so metric math matches by its input metrics;
    composites carry a rule and no metric, so all of them come and the function looks at their
    children (CloudWatch user guide, "Alarm events and EventBridge").
    """
    return events.EventPattern(
        source=["aws.cloudwatch"],
        detail_type=["CloudWatch Alarm State Change"],
        detail={
            "state": {"value": ["ALARM"]},
            "$or": [
                {
                    "configuration": {
                        "metrics": {"metricStat": {"metric": {"namespace": ["AWS/SageMaker"]}}}
                    }
                },
                {"configuration": {"alarmRule": [{"exists": True}]}},
            ],
        },
    )
