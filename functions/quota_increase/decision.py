"""How much of a quota is needed, whether it may be requested, and what became of the request.

Pure: what is decided follows from the observation and the incident alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Dial, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.quota_increase.follow_up import SLOW, appeal, follow
from functions.quota_increase.observation import Ask, Quota, QuotaSeen, Request

FRESH = timedelta(hours=24)
"""How long a refused call, or what somebody said of a quota's use, counts."""
MAKERS = {"AutomaticManagement": "Automatic Management"}
SHOWN = 10
"""Refused calls that the evidence shows."""
MEANWHILE = 300
"""Seconds until what others decide is looked at again."""
LATER = 900
"""Seconds until a refusal that no signal renews is looked at again."""
OPEN_A_ACCOUNT, OPEN_IN_OPT_IN_REGION = 20, 2
"""Own limits of Service Quotas (user guide, "Service Quotas endpoints and quotas"): active
requests of an account, and of an account in a Region that must be opted in."""
ALWAYS_ON = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-southeast-1", "ap-southeast-2"),
    }
)
"""Regions on by default; all that came after 20 March 2019 are opt-in (Account Management
reference guide, "Enable or disable AWS Regions in your account")."""


@dataclass(frozen=True)
class Rules:
    """region: of this stack. global_region: whose stack sees to global quotas."""

    region: str
    hot_percent: float
    target_percent: float
    after_denial: timedelta
    global_region: str

    @property
    def slots(self) -> int:
        """Requests that may be open here at a time. Other partitions know no opt-in Regions."""
        opt_in = self.region not in ALWAYS_ON and not self.region.startswith(("us-gov-", "cn-"))
        return OPEN_IN_OPT_IN_REGION if opt_in else OPEN_A_ACCOUNT


def decide(seen: QuotaSeen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the quota now. incident: the open one, if any."""
    if incident is not None and incident.written is not None:
        ended = follow(seen, incident)
        # A call that needed still more may have been refused while the request was open.
        if not isinstance(ended, Settled) or not _more_is_needed(seen):
            return ended
    if pending := next((r for r in seen.requests if r.is_open), None):
        return Wait(
            f"an increase to {pending.desired:.12g} is requested already, and AWS allows one open "
            f"request a quota: {_standing(pending)}",
            code="already-requested",
            evidence={
                "request": pending.id,
                "status": pending.status,
                "by": MAKERS.get(pending.kind, "a request in this account"),
            },
            again=MEANWHILE,
        )
    quota = seen.quota
    assert quota is not None
    if quota.value is None:
        reason = f"Service Quotas cannot tell its value: {quota.error}"
        return Refuse("quota-unreadable", reason, page=True, again=LATER)
    wanted = _wanted(seen, quota.value, rules)
    if isinstance(wanted, Settled | Refuse):
        return wanted
    evidence = _evidence(seen, quota, wanted)
    if refusal := _forbidden(seen, quota, wanted, rules, evidence):
        return refusal
    if coming := _on_its_way(seen, quota.value, wanted.least):
        return Wait(f"{coming.desired:.12g} is approved, {quota.value:.12g} is applied so far")
    desired, refusal = _capped(seen, quota.value, wanted)
    if refusal is not None:
        return Refuse(refusal.code, refusal.reason, True, evidence, refusal.next_steps, LATER)
    denied = _denied_lately(seen, desired, rules)
    if denied and wanted.least:  # room was denied, which the refused call does not need
        desired, _ = _capped(seen, quota.value, replace(wanted, roomy=0.0))
        denied = _denied_lately(seen, desired, rules)
    if denied:
        return Refuse(
            "denied-before",
            f"AWS ended a request for {denied.desired:.12g} without granting it "
            f"({denied.status}, {denied.updated:%Y-%m-%d}); it is not repeated for "
            f"{rules.after_denial.days} days",
            page=True,
            evidence=evidence,
            next_steps=appeal(quota, desired, evidence),
            again=LATER,
        )
    if seen.taken >= rules.slots:
        return Wait(
            f"{seen.taken} requests are open, and AWS allows {rules.slots} in this Region at a "
            f"time; it is requested once one of them ends",
            code="no-slot",
            again=MEANWHILE,
            evidence=evidence,
        )
    write: Dial = {"desired": desired, "after": seen.dial["request"]}
    reason = f"{wanted.why}; {quota.name} is {quota.value:.12g}, {desired:.12g} is requested"
    return Act(reason, write, write, Move.FORWARD, evidence)


def _more_is_needed(seen: QuotaSeen) -> bool:
    value = seen.quota.value if seen.quota else None
    asks = [ask for ask in seen.asks if seen.now - ask.at < FRESH]
    return value is not None and any(_needed(ask, value, seen) > value for ask in asks)


def stands(dial: Dial, written: Dial) -> bool:
    """Whether the quota's newest request still is the one that was written.

    A dial names the newest request; what is to be written names the one before it (`after`); what
    was written names both, because the history may show a new request late. Before anything
    of ours was filed nobody can have moved it: what others request is awaited, not fought over.
    """
    if "after" not in written:
        return True
    if "request" in written:
        return dial.get("request") in (written["request"], written["after"])
    if "after" in dial:
        return (dial["desired"], dial["after"]) == (written["desired"], written["after"])
    return bool(dial["desired"] == written["desired"] and dial["request"] != written["after"])


@dataclass(frozen=True)
class _Wanted:
    """least: what lets the refused calls through, 0 if none was refused. roomy: what brings use
    to the target share, 0 if use is not near the quota."""

    least: float
    roomy: float
    why: str


def _wanted(seen: QuotaSeen, value: float, rules: Rules) -> _Wanted | Settled | Refuse:
    asks = [ask for ask in seen.asks if seen.now - ask.at < FRESH]
    least = max((_needed(ask, value, seen) for ask in asks), default=0.0)
    use = _use(seen, value)
    hot = use is not None and value > 0 and 100 * use >= rules.hot_percent * value
    near = bool(seen.said) and hot
    roomy = math.floor(100 * use / rules.target_percent) + 1.0 if near and use is not None else 0.0
    if least > value:
        return _Wanted(least, roomy, f"a call was refused that needs {least:.12g}")
    if near:
        return _Wanted(0.0, roomy, f"{use:.12g} are in use, {100 * (use or 0) / value:.0f} %")
    if any(ask.delta is None and not _answered(ask, value, seen) for ask in asks):
        return Refuse(
            "need-unknown",
            "a call was refused, and neither its text nor its instance type says how much it needs",
            page=True,
            next_steps=("Request what the call needs in the Service Quotas console",),
            again=LATER,
        )
    if seen.asks:
        return Settled(f"its value, {value:.12g}, allows what was refused, or that was long ago")
    known = "its use is unknown" if use is None else f"{use:.12g} are in use"
    return Settled(f"{known}, less than {rules.hot_percent:.12g} % of {value:.12g}")


def _needed(ask: Ask, value: float, seen: QuotaSeen) -> float:
    """The value with which the refused call would have passed; 0 when that is settled already.

    A text that tells use and delta says it exactly. Else use comes from CloudWatch, which may lag
    behind: when it contradicts the refusal, the quota counts as used up.
    """
    if ask.delta is None:
        return 0.0
    if ask.utilization is not None:
        return ask.utilization + ask.delta
    if _answered(ask, value, seen):
        return 0.0
    limit = value if ask.limit is None else ask.limit
    used = seen.usage if seen.usage is not None else limit
    return (used if used + ask.delta > limit else limit) + ask.delta


def _answered(ask: Ask, value: float, seen: QuotaSeen) -> bool:
    """Whether the quota was raised since the call was refused."""
    return (ask.limit is not None and value > ask.limit) or _granted(seen, value, since=ask.at)


def _granted(seen: QuotaSeen, value: float, since: datetime) -> bool:
    """Whether an increase was granted lately; a closed case is a grant if the value shows it."""
    return any(
        r.status == "APPROVED" or (r.status == "CASE_CLOSED" and r.desired <= value)
        for r in seen.requests
        if r.updated >= since
    )


def _use(seen: QuotaSeen, value: float) -> float | None:
    """What is in use: by CloudWatch, else by what was said lately of the value as it still is."""
    if seen.usage is not None:
        return seen.usage
    told = [
        said.percent * value / 100
        for said in seen.said
        if said.percent is not None
        and seen.now - said.at < FRESH
        and (said.limit is None or said.limit == value)
        and not _granted(seen, value, since=said.at)
    ]
    return max(told, default=None)


def _forbidden(
    seen: QuotaSeen, quota: Quota, wanted: _Wanted, rules: Rules, evidence: Mapping[str, Any]
) -> Refuse | None:
    """What makes a request impossible, whatever its size."""
    if quota.is_global and rules.region != rules.global_region:
        return Refuse(
            "global-quota",
            f"{quota.name} is global: it is read and requested in {rules.global_region} only",
            page=True,
            evidence=evidence,
            next_steps=(f"Deploy this stack in {rules.global_region} with a rule for it",),
            again=LATER,
        )
    if quota.level == "RESOURCE":
        return Refuse(
            "resource-level",
            f"{quota.name} holds for each resource by itself; which one is short is not said",
            page=True,
            evidence=evidence,
            next_steps=("Request it for the resource in the Service Quotas console",),
            again=LATER,
        )
    if not quota.adjustable:
        return Refuse(
            "not-adjustable",
            f"{wanted.why}; {quota.name} is fixed at {quota.value:.12g}, AWS raises it for nobody",
            page=True,
            evidence=evidence,
            next_steps=(
                "Spread the load over another Region or account, each has this quota anew",
                "Use less of it: another instance type, larger instances, fewer endpoints or jobs",
            ),
            again=LATER,
        )
    return None


def _capped(seen: QuotaSeen, value: float, wanted: _Wanted) -> tuple[float, Refuse | None]:
    """The value to request within the rule's caps. Less than what a refused call needs is no use;
    of what would merely be roomy, as much as the caps allow is requested."""
    rule = seen.rule
    most = math.floor(min(rule.max, value + rule.max_growth))
    least = math.ceil(max(wanted.least, value + 1))
    if least > most:
        return 0.0, Refuse(
            "above-cap",
            f"{wanted.why}; {least:.12g} would have to be requested, the rule for it allows "
            f"{max(most, 0):.12g} (max {rule.max}, max_growth {rule.max_growth} over {value:.12g})",
            next_steps=(
                "Raise max or max_growth of the rule under quota_increase.quotas and deploy",
                "Or request it by hand in the Service Quotas console",
            ),
        )
    return float(min(max(least, math.ceil(wanted.roomy)), most)), None


def _on_its_way(seen: QuotaSeen, value: float, least: float) -> Request | None:
    """An approved request that is enough and whose value is not applied yet: it is not filed
    twice (hashicorp/terraform-provider-aws#14563)."""
    for request in seen.requests:
        fresh = request.status == "APPROVED" and seen.now - request.updated <= SLOW
        if fresh and request.desired > value and request.desired >= least:
            return request
    return None


def _denied_lately(seen: QuotaSeen, desired: float, rules: Rules) -> Request | None:
    """A request that ended without a grant and asked for no more than is wanted now."""
    value = seen.quota.value if seen.quota and seen.quota.value is not None else 0.0
    for request in seen.requests:
        ended = not request.is_open and request.status != "APPROVED"
        late = seen.now - request.updated < rules.after_denial
        if ended and late and value < request.desired <= desired:
            return request
    return None


def _evidence(seen: QuotaSeen, quota: Quota, wanted: _Wanted) -> dict[str, Any]:
    return {
        "quota": quota.name,
        "code": quota.code,
        "service": quota.service,
        "value": quota.value,
        "usage": seen.usage,
        "needed": max(wanted.least, wanted.roomy),
        "max": seen.rule.max,
        "maxGrowth": seen.rule.max_growth,
        "openRequests": seen.taken,
        "refusedCalls": [
            {
                "at": ask.at.isoformat(),
                "limit": ask.limit,
                "utilization": ask.utilization,
                "delta": ask.delta,
            }
            for ask in sorted(seen.asks, key=lambda each: each.at)[-SHOWN:]
        ],
    }


def _standing(request: Request) -> str:
    case = f" in case {request.case}" if request.case else ""
    since = request.created.astimezone(UTC)
    return f"{request.status}{case} since {since:%Y-%m-%d %H:%M} UTC"
