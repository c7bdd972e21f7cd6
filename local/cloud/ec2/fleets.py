"""CreateFleet of the type `instant`: one call, many pools, and its errors inside the answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.utils import random_fleet_id

from local.cloud.ec2 import catalogue
from local.cloud.ec2.capacity import Pool
from local.cloud.ec2.catalogue import Market
from local.cloud.ec2.instances import DRY_RUN, Instances
from local.cloud.ec2.orders import find_version, unsimulated
from local.cloud.seam import Refusal, operation

OVERRIDES = frozenset(
    {
        *("AvailabilityZone", "ImageId", "InstanceType", "MaxPrice", "Priority", "SubnetId"),
        "WeightedCapacity",
    }
)
MOST_FREE = frozenset(
    {"capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized"}
)


@dataclass(frozen=True)
class Candidate:
    """One launch template with one override: where the fleet may launch."""

    version: LaunchTemplateVersion
    override: Mapping[str, Any]

    @property
    def weight(self) -> float:
        return float(self.override.get("WeightedCapacity", 1))

    @property
    def shown(self) -> dict[str, Any]:
        """`LaunchTemplateAndOverrides`; a version by its number, whatever was asked."""
        specification = {
            "LaunchTemplateId": self.version.template.id,
            "Version": str(self.version.number),
        }
        shown: dict[str, Any] = {"LaunchTemplateSpecification": specification}
        if self.override:
            shown["Overrides"] = dict(self.override)
        return shown


@dataclass(frozen=True)
class Outcome:
    """What a fleet got, as its answer shows it."""

    instances: Sequence[dict[str, Any]] = ()
    errors: Sequence[dict[str, Any]] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome((*self.instances, *other.instances), (*self.errors, *other.errors))


class Fleets(Instances):
    """EC2 Fleets of one account and Region."""

    @operation
    def create_fleet(  # type: ignore[override]
        self,
        launch_template_configs: Sequence[Mapping[str, Any]],
        target_capacity_specification: Mapping[str, Any],
        type: str = "maintain",
        spot_options: Mapping[str, Any] | None = None,
        on_demand_options: Mapping[str, Any] | None = None,
        tag_specifications: Sequence[Mapping[str, Any]] = (),
        client_token: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Launch what can be had at once, On-Demand and Spot.

        A pool that could not be launched from has its error in `Errors`, the call itself succeeds
        (EC2 user guide, "Configure an EC2 Fleet of type instant"). Nothing has a price here:
        where a strategy goes by price, pools are taken in the order given.
        """
        if type != "instant":
            raise unsimulated(f"a fleet of the type {type}")
        if dry_run:
            raise Refusal("DryRunOperation", DRY_RUN)
        asked = [
            launch_template_configs,
            target_capacity_specification,
            spot_options,
            on_demand_options,
            tag_specifications,
        ]
        key = f"CreateFleet {client_token}" if client_token else None
        earlier: dict[str, Any] | None = self.tokens.earlier(key, asked)
        if earlier is not None:
            return earlier
        candidates = list(self._candidates(launch_template_configs))
        outcome = Outcome()
        for market, target, options in (
            ("on-demand", *_target("OnDemand", target_capacity_specification, on_demand_options)),
            ("spot", *_target("Spot", target_capacity_specification, spot_options)),
        ):
            sold: Market = "spot" if market == "spot" else "on-demand"
            ordered = self._ordered(candidates, sold, options.get("AllocationStrategy", ""))
            outcome += self._fill(ordered, sold, target, options, tag_specifications)
        answer = {
            "FleetId": random_fleet_id(),
            "Errors": list(outcome.errors),
            "Instances": list(outcome.instances),
        }
        self.tokens.keep(key, answer)
        return answer

    def _candidates(self, configs: Sequence[Mapping[str, Any]]) -> Iterator[Candidate]:
        for config in configs:
            named = dict(config.get("LaunchTemplateSpecification", {}))
            number = named.pop("Version", None)
            if number is None:
                raise Refusal(
                    "MissingParameter",
                    "The request must contain the parameter LaunchTemplateSpecification.Version",
                )
            version = find_version(self, named, number)
            nothing: Mapping[str, Any] = {}
            for override in config.get("Overrides") or (nothing,):
                if strange := override.keys() - OVERRIDES:
                    raise unsimulated(", ".join(f"Overrides.{name}" for name in sorted(strange)))
                yield Candidate(version, override)

    def _ordered(
        self, candidates: Sequence[Candidate], market: Market, strategy: str
    ) -> Sequence[Candidate]:
        """The pools in the order a strategy takes them. The lowest Priority goes first; capacity
        goes before it for Spot (botocore service model, `SpotAllocationStrategy`)."""
        ordered = list(candidates)
        if "prioritized" in strategy:
            ordered.sort(key=lambda each: float(each.override.get("Priority", math.inf)))
        if market == "spot" and strategy in MOST_FREE:
            ordered.sort(key=lambda each: -self._free(each))
        return ordered

    def _free(self, candidate: Candidate) -> float:
        held = self.held()
        parameters = {**candidate.version.data, **candidate.override}
        kind = parameters.get("InstanceType", "")
        zone = parameters.get("AvailabilityZone")
        if zone is None and "SubnetId" in parameters:
            zone = self.get_subnet(parameters["SubnetId"]).availability_zone
        zones = [zone] if zone else catalogue.zones(self.region_name, kind)
        return max(
            (self.capacity.room(Pool(kind, each, "spot"), held) for each in zones), default=0
        )

    def _fill(
        self,
        candidates: Sequence[Candidate],
        market: Market,
        target: float,
        options: Mapping[str, Any],
        tags: Sequence[Mapping[str, Any]],
    ) -> Outcome:
        """Launch in one market until the target is met or no pool has more."""
        outcome = Outcome()
        diversified = options.get("AllocationStrategy") == "diversified"
        waiting, served = list(candidates), list[Candidate]()
        while target > 0 and waiting:
            candidate = waiting.pop(0)
            share = target / (len(waiting) + 1) if diversified else target
            count = math.ceil(share / candidate.weight)
            try:
                launched = self._launch(candidate, market, count, options, tags)
            except ServiceException as refusal:
                if refusal.code == "UnsupportedByPocketAccount":
                    raise
                outcome += Outcome(errors=[_error(candidate, market, refusal)])
            else:
                outcome += Outcome(instances=[_launched(candidate, market, launched)])
                target -= len(launched) * candidate.weight
                # A pool that gave less than it was asked for is asked again, and says why.
                (waiting if len(launched) < count else served).insert(0, candidate)
            if diversified and not waiting:
                waiting, served = served, []
        return outcome

    def _launch(
        self,
        candidate: Candidate,
        market: Market,
        count: int,
        options: Mapping[str, Any],
        tags: Sequence[Mapping[str, Any]],
    ) -> list[Any]:
        override = dict(candidate.override)
        parameters: dict[str, Any] = {
            "LaunchTemplate": {
                "LaunchTemplateId": candidate.version.template.id,
                "Version": str(candidate.version.number),
            },
            "TagSpecifications": [each for each in tags if each["ResourceType"] != "fleet"],
            **{name: override[name] for name in ("ImageId", "InstanceType") if name in override},
        }
        if "SubnetId" in override:
            parameters["SubnetId"] = override["SubnetId"]
        if "AvailabilityZone" in override:
            parameters["Placement"] = {"AvailabilityZone": override["AvailabilityZone"]}
        order = self.orders.read(parameters, market=market)
        spot = {"InstanceInterruptionBehavior", "MaxPrice"}
        bid = {**options, **override}
        market_options = {"SpotOptions": {name: bid[name] for name in spot if name in bid}}
        order = replace(order, parts={**order.parts, "InstanceMarketOptions": market_options})
        instances: list[Any] = self.launch(order, 1, count).instances
        if market == "spot":
            self.bought(order, instances)
        return instances


def _target(
    kind: str, specification: Mapping[str, Any], options: Mapping[str, Any] | None
) -> tuple[float, Mapping[str, Any]]:
    """The capacity to get in a market, and its options. What neither market's target names goes to
    the default one (botocore service model, `TargetCapacitySpecificationRequest`)."""
    known = {"AllocationStrategy", "InstanceInterruptionBehavior"}
    if strange := (options or {}).keys() - known:
        raise unsimulated(", ".join(f"{kind}Options.{name}" for name in sorted(strange)))
    target = float(specification.get(f"{kind}TargetCapacity", 0))
    named = sum(specification.get(f"{each}TargetCapacity", 0) for each in ("OnDemand", "Spot"))
    default = specification.get("DefaultTargetCapacityType", "on-demand").replace("-", "")
    if default == kind.lower():
        target += max(0, specification["TotalTargetCapacity"] - named)
    return target, options or {}


def _launched(candidate: Candidate, market: Market, instances: Sequence[Any]) -> dict[str, Any]:
    return {
        "LaunchTemplateAndOverrides": candidate.shown,
        "Lifecycle": market,
        "InstanceIds": [each.id for each in instances],
        "InstanceType": instances[0].instance_type,
    }


def _error(candidate: Candidate, market: Market, refusal: ServiceException) -> dict[str, Any]:
    return {
        "LaunchTemplateAndOverrides": candidate.shown,
        "Lifecycle": market,
        "ErrorCode": refusal.code,
        "ErrorMessage": refusal.message,
    }
