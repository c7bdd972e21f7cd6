"""The policies of a role, as whoever judges its calls reads them."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.iam_evaluator import _resolve_managed_policy_document
from ministack.services import iam


def documents(account: str, role_name: str) -> list[Any] | None:
    """Inline and attached policy documents; None when there is no such role."""
    role = iam._roles.get_scoped(account, None, role_name)
    if role is None:
        return None
    attached = [
        _resolve_managed_policy_document(arn, account) for arn in role.get("AttachedPolicies", ())
    ]
    found = [*(role.get("InlinePolicies") or {}).values(), *(each for each in attached if each)]
    return [json.loads(each) if isinstance(each, str) else each for each in found]
