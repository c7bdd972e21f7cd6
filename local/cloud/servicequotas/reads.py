"""The operations that list services and quotas and read their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from local.cloud.cloudwatch.pages import page
from local.cloud.seam import Refusal
from local.cloud.servicequotas.keeper import Keeper, context, no_such_quota
from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.servicequotas.rates import paced

Item = TypeVar("Item")

PAGE = 20
"""Entries on a page when MaxResults is left out. AWS does not say; it is far below 100, for asking
for 100 brought calls down (github.com/cloud-custodian/cloud-custodian/pull/7138)."""

UNAVAILABLE: Mapping[str, str] = {
    "DEPENDENCY_ACCESS_DENIED_ERROR": "The caller does not have access to the service or quota.",
    "DEPENDENCY_THROTTLING_ERROR": "The service is throttling Service Quotas.",
    "DEPENDENCY_SERVICE_ERROR": "The service is not available.",
    "SERVICE_QUOTA_NOT_AVAILABLE_ERROR": "There was an error in Service Quotas.",
}
"""`ErrorReason` codes (botocore service model); AWS's messages are not known."""


class Reads(Keeper):
    """Rates of all: Service Quotas User Guide, reference_limits."""

    @paced(10)
    def list_services(
        self, next_token: str | None = None, max_results: int = PAGE
    ) -> dict[str, Any]:
        listed, token = page_of(list(self.services()), next_token, max_results)
        services = [{"ServiceCode": each.code, "ServiceName": each.name} for each in listed]
        return {"Services": services, **token}

    @paced(10)
    def list_service_quotas(
        self,
        service_code: str,
        next_token: str | None = None,
        max_results: int = PAGE,
        quota_code: str | None = None,
        quota_applied_at_level: str = "ACCOUNT",
    ) -> dict[str, Any]:
        """Applied values: the account's unless asked otherwise; at the resource level only those
        that were set for a resource (Service Quotas User Guide, request-quota-increase)."""
        service = self.service(service_code)
        applied = [
            (quota, owner)
            for quota in service.quotas.values()
            if self.shows(quota) and quota_code in {None, quota.code}
            for owner in self._owners(service, quota, quota_applied_at_level)
        ]
        listed, token = page_of(applied, next_token, max_results)
        return {"Quotas": [self._applied(service, *each) for each in listed], **token}

    @paced(10)
    def list_aws_default_service_quotas(
        self, service_code: str, next_token: str | None = None, max_results: int = PAGE
    ) -> dict[str, Any]:
        service = self.service(service_code)
        quotas = [quota for quota in service.quotas.values() if self.shows(quota)]
        listed, token = page_of(quotas, next_token, max_results)
        return {"Quotas": [self._default(service, quota) for quota in listed], **token}

    @paced(5)
    def get_service_quota(
        self, service_code: str, quota_code: str, context_id: str | None = None
    ) -> dict[str, Any]:
        """The account's value, or with ContextId the one set for that resource; there is no
        falling back from the one to the other, nor to AWS's default (aws-cli/issues/8584, its
        text; terraform-provider-aws/issues/19745)."""
        service, quota = self.find(service_code, quota_code)
        if context_id is None and not self.has_applied_value(service_code, quota):
            raise no_such_quota()
        if context_id is not None and (service_code, quota_code, context_id) not in self.values:
            raise Refusal(
                "NoSuchResourceException",
                "The request failed because applied value for the specified context Id do not "
                "exist.",
            )
        return {"Quota": self._applied(service, quota, context_id)}

    @paced(5)
    def get_aws_default_service_quota(self, service_code: str, quota_code: str) -> dict[str, Any]:
        return {"Quota": self._default(*self.find(service_code, quota_code))}

    def _owners(self, service: Service, quota: Quota, level: str) -> list[str | None]:
        owners: list[str | None] = []
        if level in {"ACCOUNT", "ALL"} and self.has_applied_value(service.code, quota):
            owners.append(None)
        if level in {"RESOURCE", "ALL"} and quota.resource_type is not None:
            key = (service.code, quota.code)
            owners += [owner for *of, owner in self.values if tuple(of) == key and owner]
        return owners

    def _applied(self, service: Service, quota: Quota, resource: str | None) -> dict[str, Any]:
        value: dict[str, Any] = {"Value": self.value(service.code, quota, resource)}
        if quota.error is not None:
            reason = {"ErrorCode": quota.error, "ErrorMessage": UNAVAILABLE[quota.error]}
            value = {"ErrorReason": reason}
        return {
            **self.identity(service, quota, self.account_id),
            **value,
            **_nature(quota),
            **context(quota, resource),
            "QuotaAppliedAtLevel": "ACCOUNT" if resource is None else "RESOURCE",
        }

    def _default(self, service: Service, quota: Quota) -> dict[str, Any]:
        return {
            **self.identity(service, quota, ""),
            "Value": float(quota.default),
            **_nature(quota),
            **context(quota, None),
        }


def _nature(quota: Quota) -> dict[str, Any]:
    shown: dict[str, Any] = {"Adjustable": quota.adjustable}
    if quota.metric is not None:
        shown["UsageMetric"] = quota.metric.description()
    if quota.period is not None:
        shown["Period"] = {"PeriodValue": quota.period.value, "PeriodUnit": quota.period.unit}
    if quota.description is not None:
        shown["Description"] = quota.description
    return shown


def page_of(
    found: Sequence[Item], token: str | None, size: int
) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of a list operation, and the NextToken member when more is left."""
    listed, rest = page(found, token, size, "InvalidPaginationTokenException")
    return listed, {"NextToken": rest} if rest else {}
