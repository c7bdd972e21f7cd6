"""The shape of every explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Kind, Place, Signal

NOTHING: Mapping[str, Any] = {
    "remediation": None,
    "target": None,
    "signal": None,
    "refusal": None,
    "would": None,
    "conditions": [],
    "service_code": None,
    "quota_code": None,
    "quota_name": None,
    "limit": None,
    "utilization": None,
    "delta": None,
    "instance_type": None,
    "az_hints": None,
}


def explanation(**known: Any) -> dict[str, Any]:
    """Every key, null where nothing is known."""
    return {**NOTHING, **known}


def refused(why: BadSignal | Refuse, signal: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The explanation of a signal that nothing follows from."""
    return explanation(signal=signal, refusal={"code": why.code, "reason": why.reason})


def shown(signal: Signal) -> dict[str, Any]:
    """What came in, in short."""
    if signal.kind is Kind.ALARM:
        return {
            "kind": "alarm",
            "name": signal.subject,
            "state": signal.detail["state"]["value"],
            "time": signal.time.isoformat(),
            "direct": signal.direct,
        }
    return {
        "kind": signal.kind.value,
        "name": signal.detail_type,
        "source": signal.source,
        "time": signal.time.isoformat(),
    }


def arn(here: Place, service: str, resource: str) -> str:
    """An event names its Region, not its partition (AWS General Reference, "ARN format")."""
    partition = "aws"
    for prefix, other in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if here.region.startswith(prefix):
            partition = other
    return f"arn:{partition}:{service}:{here.region}:{here.account}:{resource}"
