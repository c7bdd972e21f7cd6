"""Launching instances: what quotas allow, what AWS has, and in which zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance, InstanceState, Reservation, StateReason
from moto.ec2.utils import parse_user_data

from local.cloud.ec2 import catalogue
from local.cloud.ec2.capacity import Capacity, Pool
from local.cloud.ec2.catalogue import Market
from local.cloud.ec2.happenings import tell
from local.cloud.ec2.lookups import Lookups
from local.cloud.ec2.orders import Order, Orders
from local.cloud.seam import Refusal
from local.cloud.servicequotas import applied
from local.cloud.world import WORLD

PENDING, RUNNING = ("pending", 0), ("running", 16)
SHUTTING_DOWN, TERMINATED = ("shutting-down", 32), ("terminated", 48)
STOPPING, STOPPED = ("stopping", 64), ("stopped", 80)

SPOT: Market = "spot"
COUNTED = frozenset({"pending", "running"})
"""States in which an instance counts against its quota. EC2's user guide leaves pending ones out
("On-Demand Instance quotas"), yet EC2 refuses a second launch while the first still boots."""
HOLDING = COUNTED | {"stopping", "shutting-down"}
"""States in which an instance holds capacity: a stopped one gives it back (EC2 user guide,
"Troubleshoot instance launch issues", Insufficient instance capacity)."""


class Ended:
    """A terminated instance as DescribeInstances still shows it: its network is gone and forgotten
    (github.com/cloud-custodian/cloud-custodian/pull/3594)."""

    vpc_id = subnet_id = None
    private_ip_address = public_ip_address = private_ip = public_ip = None
    private_dns_name = public_dns_name = ""
    network_interfaces: tuple[()] = ()
    security_groups: tuple[()] = ()
    dynamic_group_list: tuple[()] = ()

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)


class Launches(Lookups):
    """The instances of one account and Region, and the capacity that is left for more."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.capacity = Capacity()
        self.orders = Orders(self)

    def instances(self) -> Iterator[Instance]:
        """Every instance, terminated ones included."""
        for reservation in self.reservations.values():
            yield from reservation.instances

    def describe_instances(self, filters: Any = None) -> list[Reservation]:
        return _as_shown(super().describe_instances(filters))

    def get_reservations_by_instance_ids(
        self, instance_ids: list[str], filters: Any = None
    ) -> list[Reservation]:
        return _as_shown(super().get_reservations_by_instance_ids(instance_ids, filters))

    def held(self) -> Counter[Pool]:
        """How many instances hold capacity, by pool."""
        return Counter(pool_of(each) for each in self.instances() if each.state in HOLDING)

    def vcpus_in_use(self) -> dict[str, float]:
        """How many vCPUs count against each quota, by the quota's name."""
        found: dict[str, float] = {}
        running = (each for each in self.instances() if each.state in COUNTED)
        for instance_type, market in (
            *((each.instance_type, market_of(each)) for each in running),
            *((each, SPOT) for each in self.open_spot_requests()),
        ):
            name = catalogue.quota_name(instance_type, market)
            if name is not None:
                found[name] = found.get(name, 0) + catalogue.vcpus(instance_type)
        return found

    def open_spot_requests(self) -> Iterator[str]:
        """The instance type of each Spot request that waits for capacity."""
        return iter(())

    def launch(
        self, order: Order, minimum: int, maximum: int, *, client_token: str = ""
    ) -> Reservation:
        """Launch as many instances as quota and capacity allow, from `minimum` to `maximum`, all in
        one zone, or refuse. Quotas come first: they are the account's, capacity is AWS's.

        Source: botocore service model, `RunInstances`: MaxCount "launches the largest possible
        number of instances above MinCount", MinCount "does not launch any instances".
        """
        allowed = self._allowed(order, minimum)
        zone, room = self._choose_zone(order, minimum)
        count = int(min(maximum, allowed, room))
        return self._make(order, zone, count, client_token)

    def check_start(self, instance: Instance) -> None:
        """Refuse to start a stopped instance when quota or capacity lacks."""
        pool = pool_of(instance)
        order = Order(instance.instance_type, pool.market, pool.zone, {})
        self._allowed(order, 1)
        self._choose_zone(order, 1)

    def end(self, instance: Instance, reason: str, message: str) -> None:
        """Terminate an instance: it shuts down, then is gone. `reason` is its state reason's code,
        such as Client.UserInitiatedShutdown or Server.SpotInstanceTermination."""

        def gone() -> None:
            instance.terminate()
            instance.state_reason = StateReason(message, reason)

        set_state(instance, SHUTTING_DOWN)
        instance.state_reason = StateReason(message, reason)
        WORLD.later(WORLD.durations.instance_stop, gone)
        tell(self.account_id, self.region_name, instance, "ended")

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """What the Resource Groups Tagging API finds here: what has or had a tag."""
        for resource in super().iter_tagged_resources():
            if resource.arn.rsplit("/", 1)[-1] in self.tags:
                yield resource

    def _allowed(self, order: Order, minimum: int) -> int:
        """How many such instances the quota allows; refused when fewer than `minimum`. Texts: EC2
        API reference, "Error codes for the Amazon EC2 API", and users' reports
        (github.com/aws/karpenter-provider-aws/issues/1556 for Spot)."""
        name = catalogue.quota_name(order.instance_type, order.market)
        assert name is not None  # an order without a quota is not simulated
        try:
            limit = applied(self.account_id, self.region_name, "ec2", name)
        except KeyError:
            # The account was given a catalogue without this quota: nothing limits it.
            return 2**31
        free = limit - self.vcpus_in_use().get(name, 0)
        allowed = max(0, int(free // catalogue.vcpus(order.instance_type)))
        if allowed >= minimum:
            return allowed
        if order.market == "spot":
            raise Refusal("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        raise Refusal(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {limit:.0f} "
            "allows for the instance bucket that the specified instance type belongs to. Please "
            "visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this "
            "limit.",
        )

    def _choose_zone(self, order: Order, minimum: int) -> tuple[str, float]:
        """The zone to launch in and how many instances it has left, or the refusal. Without one
        asked for EC2 takes the default subnet's zone that has most left."""
        held = self.held()
        room = {
            zone: self.capacity.room(Pool(order.instance_type, zone, order.market), held)
            for zone in catalogue.zones(self.region_name, order.instance_type)
        }
        usable = (
            [order.zone] if order.zone else [z for z in room if z in self.get_default_subnets()]
        )
        enough = [zone for zone in usable if room[zone] >= minimum]
        if enough:
            best = max(enough, key=lambda zone: room[zone])
            return best, room[best]
        raise self._no_capacity(order, [zone for zone in room if room[zone] >= minimum])

    def _no_capacity(self, order: Order, others: list[str]) -> Refusal:
        """Texts: github.com/aws/aws-parallelcluster-node/pull/604 (zone, with hints),
        github.com/fedora-copr/copr/issues/3279 (no zone asked),
        github.com/osbuild/osbuild-composer/pull/4507 (Spot)."""
        code = "InsufficientInstanceCapacity"
        if order.market == "spot":
            return Refusal(code, "There is no Spot capacity available that matches your request.")
        kind = order.instance_type
        where = (
            f"in the Availability Zone you requested ({order.zone})"
            if order.zone
            else f"in zones with support for '{order.volume_type}' volumes"
        )
        hint = (
            f" You can currently get {kind} capacity by not specifying an Availability Zone in "
            f"your request or choosing {', '.join(others)}."
            if order.zone and others
            else ""
        )
        return Refusal(
            code,
            f"We currently do not have sufficient {kind} capacity {where}. Our system will be "
            f"working on provisioning additional capacity.{hint}",
        )

    def _make(self, order: Order, zone: str, count: int, client_token: str) -> Reservation:
        parts = order.parts
        mappings = [each for each in parts.get("BlockDeviceMappings", ()) if "Ebs" in each]
        interfaces = parts.get("NetworkInterfaces", ())
        subnet = parts.get("SubnetId")
        if subnet is None and not any("SubnetId" in each for each in interfaces):
            subnet = self._default_subnet(zone)
        reservation = EC2Backend.run_instances(
            self,
            parts["ImageId"],
            count,
            parse_user_data(parts.get("UserData")),
            parts.get("SecurityGroups", []),
            **({"block_device_mappings": mappings} if mappings else {}),
            instance_type=order.instance_type,
            is_instance_type_default=False,
            region_name=self.region_name,
            subnet_id=subnet,
            associate_public_ip=None,
            nics=interfaces,
            key_name=parts.get("KeyName"),
            security_group_ids=list(parts.get("SecurityGroupIds", ())),
            tags={kind: order.tags(kind) for kind in ("instance", "volume")},
            ebs_optimized=parts.get("EbsOptimized", False),
            disable_api_stop=parts.get("DisableApiStop", False),
            disable_api_termination=parts.get("DisableApiTermination", False),
            instance_initiated_shutdown_behavior=parts.get("InstanceInitiatedShutdownBehavior"),
            iam_instance_profile=self._profile(parts.get("IamInstanceProfile")),
            metadata_options=parts.get("MetadataOptions", {}),
            monitoring_state=(
                "enabled" if parts.get("Monitoring", {}).get("Enabled") else "disabled"
            ),
            lifecycle="spot" if order.market == "spot" else None,
            client_token=client_token,
        )
        for instance in reservation.instances:
            if order.template is not None:
                instance.add_tags(
                    {
                        "aws:ec2launchtemplate:id": order.template.template.id,
                        "aws:ec2launchtemplate:version": str(order.template.number),
                    }
                )
            boot(instance)
        return reservation

    def _default_subnet(self, zone: str) -> str:
        subnet = self.get_default_subnets().get(zone)
        if subnet is None:
            raise Refusal(
                "MissingInput",
                f"No default subnet for availability zone: '{zone}'. Please specify a subnet.",
            )
        found: str = subnet.id
        return found

    def _profile(self, wanted: Mapping[str, Any] | None) -> dict[str, str] | None:
        if wanted is None:
            return None
        place = f"arn:{self.partition}:iam::{self.account_id}:instance-profile"
        return {"Arn": wanted.get("Arn") or f"{place}/{wanted['Name']}"}


def _as_shown(reservations: list[Reservation]) -> list[Reservation]:
    """moto's copies of reservations, as they are before they are answered."""
    for each in reservations:
        shown: list[Any] = [
            Ended(instance) if instance.state == "terminated" else instance
            for instance in each.instances
        ]
        each.instances = shown
    return reservations


def boot(instance: Instance) -> None:
    """Let an instance be pending until it runs."""

    def run() -> None:
        if instance.state == "pending":
            set_state(instance, RUNNING)

    set_state(instance, PENDING)
    WORLD.later(WORLD.durations.instance_boot, run)


def set_state(instance: Instance, state: tuple[str, int]) -> None:
    """Put an instance in one of the states above."""
    instance._state = InstanceState(*state)


def market_of(instance: Instance) -> Market:
    """The market an instance was bought in."""
    return "spot" if instance.lifecycle == "spot" else "on-demand"


def pool_of(instance: Instance) -> Pool:
    """The pool an instance is from."""
    return Pool(instance.instance_type, str(instance.availability_zone), market_of(instance))
