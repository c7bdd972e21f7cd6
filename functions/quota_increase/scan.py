"""Which opted-in quotas are near their end: by Service Quotas' own report, else by their metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from functions.core.decision import Wait
from functions.core.memory import Memory
from functions.quota_increase.aws import Quotas
from functions.quota_increase.catalogue import AGED, Catalogue
from functions.quota_increase.settings import QuotaRule

logger = Logger(child=True)

ROWS = 1000
"""Rows of GetQuotaUtilizationReport in a page (API reference)."""
PATIENCE = timedelta(minutes=10)
"""A report is deleted 15 minutes after it was made (API reference, GetQuotaUtilizationReport)."""
LISTING_CALLS = 100
"""Calls that listing the catalogue may take before the next minute goes on with it: the lists
allow ten a second (Service Quotas user guide, "Service Quotas endpoints and quotas")."""
REPORT = "report"


@dataclass(frozen=True)
class Hot:
    """A quota that is near its end. percent: in use of `limit`."""

    service: str
    code: str
    limit: float | None
    percent: float


class ReportFailed(RuntimeError):
    """Service Quotas made no report; the quotas' own metrics are asked instead."""


class Scan:
    """client: of Service Quotas. rules: what is opted in. hot: percent in use from which it counts."""

    def __init__(
        self,
        client: Any,
        quotas: Quotas,
        catalogue: Catalogue,
        memory: Memory,
        rules: Sequence[QuotaRule],
        hot: float,
    ) -> None:
        self._client = client
        self._quotas = quotas
        self._catalogue = catalogue
        self._memory = memory
        self._rules = rules
        self._hot = hot

    def by_report(self, now: datetime) -> list[Hot] | Wait:
        """Start a report, or read the one under way; where there is none, ask the metrics."""
        try:
            return self._report(now)
        except (ClientError, ReportFailed) as error:
            logger.warning("no utilization report, asking the metrics", error=str(error))
            self._memory.remember(REPORT, None, now)
            return self.by_metrics(now)

    def _report(self, now: datetime) -> list[Hot] | Wait:
        under_way = self._memory.recall(REPORT)
        if under_way is None or under_way.document is None:
            started = self._client.start_quota_utilization_report()
            self._memory.remember(REPORT, started["ReportId"], now)
            if started["Status"] != "COMPLETED":
                return Wait(f"utilization report {started['ReportId']} is being made")
            id, since = started["ReportId"], now
        else:
            id, since = under_way.document, under_way.at
        hot: list[Hot] = []
        more: dict[str, str] = {}
        while True:
            page = self._client.get_quota_utilization_report(ReportId=id, MaxResults=ROWS, **more)
            if page["Status"] in ("PENDING", "IN_PROGRESS") and now - since < PATIENCE:
                return Wait(f"utilization report {id} is {page['Status']}")
            if page["Status"] != "COMPLETED":
                raise ReportFailed(
                    f"report {id} is {page['Status']}: {page.get('ErrorMessage', 'no reason given')}"
                )
            rows = page.get("Quotas", ())
            hot += [
                Hot(
                    row["ServiceCode"],
                    row["QuotaCode"],
                    row.get("AppliedValue"),
                    row["Utilization"],
                )
                for row in rows
                if row.get("Utilization", 0) >= self._hot
                and self._opted_in(row["ServiceCode"], row["QuotaCode"], row.get("QuotaName", ""))
            ]
            # The hottest come first.
            cold = rows and rows[-1].get("Utilization", 0) < self._hot
            if cold or not page.get("NextToken"):
                self._memory.remember(REPORT, None, now)
                return hot
            more = {"NextToken": page["NextToken"]}

    def by_metrics(self, now: datetime) -> list[Hot] | Wait:
        """The use of every opted-in quota that has a usage metric, 500 a call."""
        known = self._catalogue.all()
        calls = 0
        for service in self.services():
            if service in known and now - known[service][0] < AGED:
                continue
            if calls >= LISTING_CALLS:
                return Wait("the catalogue of quotas is being listed")
            calls += self._catalogue.refresh(service)
        measured = {
            f"{quota.service}/{quota.code}": (quota, quota.metric, quota.value)
            for _, quotas in self._catalogue.all().values()
            for quota in quotas
            if quota.metric
            and quota.value
            and self._opted_in(quota.service, quota.code, quota.name)
        }
        used = self._quotas.use({key: metric for key, (_, metric, _) in measured.items()}, now)
        hot = []
        for key, use in used.items():
            quota, _, value = measured[key]
            if 100 * use >= self._hot * value:
                hot.append(Hot(quota.service, quota.code, value, 100 * use / value))
        return hot

    def services(self) -> list[str]:
        """The services that the rules name; all of them are listed only for a pattern."""
        if any(set("*?[") & set(rule.service) for rule in self._rules):
            names = self._catalogue.services()
            return [name for name in names if any(rule.serves(name) for rule in self._rules)]
        return sorted({rule.service.lower() for rule in self._rules})

    def _opted_in(self, service: str, code: str, name: str) -> bool:
        return any(rule.covers(service, code, name) for rule in self._rules)
