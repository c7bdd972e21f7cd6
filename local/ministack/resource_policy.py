"""Whether a resource's policy lets an AWS service call it, as AWS decides before it delivers.

ministack delivers to any function or queue. AWS does not: EventBridge and CloudWatch alarms reach a
function, and EventBridge a queue, only where the resource's own policy names the service
(https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
The order of evaluation is IAM's: an explicit Deny wins, else an Allow is needed
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServiceCall:
    """A call an AWS service makes on a resource, with the condition keys AWS fills for it."""

    service: str
    action: str
    resource: str
    source_arn: str
    source_account: str

    @property
    def context(self) -> dict[str, str]:
        """Condition keys in lower case: IAM compares the keys without regard to case."""
        return {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": self.source_account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.service,
        }


class UnknownCondition(Exception):
    """A condition operator this evaluation does not know; guessing could loosen a policy."""


def allows(policy: Mapping[str, Any], call: ServiceCall) -> bool:
    """True when the policy allows the call and no statement denies it.

    Raises UnknownCondition on a condition operator that is not implemented.
    """
    matching = [
        statement
        for statement in _listed(policy.get("Statement"))
        if _principal_matches(statement.get("Principal"), call.service)
        and any(_like(call.action, action, fold=True) for action in _listed(statement["Action"]))
        and any(_like(call.resource, arn) for arn in _listed(statement.get("Resource", "*")))
        and _conditions_hold(statement.get("Condition") or {}, call.context)
    ]
    effects = {statement["Effect"] for statement in matching}
    return "Deny" not in effects and "Allow" in effects


def _principal_matches(principal: Any, service: str) -> bool:
    match principal:
        case "*" | {"AWS": "*"}:
            return True
        case {"Service": services}:
            return service in _listed(services)
        case _:
            return False


def _conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        _condition_holds(operator, context.get(key.lower()), [str(v) for v in _listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _condition_holds(operator: str, actual: str | None, expected: list[str]) -> bool:
    if operator.endswith("IfExists"):
        if actual is None:
            return True
        operator = operator.removesuffix("IfExists")
    if operator == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    # A missing key fails a positive operator and satisfies a negated one.
    if actual is None:
        return "Not" in operator
    match operator:
        case "StringEquals":
            return actual in expected
        case "StringNotEquals":
            return actual not in expected
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(_like(actual, value) for value in expected)
        case "StringNotLike" | "ArnNotLike" | "ArnNotEquals":
            return not any(_like(actual, value) for value in expected)
        case "Bool":
            return actual.lower() in (value.lower() for value in expected)
        case _:
            raise UnknownCondition(f"condition operator {operator} is not evaluated here")


def _like(value: str, pattern: str, *, fold: bool = False) -> bool:
    expression = "".join(
        {"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern
    )
    return re.fullmatch(expression, value, re.IGNORECASE if fold else 0) is not None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
