"""Quotas as a look finds them, a word for what a test is about, the rest ordinary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.quota_increase.decision import Rules, decide
from functions.quota_increase.observation import Ask, Quota, QuotaSeen, Request, Said
from functions.quota_increase.settings import QuotaRule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CODE = "L-09B4A649"
NAME = "ml.p4d.24xlarge for training job usage"
TARGET = f"arn:aws:servicequotas:us-east-1:123456789012:sagemaker/{CODE}"
RULE = QuotaRule(service="sagemaker", quota="*", max=10**6, max_growth=500)
RULES = Rules(
    region="us-east-1",
    hot_percent=80,
    target_percent=60,
    after_denial=timedelta(days=30),
    global_region="us-east-1",
)


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def quota(value: float | None = 8, **different: Any) -> Quota:
    """Adjustable and of this account, in this Region."""
    values: dict[str, Any] = {
        "service": "sagemaker",
        "code": CODE,
        "name": NAME,
        "value": value,
        "adjustable": True,
        "is_global": False,
        "level": "ACCOUNT",
        "usage": None,
        "error": "",
    }
    return Quota(**values | different)


def request(
    status: str = "PENDING", desired: float = 10, id: str = "r1", **different: Any
) -> Request:
    """Made two hours ago, changed half an hour ago."""
    values: dict[str, Any] = {
        "id": id,
        "service": "sagemaker",
        "code": CODE,
        "desired": desired,
        "status": status,
        "case": "",
        "created": ago(hours=2),
        "updated": ago(minutes=30),
    }
    return Request(**values | different)


def ask(
    limit: float | None, utilization: float | None, delta: float | None, at: datetime | None = None
) -> Ask:
    """A call refused a minute ago, as its text tells it."""
    return Ask(at or ago(minutes=1), limit, utilization, delta)


def said(
    percent: float | None = None, limit: float | None = None, at: datetime | None = None
) -> Said:
    """A word on use, a minute ago; as an alarm says it, which knows no number, if none is given."""
    return Said(at or ago(minutes=1), limit, percent)


def seen(
    value: float | None = 8,
    *asks: Ask,
    near: Sequence[Said] = (),
    usage: float | None = None,
    requests: Sequence[Request] = (),
    taken: int | None = None,
    rule: QuotaRule = RULE,
    now: datetime = NOON,
    **different: Any,
) -> QuotaSeen:
    """A look; like a real one it reads nothing of a quota on which a request is open."""
    pending = any(each.is_open for each in requests)
    return QuotaSeen(
        target=TARGET,
        now=now,
        quota=None if pending else quota(value, **different),
        requests=requests,
        taken=sum(each.is_open for each in requests) if taken is None else taken,
        usage=usage,
        asks=() if pending else asks,
        said=near,
        rule=rule,
    )


def following(status: str, desired: float = 10, **different: Any) -> tuple[Incident, Request]:
    """An incident whose request was written as `r1` after `r0`, and what became of that request."""
    opened = Incident.opened("quota_increase", TARGET, NOON)
    written = {"desired": desired, "after": "r0", "request": "r1"}
    incident = replace(opened, written=written, goal=written, evidence={"usage": 8.0})
    return incident, request(status, desired, **different)


def act(decision: Decision) -> Act:
    assert isinstance(decision, Act), decision
    return decision


def refusal(decision: Decision) -> Refuse:
    assert isinstance(decision, Refuse), decision
    return decision


def wait(decision: Decision) -> Wait:
    assert isinstance(decision, Wait), decision
    return decision


def settled(decision: Decision) -> Settled:
    assert isinstance(decision, Settled), decision
    return decision


def desired(found: QuotaSeen, rules: Rules = RULES) -> float:
    """What is requested, without an incident so far."""
    value = act(decide(found, None, rules)).write["desired"]
    assert isinstance(value, float)
    return value
