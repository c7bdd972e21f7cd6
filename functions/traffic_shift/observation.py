"""What a look at an endpoint finds: variants, the alarms on them, what they serve. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.core.alarms import MetricAlarm
from functions.core.decision import Dial

PERIODS = 3
"""Closed periods of an alarm over which variants are judged."""


@dataclass(frozen=True)
class Variant:
    """A production variant as DescribeEndpoint tells it. Counts are None on serverless."""

    name: str
    weight: float
    desired_weight: float
    count: int | None
    desired_count: int | None


@dataclass(frozen=True)
class Watch:
    """An alarm on this endpoint, and what its own metric says of each variant.

    named: the variants in its dimensions. direct: it names this function as its own action.
    muted_by: ARN of the mute rule or the name of the suppressor that holds its actions, or None.
    values: for each variant, the alarm's value in its last closed periods, oldest first.
    """

    alarm: MetricAlarm
    named: frozenset[str]
    direct: bool
    muted_by: str | None
    values: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Load:
    """What a variant serves. requests: in the last closed periods.

    busiest: the most invocations per instance in a minute seen in 24 hours; None if none were.
    """

    requests: float
    per_minute: float
    busiest: float | None


@dataclass(frozen=True)
class Observation:
    """status: of the endpoint, e.g. "InService". loads: a Load for each variant."""

    endpoint: str
    status: str
    variants: tuple[Variant, ...]
    watches: tuple[Watch, ...]
    loads: Mapping[str, Load]

    @property
    def dial(self) -> Dial:
        return {
            v.name: {"weight": v.desired_weight, "count": v.desired_count} for v in self.variants
        }


@dataclass(frozen=True)
class Rules:
    """minimum_requests: below it a variant is not judged. instances_added: by one action."""

    minimum_requests: int
    instances_added: int


def names(variants: Iterable[str]) -> str:
    """Variants' names for a sentence."""
    return " and ".join(sorted(variants))
