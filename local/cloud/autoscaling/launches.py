"""Launching a group's instances: which type, which zone, and what is told when there is none."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.utils import get_service_model
from moto.ec2.models.instances import Instance
from moto.ec2.utils import random_fleet_id

from local.cloud import cloudtrail
from local.cloud.autoscaling.activities import Activity, iso
from local.cloud.autoscaling.group import Group, Member
from local.cloud.ec2.catalogue import Market
from local.cloud.ec2.orders import Order, find_version
from local.cloud.world import WORLD

OURS = "autoscaling.amazonaws.com"
NAME_TAG = "aws:autoscaling:groupName"
KINDS: Mapping[Market, str] = {"on-demand": "On-Demand", "spot": "Spot"}


@dataclass(frozen=True)
class Failure:
    """One pool that could not be launched from."""

    zone: str
    subnet: str
    template: Mapping[str, str]
    instance_type: str
    parameters: Mapping[str, Any]
    refusal: ServiceException


class Launches(BaseBackend):
    """The groups of one account and Region, and how they launch."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.groups: dict[str, Group] = {}
        self.member_of: dict[str, tuple[Group, Member]] = {}
        self.activities: list[Activity] = []

    @property
    def ec2(self) -> Any:
        """EC2 of the same account and Region."""
        return get_backend("ec2")[self.account_id][self.region_name]

    def in_service(self, group: Group, launched: Sequence[tuple[Member, Activity]]) -> None:
        """The instances have booted."""
        raise NotImplementedError

    def launch(self, group: Group, market: Market, count: int) -> int:
        """Launch as many as `count` instances of a market, balanced over the group's zones; gives
        how many it were.

        Of each zone the types are tried in their order, then the other zones (EC2 Auto Scaling
        user guide, "Allocation strategies for multiple instance types", prioritized, and
        "Auto Scaling benefits", Instance distribution). What cannot be launched anywhere is one
        failed activity.
        """
        cause = self._cause(group, count)
        left, exhausted = count, set[str]()
        failures: list[Failure] = []
        staying = Counter(each.zone for each in group.staying())
        while left and (zones := [each for each in group.places if each not in exhausted]):
            for zone, share in _shares(staying, zones, left).items():
                launched = self._launch_in(group, market, zone, share, cause, failures)
                staying[zone] += launched
                left -= launched
                if launched < share:
                    exhausted.add(zone)
        if failures:
            self._tell(group, market, count, failures)
        if left:
            last = failures[-1]
            failed = Activity(
                group,
                "Launch",
                "Launching a new EC2 instance",
                cause,
                {"Subnet ID": last.subnet, "Availability Zone": last.zone},
            )
            self.activities.append(failed)
            failed.fail(_status_message(group, market, failures))
        return count - left

    def _launch_in(
        self,
        group: Group,
        market: Market,
        zone: str,
        count: int,
        cause: str,
        failures: list[Failure],
    ) -> int:
        left = count
        for template, override in group.choices:
            while left:
                parameters = self._parameters(group, zone, template, override)
                try:
                    order = self._order(group, market, parameters)
                    instances = self.ec2.launch(order, 1, left).instances
                except ServiceException as refusal:
                    kind = str(override.get("InstanceType") or self._type_of(template))
                    subnet = group.places[zone]
                    failures.append(Failure(zone, subnet, template, kind, parameters, refusal))
                    break
                if market == "spot":
                    self.ec2.bought(order, instances)
                assert order.template is not None
                self._join(group, market, order, instances, cause)
                left -= len(instances)
        return count - left

    def _parameters(
        self,
        group: Group,
        zone: str,
        template: Mapping[str, str],
        override: Mapping[str, str],
    ) -> dict[str, Any]:
        """The request that Auto Scaling makes of EC2. The subnet goes into the template's network
        interface, where it has one."""
        named = {"LaunchTemplateId": template["LaunchTemplateId"]}
        number = template.get("Version", "$Default")
        tags = {key: tag["Value"] for key, tag in group.tags.items() if tag["PropagateAtLaunch"]}
        tags[NAME_TAG] = group.name
        parameters: dict[str, Any] = {
            "LaunchTemplate": {**named, "Version": number},
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
            ],
            **override,
        }
        interfaces = find_version(self.ec2, named, number).data.get("NetworkInterfaces", ())
        if interfaces:
            placed = [{**each, "SubnetId": group.places[zone]} for each in interfaces]
            return {**parameters, "NetworkInterfaces": placed}
        return {**parameters, "SubnetId": group.places[zone]}

    def _order(self, group: Group, market: Market, parameters: Mapping[str, Any]) -> Order:
        order: Order = self.ec2.orders.read(parameters, market=market)
        if group.policy is None or market != "spot":
            return order
        price = group.policy["InstancesDistribution"].get("SpotMaxPrice")
        options = {"MaxPrice": price} if price else {}
        return replace(order, parts={**order.parts, "InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": options}})  # fmt: skip

    def _type_of(self, template: Mapping[str, str]) -> str:
        named = {"LaunchTemplateId": template["LaunchTemplateId"]}
        version = find_version(self.ec2, named, template.get("Version", "$Default"))
        return str(version.data.get("InstanceType", ""))

    def _join(
        self,
        group: Group,
        market: Market,
        order: Order,
        instances: Sequence[Instance],
        cause: str,
    ) -> None:
        version = order.template
        assert version is not None
        template = {
            "LaunchTemplateId": version.template.id,
            "LaunchTemplateName": version.template.name,
            "Version": str(version.number),
        }
        protected = group.settings["NewInstancesProtectedFromScaleIn"]
        launched = []
        for instance in instances:
            member = Member(instance, market, template, protected, WORLD.clock())
            activity = Activity(
                group,
                "Launch",
                f"Launching a new EC2 instance: {instance.id}",
                cause,
                {
                    "Subnet ID": group.places[member.zone],
                    "Availability Zone": member.zone,
                },
                instance.id,
            )
            group.members.append(member)
            self.member_of[instance.id] = (group, member)
            self.activities.append(activity)
            launched.append((member, activity))
        WORLD.later(WORLD.durations.instance_boot, partial(self.in_service, group, launched))

    def _cause(self, group: Group, count: int) -> str:
        """Wording: EC2 Auto Scaling user guide, "Verify a scaling activity for an Auto Scaling
        group"."""
        here = len(group.staying())
        started = (
            f"At {iso(WORLD.clock())} an instance was started in response to a difference between "
            f"desired and actual capacity, increasing the capacity from {here} to {here + count}."
        )
        causes = "  ".join([*group.causes, started])
        group.causes.clear()
        return causes[:1023]

    def _tell(self, group: Group, market: Market, count: int, failures: Sequence[Failure]) -> None:
        """Let CloudTrail tell of the refusals. A group with a policy launches through fleets, as
        its status messages show; others call RunInstances. What the pocket account cannot play
        is no call that AWS made."""
        failures = [each for each in failures if each.refusal.code != "UnsupportedByPocketAccount"]
        if not failures:
            return
        model = get_service_model("ec2")
        if group.policy is None:
            told = {str(each.refusal.code): each for each in failures}
            for failure in told.values():
                parameters = {**failure.parameters, "MinCount": 1, "MaxCount": count}
                error = (str(failure.refusal.code), str(failure.refusal.message))
                self._tell_call(model.operation_model("RunInstances"), parameters, error=error)
            return
        configs: dict[str, dict[str, Any]] = {}
        errors = []
        for failure in failures:
            template_id = failure.template["LaunchTemplateId"]
            specification = {
                "LaunchTemplateId": template_id,
                "Version": failure.template.get("Version", "$Default"),
            }
            override = {
                "InstanceType": failure.instance_type,
                "SubnetId": failure.subnet,
                "AvailabilityZone": failure.zone,
            }
            config = configs.setdefault(
                template_id, {"LaunchTemplateSpecification": specification, "Overrides": []}
            )
            config["Overrides"].append(override)
            errors.append(
                {
                    "LaunchTemplateAndOverrides": {
                        "LaunchTemplateSpecification": specification,
                        "Overrides": override,
                    },
                    "Lifecycle": market,
                    "ErrorCode": str(failure.refusal.code),
                    "ErrorMessage": str(failure.refusal.message),
                }
            )
        capacity = {"TotalTargetCapacity": count, "DefaultTargetCapacityType": market}
        request = {
            "Type": "instant",
            "LaunchTemplateConfigs": list(configs.values()),
            "TargetCapacitySpecification": capacity,
        }
        answer = {"FleetId": random_fleet_id(), "Errors": errors, "Instances": []}
        self._tell_call(model.operation_model("CreateFleet"), request, answer=answer)

    def _tell_call(self, operation: Any, parameters: Mapping[str, Any], **outcome: Any) -> None:
        cloudtrail.tell(
            cloudtrail.Call(
                operation,
                parameters,
                self.account_id,
                self.region_name,
                str(uuid.uuid4()),
                invoked_by=OURS,
                **outcome,
            )
        )


def _shares(staying: Mapping[str, int], zones: Sequence[str], count: int) -> dict[str, int]:
    """How many of `count` instances each zone gets, so that all have as alike many as can be."""
    shares = dict.fromkeys(zones, 0)
    for _ in range(count):
        shares[min(zones, key=lambda zone: staying.get(zone, 0) + shares[zone])] += 1
    return {zone: share for zone, share in shares.items() if share}


def _status_message(group: Group, market: Market, failures: Sequence[Failure]) -> str:
    """Why nothing was launched.

    Texts: github.com/aws/aws-parallelcluster/issues/1115 and github.com/kubernetes/kops/pull/15778
    (a plain group), github.com/cortexlabs/cortex/issues/1258 (a policy, one pool),
    github.com/buildkite/elastic-ci-stack-for-aws/issues/851 (a policy, no Spot in any pool).
    """
    refusal = failures[-1].refusal
    code, message = str(refusal.code), str(refusal.message)
    if group.policy is not None:
        codes = {str(each.refusal.code) for each in failures}
        if market == "spot" and len(failures) > 1 and codes == {"InsufficientInstanceCapacity"}:
            code = "UnfulfillableCapacity"
            message = (
                "Unable to fulfill capacity due to your request configuration. Please adjust your "
                "request and try again."
            )
        message = f"Could not launch {KINDS[market]} Instances. {code} - {message}"
    return f"{message.rstrip('.')}. Launching EC2 instance failed."
