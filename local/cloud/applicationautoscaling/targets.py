"""Scalable targets: registered, described, deregistered, tagged."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.applicationautoscaling.dials import dial, standing
from local.cloud.applicationautoscaling.dimensions import dimension_of
from local.cloud.applicationautoscaling.moves import Moves
from local.cloud.applicationautoscaling.pages import page
from local.cloud.applicationautoscaling.records import ScalableTarget
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

SUSPENSIONS = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)


class Targets(Moves):
    """The operations on scalable targets.

    Sources: botocore service model, `RegisterScalableTarget`, `DeregisterScalableTarget`,
    `SuspendedState`. A role that is passed is ignored, as the services here have service-linked
    ones (same, `RoleARN`).
    """

    @operation
    def register_scalable_target(
        self,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
        min_capacity: int | None = None,
        max_capacity: int | None = None,
        role_arn: str | None = None,
        suspended_state: Mapping[str, bool] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        dimension = dimension_of(service_namespace, resource_id, scalable_dimension)
        target = self.targets.get((service_namespace, resource_id, scalable_dimension))
        if target is None:
            opened = dial(scalable_dimension, self.account_id, self.region_name, resource_id)
            if min_capacity is None or max_capacity is None:
                raise Refusal("ValidationException", _BOTH)
            low, high = _checked(min_capacity, max_capacity)
            if not standing(scalable_dimension, self.region_name, resource_id, opened):
                raise Refusal("ValidationException", _NO_RESOURCE.format(resource_id))
            target = ScalableTarget(
                resource_id,
                dimension,
                opened,
                self._arn("application-autoscaling", f"scalable-target/{uuid.uuid4().hex}"),
                self._role(service_namespace, dimension.role),
                low,
                high,
                WORLD.clock(),
                dict.fromkeys(SUSPENSIONS, False),
                dict(tags or {}),
            )
            self.targets[target.key] = target
        else:
            if tags is not None:
                raise Refusal("ValidationException", _TAGGED)
            target.low, target.high = _checked(
                target.low if min_capacity is None else min_capacity,
                target.high if max_capacity is None else max_capacity,
            )
        target.suspended.update(suspended_state or {})
        registered = target
        WORLD.later(WORLD.durations.scaling_reaction, lambda: self.keep_within(registered))
        return {"ScalableTargetARN": target.arn}

    @operation
    def describe_scalable_targets(
        self,
        service_namespace: str,
        resource_ids: Sequence[str] = (),
        scalable_dimension: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        found = self.chosen(service_namespace, resource_ids, scalable_dimension)
        shown = [each.description() for each in found]
        return page("ScalableTargets", shown, 50, max_results, next_token)

    @operation
    def deregister_scalable_target(
        self, service_namespace: str, resource_id: str, scalable_dimension: str
    ) -> None:
        target = self.find_target(service_namespace, resource_id, scalable_dimension)
        self.deregister(target)

    @operation
    def list_tags_for_resource(self, resource_arn: str) -> dict[str, Any]:
        return {"Tags": dict(self._tagged(resource_arn).tags)}

    @operation
    def tag_resource(self, resource_arn: str, tags: Mapping[str, str]) -> None:
        """At most 50 tags (botocore service model, `TagMap`)."""
        target = self._tagged(resource_arn)
        merged = target.tags | dict(tags)
        if len(merged) > 50:
            raise Refusal("TooManyTagsException", f"{resource_arn} cannot have more than 50 tags.")
        target.tags = merged

    @operation
    def untag_resource(self, resource_arn: str, tag_keys: Sequence[str]) -> None:
        target = self._tagged(resource_arn)
        for key in tag_keys:
            target.tags.pop(key, None)

    def deregister(self, target: ScalableTarget) -> None:
        """End a target, with what hangs on it."""
        self.forget(target)
        del self.targets[target.key]

    def forget(self, target: ScalableTarget) -> None:
        """Delete what hangs on a target that is deregistered."""

    def _tagged(self, arn: str) -> ScalableTarget:
        for target in self.targets.values():
            if target.arn == arn:
                return target
        raise Refusal("ResourceNotFoundException", f"The resource {arn} does not exist.")

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region_name}:{self.account_id}:{resource}"

    def _role(self, namespace: str, role: str) -> str:
        return (
            f"arn:{self.partition}:iam::{self.account_id}:role/aws-service-role/"
            f"{namespace}.application-autoscaling.amazonaws.com/"
            f"AWSServiceRoleForApplicationAutoScaling_{role}"
        )


def _checked(low: int, high: int) -> tuple[int, int]:
    if low < 0:
        raise Refusal("ValidationException", "Minimum capacity cannot be less than 0")
    if high < low:
        raise Refusal(
            "ValidationException", "Maximum capacity cannot be less than minimum capacity"
        )
    return low, high


_TAGGED = (
    "The scalable target that you tried to tag already exists. To update tags on an existing "
    "scalable target, use the TagResource API."
)
"""AWS's text: github.com/terraform-aws-modules/terraform-aws-rds-aurora/pull/420."""

# AWS's own wording of these two is not known; the rules are documented.
_BOTH = "MinCapacity and MaxCapacity must be specified when a scalable target is registered."
_NO_RESOURCE = "The resource doesn't exist: {}"
