"""What the README lists is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import results, table
from cli import commands_table

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("begin", "end", "rendered", "command"),
    [
        (
            commands_table.BEGIN,
            commands_table.END,
            commands_table.render_table(),
            "python -m cli.commands_table",
        ),
        (table.BEGIN, table.END, table.render_table(results.read()), "python -m benchmarks.table"),
    ],
)
def test_the_readmes_table_is_made_from_the_code(
    begin: str, end: str, rendered: str, command: str
) -> None:
    listed = README.read_text().partition(begin)[2].partition(end)[0].strip()

    assert listed == rendered.strip(), f"put in README.md what `{command}` prints"
