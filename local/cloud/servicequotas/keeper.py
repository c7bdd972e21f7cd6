"""What Service Quotas keeps of one account in one Region, and how quotas are found and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend

from local.cloud.seam import Refusal
from local.cloud.servicequotas.catalogue import Catalogue, built_in
from local.cloud.servicequotas.changes import Change, Decision, Outcome
from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.servicequotas.rates import Buckets

HOME = "us-east-1"
"""The only Region that knows global quotas (terraform-provider-aws/issues/19735), and here the
keeper of what is the whole account's."""

Key = tuple[str, str]
"""A service code and a quota code."""


@dataclass
class Report:
    """A utilization report: `rows` once it is `generated` (epoch seconds), or a `failure`, its code
    and message."""

    id: str
    started: float
    status: str = "PENDING"
    generated: float | None = None
    rows: Sequence[dict[str, Any]] = ()
    failure: tuple[str, str] | None = None


class Keeper(BaseBackend):
    """One account's quotas in one Region.

    `values` are applied values that were set, for the account (resource None) or for a resource.
    `used` are uses that were set by hand, `measured` the quotas that were ever seen in use here,
    `failure` is how the next report fails.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.replaced: Catalogue | None = None
        self.standing = Decision(Outcome.APPROVE)
        self.planned: dict[Key, Decision] = {}
        self.buckets = Buckets()
        self.watched = False
        self.begin()

    def begin(self) -> None:
        """Be what an account is in which nothing happened yet."""
        self.values: dict[tuple[str, str, str | None], float] = {}
        self.changes: dict[str, Change] = {}
        self.used: dict[Key, float] = {}
        self.measured: dict[Key, None] = {}
        self.reports: dict[str, Report] = {}
        self.failure: tuple[str, str] | None = None

    @property
    def home(self) -> Keeper:
        """What keeps the account's own things: its catalogue, how requests are decided."""
        return of(self.account_id, HOME)

    @property
    def catalogue(self) -> Catalogue:
        """The account's catalogue, the same in every Region."""
        return self.home.replaced or built_in()

    def everywhere(self) -> list[Keeper]:
        """The keepers of the account's Regions in which anything happened yet."""
        stores: Any = get_backend("service-quotas")
        return list(stores[self.account_id].values())

    def shows(self, quota: Quota) -> bool:
        """Whether this Region knows a quota: global ones are known in us-east-1 only."""
        return not quota.is_global or self.region_name == HOME

    def services(self) -> Iterator[Service]:
        """The services that have a quota here."""
        for service in self.catalogue.services.values():
            if any(self.shows(quota) for quota in service.quotas.values()):
                yield service

    def service(self, code: str) -> Service:
        """The service of that code, or AWS's refusal (its text: aws-cli/issues/4569; the same for
        a global service outside us-east-1: terraform-provider-aws/issues/19735)."""
        service = self.catalogue.services.get(code)
        if service is None or not any(self.shows(quota) for quota in service.quotas.values()):
            raise Refusal(
                "NoSuchResourceException",
                "The request failed because the specified service does not exist.",
            )
        return service

    def find(self, service_code: str, quota_code: str) -> tuple[Service, Quota]:
        """A service and a quota of it, or AWS's refusal."""
        service = self.service(service_code)
        quota = service.quotas.get(quota_code)
        if quota is None or not self.shows(quota):
            raise no_such_quota()
        return service, quota

    def value(self, service: str, quota: Quota, resource: str | None = None) -> float:
        """The value that holds: the resource's, else the account's, else AWS's default (aws-cli
        issue 8584 quotes this order)."""
        keeper = self.home if quota.is_global else self
        for owner in {resource: None, None: None}:
            if (value := keeper.values.get((service, quota.code, owner))) is not None:
                return value
        return float(quota.default if quota.applied is None else quota.applied)

    def has_applied_value(self, service: str, quota: Quota) -> bool:
        """Whether AWS shows an applied value. "If a quota value has never been applied,
        GetServiceQuota will return NoSuchResourceException" (terraform-provider-aws/issues/19745);
        ListServiceQuotas leaves such a quota out (its API reference)."""
        return not quota.default_only or (service, quota.code, None) in self.values

    def arn(self, service: str, quota: Quota, account: str) -> str:
        """A quota's ARN. AWS's default values carry no account, global quotas no Region (AWS CLI
        examples of both Get operations; terraform-provider-aws/issues/19735)."""
        region = "" if quota.is_global else self.region_name
        return f"arn:{self.partition}:servicequotas:{region}:{account}:{service}/{quota.code}"

    def identity(self, service: Service, quota: Quota, account: str) -> dict[str, Any]:
        """The members that name a quota, in every answer."""
        return {
            "ServiceCode": service.code,
            "ServiceName": service.name,
            "QuotaArn": self.arn(service.code, quota, account),
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Unit": quota.unit,
            "GlobalQuota": quota.is_global,
        }


def context(quota: Quota, resource: str | None) -> dict[str, Any]:
    """`QuotaContext` of a resource-level quota: a resource's ARN, or `*` for all of them; absent
    for an account-level quota (botocore service model, `QuotaContextInfo`)."""
    if quota.resource_type is None:
        return {}
    shown = {
        "ContextScope": "RESOURCE",
        "ContextScopeType": quota.resource_type,
        "ContextId": resource or "*",
    }
    if quota.adjustable:
        shown["AdjustableAtLevel"] = "ALL" if quota.account_wide else "PER_RESOURCE"
    return {"QuotaContext": shown}


def no_such_quota() -> Refusal:
    """AWS's code; its text for a quota is not known and follows that for a service."""
    return Refusal(
        "NoSuchResourceException", "The request failed because the specified quota does not exist."
    )


def of(account_id: str, region: str) -> Keeper:
    """Service Quotas of that account and Region."""
    stores: Any = get_backend("service-quotas")
    keeper: Keeper = stores[account_id][region]
    return keeper
