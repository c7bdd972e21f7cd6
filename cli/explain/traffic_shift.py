"""What an alarm means to traffic shift."""

from __future__ import annotations

from typing import Any

from cli.explain.explanation import explanation, refused, shown
from functions.core.decision import Refuse
from functions.core.signals import Signal
from functions.traffic_shift import decision

CONDITIONS = [
    "the account's mode and the endpoint's tag ml-remediation:traffic-shift are act "
    "(observe: only recorded; approve: asked first)",
    "the alarm is in ALARM when looked at, tells of errors or latency, and is not muted",
    "the endpoint is InService and nobody else changed its weights in the last hour",
    "another variant is well by the alarm's own metric, statistic and threshold",
]


def explain(signal: Signal) -> dict[str, Any]:
    """The endpoint that the alarm speaks of, and what happens to its traffic."""
    named = decision.endpoints_of(signal)
    if isinstance(named, Refuse):
        return refused(named, shown(signal))
    targets = [decision.endpoint_arn(signal.alarm_arn, name) for name in sorted(named)]
    return explanation(
        remediation="traffic_shift",
        target=targets[0] if targets else None,
        signal=shown(signal),
        would="traffic of the variant in the alarm's dimensions goes to the variants that are "
        "well, as much as they can carry, and the rest after instances were added"
        if targets
        else "a composite alarm carries no metrics: its children are asked for the endpoint, and by "
        "provisioned concurrency for the alias or endpoint whose spillover they watch",
        conditions=CONDITIONS,
    )
