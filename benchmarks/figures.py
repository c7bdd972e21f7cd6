"""What a benchmark gives: figures with their goals, how they came about, and what they do not say."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A number, at most `goal` if there is one. unit: "" for counts and ratios."""

    name: str
    value: float
    unit: str = ""
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        return None if self.goal is None else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        """The figure as results.json keeps it."""
        shown: dict[str, Any] = {"name": self.name, "value": round(self.value, 4)}
        if self.unit:
            shown["unit"] = self.unit
        return shown if self.goal is None else {**shown, "goal": self.goal, "met": self.met}


@dataclass(frozen=True)
class Measurement:
    """One topic, measured.

    figures: what the topic is about. parts: what it is made of. settings: what was chosen, seeds
    included. limits: sentences on what the figures do not show.
    """

    figures: Sequence[Figure]
    parts: Sequence[Figure] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The measurement as results.json keeps it."""
        return {
            "figures": [figure.as_json() for figure in self.figures],
            "parts": [part.as_json() for part in self.parts],
            "settings": dict(self.settings),
            "limits": list(self.limits),
        }


def machine() -> dict[str, Any]:
    """The facts about this machine that move the figures."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(UTC).date().isoformat(),
    }


def load_average() -> float:
    """How many processes ran or wanted to, over the last minute."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo").read_text()
    found = (line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line)
    return next(found, "unknown")
