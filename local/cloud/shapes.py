"""Holds requests, answers and errors to botocore's service model, as the AWS front ends do.

Sources: the constraints (required, min, max, pattern, enum) are the service model's own; the
wording of a refusal is the one AWS services answer with ("1 validation error detected: Value
'...' at '...' failed to satisfy constraint: Member must ...").
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

_PYTHON_TYPES: dict[str, Any] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime,),
    "blob": (bytes, str),
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
}


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Each constraint of the model that `value`, a parsed request, does not satisfy, in AWS's
    words. `shape` is a botocore shape, or None for an operation without parameters."""
    if shape is None:
        return
    for constraint in _broken(shape, value):
        shown = "null" if value is None else value
        yield f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]):
        return
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                inner = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
                if name in value:
                    yield from violations(member, value[name], inner)
                elif name in shape.required_members:
                    yield (
                        f"Value null at '{inner}' failed to satisfy constraint: "
                        "Member must not be null"
                    )
        case "list":
            for number, item in enumerate(value, 1):
                yield from violations(shape.member, item, f"{path}.{number}.member")
        case "map":
            for key, item in value.items():
                yield from violations(shape.key, key, f"{path}.key")
                yield from violations(shape.value, item, f"{path}.{key}.member")


def misfits(shape: Any, value: Any, path: str = "answer") -> Iterator[str]:
    """Each way `value`, an answer, does not fit the model: unknown or missing member, wrong type.

    moto drops unknown members silently, which turns a typing mistake into an absent field.
    """
    if shape is None:
        if value:
            yield f"{path}: the model has no answer, got {value!r}"
        return
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        yield f"{path}: {shape.type_name} expected, got {value!r}"
        return
    match shape.type_name:
        case "structure":
            for name in value.keys() - shape.members.keys():
                yield f"{path}.{name}: not in {shape.name}"
            for name in shape.required_members:
                if name not in value:
                    yield f"{path}.{name}: missing, {shape.name} requires it"
            for name in value.keys() & shape.members.keys():
                yield from misfits(shape.members[name], value[name], f"{path}.{name}")
        case "list":
            for number, item in enumerate(value):
                yield from misfits(shape.member, item, f"{path}[{number}]")
        case "map":
            for key, item in value.items():
                yield from misfits(shape.value, item, f"{path}[{key}]")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    match value:
        case str() if shape.type_name == "string":
            yield from _out_of_bounds("have length", len(value), low, high)
            if choices := getattr(shape, "enum", None):
                if value not in choices:
                    yield f"satisfy enum value set: [{', '.join(choices)}]"
            elif (pattern := shape.metadata.get("pattern")) and not _compiled(pattern).fullmatch(
                value
            ):
                yield f"satisfy regular expression pattern: {pattern}"
        case bool():
            if shape.type_name != "boolean":
                yield f"be of type {shape.type_name}"
        case int() | float() if shape.type_name in {"integer", "long", "float", "double"}:
            yield from _out_of_bounds("have value", value, low, high)
        case list() | tuple() if shape.type_name == "list":
            yield from _out_of_bounds("have length", len(value), low, high)
        case _ if not isinstance(value, _PYTHON_TYPES[shape.type_name]):
            yield f"be of type {shape.type_name}"


def _out_of_bounds(what: str, size: float, low: float | None, high: float | None) -> Iterator[str]:
    if low is not None and size < low:
        yield f"{what} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"{what} less than or equal to {high}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The models' patterns are Java's; of what Java has and Python lacks they use \p{..} and pairs
    # of surrogates.
    pattern = re.sub(r"\\u(D[89AB]..)\\u(D[C-F]..)", _paired, pattern, flags=re.IGNORECASE)
    # Java's POSIX class of ASCII, which the models use alone: no category of Unicode.
    pattern = pattern.replace(r"\p{Print}", "[ -~]")
    return re.compile(re.sub(r"\\p\{(\w+)\}", lambda found: _members(found[1]), pattern))


def _paired(found: re.Match[str]) -> str:
    """The one character, beyond the basic plane, that two surrogates stand for."""
    high, low = int(found[1], 16), int(found[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


@cache
def _members(category: str) -> str:
    """The characters of a Unicode category such as `L`, as ranges for a character class."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(category):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
