"""Scheduled actions: put, described, deleted, and run at their time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloud.applicationautoscaling import schedules
from local.cloud.applicationautoscaling.dials import Reading
from local.cloud.applicationautoscaling.pages import page
from local.cloud.applicationautoscaling.policies import Policies
from local.cloud.applicationautoscaling.records import ScalableTarget, timestamp
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD


@dataclass
class ScheduledAction:
    """A scheduled action; only the timer with the number `timer` may still run it."""

    name: str
    arn: str
    target: ScalableTarget
    created: float
    expression: str
    timezone: str | None
    schedule: schedules.Schedule
    bounds: dict[str, int]
    start: float | None
    end: float | None
    timer: int = 0

    def description(self) -> dict[str, Any]:
        """`ScheduledAction` of DescribeScheduledActions."""
        told: dict[str, Any] = self.target.place() | {
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "Schedule": self.expression,
            "ScalableTargetAction": dict(self.bounds),
            "CreationTime": timestamp(self.created),
        }
        if self.timezone is not None:
            told["Timezone"] = self.timezone
        if self.start is not None:
            told["StartTime"] = timestamp(self.start)
        if self.end is not None:
            told["EndTime"] = timestamp(self.end)
        return told


class Scheduled(Policies):
    """The operations on scheduled actions.

    Sources: botocore service model, `PutScheduledAction`; user guide,
    application-auto-scaling-scheduled-scaling. A run sets the target's minimum and maximum, which
    stay so, and brings a capacity outside them back in.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.actions: dict[str, ScheduledAction] = {}

    @operation
    def put_scheduled_action(
        self,
        service_namespace: str,
        scheduled_action_name: str,
        resource_id: str,
        scalable_dimension: str,
        schedule: str | None = None,
        timezone: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        scalable_target_action: Mapping[str, int] | None = None,
    ) -> None:
        """An update keeps what it does not name, but for the start and the end, which it deletes.
        The text on capacities: github.com/aws-cloudformation/community-registry-extensions/
        issues/255."""
        target = self.find_target(service_namespace, resource_id, scalable_dimension)
        action = self._action(target, scheduled_action_name)
        bounds = scalable_target_action
        if bounds is None and action is not None:
            bounds = action.bounds
        if not bounds:
            raise Refusal(
                "ValidationException",
                "At least one of minimum capacity and maximum capacity should be provided",
            )
        if min(bounds.values()) < 0 or bounds.get("MinCapacity", 0) > bounds.get(
            "MaxCapacity", max(bounds.values())
        ):
            raise Refusal("ValidationException", _WRONG_BOUNDS)
        expression = schedule or (action.expression if action else None)
        if expression is None:
            raise Refusal("ValidationException", "Schedule must be specified for a new action.")
        zone = timezone if timezone is not None or action is None else action.timezone
        parsed = _parsed(expression, zone)
        if action is None:
            arn = self._arn(
                "autoscaling",
                f"scheduledAction:{uuid.uuid4()}:resource/{service_namespace}/{resource_id}"
                f":scheduledActionName/{scheduled_action_name}",
            )
            now = WORLD.clock()
            action = ScheduledAction(
                scheduled_action_name, arn, target, now, expression, zone, parsed, {}, None, None
            )
            self.actions[arn] = action
        action.expression, action.timezone, action.schedule = expression, zone, parsed
        action.bounds = dict(bounds)
        action.start, action.end = _epoch(start_time), _epoch(end_time)
        self._plan(action)

    @operation
    def describe_scheduled_actions(
        self,
        service_namespace: str,
        scheduled_action_names: Sequence[str] = (),
        resource_id: str | None = None,
        scalable_dimension: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        ids = [] if resource_id is None else [resource_id]
        targets = self.chosen(service_namespace, ids, scalable_dimension)
        found = [
            each.description()
            for each in self.actions.values()
            if each.target in targets
            and (not scheduled_action_names or each.name in scheduled_action_names)
        ]
        return page("ScheduledActions", found, 50, max_results, next_token)

    @operation
    def delete_scheduled_action(
        self,
        service_namespace: str,
        scheduled_action_name: str,
        resource_id: str,
        scalable_dimension: str,
    ) -> None:
        target = self.targets.get((service_namespace, resource_id, scalable_dimension))
        action = target and self._action(target, scheduled_action_name)
        if not action:
            raise Refusal(
                "ObjectNotFoundException",
                f"No scheduled action found for service namespace: {service_namespace}, resource "
                f"ID: {resource_id}, scalable dimension: {scalable_dimension}, scheduled action "
                f"name: {scheduled_action_name}",
            )
        del self.actions[action.arn]

    def forget(self, target: ScalableTarget) -> None:
        super().forget(target)
        for action in [each for each in self.actions.values() if each.target is target]:
            del self.actions[action.arn]

    def _action(self, target: ScalableTarget, name: str) -> ScheduledAction | None:
        return next(
            (each for each in self.actions.values() if each.target is target and each.name == name),
            None,
        )

    def _plan(self, action: ScheduledAction) -> None:
        action.timer += 1
        mine, now = action.timer, WORLD.clock()
        first = action.created if action.start is None else action.start
        run = schedules.within(action.schedule.after(now, first), action.start, action.end)

        def due() -> None:
            if self.actions.get(action.arn) is action and action.timer == mine:
                self._run(action)
                self._plan(action)

        if run is not None:
            WORLD.later(run - now, due)

    def _run(self, action: ScheduledAction) -> None:
        """While scheduled scaling is suspended a run is missed, and not made up for; it fails when
        the resource cannot be scaled at that moment (user guide, "Considerations")."""
        target = action.target
        if target.suspended["ScheduledScalingSuspended"]:
            return
        low = action.bounds.get("MinCapacity", target.low)
        high = action.bounds.get("MaxCapacity", target.high)
        parts = [
            f"{word} capacity to {action.bounds[name]}"
            for name, word in (("MinCapacity", "min"), ("MaxCapacity", "max"))
            if name in action.bounds
        ]
        what = " and ".join(parts)
        cause = f"scheduled action name {action.name} was triggered"
        activity = self.record(target, f"Setting {what}", cause, "InProgress")

        def read(reading: Reading | None) -> None:
            problem = None
            if reading is None or not reading.scalable:
                problem = "the resource is not in a scalable state"
            elif high < low:
                problem = "Maximum capacity cannot be less than minimum capacity"
            if problem is not None:
                activity.end("Failed", WORLD.clock(), f"Failed to set {what}. Reason: {problem}")
                return
            target.low, target.high = low, high
            activity.end("Successful", WORLD.clock(), f"Successfully set {what}")
            self.keep_within(target)

        self.read(target, read)


def _parsed(expression: str, timezone: str | None) -> schedules.Schedule:
    try:
        return schedules.parse(expression, timezone)
    except schedules.InvalidSchedule as invalid:
        raise Refusal("ValidationException", str(invalid)) from None
    except schedules.CronNotSimulated:
        raise Refusal(
            "UnsupportedByPocketAccount",
            "The pocket account does not simulate cron expressions; it knows at() and rate().",
        ) from None


def _epoch(moment: datetime | None) -> float | None:
    """moto parses times as naive UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_WRONG_BOUNDS = "Maximum capacity cannot be less than minimum capacity, nor either less than 0"
