"""What became of our own request for more, and what a person can do when it came to nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.core.decision import Decision, Dial, Fail, Settled, Wait
from functions.core.incident import Incident
from functions.quota_increase.observation import Quota, QuotaSeen, Request

FINAL = timedelta(hours=24)
"""How long after an approval its value may still come."""
CLOSED = timedelta(minutes=10)
"""How long after a case was closed its value may come, if it was a grant."""
MEANWHILE = 300
"""Seconds until an open case is looked at again."""
SLOW = timedelta(hours=1)
"""How long after an approval the applied value may take before people are told."""
HISTORY = timedelta(days=90)
"""How far back requests are listed (API reference, ListRequestedServiceQuotaChangeHistory)."""


def follow(seen: QuotaSeen, incident: Incident) -> Decision:
    """What became of our own request; a closed case is no approval, so the value counts."""
    written = incident.written
    assert written is not None
    request = _ours(seen, written)
    if request is None and seen.now - datetime.fromisoformat(incident.opened_at) > HISTORY:
        reason = f"{written['desired']:.12g} was requested too long ago to see what became of it"
        return Fail("out-of-sight", reason, incident.evidence, ("Look for its support case",))
    if request is None:
        return Wait("the request is filed, the history does not show it yet")
    evidence = {**incident.evidence, "request": request.id, "status": request.status}
    if request.case:
        evidence["case"] = request.case
    match request.status:
        case "PENDING":
            return Wait("AWS decides on the request")
        case "CASE_OPENED":
            return Wait(
                f"AWS opened support case {request.case or 'without an id'} for "
                f"{incident.evidence.get('quota', 'it')}",
                code="case-opened" if request.case else "case-opened-without-id",
                evidence=evidence,
                next_steps=("Answer questions in the case; this goes on by itself once it ends",),
                again=MEANWHILE,
            )
    quota = seen.quota
    if quota is None:
        return Wait("another request on the quota is open, for a resource: its end comes first")
    if quota.value is not None and quota.value >= request.desired:
        return Settled(f"{quota.name} is {quota.value:.12g} now", evidence)
    if quota.value is None:
        return Wait(f"Service Quotas cannot tell the value: {quota.error}")
    if request.status == "APPROVED" and seen.now - request.updated <= FINAL:
        late = seen.now - request.updated > SLOW
        return Wait(
            f"{request.desired:.12g} is approved, {quota.value:.12g} is applied so far",
            code="approved-not-applied" if late else "",
            evidence=evidence,
        )
    if request.status == "CASE_CLOSED" and seen.now - request.updated < CLOSED:
        return Wait("its case was closed; whether that grants it, the value will tell")
    return _ended(request, quota, evidence)


def _ours(seen: QuotaSeen, written: Dial) -> Request | None:
    wanted = written.get("request")
    for request in seen.requests:
        if request.id == wanted:
            return request
        same = request.desired == written["desired"] and request.id != written["after"]
        if wanted is None and same:
            return request
    return None


def _ended(request: Request, quota: Quota, evidence: Mapping[str, Any]) -> Fail:
    """The end of a request that brought less than was asked for."""
    codes = {
        "APPROVED": ("approved-not-applied", "AWS approved it a day ago"),
        "DENIED": ("denied", "AWS denied it"),
        "NOT_APPROVED": ("not-approved", "AWS did not approve it"),
        "CASE_CLOSED": ("closed-without-grant", f"case {request.case} was closed"),
        "INVALID_REQUEST": ("invalid-request", "AWS found it invalid"),
    }
    code, how = codes.get(request.status, ("ended", f"it ended as {request.status}"))
    return Fail(
        code,
        f"{request.desired:.12g} of {quota.name} was requested; {how}, and {quota.value:.12g} is applied",
        evidence,
        appeal(quota, request.desired, evidence),
    )


def appeal(quota: Quota, desired: float, evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """What a person can do, and a text to paste into a support case."""
    calls = [str(each["at"]) for each in evidence.get("refusedCalls", ())]
    refused = f" A call was refused for it on {max(calls)[:10]}." if calls else ""
    use = evidence.get("usage")
    used = "" if use is None else f" {use:.12g} were in use."
    return (
        f"Open a support case of type Service limit increase for {quota.name} ({quota.code}), "
        "or use another instance type or Region meanwhile",
        f"Text to paste: We run machine learning workloads that need {quota.name} at {desired:.12g}; "
        f"it is {quota.value or 0:.12g} now.{used}{refused} The increase was requested through "
        "Service Quotas and not granted. Please tell us what you need to know to approve it.",
    )
