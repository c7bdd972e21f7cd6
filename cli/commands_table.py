"""The README's table of commands, made from the commands themselves.

`python -m cli.commands_table` prints it; it stands between the markers BEGIN and END.
"""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from cli.main import app

BEGIN, END = "<!-- commands:begin -->", "<!-- commands:end -->"


def render_table() -> str:
    """Every command as a row of Markdown: how it is typed and what it does."""
    root: Any = get_command(app)
    rows = ["| command | does |", "|---|---|"]
    for name, command in sorted(root.commands.items()):
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = [p.name.upper() + ("..." if p.nargs == -1 else "") for p in arguments]
        typed = [u if p.required else f"[{u}]" for u, p in zip(usage, arguments, strict=True)]
        rows.append(f"| `{' '.join([name, *typed])}` | {command.help.splitlines()[0]} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(render_table())
