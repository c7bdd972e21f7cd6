"""What Application Auto Scaling keeps: targets, policies, scheduled actions, activities."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.cloud.applicationautoscaling.dials import Dial
from local.cloud.applicationautoscaling.dimensions import Dimension

Key = tuple[str, str, str]
"""Service namespace, resource id, scalable dimension."""


def timestamp(moment: float) -> datetime:
    """An API timestamp for epoch seconds."""
    return datetime.fromtimestamp(moment, UTC)


@dataclass
class Cooldown:
    """What keeps a target from the next move in one direction. `base` is the capacity before the
    move that began it."""

    until: float = 0.0
    base: int = 0


@dataclass
class ScalableTarget:
    """A resource whose capacity is kept within `low` and `high`."""

    resource_id: str
    dimension: Dimension
    dial: Dial
    arn: str
    role: str
    low: int
    high: int
    created: float
    suspended: dict[str, bool]
    tags: dict[str, str]
    out: Cooldown = field(default_factory=Cooldown)
    into: Cooldown = field(default_factory=Cooldown)

    @property
    def key(self) -> Key:
        return self.dimension.namespace, self.resource_id, self.dimension.name

    def place(self) -> dict[str, str]:
        """The three members that name a target in every answer."""
        return {
            "ServiceNamespace": self.dimension.namespace,
            "ResourceId": self.resource_id,
            "ScalableDimension": self.dimension.name,
        }

    def description(self) -> dict[str, Any]:
        """`ScalableTarget` of DescribeScalableTargets."""
        return self.place() | {
            "MinCapacity": self.low,
            "MaxCapacity": self.high,
            "RoleARN": self.role,
            "CreationTime": timestamp(self.created),
            "SuspendedState": dict(self.suspended),
            "ScalableTargetARN": self.arn,
        }


@dataclass
class Policy:
    """A target tracking policy; `alarm_high` and `alarm_low` are the names of its alarms."""

    name: str
    arn: str
    target: ScalableTarget
    configuration: dict[str, Any]
    created: float
    alarm_high: str
    alarm_low: str

    @property
    def value(self) -> float:
        return float(self.configuration["TargetValue"])

    @property
    def scales_in(self) -> bool:
        return not self.configuration.get("DisableScaleIn", False)

    def cooldown(self, name: str) -> float:
        """`ScaleOutCooldown` or `ScaleInCooldown`, the dimension's default when not set."""
        return float(self.configuration.get(name, self.target.dimension.cooldown))


@dataclass
class Activity:
    """A scaling activity, or one that did not scale and says why."""

    id: str
    target: ScalableTarget
    description: str
    cause: str
    started: float
    status: str
    ended: float | None = None
    message: str | None = None
    not_scaled: dict[str, Any] | None = None

    def summary(self) -> dict[str, Any]:
        """`ScalingActivity` of DescribeScalingActivities."""
        told: dict[str, Any] = self.target.place() | {
            "ActivityId": self.id,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": timestamp(self.started),
            "StatusCode": self.status,
        }
        if self.ended is not None:
            told["EndTime"] = timestamp(self.ended)
        if self.message is not None:
            told["StatusMessage"] = self.message
        if self.not_scaled is not None:
            told["NotScaledReasons"] = [self.not_scaled]
        return told

    def end(self, status: str, moment: float, message: str) -> None:
        """The activity is over."""
        self.status, self.ended, self.message = status, moment, message
