"""The way from an alarm to the scaling policy that is its action."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, str, str, str], None]
"""Hears the account id, the Region, the policy's ARN and the alarm's name."""

_listeners: list[Listener] = []


def is_policy(action: str) -> bool:
    """Whether an alarm action is a policy of Application Auto Scaling, whose ARN names the resource
    it scales."""
    service, _, rest = action.partition(":autoscaling:")
    return service.startswith("arn:") and ":scalingPolicy:" in rest and ":resource/" in rest


def listen(heard: Listener) -> None:
    """Have `heard` called, inside the turn, whenever an alarm invokes a policy."""
    _listeners.append(heard)


def tell(account_id: str, region: str, policy_arn: str, alarm_name: str) -> None:
    """An alarm invokes a policy."""
    for heard in _listeners:
        heard(account_id, region, policy_arn, alarm_name)
