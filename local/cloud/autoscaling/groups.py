"""The operations on groups and their instances."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.autoscaling import policy as policies
from local.cloud.autoscaling.activities import iso
from local.cloud.autoscaling.group import Group, Member
from local.cloud.autoscaling.policy import Policy, invalid, unsimulated
from local.cloud.autoscaling.requests import (
    Requests,
    Template,
    check_sizes,
    checked_health,
    checked_termination,
)
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

MOST_DETACHED = 19
"""The bound of InstanceIds in the API reference of DetachInstances, whose text says 20."""


class Groups(Requests):
    """Groups, from creation to end."""

    @operation
    def create_auto_scaling_group(
        self,
        auto_scaling_group_name: str,
        min_size: int,
        max_size: int,
        desired_capacity: int | None = None,
        launch_template: Template | None = None,
        mixed_instances_policy: Policy | None = None,
        availability_zones: Sequence[str] = (),
        vpc_zone_identifier: str = "",
        default_cooldown: int = 300,
        health_check_type: str = "EC2",
        health_check_grace_period: int = 0,
        new_instances_protected_from_scale_in: bool = False,
        capacity_rebalance: bool = False,
        default_instance_warmup: int | None = None,
        termination_policies: Sequence[str] = ("Default",),
        service_linked_role_arn: str | None = None,
        tags: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """A new group; its instances are launched after the call."""
        name = auto_scaling_group_name
        if name in self.groups:
            raise Refusal(
                "AlreadyExists",
                "AutoScalingGroup by this name already exists - A group with the name "
                f"{name} already exists",
            )
        desired = min_size if desired_capacity is None else desired_capacity
        check_sizes(min_size, max_size, desired)
        if (launch_template is None) == (mixed_instances_policy is None):
            raise invalid(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, "
                "InstanceId or MixedInstancesPolicy parameter."
            )
        template = None if launch_template is None else self.template(launch_template)
        policy = None
        if mixed_instances_policy is not None:
            policy = self.policy(policies.created(mixed_instances_policy), max_size)
        places = self.places(vpc_zone_identifier, availability_zones)
        service = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        group = Group(
            name,
            f"arn:{self.partition}:autoscaling:{self.region_name}:{self.account_id}:"
            f"autoScalingGroup:{uuid.uuid4()}:autoScalingGroupName/{name}",
            WORLD.clock(),
            min_size,
            max_size,
            desired,
            template,
            policy,
            places,
            vpc_zone_identifier,
            {
                "DefaultCooldown": default_cooldown,
                "HealthCheckType": checked_health(health_check_type),
                "HealthCheckGracePeriod": health_check_grace_period,
                "NewInstancesProtectedFromScaleIn": new_instances_protected_from_scale_in,
                "CapacityRebalance": capacity_rebalance,
                "TerminationPolicies": checked_termination(termination_policies),
                "ServiceLinkedRoleARN": service_linked_role_arn
                or f"arn:{self.partition}:iam::{self.account_id}:role/{service}",
            },
        )
        if default_instance_warmup is not None:
            group.settings["DefaultInstanceWarmup"] = default_instance_warmup
        self.tag(group, tags)
        self.groups[name] = group
        group.causes.append(
            f"At {iso(WORLD.clock())} a user request created an AutoScalingGroup changing the "
            f"desired capacity from 0 to {desired}."
        )
        self.changed(group)

    @operation
    def update_auto_scaling_group(
        self,
        auto_scaling_group_name: str,
        min_size: int | None = None,
        max_size: int | None = None,
        desired_capacity: int | None = None,
        launch_template: Template | None = None,
        mixed_instances_policy: Policy | None = None,
        availability_zones: Sequence[str] | None = None,
        vpc_zone_identifier: str | None = None,
        default_cooldown: int | None = None,
        health_check_type: str | None = None,
        health_check_grace_period: int | None = None,
        new_instances_protected_from_scale_in: bool | None = None,
        capacity_rebalance: bool | None = None,
        default_instance_warmup: int | None = None,
        termination_policies: Sequence[str] | None = None,
    ) -> None:
        """Change what is given; a size without a desired capacity may change that (botocore
        service model, `UpdateAutoScalingGroup`)."""
        group = self.group(auto_scaling_group_name)
        self.check_alive(group)
        low = group.min_size if min_size is None else min_size
        high = group.max_size if max_size is None else max_size
        desired = desired_capacity
        if desired is None:
            desired = group.desired
            if min_size is not None:
                desired = max(desired, min_size)
            if max_size is not None:
                desired = min(desired, max_size)
        check_sizes(low, high, desired)
        if launch_template is not None and mixed_instances_policy is not None:
            raise invalid(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName or "
                "MixedInstancesPolicy parameter."
            )
        template, policy = group.template, group.policy
        if launch_template is not None:
            template, policy = self.template(launch_template), None
        elif mixed_instances_policy is not None:
            given = mixed_instances_policy
            merged = policies.created(given) if policy is None else policies.updated(policy, given)
            template, policy = None, self.policy(merged, high)
        elif policy is not None:
            policies.check_size(policy, high)
        places, subnets = group.places, group.subnets
        if availability_zones is not None or vpc_zone_identifier is not None:
            subnets = vpc_zone_identifier or ""
            places = self.places(subnets, availability_zones or ())
        changed = {
            "DefaultCooldown": default_cooldown,
            "HealthCheckType": health_check_type and checked_health(health_check_type),
            "HealthCheckGracePeriod": health_check_grace_period,
            "NewInstancesProtectedFromScaleIn": new_instances_protected_from_scale_in,
            "CapacityRebalance": capacity_rebalance,
            "DefaultInstanceWarmup": default_instance_warmup,
            "TerminationPolicies": termination_policies
            and checked_termination(termination_policies),
        }
        group.settings.update({key: value for key, value in changed.items() if value is not None})
        group.min_size, group.max_size = low, high
        if policy != group.policy:
            group.divides_from = WORLD.clock() + WORLD.durations.asg_step
        group.template, group.policy, group.places = template, policy, places
        group.subnets = subnets
        if desired != group.desired:
            group.causes.append(
                f"At {iso(WORLD.clock())} a user request update of AutoScalingGroup constraints to "
                f"min: {low}, max: {high}, desired: {desired} changing the desired capacity from "
                f"{group.desired} to {desired}."
            )
        group.desired = desired
        self.changed(group)

    @operation
    def set_desired_capacity(
        self, auto_scaling_group_name: str, desired_capacity: int, honor_cooldown: bool = False
    ) -> None:
        """Nothing here starts a cooldown, so there is none to honor."""
        group = self.group(auto_scaling_group_name)
        self.check_alive(group)
        for beyond, bound, which in (
            (desired_capacity > group.max_size, group.max_size, "above max"),
            (desired_capacity < group.min_size, group.min_size, "below min"),
        ):
            if beyond:
                raise invalid(
                    f"New SetDesiredCapacity value {desired_capacity} is {which} value {bound} for "
                    "the AutoScalingGroup."
                )
        if desired_capacity != group.desired:
            group.causes.append(
                f"At {iso(WORLD.clock())} a user request explicitly set group desired capacity "
                f"changing the desired capacity from {group.desired} to {desired_capacity}."
            )
        group.desired = desired_capacity
        self.changed(group)

    @operation
    def terminate_instance_in_auto_scaling_group(
        self, instance_id: str, should_decrement_desired_capacity: bool
    ) -> dict[str, Any]:
        """Terminate an instance, and replace it or not."""
        if instance_id not in self.member_of:
            raise invalid(
                f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
            )
        group, member = self.member_of[instance_id]
        if member.state == "Terminating":
            raise Refusal(
                "ScalingActivityInProgress", f"The instance {instance_id} is being terminated."
            )
        cause = f"instance {instance_id} was taken out of service in response to a user request"
        if should_decrement_desired_capacity:
            if group.desired == group.min_size:
                raise invalid(
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating "
                    "instance without replacement will violate group's min size constraint. Either "
                    "set shouldDecrementDesiredCapacity flag to false or lower group's min size."
                )
            cause += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
            group.desired -= 1
        [activity] = self.terminate(group, [member], f"{cause}.")
        self.changed(group)
        return {"Activity": activity.shown()}

    @operation
    def detach_instances(
        self,
        auto_scaling_group_name: str,
        should_decrement_desired_capacity: bool,
        instance_ids: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Take instances out of a group; they run on, and are replaced or not.

        Only what is in service can be detached, and no capacity is taken below the minimum (EC2
        Auto Scaling user guide, "Detach or attach instances from your Auto Scaling group"). Texts:
        github.com/reproio/ecs_deploy/pull/39, pull/56 and issues/47,
        github.com/spacelift-io/terraform-aws-spacelift-workerpool-on-ec2/issues/85. There is no
        load balancer to drain from here, so they are gone at once.
        """
        group = self.group(auto_scaling_group_name)
        self.check_alive(group)
        if not instance_ids:
            raise unsimulated("detaching no instance")
        if len(instance_ids) > MOST_DETACHED:
            raise invalid(
                "List exceeds the maximum number of instances to detach. Please retry your "
                "request with fewer instances."
            )
        members = [self._detachable(group, each) for each in dict.fromkeys(instance_ids)]
        left = group.desired - len(members)
        if should_decrement_desired_capacity and left < group.min_size:
            wanted = f"{len(members)} instance{'s' if len(members) > 1 else ''}"
            raise invalid(
                f"AutoScalingGroup {group.name} has min-size={group.min_size}, "
                f"max-size={group.max_size}, and desired-size={group.desired}. To detach {wanted}, "
                "please update the AutoScalingGroup sizes appropriately."
            )
        shown = []
        for member in members:
            cause = f"instance {member.instance.id} was detached in response to a user request"
            if should_decrement_desired_capacity:
                cause += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
                group.desired -= 1
            activity = self.detach(group, member, f"{cause}.")
            shown.append(activity.shown())
            activity.cease()
        self.changed(group)
        return {"Activities": shown}

    def _detachable(self, group: Group, instance_id: str) -> Member:
        found = self.member_of.get(instance_id)
        if found is None or found[0] is not group:
            raise invalid(
                f"The instance {instance_id} is not part of Auto Scaling group {group.name}."
            )
        if found[1].state != "InService":
            raise invalid(f"The instance {instance_id} is not in InService or Standby.")
        return found[1]

    @operation
    def delete_auto_scaling_group(
        self, auto_scaling_group_name: str, force_delete: bool = False
    ) -> None:
        """Delete an empty group, or with `ForceDelete` any, its instances included."""
        group = self.group(auto_scaling_group_name)
        self.check_alive(group)
        if group.members and not force_delete:
            raise Refusal(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group.",
            )
        if not group.members:
            del self.groups[group.name]
            return
        group.deleting, group.desired, group.min_size, group.max_size = True, 0, 0, 0
        self.terminate(
            group,
            [each for each in group.members if each.state != "Terminating"],
            "an instance was taken out of service in response to the deletion of its group.",
        )
