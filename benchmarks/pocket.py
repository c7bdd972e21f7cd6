"""How long the pocket account takes to come up, without the stack."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from benchmarks.figures import Figure, Measurement
from local.pocket import Pocket

RUNS = 7
GOAL = 10.0


def measure(say: Callable[[str], None]) -> Measurement:
    """Start to ready, several times; the slowest start is what counts."""
    took = []
    for run in range(RUNS):
        say(f"start {run + 1} of {RUNS}")
        started = time.perf_counter()
        with Pocket():
            took.append(time.perf_counter() - started)
    return Measurement(
        figures=[Figure("Pocket account up, slowest start", max(took), "s", GOAL)],
        parts=[
            Figure("median start", median(took), "s"),
            Figure("quickest start", min(took), "s"),
        ],
        settings={"runs": RUNS},
        limits=(
            "Installed beforehand, files in the page cache; `make up` adds the deployment of the"
            " stack.",
        ),
    )
