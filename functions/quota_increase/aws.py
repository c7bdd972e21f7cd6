"""What Service Quotas and CloudWatch say of a quota, and the one call that requests more of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from functions.core.decision import Dial
from functions.core.remediation import Busy, Gone, Impossible
from functions.quota_increase.observation import (
    Ask,
    Quota,
    QuotaSeen,
    Request,
    Said,
    UsageMetric,
)
from functions.quota_increase.settings import QuotaRule
from functions.quota_increase.usage import WINDOW_SECONDS, metric_of, query, use

QUERIES_PER_CALL = 500
"""Of GetMetricData (API reference)."""
PAGE = 100
TOO_LATE = ("ResourceAlreadyExistsException", "TooManyRequestsException")


class Quotas:
    """client: gives the boto3 client of a service; EC2's is large and seldom needed.

    Lives for one invocation: what it read it keeps, so that all targets of a heartbeat share one
    listing of the history.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._quotas = client("service-quotas")
        self._cloudwatch = client("cloudwatch")
        self._known: dict[tuple[str, str], Quota] = {}
        self._history: list[Request] | None = None

    def quota(self, service: str, code: str) -> Quota:
        """The quota as it applies here. Raises Gone.

        A quota that was never raised may have a default only (API reference, GetServiceQuota and
        GetAWSDefaultServiceQuota).
        """
        if (service, code) not in self._known:
            self._known[service, code] = self._read(service, code)
        return self._known[service, code]

    def _read(self, service: str, code: str) -> Quota:
        for read in (self._quotas.get_service_quota, self._quotas.get_aws_default_service_quota):
            try:
                return quota_of(read(ServiceCode=service, QuotaCode=code)["Quota"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchResourceException":
                    raise
        raise Gone(f"{service} has no quota {code} here")

    def observe(
        self,
        target: str,
        service: str,
        code: str,
        notes: Sequence[Mapping[str, Any]],
        rule: QuotaRule,
        now: datetime,
    ) -> QuotaSeen:
        """notes: what signals said. While a request is open nothing but its status is read."""
        history = self.history()
        mine = [
            each
            for each in history
            if (each.service, each.code) == (service, code) and not each.of_resource
        ]
        quota: Quota | None = None
        usage: float | None = None
        asks: list[Ask] = []
        said = [_said(note) for note in notes if "percent" in note]
        if not any(each.is_open for each in mine):
            quota = self.quota(service, code)
            asks = self._asks(notes)
            vague = any(ask.utilization is None for ask in asks)
            if quota.usage is not None and (said or vague):
                usage = self.use({code: quota.usage}, now).get(code)
        taken = sum(each.is_open for each in history)
        return QuotaSeen(target, now, quota, mine, taken, usage, asks, said, rule)

    def _asks(self, notes: Sequence[Mapping[str, Any]]) -> list[Ask]:
        vcpus = self._vcpus(notes)
        return [
            Ask(
                datetime.fromisoformat(note["at"]),
                note["limit"],
                note["utilization"],
                note["instances"] * vcpus[note["instance_type"]]
                if _in_instances(note) and note["instance_type"] in vcpus
                else note["delta"],
            )
            for note in notes
            if "delta" in note
        ]

    def history(self) -> Sequence[Request]:
        """Everybody's requests of the last 90 days in this Region, newest first."""
        if self._history is None:
            found: list[Request] = []
            more: dict[str, str] = {}
            while True:
                page = self._quotas.list_requested_service_quota_change_history(
                    MaxResults=PAGE, QuotaRequestedAtLevel="ALL", **more
                )
                found += [request_of(each) for each in page["RequestedQuotas"]]
                if not page.get("NextToken"):
                    break
                more = {"NextToken": page["NextToken"]}
            self._history = sorted(found, key=lambda each: each.created, reverse=True)
        return self._history

    def request(self, service: str, code: str, write: Dial) -> Dial:
        """Request `desired`. Service Quotas itself is the lock: it takes one open request a quota
        and no value that is not above the current one, nor one below AWS's default where less
        applies, as in new accounts. Raises Busy, Gone, Impossible and ClientError."""
        self._history = None
        try:
            filed = self._quotas.request_service_quota_increase(
                ServiceCode=service, QuotaCode=code, DesiredValue=write["desired"]
            )["RequestedQuota"]
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] == "NoSuchResourceException":
                raise Gone(f"{service} has no quota {code} here") from error
            message = said.get("Message", "")
            if "greater than the default" in message:
                raise Impossible(
                    "below-default",
                    f"its value is below AWS's default, and only more than that can be requested: "
                    f"{message}",
                    ("Open a support case: new accounts are raised to the default on request",),
                ) from error
            if said["Code"] == "QuotaExceededException":
                raise Busy(f"too many requests are open: {message}", "no-slot", 900) from error
            raised = "greater than the current" in message
            if said["Code"] in TOO_LATE or raised:
                raise Busy(f"Service Quotas takes no request now: {said['Message']}") from error
            raise
        return {**write, "request": filed["Id"]}

    def use(self, metrics: Mapping[str, UsageMetric], now: datetime) -> dict[str, float]:
        """For each key whose metric has data, the most in use over the last hour."""
        asked = {f"q{i}": key for i, key in enumerate(metrics)}
        queries = [made for id, key in asked.items() if (made := query(id, metrics[key]))]
        found: dict[str, float] = {}
        for start in range(0, len(queries), QUERIES_PER_CALL):
            for id, values in self._values(queries[start : start + QUERIES_PER_CALL], now).items():
                if (used := use(metrics[asked[id]], values)) is not None:
                    found[asked[id]] = used
        return found

    def _values(
        self, queries: Sequence[Mapping[str, Any]], now: datetime
    ) -> dict[str, list[float]]:
        values: dict[str, list[float]] = {}
        end = datetime.fromtimestamp(now.timestamp() // 60 * 60, UTC) + timedelta(minutes=1)
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=end - timedelta(seconds=WINDOW_SECONDS),
            EndTime=end,
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values.setdefault(result["Id"], []).extend(result["Values"])
        return values

    def _vcpus(self, notes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """vCPUs, which is what EC2's quotas count, of the instance types whose calls were refused;
        none of a type that EC2 does not know."""
        wanted = sorted({note["instance_type"] for note in notes if _in_instances(note)})
        if not wanted:
            return {}
        try:
            answer = self._client("ec2").describe_instance_types(InstanceTypes=wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidInstanceType":
                return {}
            raise
        return {
            each["InstanceType"]: float(each["VCpuInfo"]["DefaultVCpus"])
            for each in answer["InstanceTypes"]
        }


def _in_instances(note: Mapping[str, Any]) -> bool:
    """Whether a refused call's text left its need to be found out from its EC2 instances."""
    type = note.get("instance_type") or "ml."
    return note.get("delta", 0) is None and not type.startswith("ml.")


def _said(note: Mapping[str, Any]) -> Said:
    return Said(datetime.fromisoformat(note["at"]), note["limit"], note["percent"])


def quota_of(described: Mapping[str, Any]) -> Quota:
    """A member `Quota` of the API's answers; members that a future API adds do no harm."""
    return Quota(
        service=described["ServiceCode"],
        code=described["QuotaCode"],
        name=described.get("QuotaName", described["QuotaCode"]),
        value=described.get("Value"),
        adjustable=described.get("Adjustable", False),
        is_global=described.get("GlobalQuota", False),
        level=described.get("QuotaAppliedAtLevel", "ACCOUNT"),
        usage=metric_of(described),
        error=(described.get("ErrorReason") or {}).get("ErrorMessage", ""),
    )


def request_of(described: Mapping[str, Any]) -> Request:
    """A member `RequestedQuota` of the API's answers; a case has an id only once it is open."""
    return Request(
        id=described["Id"],
        service=described["ServiceCode"],
        code=described["QuotaCode"],
        desired=described["DesiredValue"],
        status=described["Status"],
        case=described.get("CaseId", ""),
        created=described["Created"],
        updated=described.get("LastUpdated", described["Created"]),
        kind=described.get("RequestType", ""),
        of_resource=described.get("QuotaRequestedAtLevel") == "RESOURCE",
    )
