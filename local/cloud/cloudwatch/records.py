"""Alarms as the account holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .alarms import Condition, State
from .composite import Rule
from .queries import Query

SuppressedBy = Literal["Alarm", "WaitPeriod", "ExtensionPeriod"]


@dataclass(frozen=True, slots=True)
class AlarmState:
    """A state and how the alarm came into it. `since` is when the value last changed."""

    value: State
    reason: str
    reason_data: str | None
    timestamp: float
    since: float
    suppressed_by: SuppressedBy | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state whose actions may run now or, when withheld, later."""

    before: AlarmState
    after: AlarmState


@dataclass
class Alarm:
    """What metric and composite alarms share. `settings` is the request that put it, without
    its tags, by AWS's names."""

    name: str
    arn: str
    settings: dict[str, Any]
    updated: float
    actions_enabled: bool
    state: AlarmState
    withheld: Change | None = None
    """The change whose actions a mute or a suppressor holds back."""

    def actions(self, state: State) -> list[str]:
        by_state = {
            "OK": "OKActions",
            "ALARM": "AlarmActions",
            "INSUFFICIENT_DATA": "InsufficientDataActions",
        }
        return list(self.settings.get(by_state[state], ()))


@dataclass
class MetricAlarm(Alarm):
    """Watches the one query that returns data; `metric_id` is that query's id in events."""

    condition: Condition = field(kw_only=True)
    queries: list[Query] = field(kw_only=True)
    watched: Query = field(kw_only=True)
    period: int = field(kw_only=True)
    metric_id: str = field(kw_only=True)
    judged: tuple[float, ...] = field(kw_only=True, default=())
    """The datapoints of the last evaluation, newest last."""


@dataclass
class CompositeAlarm(Alarm):
    """Watches other alarms. Only the timer with the number `timer` may still end a suppression."""

    rule: Rule = field(kw_only=True)
    suppressor: str | None = field(kw_only=True, default=None)
    wait: int = field(kw_only=True, default=0)
    extension: int = field(kw_only=True, default=0)
    extension_until: float = field(kw_only=True, default=0.0)
    timer: int = field(kw_only=True, default=0)
