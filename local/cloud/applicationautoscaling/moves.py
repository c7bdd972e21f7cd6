"""How Application Auto Scaling changes a capacity, and the activities that tell of it.

The texts of descriptions, causes and messages are those of the user guide's
application-auto-scaling-scaling-activities and of activities that users published; what a
serverless variant's capacity is called there is not known, it is called as Lambda's.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from moto.core.base_backend import BaseBackend

from local.cloud.applicationautoscaling.dials import Reading, ask
from local.cloud.applicationautoscaling.dimensions import dimension_of
from local.cloud.applicationautoscaling.pages import page
from local.cloud.applicationautoscaling.records import Activity, Key, ScalableTarget
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

SIX_WEEKS = timedelta(weeks=6).total_seconds()
MOST_ACTIVITIES = 10_000

Finish = Callable[[], None]


class Moves(BaseBackend):
    """The targets of one account and Region, what was done to them, and DescribeScalingActivities."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.targets: dict[Key, ScalableTarget] = {}
        self.activities: deque[Activity] = deque(maxlen=MOST_ACTIVITIES)

    @operation
    def describe_scaling_activities(
        self,
        service_namespace: str,
        resource_id: str | None = None,
        scalable_dimension: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
        include_not_scaled_activities: bool = False,
    ) -> dict[str, Any]:
        """The newest first, six weeks back (botocore service model). A deregistered target's
        activities stay."""
        _check_filter(resource_id, scalable_dimension)
        since = WORLD.clock() - SIX_WEEKS
        found = [
            each.summary()
            for each in reversed(self.activities)
            if each.started >= since
            and _fits(each.target, service_namespace, resource_id, scalable_dimension)
            and (include_not_scaled_activities or each.not_scaled is None)
        ]
        return page("ScalingActivities", found, 50, max_results, next_token)

    def find_target(self, namespace: str, resource_id: str, dimension: str) -> ScalableTarget:
        """The registered target, or AWS's refusal (text: github.com/ansible/ansible/issues/40237)."""
        dimension_of(namespace, resource_id, dimension)
        target = self.targets.get((namespace, resource_id, dimension))
        if target is None:
            raise Refusal(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: {namespace}, resource ID: "
                f"{resource_id}, scalable dimension: {dimension}",
            )
        return target

    def chosen(
        self, namespace: str, resource_ids: Sequence[str], dimension: str | None
    ) -> list[ScalableTarget]:
        """The targets that a Describe operation's filters leave."""
        _check_filter(resource_ids[0] if resource_ids else None, dimension)
        return [
            each
            for each in self.targets.values()
            if _fits(each, namespace, None, dimension)
            and (not resource_ids or each.resource_id in resource_ids)
        ]

    def record(self, target: ScalableTarget, description: str, cause: str, status: str) -> Activity:
        """Note an activity that begins now."""
        activity = Activity(str(uuid.uuid4()), target, description, cause, WORLD.clock(), status)
        self.activities.append(activity)
        return activity

    def did_not_scale(
        self, target: ScalableTarget, cause: str, code: str, capacity: Mapping[str, int]
    ) -> None:
        """Note why a policy's alarm changed nothing, once until something else happens to the
        target: an alarm asks every minute, and how often AWS notes the same answer is not known."""
        last = next((each for each in reversed(self.activities) if each.target is target), None)
        if last and last.not_scaled and last.not_scaled["Code"] == code and last.cause == cause:
            return
        what = "Attempting to scale due to alarm triggered"
        activity = self.record(target, what, cause, "Failed")
        activity.not_scaled = {"Code": code, **capacity}

    def move(
        self, target: ScalableTarget, capacity: int, cause: str, finish: Finish = lambda: None
    ) -> None:
        """Write a capacity to the target's service, and follow it until it has come about; then
        `finish` runs."""
        counted = target.dimension.counted
        what = f"Setting {counted} to {capacity}."
        activity = self.record(target, what, cause, "InProgress")

        def write() -> str | None:
            try:
                target.dial.write(capacity)
            except Refusal as refusal:
                return str(refusal.message)
            return None

        def written(refused: str | None) -> None:
            if refused is None:
                WORLD.later(WORLD.durations.scaling_reaction, look)
                return
            message = f"Failed to set {counted} to {capacity}. Reason: {refused}"
            activity.end("Failed", WORLD.clock(), message)

        def look() -> None:
            self.read(target, looked)

        def looked(reading: Reading | None) -> None:
            if reading is not None and not reading.scalable:
                WORLD.later(WORLD.durations.scaling_reaction, look)
            elif reading is not None and reading.failure:
                message = f"Failed to set {counted} to {capacity}. Reason: {reading.failure}"
                activity.end("Failed", WORLD.clock(), message)
            elif reading is not None and reading.desired == capacity:
                service = target.dimension.namespace
                message = (
                    f"Successfully set {counted} to {capacity}. Change successfully fulfilled by "
                    f"{service}."
                )
                activity.end("Successful", WORLD.clock(), message)
                finish()
            else:
                message = f"Failed to set {counted} to {capacity}. Reason: it did not come about."
                activity.end("Unfulfilled", WORLD.clock(), message)

        ask(target.dimension.name, write, written)

    def keep_within(self, target: ScalableTarget) -> None:
        """Bring a capacity outside the target's bounds back to the nearer one. A resource that is
        not active is left as it is (botocore service model, `RegisterScalableTarget`)."""

        def read(reading: Reading | None) -> None:
            if not self.stands(target) or reading is None or not reading.scalable:
                return
            if reading.desired < target.low:
                self.move(target, target.low, f"minimum capacity was set to {target.low}")
            elif reading.desired > target.high:
                self.move(target, target.high, f"maximum capacity was set to {target.high}")

        if self.stands(target):
            self.read(target, read)

    def read(self, target: ScalableTarget, then: Callable[[Reading | None], None]) -> None:
        """Go on with what the target's service says of it now. Where that takes another turn, the
        target may have been deregistered meanwhile."""
        ask(target.dimension.name, target.dial.read, then)

    def stands(self, target: ScalableTarget) -> bool:
        """Whether it is still registered."""
        return self.targets.get(target.key) is target


def _check_filter(resource_id: str | None, dimension: str | None) -> None:
    """ "If you specify a scalable dimension, you must also specify a resource ID" (botocore service
    model, the Describe operations). The text is not known."""
    if dimension is not None and resource_id is None:
        raise Refusal(
            "ValidationException", "A resource ID must be specified with a scalable dimension."
        )


def _fits(
    target: ScalableTarget, namespace: str, resource_id: str | None, dimension: str | None
) -> bool:
    return (
        target.dimension.namespace == namespace
        and resource_id in (None, target.resource_id)
        and dimension in (None, target.dimension.name)
    )
