"""The operations on requests to increase a quota, and what becomes of a request."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

from local.cloud.seam import Refusal, operation
from local.cloud.servicequotas.admission import check, is_resource
from local.cloud.servicequotas.changes import Change, Decision, Outcome, timestamp
from local.cloud.servicequotas.keeper import Keeper, context
from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.servicequotas.rates import paced
from local.cloud.servicequotas.reads import PAGE, page_of
from local.cloud.world import WORLD

HISTORY = 90 * 86400.0

_numbers = itertools.count()


class Increases(Keeper):
    """Rates: Service Quotas User Guide, reference_limits; for CreateSupportCase it has none."""

    @paced(3)
    def request_service_quota_increase(
        self,
        service_code: str,
        quota_code: str,
        desired_value: float,
        context_id: str | None = None,
        support_case_allowed: bool = True,
    ) -> dict[str, Any]:
        change = self.request(
            *self.find(service_code, quota_code),
            desired_value,
            resource=context_id,
            caller=self._caller(),
            case_allowed=support_case_allowed,
        )
        return {"RequestedQuota": self._shown(change)}

    @paced(5)
    def get_requested_service_quota_change(self, request_id: str) -> dict[str, Any]:
        return {"RequestedQuota": self._shown(self.find_change(request_id))}

    @paced(5)
    def list_requested_service_quota_change_history(
        self,
        service_code: str | None = None,
        status: str | None = None,
        next_token: str | None = None,
        max_results: int = PAGE,
        quota_requested_at_level: str = "ACCOUNT",
    ) -> dict[str, Any]:
        """Of one service, or of all when ServiceCode is left out (botocore service model, where
        nothing is required)."""
        if service_code is not None:
            self.service(service_code)
        return self._history(
            service_code, None, status, quota_requested_at_level, next_token, max_results
        )

    @paced(5)
    def list_requested_service_quota_change_history_by_quota(
        self,
        service_code: str,
        quota_code: str,
        status: str | None = None,
        next_token: str | None = None,
        max_results: int = PAGE,
        quota_requested_at_level: str = "ACCOUNT",
    ) -> dict[str, Any]:
        self.find(service_code, quota_code)
        return self._history(
            service_code, quota_code, status, quota_requested_at_level, next_token, max_results
        )

    @operation
    def create_support_case(self, request_id: str) -> None:
        """Only a pending request gets a case (botocore service model, `CreateSupportCase`). Which
        of the operation's two errors an open case brings is not documented."""
        change = self.find_change(request_id)
        if change.status == "CASE_OPENED":
            raise Refusal(
                "ResourceAlreadyExistsException",
                f"A support case exists for the quota increase request {request_id}.",
            )
        if change.status != "PENDING":
            raise Refusal(
                "InvalidResourceStateException",
                f"The quota increase request {request_id} is not pending: {change.status}.",
            )
        _open_case(change)

    def find_change(self, request_id: str) -> Change:
        """A request of this Region, or AWS's refusal; AWS's text for a request is not known."""
        if request_id not in self.changes:
            raise Refusal(
                "NoSuchResourceException",
                "The request failed because the specified request does not exist.",
            )
        return self.changes[request_id]

    def request(
        self,
        service: Service,
        quota: Quota,
        desired: float,
        *,
        resource: str | None,
        caller: str,
        case_allowed: bool = True,
        automatic: bool = False,
    ) -> Change:
        """File a request of whoever has the ARN `caller`; AWS decides it later, as was planned.

        At the account level AWS opens a case for a resource-level quota that is raised resource
        by resource (Service Quotas User Guide, request-quota-increase); an ARN that names nothing
        ends in INVALID_REQUEST (botocore service model, `Status`).
        """
        check(self, service, quota, desired, resource)
        change = Change(
            id=uuid.uuid4().hex,
            service=service,
            quota=quota,
            resource=resource,
            desired=desired,
            caller=caller,
            case_allowed=case_allowed,
            automatic=automatic,
        )
        self.changes[change.id] = change
        decision = self.home.planned.pop((service.code, quota.code), self.home.standing)
        if resource is not None and not is_resource(self, resource):
            decision = Decision(Outcome.INVALID)
        elif resource is None and quota.resource_type is not None and not quota.account_wide:
            decision = Decision(Outcome.OPEN_CASE)
        self._decide_later(change, decision)
        return change

    def decide(self, change: Change, decision: Decision) -> None:
        """Let a request come to an outcome; one that is closed stays as it is.

        A request that may not open a case and needs one is not approved (botocore service model,
        `SupportCaseAllowed`). An approved value applies a while after the approval; a closed case
        may have been granted or not, its status does not tell (the same, `Status`).
        """
        if not change.is_open:
            return
        pending = change.status == "PENDING"
        if pending and decision.needs_case and not change.case_allowed:
            change.enter("NOT_APPROVED")
            return
        match decision.outcome:
            case Outcome.APPROVE:
                change.enter("APPROVED")
                self._grant(change, change.desired if decision.value is None else decision.value)
            case Outcome.OPEN_CASE if pending:
                _open_case(change)
            case Outcome.CLOSE_CASE if pending:
                _open_case(change)
                self._decide_later(change, decision)
            case Outcome.CLOSE_CASE:
                change.enter("CASE_CLOSED")
                if decision.value is not None:
                    self._grant(change, decision.value)
            case Outcome.DENY:
                change.enter("DENIED")
            case Outcome.NOT_APPROVE:
                change.enter("NOT_APPROVED")
            case Outcome.INVALID:
                change.enter("INVALID_REQUEST")
            case Outcome.OPEN_CASE | Outcome.WAIT:
                pass

    def _decide_later(self, change: Change, decision: Decision) -> None:
        WORLD.later(WORLD.durations.quota_decision, lambda: self.decide(change, decision))

    def _grant(self, change: Change, value: float) -> None:
        key = (change.service.code, change.quota.code, change.resource)

        def apply() -> None:
            if self.changes.get(change.id) is change:
                self.values[key] = value

        WORLD.later(WORLD.durations.quota_applied, apply)

    def _caller(self) -> str:
        role = WORLD.role_of(WORLD.access_key)
        if role is None:
            return f"arn:{self.partition}:iam::{self.account_id}:user/pocket"
        name = role[0].rsplit("/", 1)[-1]
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{name}/{role[1]}"

    def _history(
        self,
        service: str | None,
        quota: str | None,
        status: str | None,
        level: str,
        token: str | None,
        size: int,
    ) -> dict[str, Any]:
        """The newest first; of the last 90 days (botocore service model)."""
        since = WORLD.clock() - HISTORY
        found = [
            change
            for change in reversed(self.changes.values())
            if change.created >= since
            and service in {None, change.service.code}
            and quota in {None, change.quota.code}
            and status in {None, change.status}
            and level in {"ALL", change.level}
        ]
        listed, rest = page_of(found, token, size)
        return {"RequestedQuotas": [self._shown(change) for change in listed], **rest}

    def _shown(self, change: Change) -> dict[str, Any]:
        """`RequestedServiceQuotaChange`: a CaseId once there is a case, a RequestType only when
        Automatic Management made the request (botocore service model)."""
        shown = {
            "Id": change.id,
            **self.identity(change.service, change.quota, self.account_id),
            "DesiredValue": float(change.desired),
            "Status": change.status,
            "Created": timestamp(change.created),
            "LastUpdated": timestamp(change.updated),
            "Requester": json.dumps(
                {"accountId": self.account_id, "callerArn": change.caller}, separators=(",", ":")
            ),
            "QuotaRequestedAtLevel": change.level,
            **context(change.quota, change.resource),
        }
        if change.case_id is not None:
            shown["CaseId"] = change.case_id
        if change.automatic:
            shown["RequestType"] = "AutomaticManagement"
        return shown


def _open_case(change: Change) -> None:
    """A case number, as real ones are: fifteen digits that begin with the time."""
    change.enter("CASE_OPENED")
    change.case_id = f"{int(WORLD.clock())}{next(_numbers) % 100_000:05d}"
