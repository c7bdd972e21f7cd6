"""The README's table of settings, made from the settings themselves.

`python -m infra.settings_table` prints it; it stands between the markers BEGIN and END.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from infra.settings import StackSettings

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"


def render_table() -> str:
    """Every setting as a row of Markdown: its path in cdk.json, default, bounds and meaning."""
    head = ["| setting | default | allowed | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *_rows(StackSettings, "")])


def _rows(cls: type, path: str) -> Iterator[str]:
    hints = get_type_hints(cls)
    for spec in fields(cls):
        hint, where = hints[spec.name], f"{path}{spec.name}"
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _rows(hint, f"{where}.")
            continue
        yield (
            f"| `{where}` | {_default(spec)} | {_allowed(spec, hint)} | {spec.metadata['doc']} |"
        )
        for item in get_args(hint):
            if is_dataclass(item) and isinstance(item, type):
                yield from _rows(item, f"{where}[].")


def _default(spec: Field[Any]) -> str:
    match spec.default:
        case _ if spec.default is MISSING:
            return "required"
        case ():
            return "none"
        case bool(value):
            return str(value).lower()
        case tuple(items):
            return ", ".join(f"`{item}`" for item in items)
        case value:
            return str(value)


def _allowed(spec: Field[Any], hint: Any) -> str:
    rule = spec.metadata
    if rule["choices"]:
        return ", ".join(map(str, rule["choices"]))
    if rule["minimum"] is not None:
        return f"{rule['minimum']} to {rule['maximum']}"
    return {bool: "true, false", str: "text"}.get(hint, "a list")


if __name__ == "__main__":
    print(render_table())
