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
    return "\n".join([*head, *_rows(StackSettings, "", StackSettings())])


def _rows(cls: type, path: str, defaults: object = None) -> Iterator[str]:
    """defaults: the settings when nobody sets any; None where each object of a list has its own."""
    hints = get_type_hints(cls)
    for spec in fields(cls):
        hint, where = hints[spec.name], f"{path}{spec.name}"
        default = spec.default if defaults is None else getattr(defaults, spec.name)
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _rows(hint, f"{where}.", default)
            continue
        meaning = spec.metadata["doc"]
        yield f"| `{where}` | {_default(default)} | {_allowed(spec, hint)} | {meaning} |"
        for item in get_args(hint):
            if is_dataclass(item) and isinstance(item, type):
                yield from _rows(item, f"{where}[].")


def _default(default: object) -> str:
    match default:
        case _ if default is MISSING:
            return "required"
        case None | "":
            return "none"
        case float(value):
            return f"{value:.10f}".rstrip("0")
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
