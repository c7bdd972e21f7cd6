"""Values out of an event's JSON, of which nothing is sure but that it is JSON. Pure."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

NUMBER = r"[0-9][0-9,]{0,19}(?:\.[0-9]{1,9})?(?![0-9])"
"""A number as AWS writes it in a text: commas between thousands, a point before decimals."""
MOST_INSTANCES = 100_000


def mapping(value: object) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    """A text that can be written down in UTF-8, each run of blanks as one; "" for anything else."""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        return ""
    return " ".join(value.split())


def items(value: object) -> list[Any]:
    """The members of a list, however CloudTrail rendered the service's XML.

    EC2's lists come as [...], {"items": [...]}, {"item": [...]} or {"item": {...}}; empty ones
    also as "" (aws/karpenter-provider-aws#5850).
    """
    if isinstance(value, Mapping) and value.keys() & {"item", "items"}:
        value = value.get("items", value.get("item"))
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mapping) else []


def number(value: object) -> float | None:
    """A finite number from 0 on, given as one or as a text; None for anything else."""
    if isinstance(value, str):
        found = re.fullmatch(NUMBER, value.strip())
        return float(found[0].replace(",", "")) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        exact = float(value)
    except OverflowError:
        return None
    return exact if math.isfinite(exact) and exact >= 0 else None


def count(value: object) -> int:
    """How many instances; 1 where that is not said, or cannot be meant."""
    found = number(value)
    return math.ceil(found) if found is not None and 1 <= found <= MOST_INSTANCES else 1


def within(value: object, name: str) -> Iterator[Any]:
    """Every value under the key `name`, in whatever case, however deep inside."""
    left = deque([value])
    while left:
        each = left.popleft()
        if isinstance(each, Mapping):
            yield from (inner for key, inner in each.items() if key.lower() == name.lower())
            each = list(each.values())
        if isinstance(each, list):
            left.extendleft(reversed(each))
