"""What a user may set, typed once for the stack that refuses bad values and the functions that obey.

A settings class is a frozen dataclass whose fields carry their documentation and bounds;
`parse` turns plain data into it or says, a sentence a problem, what to change.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class SettingsError(ValueError):
    """Settings that may not be used. `problems` holds one sentence for each thing to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def setting(
    default: Any,
    doc: str,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    choices: tuple[Any, ...] | None = None,
    pattern: str | None = None,
) -> Any:
    """A documented field. Bounds are inclusive; `pattern` is matched whole, on each string."""
    metadata = {
        "doc": doc,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "pattern": pattern,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Limits:
    """How much may happen with nobody watching. 0 allows nothing."""

    actions_per_hour_per_target: int = setting(
        4,
        "Forward, scaling and lowering actions on one target in an hour.",
        minimum=0,
        maximum=60,
    )
    actions_per_hour: int = setting(
        20, "The same over all targets of one remediation.", minimum=0, maximum=1000
    )
    safety_moves_per_hour: int = setting(
        30,
        "Moves to safety of one remediation in an hour; reaching it pages.",
        minimum=0,
        maximum=1000,
    )
    instances_added: int = setting(
        4, "Instances that one action may add to a variant.", minimum=0, maximum=100
    )


@dataclass(frozen=True)
class Settings:
    """What holds for every remediation."""

    cooldown_seconds: int = setting(
        300,
        "Rest of a target between actions; moves to safety do not wait.",
        minimum=0,
        maximum=86400,
    )
    superseded_seconds: int = setting(
        3600,
        "Hands off a target after somebody else changed it, or after a revert.",
        minimum=300,
        maximum=604800,
    )
    failures_before_breaker: int = setting(
        3,
        "Failures in a row after which a target is left alone and paged.",
        minimum=1,
        maximum=20,
    )
    sweep_minutes: int = setting(
        15,
        "How often every opted-in target is looked at without a signal.",
        minimum=1,
        maximum=1440,
    )
    limits: Limits = field(default_factory=Limits)


def parse(cls: type[T], value: object, where: str) -> T:
    """Build `cls` from plain data, defaults filled in.

    where: the dotted path a person would look for, used in every sentence.
    Raises SettingsError with all problems at once.
    """
    problems: list[str] = []
    parsed = _parse_class(cls, value, where, problems)
    if problems:
        raise SettingsError(problems)
    return parsed  # type: ignore[no-any-return]


def _parse_class(cls: type, value: object, where: str, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(f"{where} must be an object of settings, not {value!r}.")
        return None
    known = {f.name: f for f in fields(cls)}
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}."
            problems.append(f"{where}.{key} is not a setting{hint}")
    hints = get_type_hints(cls)
    found = {
        name: _parse_value(hints[name], f, value[name], f"{where}.{name}", problems)
        for name, f in known.items()
        if name in value
    }
    for name, f in known.items():
        if name not in value and f.default is MISSING and f.default_factory is MISSING:
            problems.append(f"{where}.{name} is missing and has no default.")
    return None if problems else cls(**found)


def _parse_value(
    hint: Any, spec: Field[Any], value: object, where: str, problems: list[str]
) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _parse_class(hint, value, where, problems)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, (list, tuple)):
            problems.append(f"{where} must be a list, not {value!r}.")
            return ()
        return tuple(
            _parse_value(item, spec, each, f"{where}[{i}]", problems)
            for i, each in enumerate(value)
        )
    wanted = tuple(get_args(hint)) if isinstance(hint, types.UnionType) else (hint,)
    if type(value) not in wanted:
        names = " or ".join("null" if t is type(None) else t.__name__ for t in wanted)
        problems.append(f"{where} must be {names}, not {value!r}.")
        return value
    if value is not None:
        _check_bounds(spec, value, where, problems)
    return value


def _check_bounds(spec: Field[Any], value: Any, where: str, problems: list[str]) -> None:
    rule = spec.metadata
    low, high = rule.get("minimum"), rule.get("maximum")
    # Said this way round, NaN is out of any bounds.
    if not ((low is None or value >= low) and (high is None or value <= high)):
        problems.append(f"{where} must be from {low} to {high}, not {value!r}.")
    if rule.get("choices") and value not in rule["choices"]:
        problems.append(
            f"{where} must be one of {', '.join(map(str, rule['choices']))}, not {value!r}."
        )
    if rule.get("pattern") and not re.fullmatch(rule["pattern"], value):
        problems.append(f"{where} is {value!r}, which does not look like {rule['pattern']}.")
