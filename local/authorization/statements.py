"""Policies and what they decide: pure.

Source: IAM user guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators" and
"Conditions with multiple context keys or values".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Context = Mapping[str, str | Sequence[str]]
"""Condition keys of a request in lower case, as IAM compares them, and their values."""


class NotSimulated(Exception):
    """A policy says what this account cannot judge."""


@dataclass(frozen=True)
class Ask:
    """One right that a call needs. `resource` is an ARN, None when it is not worked out."""

    action: str
    resource: str | None = None
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """A statement of a policy. `conditions` is by operator and key."""

    allows: bool
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]]

    def concerns(self, ask: Ask) -> bool:
        """Whether it speaks of the action and the resource. A denial of a resource that is not known
        is one of every resource only."""
        if not any(_like(ask.action.lower(), each.lower()) for each in self.actions):
            return False
        if ask.resource is None:
            return self.allows or "*" in self.resources
        return any(_like(ask.resource, each) for each in self.resources)

    def applies(self, ask: Ask) -> bool:
        """Whether its conditions hold as well; without a resource they are not looked at."""
        if not self.concerns(ask):
            return False
        if ask.resource is None:
            return self.allows or not self.conditions
        return all(
            _holds(operator, ask.context.get(key.lower()), _list(values))
            for operator, keys in self.conditions.items()
            for key, values in keys.items()
        )


def parsed(documents: Iterable[Mapping[str, Any]]) -> list[Statement]:
    """The statements of policy documents; raises NotSimulated."""
    return [_statement(each) for document in documents for each in _list(document["Statement"])]


def decision(statements: Iterable[Statement], ask: Ask) -> str:
    """`allow`, `deny` when a statement denies it, or `none` when no statement allows it."""
    found = {each.allows for each in statements if each.applies(ask)}
    return "deny" if False in found else "allow" if True in found else "none"


def keys(statements: Iterable[Statement], ask: Ask) -> Iterator[str]:
    """The condition keys, in lower case, that decide about an action on its resource."""
    for each in statements:
        if each.concerns(ask):
            yield from (key.lower() for of in each.conditions.values() for key in of)


def _statement(told: Mapping[str, Any]) -> Statement:
    if strange := told.keys() & {"NotAction", "NotResource", "Principal", "NotPrincipal"}:
        raise NotSimulated(f"the pocket account does not judge {', '.join(sorted(strange))}")
    conditions = told.get("Condition") or {}
    for operator in conditions:
        if operator not in OPERATORS:
            raise NotSimulated(f"the pocket account does not judge the condition {operator}")
    return Statement(
        told["Effect"] == "Allow", _list(told["Action"]), _list(told["Resource"]), conditions
    )


def _holds(operator: str, actual: str | Sequence[str] | None, expected: Sequence[str]) -> bool:
    """One condition: any of the values expected will do, of a negated one none may match."""
    if operator == "Null":
        return (actual is None) == (str(expected[0]).lower() == "true")
    if actual is None:
        return operator in NEGATED or operator.startswith("ForAllValues:")
    values = [actual] if isinstance(actual, str) else list(actual)
    compare = OPERATORS[operator]
    matched = [any(compare(value, str(each)) for each in expected) for value in values]
    if operator in NEGATED:
        return not any(matched)
    return all(matched) if operator.startswith("ForAllValues:") else any(matched)


def _like(value: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def _equal(value: str, expected: str) -> bool:
    return value == expected


def _equal_in_any_case(value: str, expected: str) -> bool:
    return value.lower() == expected.lower()


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_in_any_case,
    "StringLike": _like,
    "StringNotLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal_in_any_case,
    "Null": _equal,
    "ForAnyValue:StringEquals": _equal,
    "ForAllValues:StringEquals": _equal,
}
NEGATED = frozenset({"StringNotEquals", "StringNotLike"})


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
