"""The one shape every scene has, and how the scenes of all remediations are played side by side.

What happens in a scene is a script: a generator that yields whenever it has to wait. One loop lets
each of them look again, so that all their waiting takes no longer than the longest of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from botocore.exceptions import ClientError
from rich.table import Table

from local.pocket import ControlRefused


class DemoFailed(Exception):
    """Something did not come to pass; the message says what."""


@dataclass(frozen=True)
class Line:
    """A series, drawn in steps: moments in epoch seconds, each with its value."""

    name: str
    color: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """Lines over the time of the run; the scene's moments are marked in it."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Point:
    """One way to do it: what it comes to on either axis."""

    name: str
    color: str
    x: float
    y: float


@dataclass(frozen=True)
class Scatter:
    """Ways to do the same, each a point: what one gains is what the other axis pays."""

    title: str
    x: str
    y: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Listing:
    """A small table under a scene."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Scene:
    """What happened to one thing, and what a report shows of it.

    moments: what happened when, in epoch seconds; the first is what everything is counted from.
    calls: to the services the remediation is about, in the look that acted.
    """

    title: str
    story: str
    passed: bool = False
    why: str = "it was not reached"
    before: str = ""
    after: str = ""
    moments: dict[str, float] = field(default_factory=dict)
    calls: int | None = None
    charts: list[Chart] = field(default_factory=list)
    scatter: Scatter | None = None
    listing: Listing | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """From the first moment to each of the others."""
        first = next(iter(self.moments.values()), 0.0)
        return {name: at - first for name, at in list(self.moments.items())[1:]}


Script = Iterator[None]
Found = TypeVar("Found")


class Act(Protocol):
    """The scenes of one remediation."""

    title: str
    scenes: list[Scene]

    def scripts(self) -> Sequence[Script]:
        """What is played with the account in mode act."""

    def scripts_while_off(self) -> Sequence[Script]:
        """What is played after that, with the account off."""

    def finish(self, started: float) -> None:
        """Judge what only the whole run shows, and draw it from `started` on."""

    def table(self) -> Table:
        """How things stand, for a terminal."""

    def line(self) -> str:
        """The same as one line of text."""


def attempt(scene: Scene, script: Script) -> Script:
    """Play a script; what it cannot do, or waits for in vain, fails its scene alone."""
    try:
        yield from script
    except (DemoFailed, ControlRefused, ClientError) as failure:
        scene.passed, scene.why = False, str(failure)


def until(
    what: str, look: Callable[[], Found | None], seconds: float
) -> Generator[None, None, Found]:
    """What `look` finds once it finds something; the others play meanwhile. Raises DemoFailed."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise DemoFailed(f"{what} did not happen within {seconds:.0f} s")
        yield
    return found


def together(scripts: Iterable[Script]) -> Script:
    """Play all scripts to their ends: each goes on as far as it can, then all wait."""
    over = object()
    playing = list(scripts)
    while playing := [each for each in playing if next(each, over) is not over]:
        yield
