"""What an event means to this stack, found out offline from the event alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Kind, Signal, read, read_body
from functions.traffic_shift import decision

CONDITIONS = [
    "the account's mode and the endpoint's tag ml-remediation:traffic-shift are act "
    "(observe: only recorded; approve: asked first)",
    "the alarm is in ALARM when looked at, tells of errors or latency, and is not muted",
    "the endpoint is InService and nobody else changed its weights in the last hour",
    "another variant is well by the alarm's own metric, statistic and threshold",
]


def explain(path: Path) -> dict[str, Any]:
    """One JSON object: remediation, target, signal, refusal, would, conditions."""
    try:
        signal = _read(path)
    except BadSignal as bad:
        return _explained(refusal={"code": bad.code, "reason": bad.reason})
    if signal.kind is not Kind.ALARM:
        return _explained(
            signal={"kind": signal.kind.value},
            would="every function looks at what is due"
            if signal.kind is Kind.HEARTBEAT
            else "the remediation looks at the target and answers the operator's intent",
            target=signal.detail.get("target"),
        )
    shown = {
        "kind": "alarm",
        "name": signal.detail["alarmName"],
        "state": signal.detail["state"]["value"],
        "time": signal.time.isoformat(),
        "direct": signal.direct,
    }
    named = decision.endpoints_of(signal)
    if isinstance(named, Refuse):
        return _explained(signal=shown, refusal={"code": named.code, "reason": named.reason})
    targets = [decision.endpoint_arn(signal.alarm_arn, name) for name in sorted(named)]
    return _explained(
        remediation="traffic_shift",
        target=targets[0] if targets else None,
        signal=shown,
        would="traffic of the variant in the alarm's dimensions goes to the variants that are "
        "well, as much as they can carry, and the rest after instances were added"
        if targets
        else "a composite alarm carries no metrics: its children are asked for the endpoint",
        conditions=CONDITIONS,
    )


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


def _explained(**known: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "remediation": None,
        "target": None,
        "signal": None,
        "refusal": None,
        "would": None,
        "conditions": [],
    }
    return empty | known
