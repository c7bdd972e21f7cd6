"""What a person sees while the demo runs, and the table at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from local.demo.scene import Act, Scene

SECONDS_BETWEEN = 0.5
LINES_EVERY = 10.0


class View:
    """A live table of each act on a terminal, a line of each now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._last_lines = self._started
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

    def ends(self, scenes: Iterable[Scene]) -> None:
        """The table at the end, in the place of the live one."""
        self._live.stop()
        self._console.print(summary(scenes))

    def says(self, sentence: str) -> None:
        """A line of the story, with the seconds since the start."""
        self._console.print(
            f"[dim]{time.monotonic() - self._started:4.0f} s[/dim]  {escape(sentence)}"
        )

    def draw(self, acts: Sequence[Act]) -> None:
        """Show how things stand, and let a moment pass."""
        if self._console.is_terminal:
            self._live.update(Group(*(act.table() for act in acts)), refresh=True)
        elif time.monotonic() - self._last_lines > LINES_EVERY:
            self._last_lines = time.monotonic()
            for act in acts:
                self.says(act.line())
        time.sleep(SECONDS_BETWEEN)


def summary(scenes: Iterable[Scene]) -> Table:
    """PASS or FAIL, before and after, how long what took, calls."""
    table = Table("", "scene", "before", "after", "after how long", "calls")
    for scene in scenes:
        verdict = "[green]PASS[/green]" if scene.passed else "[red]FAIL[/red]"
        table.add_row(
            verdict,
            f"[bold]{escape(scene.title)}[/bold]: {escape(scene.story)}"
            f"\n[dim]{escape(scene.why)}[/dim]",
            escape(scene.before),
            escape(scene.after),
            "\n".join(f"{what} {seconds:.1f} s" for what, seconds in scene.seconds.items()) or "-",
            "-" if scene.calls is None else str(scene.calls),
        )
    return table
