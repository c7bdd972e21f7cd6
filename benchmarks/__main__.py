"""`python -m benchmarks [TOPIC ...]`: measures, prints and keeps the figures that the README quotes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import (
    cold_start,
    memory,
    messages,
    pc_calls,
    pc_schedule,
    pc_step,
    pc_traces,
    pocket,
    quota_event,
    quota_peer,
    quota_scan,
    results,
    rollback,
    size,
    spot_clone,
    spot_jobs,
    spot_storm,
)
from benchmarks.figures import Measurement, load_average, machine
from benchmarks.pc_traffic import NoData
from benchmarks.table import show

# In the order in which they are measured and shown.
TOPICS: Mapping[str, Callable[[Callable[[str], None]], Measurement]] = {
    "cold_start": cold_start.measure,
    "size": size.measure,
    "memory": memory.measure,
    "pocket": pocket.measure,
    "rollback": rollback.measure,
    "messages": messages.measure,
    "quota_scan": quota_scan.measure,
    "quota_peer": quota_peer.measure,
    "quota_event": quota_event.measure,
    "spot_storm": spot_storm.measure,
    "spot_jobs": spot_jobs.measure,
    "spot_clone": spot_clone.measure,
    "pc_schedule": pc_schedule.measure,
    "pc_step": pc_step.measure,
    "pc_traces": pc_traces.measure,
    "pc_calls": pc_calls.measure,
}


def main() -> None:
    """One topic after the other; a missed goal or missing data is printed, it does not fail the run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}")
    wanted = parser.parse_args().topics or list(TOPICS)
    if unknown := sorted(set(wanted) - set(TOPICS)):
        parser.error(f"there is no {unknown[0]}; there are {', '.join(TOPICS)}")
    console = Console()
    for name in wanted:
        before = load_average()
        try:
            measured = TOPICS[name](partial(_say, console, name))
        except NoData as missing:
            console.print(f"[red]{name} is not measured: {missing}")
            continue
        topic = {
            **measured.as_json(),
            "machine": machine(),
            "load_average": {"before": before, "after": load_average()},
        }
        kept = {**results.read(), name: topic}
        results.write({each: kept[each] for each in TOPICS if each in kept})
        _print(console, name, topic)


def _say(console: Console, name: str, line: str) -> None:
    console.print(f"[dim]{name}: {line}")


def _print(console: Console, name: str, topic: Mapping[str, Any]) -> None:
    load = topic["load_average"]
    table = Table(title=f"{name} (load average {load['before']} to {load['after']})")
    for heading in ("figure", "measured", "goal", "met"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for figure in topic["figures"]:
        unit = figure.get("unit", "")
        goal = f"≤ {show(figure['goal'], unit)}" if "goal" in figure else ""
        met = {True: "yes", False: "[red]no", None: ""}[figure.get("met")]
        table.add_row(figure["name"], show(figure["value"], unit), goal, met)
    table.add_section()
    for part in topic["parts"]:
        table.add_row(f"[dim]{part['name']}", show(part["value"], part.get("unit", "")))
    console.print(table)
    for setting, value in topic["settings"].items():
        console.print(f"[dim]{setting}: {value}")
    for limit in topic["limits"]:
        console.print(f"[dim]- {limit}")


if __name__ == "__main__":
    main()
