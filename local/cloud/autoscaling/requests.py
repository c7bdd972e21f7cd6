"""What requests about groups name, found and checked: templates, policies, subnets, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.exceptions import ServiceException

from local.cloud.autoscaling import policy as policies
from local.cloud.autoscaling.balance import Balance
from local.cloud.autoscaling.group import Group
from local.cloud.autoscaling.policy import invalid, unsimulated
from local.cloud.ec2.orders import PARTS, find_version
from local.cloud.seam import Refusal

Template = Mapping[str, str]
SPECIFICATION = "LaunchTemplateSpecification"
ASKS_FOR_SPOT = (
    "You cannot use a launch template that is set to request Spot Instances "
    "(InstanceMarketOptions) when you configure an Auto Scaling group with a mixed instances "
    "policy. Add a different launch template to the group and try again."
)


class Requests(Balance):
    """The groups of one account and Region, as requests speak of them."""

    def group(self, name: str) -> Group:
        """The group of that name, or the refusal (github.com/cloud-custodian/cloud-custodian/
        issues/380 has its text of CreateOrUpdateTags)."""
        if name not in self.groups:
            raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        return self.groups[name]

    def tag(self, group: Group, tags: Sequence[Mapping[str, Any]]) -> None:
        """Give a group tags."""
        for each in tags:
            group.tags[each["Key"]] = {
                "ResourceId": group.name,
                "ResourceType": "auto-scaling-group",
                "Key": each["Key"],
                "Value": each.get("Value", ""),
                "PropagateAtLaunch": each.get("PropagateAtLaunch", False),
            }

    def check_alive(self, group: Group) -> None:
        """Refuse to change a group that is being deleted."""
        if group.deleting:
            raise Refusal(
                "ScalingActivityInProgress", f"AutoScalingGroup {group.name} is pending delete"
            )

    def template(self, given: Template) -> dict[str, str]:
        """A launch template as groups show it, by ID and name; if the pocket account can launch
        from it."""
        named = {key: value for key, value in given.items() if key != "Version"}
        if len(named) != 1:
            raise invalid(
                "Valid requests must contain either launchTemplateId or LaunchTemplateName"
            )
        try:
            version = find_version(self.ec2, named, given.get("Version", "$Default"))
        except ServiceException as refusal:
            raise _unusable(refusal) from None
        if strange := version.data.keys() - PARTS:
            raise unsimulated(f"a launch template's {', '.join(sorted(strange))}")
        shown = {
            "LaunchTemplateId": version.template.id,
            "LaunchTemplateName": version.template.name,
        }
        return {**shown, "Version": given["Version"]} if "Version" in given else shown

    def policy(self, policy: dict[str, Any], max_size: int) -> dict[str, Any]:
        """A policy whose templates there are, and whose base fits the group."""
        policies.check_size(policy, max_size)
        template = policy["LaunchTemplate"]
        whole = template[SPECIFICATION]
        named: dict[str, Any] = {**template, SPECIFICATION: self._resolved(whole)}
        named["Overrides"] = [
            {**each, SPECIFICATION: self._resolved(each[SPECIFICATION])}
            if SPECIFICATION in each
            else each
            for each in template["Overrides"]
        ]
        return {**policy, "LaunchTemplate": named}

    def _resolved(self, given: Template) -> dict[str, str]:
        """The template of a policy; it leaves the market to the policy."""
        resolved = self.template(given)
        named = {"LaunchTemplateId": resolved["LaunchTemplateId"]}
        version = find_version(self.ec2, named, resolved.get("Version", "$Default"))
        if "InstanceMarketOptions" in version.data:
            raise invalid(ASKS_FOR_SPOT)
        return resolved

    def places(self, subnets: str, zones: Sequence[str]) -> dict[str, str]:
        """The subnet for each zone: the first of those given, or the zone's default one."""
        if subnets:
            wanted = [each.strip() for each in subnets.split(",")]
            try:
                found = [self.ec2.get_subnet(each) for each in wanted]
            except ServiceException as refusal:
                raise invalid(str(refusal.message)) from None
            places: dict[str, str] = {}
            for subnet in found:
                places.setdefault(subnet.availability_zone, subnet.id)
            if zones and set(zones) != places.keys():
                raise invalid(
                    "The availability zones of the specified subnets and the Auto Scaling group "
                    "do not match"
                )
            return places
        if not zones:
            raise invalid("At least one Availability Zone or VPC Subnet is required.")
        default = self.ec2.get_default_subnets()
        for zone in zones:
            if zone not in default:
                raise invalid(f"Invalid availability zone: [{zone}] or it has no default subnet")
        return {zone: default[zone].id for zone in zones}


def check_sizes(low: int, high: int, desired: int) -> None:
    """Refuse sizes that contradict each other. Text on the desired capacity:
    github.com/convox/praxis/pull/258."""
    if low < 0 or high < 0:
        raise invalid("Min and max size must be greater than or equal to 0")
    if high < low:
        raise invalid(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not low <= desired <= high:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max "
            f"size:{high}"
        )


def checked_health(kind: str) -> str:
    """The health check type, of those that are simulated."""
    if kind != "EC2":
        raise unsimulated(f"the health check type {kind}")
    return kind


def checked_termination(wanted: Sequence[str]) -> list[str]:
    """The termination policies, of those that are simulated."""
    if list(wanted) != ["Default"]:
        raise unsimulated(f"the termination policies {', '.join(wanted)}")
    return list(wanted)


def _unusable(refusal: ServiceException) -> Refusal:
    """A launch template that is not there or is no use (github.com/ryanmurakami/hbfl/issues/58)."""
    return invalid(f"You must use a valid fully-formed launch template. {refusal.message}")
