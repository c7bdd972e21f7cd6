"""What a person sees while the demo runs, and the table at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from local.demo.account import TAG, Hands

if TYPE_CHECKING:
    from local.demo.scenes import Scene

BAR = 20
SECONDS_BETWEEN = 0.5
LINES_EVERY = 10.0


class View:
    """A live table on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, endpoints: Mapping[str, str | None]) -> None:
        self._console = console
        self._endpoints = endpoints
        self._started = time.monotonic()
        self._hands: Hands | None = None
        self._last_line = 0.0
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def watch(self, hands: Hands) -> None:
        """From now on draw what stands in this account."""
        self._hands = hands

    def says(self, sentence: str) -> None:
        """A line of the story, with the seconds since the start."""
        self._console.print(f"[dim]{time.monotonic() - self._started:4.0f} s[/dim]  {sentence}")

    def draw(self) -> None:
        """Look once, show it, and let a moment pass."""
        if self._hands is not None:
            self._hands.hear()
            if self._console.is_terminal:
                self._live.update(self._table(self._hands), refresh=True)
            elif time.monotonic() - self._last_line > LINES_EVERY:
                self._last_line = time.monotonic()
                self.says("  ".join(self._lines(self._hands)))
        time.sleep(SECONDS_BETWEEN)

    def _table(self, hands: Hands) -> Table:
        table = Table("endpoint", f"{TAG}", "alarm", "blue / green", "last word", expand=True)
        for name, mode in self._endpoints.items():
            status, weights = hands.weights(name)
            alarm = hands.alarm_state(name)
            color = {"ALARM": "red", "OK": "green"}.get(alarm, "dim")
            words = [t for t in hands.told if t.endpoint == name]
            word = (
                f"{words[-1].kind.removeprefix('Remediation ')}: {words[-1].code}" if words else ""
            )
            bar = _bar(weights) + ("" if status == "InService" else f" {status}")
            table.add_row(name, mode or "-", f"[{color}]{alarm}[/{color}]", bar, word)
        return table

    def _lines(self, hands: Hands) -> Iterable[str]:
        for name in self._endpoints:
            weights = hands.weights(name)[1]
            shares = "/".join(f"{share:.0%}" for share in _shares(weights))
            yield f"{name} {hands.alarm_state(name)} {shares}"


def summary(scenes: Iterable[Scene]) -> Table:
    """The table at the end: PASS or FAIL, before and after, seconds from the alarm, calls."""
    table = Table(
        "", "scene", "blue/green before", "after", "to call", "to InService", "to verified", "calls"
    )
    for scene in scenes:
        verdict = "[green]PASS[/green]" if scene.passed else "[red]FAIL[/red]"
        seconds = [
            f"{scene.seconds[what]:.1f} s" if what in scene.seconds else "-"
            for what in ("call", "InService", "verified")
        ]
        table.add_row(
            verdict,
            f"[bold]{scene.endpoint}[/bold]: {scene.story}\n[dim]{escape(scene.why)}[/dim]",
            _weights(scene.before),
            _weights(scene.after),
            *seconds,
            "-" if scene.calls is None else str(scene.calls),
        )
    return table


def _weights(weights: Mapping[str, float]) -> str:
    return "/".join(f"{weight:g}" for weight in weights.values())


def _shares(weights: Mapping[str, float]) -> list[float]:
    whole = sum(weights.values())
    return [weight / whole if whole else 0.0 for weight in weights.values()]


def _bar(weights: Mapping[str, float]) -> str:
    if not weights:
        return ""
    blue = round(_shares(weights)[0] * BAR)
    return f"[blue]{'█' * blue}[/blue][green]{'█' * (BAR - blue)}[/green]"
