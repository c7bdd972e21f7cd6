"""Reads a signal into what it says about quotas and capacity. Pure."""

from __future__ import annotations

from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Signal
from functions.quota_increase.readings import (
    CapacityShort,
    NearLimit,
    Reading,
    Refused,
    UsageAlarm,
)

__all__ = ["CapacityShort", "NearLimit", "Reading", "Refused", "UsageAlarm", "read"]


def read(signal: Signal) -> list[Reading] | Refuse:
    """What the signal says, each thing once; a Refuse for what needs no remedy.

    Raises BadSignal for what this remediation cannot read.
    """
    raise BadSignal("unknown-signal", f"{signal.subject:.80} tells of no quota")
