"""The README's table of figures, made from results.json.

`python -m benchmarks.table` prints it; it stands between the markers BEGIN and END.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.results import read

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"


def render_table(results: Mapping[str, Any]) -> str:
    """Every figure as a row of Markdown, and where and when it was measured below."""
    head = ["| figure | measured | goal | met |", "|---|---|---|---|"]
    rows = [_row(figure) for topic in results.values() for figure in topic["figures"]]
    return "\n".join([*head, *rows, "", *_places(results)])


def show(value: float, unit: str) -> str:
    """A number as a person reads it: three digits that count, whole numbers as they are."""
    number = str(int(value)) if value == int(value) else f"{value:.{_decimals(value)}f}"
    return f"{number} {unit}".rstrip()


def _decimals(value: float) -> int:
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def _row(figure: Mapping[str, Any]) -> str:
    unit = figure.get("unit", "")
    if "goal" not in figure:
        return f"| {figure['name']} | {show(figure['value'], unit)} | | |"
    met = "yes" if figure["met"] else "**no**"
    goal = show(figure["goal"], unit)
    return f"| {figure['name']} | {show(figure['value'], unit)} | ≤ {goal} | {met} |"


def _places(results: Mapping[str, Any]) -> list[str]:
    """One sentence for each machine and day; most often there is one."""
    sentences = []
    for topic in results.values():
        where = topic["machine"]
        sentence = (
            f"Measured on {where['date']}: {where['cpus']} CPUs ({where['cpu']}),"
            f" {where['system']}, Python {where['python']}."
        )
        if sentence not in sentences:
            sentences.append(sentence)
    return sentences


if __name__ == "__main__":
    print(render_table(read()))
