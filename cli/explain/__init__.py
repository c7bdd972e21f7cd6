"""What an event means to this stack, found out offline from the event alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.explain import provisioned_concurrency, quota_increase, spot_fallback, traffic_shift
from cli.explain.explanation import explanation, refused
from functions.core.signals import BadSignal, Kind, Signal, read, read_body
from functions.quota_increase.reading import usage_metrics


def explain(path: Path) -> dict[str, Any]:
    """One JSON object: remediation, target, signal, refusal, would, conditions, what is said."""
    try:
        signal = _read(path)
    except BadSignal as bad:
        return refused(bad)
    match signal.kind:
        case Kind.EVENT:
            return _event(signal)
        case Kind.ALARM if usage_metrics(signal):
            return quota_increase.explain(signal)
        case Kind.ALARM if provisioned_concurrency.concerns(signal):
            return provisioned_concurrency.explain(signal)
        case Kind.ALARM:
            return traffic_shift.explain(signal)
        case Kind.HEARTBEAT:
            would = "every function looks at what is due"
            return explanation(signal={"kind": "heartbeat"}, would=would)
        case Kind.OPERATOR:
            would = "the remediation looks at the target and answers the operator's intent"
            target = signal.detail["target"]
            return explanation(signal={"kind": "operator"}, would=would, target=target)


def _event(signal: Signal) -> dict[str, Any]:
    """Of a training job on Spot that failed, quota increase says why if a quota or capacity was
    short; all else of Spot is spot fallback's."""
    said = quota_increase.explain(signal)
    if said["refusal"] is None or not spot_fallback.concerns(signal):
        return said
    return spot_fallback.explain(signal)


def _read(path: Path) -> Signal:
    try:
        event = json.loads(path.read_text())
    except OSError as error:
        raise BadSignal("unreadable", f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadSignal("not-json", f"{path} is not JSON: {error}") from error
    if isinstance(event, Mapping) and isinstance(event.get("Records"), list):
        records = event["Records"]
        if len(records) != 1 or not isinstance(records[0], Mapping):
            raise BadSignal("not-an-event", f"{path} holds {len(records)} messages; explain one")
        return read_body(records[0].get("body"), None)
    return read(event, None)
