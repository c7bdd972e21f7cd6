"""What the README lists is what there is."""

from __future__ import annotations

from pathlib import Path

from cli.commands_table import BEGIN, END, render_table

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_command() -> None:
    listed = README.read_text().partition(BEGIN)[2].partition(END)[0].strip()

    assert listed == render_table(), "put in README.md what `python -m cli.commands_table` prints"
