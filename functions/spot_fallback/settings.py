"""What a user may set for spot fallback: which roles it may pass, how far it goes, when it returns."""

from __future__ import annotations

from dataclasses import MISSING, dataclass

from functions.core.settings import setting


@dataclass(frozen=True)
class Price:
    """What an hour of an instance type costs, in US dollars. `ml.` types are SageMaker's."""

    instance_type: str = setting(MISSING, "Instance type, e.g. `g5.xlarge` or `ml.g5.xlarge`.")
    on_demand: float | int = setting(
        MISSING, "Dollars an hour On-Demand.", minimum=0, maximum=10_000
    )
    spot: float | int = setting(
        0,
        "Dollars an hour on Spot; 0: what EC2 says it is now. Not used for `ml.` types, whose "
        "discount SageMaker tells.",
        minimum=0,
        maximum=10_000,
    )


@dataclass(frozen=True)
class SpotFallbackSettings:
    """Which roles may be passed on, how much On-Demand is bought, and when Spot is tried again."""

    roles: tuple[str, ...] = setting(
        (),
        "ARNs of the roles that instances and training jobs may be given, * for any part of a "
        "name. A group, job or instance with another role is refused.",
        pattern=r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/*-]+",
    )
    on_demand_units: int = setting(
        20,
        "Instances that one group may have On-Demand beyond its own base; more is told.",
        minimum=0,
        maximum=1000,
    )
    on_demand_dollars_per_hour: int = setting(
        100,
        "What the On-Demand capacity of one group, job or instance beyond its own may cost an hour, "
        "for types with a price in `prices`; more is told.",
        minimum=0,
        maximum=100_000,
    )
    hold_seconds: int = setting(
        600,
        "How long Spot must have held in a group before the next step back to it.",
        minimum=0,
        maximum=86_400,
    )
    flips_per_hour: int = setting(
        2, "How often an hour a group's way back to Spot may begin.", minimum=0, maximum=12
    )
    patience_minutes: int = setting(
        30,
        "How long a training job without a deadline waits for Spot before it goes On-Demand.",
        minimum=1,
        maximum=1440,
    )
    changeover_minutes: int = setting(
        10,
        "From stopping a training job to its heir training: provisioning and set-up.",
        minimum=1,
        maximum=240,
    )
    unsaved_minutes: int = setting(
        15,
        "Work of a training job with checkpoints that is taken to be lost when Spot is.",
        minimum=0,
        maximum=240,
    )
    unchecked_minutes: int = setting(
        60,
        "Work of a training job without checkpoints that is begun again unasked; more needs a "
        "person's approval.",
        minimum=0,
        maximum=1440,
    )
    fallback_types: tuple[str, ...] = setting(
        (),
        "Further `ml.` instance types, best first, that an On-Demand training job may run on where "
        "its own is short.",
        pattern=r"ml\.[a-z0-9-]+\.[a-z0-9]+",
    )
    sweep_minutes: int = setting(
        1,
        "How often groups and training jobs are looked at without a signal.",
        minimum=1,
        maximum=60,
    )
    prices: tuple[Price, ...] = setting(
        (), "What the money in records and on the dashboard is counted with."
    )
