"""Quota increase: its signals, and what it may touch."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aws_cdk import Acknowledgment, ArnFormat, Stack, Validations
from constructs import Construct

from functions.quota_increase.settings import QuotaRule
from infra import quota_signals
from infra.foundation import Foundation
from infra.guarded_function import GuardedFunction
from infra.settings import as_variable

_WILDCARD = re.compile(r"[*?\[]")
_QUOTA_CODE = re.compile(r"L-[0-9A-F]{8}", re.IGNORECASE)


class QuotaIncrease(Construct):
    """Requests more of a quota that refuses a call or is nearly used up, and finds capacity."""

    def __init__(self, scope: Construct, id: str, foundation: Foundation) -> None:
        super().__init__(scope, id)
        self._own = foundation.settings.quota_increase
        self.guarded = GuardedFunction(
            self,
            "QuotaIncrease",
            name="quota_increase",
            description="Requests what a quota lacks, and says where capacity is.",
            foundation=foundation,
            environment={"LEVER_SETTINGS": as_variable(self._own)},
        )
        self.queue = self.guarded.receive_queue()
        self._route()
        self.guarded.receive_alarms()
        self.guarded.receive_heartbeat()
        self.guarded.allow_remediating()
        self._allow_reading()
        self._allow_requesting()

    def _route(self) -> None:
        for id, pattern, description in (
            (
                "RefusedCalls",
                quota_signals.refused_calls(),
                "Calls to EC2, SageMaker and Lambda refused for a quota or for capacity.",
            ),
            (
                "RefusedFleets",
                quota_signals.refused_fleets(),
                "EC2 fleets with pools refused for a quota or for capacity.",
            ),
            (
                "FailedWorkloads",
                quota_signals.failed_workloads(),
                "SageMaker jobs and endpoints that failed for a quota or for capacity.",
            ),
            (
                "BreachedThresholds",
                quota_signals.breached_thresholds(),
                "Use near a quota, as Service Quotas' Automatic Management tells it.",
            ),
            (
                "AlarmsOnUse",
                quota_signals.alarms_on_use(),
                "Alarms on metrics of use that went into ALARM.",
            ),
            (
                "LimitsOfTrustedAdvisor",
                quota_signals.limits_of_trusted_advisor(),
                "Service limits of this Region that Trusted Advisor finds used up or nearly so.",
            ),
            (
                "HandedOver",
                quota_signals.handed_over(),
                "What another remediation of this stack was refused for a quota.",
            ),
        ):
            self.guarded.route(id, self.queue, pattern, description)

    def _allow_reading(self) -> None:
        """The reads that the settings make the function call, none of which takes a resource.

        Source: Service Authorization Reference, "Service Quotas", "Amazon EC2", "Amazon
        CloudWatch"; for the offers of Training Plans, SageMaker developer guide, "IAM for
        SageMaker training plans".
        """
        own, reads = self._own, list[str]()
        if own.quotas:
            reads += [
                "cloudwatch:GetMetricData",
                "ec2:DescribeInstanceTypes",
                "servicequotas:GetAWSDefaultServiceQuota",
                "servicequotas:GetServiceQuota",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListRequestedServiceQuotaChangeHistory",
                "servicequotas:ListServiceQuotas",
            ]
        if any(_WILDCARD.search(rule.service) for rule in own.quotas):
            reads.append("servicequotas:ListServices")
        if own.quotas and own.scan == "report":
            reads += [
                "servicequotas:GetQuotaUtilizationReport",
                "servicequotas:StartQuotaUtilizationReport",
            ]
        if own.capacity_types:
            reads += [
                "ec2:DescribeCapacityBlockOfferings",
                "ec2:DescribeInstanceTypeOfferings",
                "sagemaker:SearchTrainingPlanOfferings",
            ]
        if reads:
            self.guarded.allow(reads, ["*"])
            self._acknowledge("*", "Reads for which AWS takes no resource.")

    def _allow_requesting(self) -> None:
        """The one write, on the quotas of rules that may come to a request, and on no others.

        A request that people at AWS must look at opens a support case, for which Service Quotas
        needs its service-linked role; the first request creates it (AWS Support user guide,
        "AWS Support App: Troubleshooting", AWSServiceRoleForServiceQuotas).
        """
        stack = Stack.of(self)
        requestable = _requestable(self._own.quotas)
        if not requestable:
            return
        arns = [
            stack.format_arn(
                service="servicequotas",
                resource=each,
                arn_format=ArnFormat.NO_RESOURCE_NAME,
                **region,
            )
            for each in requestable
            # The quota of a global service, e.g. IAM, has an ARN without a Region.
            for region in ({}, {"region": ""})
        ]
        self.guarded.allow(["servicequotas:RequestServiceQuotaIncrease"], arns)
        self.guarded.allow(
            ["iam:CreateServiceLinkedRole"],
            [
                stack.format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=(
                        "aws-service-role/servicequotas.amazonaws.com"
                        "/AWSServiceRoleForServiceQuotas"
                    ),
                )
            ],
            {"StringEquals": {"iam:AWSServiceName": "servicequotas.amazonaws.com"}},
        )
        for each in requestable:
            if "*" in each:
                for region in ("<AWS::Region>", ""):
                    self._acknowledge(
                        f"arn:<AWS::Partition>:servicequotas:{region}:<AWS::AccountId>:{each}",
                        "The settings opt these quotas in; names cannot be told in a policy.",
                    )

    def _acknowledge(self, resource: str, reason: str) -> None:
        Validations.of(self).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason=reason
            )
        )


def _requestable(rules: Iterable[QuotaRule]) -> list[str]:
    """The quotas that rules let be requested, as ARNs end: service and code.

    A policy tells quotas by code, so a rule that goes by name covers its service; which quotas of
    it are meant is the function's to check. Rules go without regard to case, a policy does not:
    service codes are lower-case but for a few.
    """
    found = set()
    for rule in rules:
        if rule.mode not in ("approve", "act"):
            continue
        code = rule.quota.upper() if _QUOTA_CODE.fullmatch(rule.quota) else "*"
        service = "*" if "[" in rule.service else rule.service
        found |= {f"{each}/{code}" for each in (service, service.lower())}
    return sorted(found)
