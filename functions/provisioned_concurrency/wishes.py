"""What the owner of an alias or variant wants, from tags of its function or endpoint and plans. Pure.

Aliases and variants carry no tags. A setting is the last part of a tag's key, and a name may stand
before it: `ml-remediation:provisioned-concurrency:live:schedule` is of `live`,
`ml-remediation:provisioned-concurrency:schedule` of all that say nothing themselves. With one part it
is never a name, so an alias may well be called `min`: `ml-remediation:provisioned-concurrency:min:max`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from functions.core.decision import Refuse
from functions.core.mode import TAG_PREFIX
from functions.provisioned_concurrency.observation import Wish
from functions.provisioned_concurrency.schedule import HIGHEST_LEVEL, BadSchedule, Schedule, parse
from functions.provisioned_concurrency.settings import Plan

LEVER = "provisioned-concurrency"

_PREFIX = f"{TAG_PREFIX}{LEVER}:"
_SETTINGS = ("schedule", "min", "max")
# Of an alias (Lambda API reference, AliasConfiguration) and of a variant (SageMaker's service model,
# VariantName), which is narrower.
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_LEVEL = re.compile(r"[0-9]{1,5}")


def named(tags: Mapping[str, str]) -> frozenset[str]:
    """The aliases or variants that tags say something of, be it right or wrong."""
    parts = [key.removeprefix(_PREFIX).split(":") for key in tags if key.startswith(_PREFIX)]
    return frozenset(each[0] for each in parts if len(each) > 1 and _NAME.fullmatch(each[0]))


def for_all(tags: Mapping[str, str]) -> bool:
    """Whether tags ask for a level of all aliases or variants, be it right or wrong: by a schedule or a
    minimum without a name, or by a key that is no setting of one of them. A maximum alone asks for
    nothing."""
    parts = [key.removeprefix(_PREFIX).split(":") for key in tags if key.startswith(_PREFIX)]
    return any(each != ["max"] for each in parts if len(each) == 1 or not _NAME.fullmatch(each[0]))


def wish(
    tags: Mapping[str, str], name: str, resource_id: str, plans: Sequence[Plan]
) -> Wish | Refuse:
    """What holds for the alias or variant `name`, or why that cannot be followed.

    resource_id: as Application Auto Scaling has it; the first plan whose pattern fits it counts. Each
    of schedule, minimum and maximum is of the tag that names the target, else of the tag for all,
    else of the plan. Refusals: `bad-tag`, `bad-schedule`, `contradictory-windows`, `unknown-zone`,
    `bad-level`, `min-above-max`, `level-above-max`.
    """
    try:
        _require_known(tags, name)
        said = {**_planned(resource_id, plans), **_tagged(tags, name)}
        schedule = _schedule(said["schedule"]) if "schedule" in said else None
        minimum = _level(said["min"]) if "min" in said else None
        maximum = _level(said["max"]) if "max" in said else None
        if maximum is not None and minimum is not None and minimum > maximum:
            raise _Wrong(
                said["min"],
                "min-above-max",
                f"{said['min']} is {minimum}, above {said['max']}, {maximum}",
            )
        highest = max((each.level for each in schedule.windows), default=0) if schedule else 0
        if maximum is not None and highest > maximum:
            raise _Wrong(
                said["schedule"],
                "level-above-max",
                f"{said['schedule']} has a window with {highest}, above {said['max']}, {maximum}",
            )
    except _Wrong as wrong:
        return wrong.refusal
    return Wish(schedule, minimum, maximum)


@dataclass(frozen=True)
class _Said:
    """One setting as it was written. tag: its key; empty when a plan says it."""

    setting: str
    value: str
    tag: str = ""
    plan: str = ""

    def __str__(self) -> str:
        return f"its tag {self.tag}" if self.tag else f"{self.setting} of the plan for {self.plan}"


class _Wrong(Exception):
    """Something that was said cannot be followed."""

    def __init__(self, said: _Said, code: str, reason: str) -> None:
        super().__init__(reason)
        step = (
            f"Correct the tag {said.tag}, or take it away"
            if said.tag
            else f"Correct the plan for {said.plan} under provisioned_concurrency.plans and deploy"
        )
        evidence = {said.tag or f"{said.setting} of {said.plan}": said.value}
        self.refusal = Refuse(code, reason, page=True, evidence=evidence, next_steps=(step,))


def _require_known(tags: Mapping[str, str], name: str) -> None:
    """A misspelt setting would else be a wish that nobody hears. Raises _Wrong."""
    for key in sorted(tags):
        if not key.startswith(_PREFIX):
            continue
        *owner, setting = key.removeprefix(_PREFIX).split(":")
        of_another = bool(owner) and owner[0] != name and _NAME.fullmatch(owner[0])
        if of_another or (setting in _SETTINGS and owner in ([], [name])):
            continue
        said = _Said(setting, tags[key], tag=key)
        raise _Wrong(said, "bad-tag", f"{said} is not a setting; {_hint(owner, setting)}")


def _hint(owner: Sequence[str], setting: str) -> str:
    if owner and not _NAME.fullmatch(owner[0]):
        return f"{owner[0]!r} is no name of an alias or a variant"
    if near := difflib.get_close_matches(setting.lower(), _SETTINGS, n=1):
        return f"did you mean {_PREFIX}{':'.join([*owner[:1], near[0]])}"
    return f"there are {', '.join(_SETTINGS)}"


def _tagged(tags: Mapping[str, str], name: str) -> dict[str, _Said]:
    keys = {
        setting: key
        for prefix in (_PREFIX, f"{_PREFIX}{name}:")
        for setting in _SETTINGS
        if (key := prefix + setting) in tags
    }
    return {setting: _Said(setting, tags[key], tag=key) for setting, key in keys.items()}


def _planned(resource_id: str, plans: Sequence[Plan]) -> dict[str, _Said]:
    for plan in plans:
        if fnmatchcase(resource_id, plan.target):
            values = {"schedule": plan.schedule or None, "min": plan.min, "max": plan.max}
            return {
                setting: _Said(setting, str(value), plan=plan.target)
                for setting, value in values.items()
                if value is not None
            }
    return {}


def _schedule(said: _Said) -> Schedule:
    try:
        return parse(said.value)
    except BadSchedule as bad:
        raise _Wrong(said, bad.code, f"{said} cannot be followed: {bad}") from bad


def _level(said: _Said) -> int:
    if not _LEVEL.fullmatch(said.value) or int(said.value) > HIGHEST_LEVEL:
        raise _Wrong(
            said,
            "bad-level",
            f"{said} is {said.value!r}, not a whole number from 0 to {HIGHEST_LEVEL}",
        )
    return int(said.value)
