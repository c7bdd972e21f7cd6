"""The part of JSON Schema that the control interface describes its bodies with.

Understood: type, properties, required, additionalProperties, items, minimum, maximum,
exclusiveMinimum, enum. Anything else in a schema is an error of its author.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Any] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}
_KEYWORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "enum",
    "description",
}


def problems(schema: Schema, value: Any, path: str = "body") -> Iterator[str]:
    """Why `value` does not satisfy `schema`, in sentences; nothing when it does."""
    if strange := schema.keys() - _KEYWORDS:
        raise ValueError(f"schema keywords not understood: {sorted(strange)}")
    expected = schema.get("type")
    if expected and (
        not isinstance(value, _TYPES[expected])
        or (isinstance(value, bool) and expected != "boolean")
    ):
        yield f"{path} must be of type {expected}, not {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} must be one of {list(schema['enum'])}, not {value!r}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path} must be at least {schema['minimum']}, not {value!r}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{path} must be at most {schema['maximum']}, not {value!r}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{path} must be more than {schema['exclusiveMinimum']}, not {value!r}"
    if expected == "object":
        yield from _object_problems(schema, value, path)
    if expected == "array" and "items" in schema:
        for position, item in enumerate(value):
            yield from problems(schema["items"], item, f"{path}[{position}]")


def _object_problems(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path} needs the field {name!r}"
    for name, item in value.items():
        if name in known:
            yield from problems(known[name], item, f"{path}.{name}")
        elif others is False:
            yield f"{path} has no field {name!r}; it knows {sorted(known)}"
        elif isinstance(others, Mapping):
            yield from problems(others, item, f"{path}.{name}")
