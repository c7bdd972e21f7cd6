"""The operations on utilization reports, which are made in the background and soon deleted."""

from __future__ import annotations

import uuid
from typing import Any

from local.cloud.seam import Refusal, operation
from local.cloud.servicequotas.changes import timestamp
from local.cloud.servicequotas.keeper import Keeper, Report
from local.cloud.servicequotas.reads import page_of
from local.cloud.servicequotas.usage import in_use
from local.cloud.world import WORLD

ROWS = 1000
KEPT = 900.0
"""Rows on a page, and seconds after which a report is deleted (botocore service model,
`GetQuotaUtilizationReport`; from when these count it does not say)."""


class Reports(Keeper):
    """What is documented is the service model's text of the two operations. No rates are."""

    @operation
    def start_quota_utilization_report(self) -> dict[str, Any]:
        """A recent report may be used again ("Message: .. indicate if an existing recent report is
        being reused"); what counts as recent is not documented."""
        now = WORLD.clock()
        for report in reversed(self.reports.values()):
            recent = now - report.started < WORLD.durations.quota_report_recent
            if recent and report.status != "FAILED":
                message = "A recent report exists and is used again."
                return {"ReportId": report.id, "Status": report.status, "Message": message}
        report = Report(uuid.uuid4().hex, now)
        self.reports[report.id] = report
        seconds = WORLD.durations.quota_report
        WORLD.later(seconds / 2, lambda: self._begin(report))
        WORLD.later(seconds, lambda: self._finish(report))
        WORLD.later(KEPT, lambda: self._delete(report))
        return {"ReportId": report.id, "Status": report.status}

    @operation
    def get_quota_utilization_report(
        self, report_id: str, next_token: str | None = None, max_results: int = ROWS
    ) -> dict[str, Any]:
        """The hottest quotas first. AWS's text for an unknown report is not known."""
        if (report := self.reports.get(report_id)) is None:
            raise Refusal(
                "NoSuchResourceException",
                "The request failed because the specified report does not exist.",
            )
        answer: dict[str, Any] = {"ReportId": report.id, "Status": report.status}
        if report.failure is not None:
            code, message = report.failure
            return {**answer, "ErrorCode": code, "ErrorMessage": message}
        if report.generated is None:
            return answer
        rows, token = page_of(report.rows, next_token, max_results)
        return {
            **answer,
            "GeneratedAt": timestamp(report.generated),
            "TotalCount": len(report.rows),
            "Quotas": rows,
            **token,
        }

    def _begin(self, report: Report) -> None:
        report.status = "IN_PROGRESS"

    def _finish(self, report: Report) -> None:
        report.failure, self.failure = self.failure, None
        if report.failure is not None:
            report.status = "FAILED"
            return
        rows = list(self._rows())
        report.rows = sorted(rows, key=lambda row: row["Utilization"], reverse=True)
        report.status, report.generated = "COMPLETED", WORLD.clock()

    def _delete(self, report: Report) -> None:
        self.reports.pop(report.id, None)

    def _rows(self) -> list[dict[str, Any]]:
        """`QuotaUtilizationInfo` of every quota that is in use and has a usage metric. A quota of
        0 has no utilization, so no row."""
        used = in_use(self)
        rows = []
        for service in self.catalogue.services.values():
            for quota in service.quotas.values():
                amount = used.get((service.code, quota.code), 0.0)
                value = self.value(service.code, quota)
                if quota.metric is None or value == 0 or not self.shows(quota):
                    continue
                if amount == 0 and not WORLD.switches.report_lists_unused_quotas:
                    continue
                rows.append(
                    {
                        "QuotaCode": quota.code,
                        "ServiceCode": service.code,
                        "QuotaName": quota.name,
                        "Namespace": quota.metric.namespace,
                        "Utilization": 100 * amount / value,
                        "DefaultValue": float(quota.default),
                        "AppliedValue": value,
                        "ServiceName": service.name,
                        "Adjustable": quota.adjustable,
                    }
                )
        return rows
