"""Whether an event matches a rule's pattern, as EventBridge decides it.

Rules: EventBridge user guide, "Event patterns", "Comparison operators" and "Arrays in event
patterns". What no pattern of ours uses fails loudly.
"""

from __future__ import annotations

import re
from typing import Any

REGION = "us-east-1"


def resolve(pattern: Any) -> Any:
    """The pattern as CloudFormation deploys it to REGION."""
    match pattern:
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Ref": other}:
            raise NotImplementedError(f"a pattern refers to {other}")
        case dict():
            return {key: resolve(each) for key, each in pattern.items()}
        case list():
            return [resolve(each) for each in pattern]
        case _:
            return pattern


def matches(pattern: Any, *found: Any) -> bool:
    """Whether any of the values found at the pattern's place matches it; none if it is absent.

    An array stands for each of its elements.
    """
    match pattern:
        case dict():
            objects = [each for each in _elements(found) if isinstance(each, dict)]
            return any(_matches_members(pattern, each) for each in objects or [{}])
        case list():
            return any(_matches_value(test, list(_elements(found))) for test in pattern)
        case _:
            raise NotImplementedError(f"not a pattern: {pattern!r}")


def _matches_members(pattern: dict[str, Any], value: dict[str, Any]) -> bool:
    members = {key: each for key, each in pattern.items() if key != "$or"}
    return all(
        matches(each, *([value[key]] if key in value else [])) for key, each in members.items()
    ) and ("$or" not in pattern or any(matches(each, value) for each in pattern["$or"]))


def _matches_value(test: Any, values: list[Any]) -> bool:
    match test:
        case {"exists": bool(wanted)}:
            return bool(values) is wanted
        case {"prefix": str(start)}:
            return any(isinstance(each, str) and each.startswith(start) for each in values)
        case {"suffix": str(end)}:
            return any(isinstance(each, str) and each.endswith(end) for each in values)
        case {"wildcard": str(text)}:
            regex = ".*".join(map(re.escape, text.split("*")))
            return any(
                isinstance(each, str) and re.fullmatch(regex, each, re.DOTALL) for each in values
            )
        case dict() | list():
            raise NotImplementedError(f"not an operator: {test!r}")
        case _:
            return test in values


def _elements(values: Any) -> list[Any]:
    flat: list[Any] = []
    for each in values:
        flat += _elements(each) if isinstance(each, list) else [each]
    return flat
