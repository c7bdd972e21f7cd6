"""What a signal means to quota increase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cli.explain.explanation import arn, explanation, refused, shown
from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Place, Signal
from functions.quota_increase.reading import read
from functions.quota_increase.readings import (
    CapacityShort,
    NearLimit,
    Reading,
    Refused,
    UsageAlarm,
)

MODE = "the account's mode and the rule's are act (observe: only recorded; approve: asked first)"
QUOTA_CONDITIONS = [
    "a rule of the setting quota_increase.quotas opts the quota in, and its caps allow the value",
    MODE,
    "the quota is adjustable and still too low when looked at",
    "no request for it is open, whoever filed it, and none like it was denied lately",
    "AWS allows one more open request in this Region",
]
SHORT_CONDITIONS = ["a pattern of the setting quota_increase.capacity_types fits the instance type"]


def explain(signal: Signal) -> dict[str, Any]:
    """The quota or the instance type that the signal speaks of, and what is done about it."""
    try:
        said = read(signal)
    except BadSignal as bad:
        return refused(bad, shown(signal))
    if isinstance(said, Refuse):
        return refused(said, shown(signal))
    here = signal.place
    assert here is not None  # read refuses what has no place
    first = said[0]
    return explanation(
        remediation="quota_increase",
        signal=shown(signal),
        **_meaning(first, here),
        readings=[_entry(each, here) for each in said],
    )


def _meaning(reading: Reading, here: Place) -> dict[str, Any]:
    """Target, what would be done, and what the signal itself says."""
    match reading:
        case Refused() | NearLimit():
            return {
                "target": _target(reading, here),
                "would": _increase(reading),
                "conditions": QUOTA_CONDITIONS,
                **_quota(reading),
            }
        case CapacityShort():
            return {
                "target": _target(reading, here),
                "would": "the quota is no obstacle, capacity is: zones that have some, Capacity "
                "Blocks and Training Plans on offer are told; nothing is bought",
                "conditions": SHORT_CONDITIONS,
                **_shortage(reading),
            }
        case UsageAlarm():
            return {
                "would": "the quota that the metric measures is looked up, and raised if its use "
                "is near it",
                "conditions": QUOTA_CONDITIONS,
            }


def _entry(reading: Reading, here: Place) -> dict[str, Any]:
    """One of several things that one event says."""
    target = {"target": _target(reading, here)}
    match reading:
        case Refused():
            asked = {"instance_type": reading.instance_type or None, "instances": reading.instances}
            return {"kind": "refused", **target, **_quota(reading), **asked}
        case NearLimit():
            return {
                "kind": "near-limit",
                **target,
                **_quota(reading),
                "percent": _number(reading.percent),
            }
        case CapacityShort():
            asked = {"zone": reading.zone or None, "instances": reading.instances}
            return {"kind": "capacity-short", **target, **_shortage(reading), **asked}
        case UsageAlarm():
            return {
                "kind": "usage-alarm",
                **target,
                "metrics": [asdict(metric) for metric in reading.metrics],
            }


def _quota(reading: Refused | NearLimit) -> Mapping[str, Any]:
    return {
        "service_code": reading.service,
        "quota_code": reading.quota_code,
        "quota_name": reading.quota_name,
        "limit": _number(reading.limit),
        "utilization": _number(reading.utilization),
        "delta": _number(reading.delta) if isinstance(reading, Refused) else None,
    }


def _shortage(reading: CapacityShort) -> Mapping[str, Any]:
    return {"instance_type": reading.instance_type, "az_hints": list(reading.az_hints)}


def _increase(reading: Refused | NearLimit) -> str:
    found = "" if reading.quota_code else "its code is looked up by name, and "
    match reading:
        case Refused(utilization=float() as use, delta=float() as delta):
            return f"{found}an increase to {use + delta:g}, what the call needs, is requested"
        case Refused():
            return f"{found}an increase by what the call needs is requested, in whole instances"
        case NearLimit():
            return f"{found}its use is read, and if it is near the quota an increase is requested"


def _target(reading: Reading, here: Place) -> str | None:
    match reading:
        case Refused() | NearLimit():
            code = reading.quota_code
            return arn(here, "servicequotas", f"{reading.service}/{code}") if code else None
        case CapacityShort():
            return arn(here, reading.service, f"instance-type/{reading.instance_type}")
        case UsageAlarm():
            return None


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value
