"""How many ML instances AWS has for training jobs, by instance type and market."""

from __future__ import annotations

from collections.abc import Iterable

from local.cloud.sagemaker.jobs import Fleet, Market, TrainingJob

Pool = tuple[str, Market]


class Capacity:
    """The pools of one account and Region. A pool that nobody limited has instances without end,
    but for training plans: nobody bought one, so theirs are empty."""

    def __init__(self) -> None:
        self._limits: dict[Pool, int | None] = {}

    def limit(self, pool: Pool, instances: int | None) -> None:
        """Let a pool have so many instances, those in use included; None for any number."""
        self._limits[pool] = instances

    def limits(self) -> dict[Pool, int | None]:
        """Each pool that was limited, and its instances."""
        return dict(self._limits)

    def has(self, fleet: Fleet, jobs: Iterable[TrainingJob]) -> bool:
        """Whether a whole fleet can be launched beside what `jobs` hold: all of it or nothing."""
        held = list(jobs)
        for instance_type, count in fleet.instances.items():
            pool: Pool = (instance_type, fleet.market)
            limit = self._limits.get(pool, 0 if fleet.market == "training-plan" else None)
            if limit is not None and in_use(pool, held) + count > limit:
                return False
        return True


def in_use(pool: Pool, jobs: Iterable[TrainingJob]) -> int:
    """How many instances of a pool `jobs` hold."""
    instance_type, market = pool
    return sum(
        job.fleet.instances.get(instance_type, 0)
        for job in jobs
        if job.holding and job.fleet is not None and job.fleet.market == market
    )
