"""The question every AWS service asks before it delivers to a resource."""

from __future__ import annotations

import logging
from typing import Any

from local.ministack.resource_policy import ServiceCall, UnknownCondition, allows

log = logging.getLogger("local.ministack")


class NotDelivered(Exception):
    """AWS would not deliver this; `code` is the reason EventBridge gives a dead-letter queue."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def require_permission(policy: dict[str, Any], call: ServiceCall) -> None:
    """Raises NotDelivered unless the resource's policy allows the call."""
    try:
        allowed = allows(policy, call)
    except UnknownCondition as error:
        log.error("the policy of %s is taken as a refusal: %s", call.resource, error)
        allowed = False
    if not allowed:
        raise NotDelivered(
            "NO_PERMISSIONS",
            f"the policy of {call.resource} does not let {call.service} call {call.action}"
            f" for {call.source_arn}",
        )
