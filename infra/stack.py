"""The stack: which parts there are and how they are joined."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.dashboard import Dashboard
from infra.foundation import Foundation
from infra.operator import Operator
from infra.provisioned_concurrency import ProvisionedConcurrency
from infra.quota_increase import QuotaIncrease
from infra.settings import StackSettings
from infra.spot_fallback import SpotFallback
from infra.traffic_shift import TrafficShift


class MlCapacityRemediationStack(Stack):
    """Everything one AWS account and Region needs; it looks nothing up and fits any of them."""

    def __init__(self, scope: Construct, id: str, *, settings: StackSettings) -> None:
        super().__init__(
            scope,
            id,
            description="Watches an account's ML capacity and repairs it.",
        )
        foundation = Foundation(self, "Foundation", settings)
        traffic_shift = TrafficShift(self, "TrafficShift", foundation)
        quota_increase = QuotaIncrease(self, "QuotaIncrease", foundation)
        spot_fallback = SpotFallback(self, "SpotFallback", foundation)
        provisioned_concurrency = ProvisionedConcurrency(self, "ProvisionedConcurrency", foundation)
        operator = Operator(
            self,
            "Operator",
            foundation,
            {
                "provisioned_concurrency": provisioned_concurrency.queue,
                "quota_increase": quota_increase.queue,
                "spot_fallback": spot_fallback.queue,
                "traffic_shift": traffic_shift.queue,
            },
        )
        outputs = {
            "LedgerTableName": foundation.ledger.table_name,
            "TopicArn": foundation.topic.topic_arn,
            "ModeParameterName": foundation.mode.parameter_name,
            "OperatorFunctionArn": operator.guarded.function.function_arn,
            "ProvisionedConcurrencyFunctionArn": (
                provisioned_concurrency.guarded.function.function_arn
            ),
            "ProvisionedConcurrencyQueueUrl": provisioned_concurrency.queue.queue_url,
            "QuotaIncreaseFunctionArn": quota_increase.guarded.function.function_arn,
            "QuotaIncreaseQueueUrl": quota_increase.queue.queue_url,
            "SpotFallbackFunctionArn": spot_fallback.guarded.function.function_arn,
            "SpotFallbackQueueUrl": spot_fallback.queue.queue_url,
            "TrafficShiftFunctionArn": traffic_shift.guarded.function.function_arn,
            "TrafficShiftQueueUrl": traffic_shift.queue.queue_url,
        }
        if settings.infrastructure.dashboard:
            dashboard = Dashboard(
                self,
                "Dashboard",
                functions=[
                    traffic_shift.guarded,
                    quota_increase.guarded,
                    spot_fallback.guarded,
                    provisioned_concurrency.guarded,
                    operator.guarded,
                ],
                queues=[
                    traffic_shift.queue,
                    quota_increase.queue,
                    spot_fallback.queue,
                    provisioned_concurrency.queue,
                ],
            )
            outputs["DashboardName"] = dashboard.dashboard.dashboard_name
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
