"""A crash after any AWS call on the way On-Demand: one job is stopped once, one heir is created."""

from __future__ import annotations

from itertools import count

import pytest

from tests.faults.crashing import at_rest, crash_after, retold, survives, told_in_order
from tests.faults.universes import each
from tests.functional.training import CREATE, STOP, Training, settings, training
from tests.functional.world import Stage


def stranded(jobs: Training, longest_wait: int) -> None:
    """A job that never got Spot, past its patience; nobody has looked yet."""
    jobs.capacity(0)
    jobs.begin(work=60, longest=300, longest_wait=longest_wait)
    jobs.stage.pretend_swept("spot_fallback")
    jobs.stage.wait(11 * 60)
    jobs.stage.calls.clear()


def look(jobs: Training) -> None:
    """The last event of the job comes."""
    jobs.stage.batch(jobs.events[-1])


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize(
    ("longest_wait", "writes"), [(3600, [STOP, CREATE]), (600, [CREATE])], ids=["patience", "ended"]
)
def test_a_way_on_demand_that_dies_is_finished_once(
    stage: Stage,
    environment: pytest.MonkeyPatch,
    longest_wait: int,
    writes: list[str],
    first: int,
) -> None:
    environment.setenv("LEVER_SETTINGS", settings())
    with training(stage) as jobs:
        stranded(jobs, longest_wait)

        def play(calls: int) -> bool:
            crash_after(stage, calls)
            crashes = survives(stage, lambda: look(jobs))

            assert jobs.writes() == writes
            assert len(jobs.names()) == 2
            assert jobs.status(jobs.heir()) == "Completed"
            assert jobs.incident_stage() == "verified"
            assert told_in_order(stage) == [
                "Remediation Decided: decided",
                "Remediation Acted: acted",
                "Remediation Verified: verified",
            ]
            assert retold(stage) - (len(writes) - 1) <= 2
            assert at_rest(stage)
            return bool(crashes)

        each(count(first, 4), play)
