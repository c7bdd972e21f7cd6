"""What an alarm means to provisioned concurrency."""

from __future__ import annotations

from typing import Any

from cli.explain.explanation import explanation, refused, shown
from functions.core.alarms import metrics_of_event
from functions.core.decision import Refuse
from functions.core.signals import Signal
from functions.provisioned_concurrency.reading import NAMESPACES, targets_of

CONDITIONS = [
    "the account's mode and the tag ml-remediation:provisioned-concurrency of the function or endpoint "
    "are act (observe: only recorded; approve: asked first)",
    "something is provisioned already, or its schedule or min asks for it: where there is none nothing "
    "spills over",
    "in one of the last two minutes more spilled over than the settings spill_percent and "
    "spilled_invocations let pass",
    "no weights on the alias and no deployment, and what was asked for last is allocated",
    "the level stays within its max, the function's reserved and the account's unreserved concurrency, "
    "MaxConcurrency, and the settings dollars_per_hour and changes_per_hour",
]
WOULD = (
    "the level of provisioned concurrency goes up once, to what was in flight at the most and "
    "headroom_percent more, and comes down when that has not been needed for hold_seconds; where a "
    "scalable target of Application Auto Scaling owns it, its MinCapacity is moved instead"
)


def concerns(signal: Signal) -> bool:
    """Whether an alarm watches provisioned concurrency, or called a function itself for what Lambda
    measures, of which nothing else is repaired."""
    metrics = metrics_of_event(signal.detail["configuration"], signal.alarm_arn)
    return any(
        (signal.direct and each.namespace == "AWS/Lambda")
        or (each.namespace in NAMESPACES and each.name.startswith(NAMESPACES[each.namespace]))
        for each in metrics
    )


def explain(signal: Signal) -> dict[str, Any]:
    """The aliases and endpoints that the alarm speaks of, and what happens to their level."""
    named = targets_of(signal)
    if isinstance(named, Refuse):
        return refused(named, shown(signal))
    targets = sorted(named)
    return explanation(
        remediation="provisioned_concurrency",
        target=targets[0],
        signal=shown(signal),
        would=WOULD,
        conditions=CONDITIONS,
        readings=[{"kind": "alarm", "target": each} for each in targets],
    )
