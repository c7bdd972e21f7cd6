"""Mixed instances policies: how capacity is divided between On-Demand and Spot, and updated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.ec2.catalogue import Market
from local.cloud.seam import Refusal
from local.cloud.world import WORLD

Policy = Mapping[str, Any]

DEFAULTS: Mapping[str, Any] = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
    "SpotInstancePools": 2,
}
"""What an instances distribution is when nothing is said (botocore service model,
`InstancesDistribution`)."""

STRATEGIES = {
    "OnDemandAllocationStrategy": ("lowest-price", "prioritized"),
    "SpotAllocationStrategy": (
        *("capacity-optimized", "capacity-optimized-prioritized", "lowest-price"),
        "price-capacity-optimized",
    ),
}
DIVIDED = ("OnDemandBaseCapacity", "OnDemandPercentageAboveBaseCapacity")
OVERRIDES = frozenset({"ImageId", "InstanceType", "LaunchTemplateSpecification"})


def created(given: Policy) -> dict[str, Any]:
    """The policy of a new group, or of one that had none."""
    template = given.get("LaunchTemplate", {})
    if "LaunchTemplateSpecification" not in template:
        raise invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    distribution = given.get("InstancesDistribution", {})
    return _checked(template, _defaulted(distribution))


def updated(old: Policy, given: Policy) -> dict[str, Any]:
    """The policy after an update that brings `given`.

    What a group is not told of keeps its value (botocore service model,
    `UpdateAutoScalingGroup`); whether that holds inside the policy is two switches. Naming a base
    or a percentage takes distribution segments away, as an empty list of them does (the same,
    `UpdateAutoScalingGroupType.MixedInstancesPolicy`); an empty SpotMaxPrice takes that away.
    """
    template = given.get("LaunchTemplate")
    if template is None:
        if not WORLD.switches.distribution_updates_alone:
            raise invalid(
                "Valid requests must contain either launchTemplateId or LaunchTemplateName"
            )
        template = _by_id(old["LaunchTemplate"])
    elif "LaunchTemplateSpecification" not in template:
        specification = _by_id(old["LaunchTemplate"])["LaunchTemplateSpecification"]
        template = {**template, "LaunchTemplateSpecification": specification}
    before, change = old["InstancesDistribution"], given.get("InstancesDistribution")
    if change is None:
        return _checked(template, before)
    kept = dict(before)
    if WORLD.switches.absent_distribution_fields_reset:
        kept = {
            name: before[name]
            for name in ("SpotMaxPrice", "DistributionSegments")
            if name in before
        }
    if any(name in change for name in DIVIDED):
        kept.pop("DistributionSegments", None)
    return _checked(template, _defaulted({**kept, **change}))


def on_demand(policy: Policy, capacity: int) -> int:
    """How many of `capacity` instances are On-Demand: the base, and of what is above it the
    percentage, rounded in favour of On-Demand (EC2 Auto Scaling user guide,
    "Create a mixed instances group")."""
    distribution = policy["InstancesDistribution"]
    if distribution.get("DistributionSegments"):
        return capacity
    base = min(capacity, distribution["OnDemandBaseCapacity"])
    above = capacity - base
    return int(base + -(-above * distribution["OnDemandPercentageAboveBaseCapacity"] // 100))


def target(policy: Policy, capacity: int, market: Market) -> int:
    """How many of `capacity` instances are to be of a market."""
    bought = on_demand(policy, capacity)
    return bought if market == "on-demand" else capacity - bought


def check_size(policy: Policy, max_size: int) -> None:
    """Refuse a base that the group can never have (github.com/hashicorp/
    terraform-provider-aws/issues/7938)."""
    base = policy["InstancesDistribution"].get("OnDemandBaseCapacity", 0)
    if base > max_size:
        raise invalid(
            f"Max bound, {max_size}, must be greater than or equal to OnDemandBaseCapacity, {base}."
        )


def invalid(message: str) -> Refusal:
    """How Auto Scaling refuses what makes no sense."""
    return Refusal("ValidationError", message)


def unsimulated(what: str) -> Refusal:
    """A valid request that the pocket account cannot play."""
    return Refusal(
        "UnsupportedByPocketAccount",
        f"The pocket account does not simulate {what} of Auto Scaling groups.",
    )


def _by_id(template: Mapping[str, Any]) -> dict[str, Any]:
    """The templates of a policy as a request names them: by ID alone."""
    specification = "LaunchTemplateSpecification"

    def named(holder: Mapping[str, Any]) -> dict[str, Any]:
        if specification not in holder:
            return dict(holder)
        kept = {key: value for key, value in holder[specification].items() if "Name" not in key}
        return {**holder, specification: kept}

    return {**named(template), "Overrides": [named(each) for each in template["Overrides"]]}


def _defaulted(given: Mapping[str, Any]) -> dict[str, Any]:
    """A distribution with what it does not say. Segments stand in the place of a division."""
    defaults = dict(DEFAULTS)
    if given.get("SpotAllocationStrategy", "lowest-price") != "lowest-price":
        del defaults["SpotInstancePools"]
    if given.get("DistributionSegments"):
        if any(name in given for name in DIVIDED):
            raise invalid(
                "DistributionSegments can't be specified with OnDemandBaseCapacity or "
                "OnDemandPercentageAboveBaseCapacity."
            )
        for name in DIVIDED:
            del defaults[name]
    emptied = {name for name in ("DistributionSegments", "SpotMaxPrice") if not given.get(name)}
    return {**defaults, **{name: given[name] for name in given.keys() - emptied}}


def _checked(template: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, Any]:
    for name, known in STRATEGIES.items():
        if distribution[name] not in known:
            raise invalid(f"{distribution[name]} is not a valid value for {name}.")
    if distribution.get("OnDemandBaseCapacity", 0) < 0:
        raise invalid("OnDemandBaseCapacity must be greater than or equal to 0.")
    if not 0 <= distribution.get("OnDemandPercentageAboveBaseCapacity", 0) <= 100:
        raise invalid("OnDemandPercentageAboveBaseCapacity must be between 0 and 100.")
    strategy = distribution["SpotAllocationStrategy"]
    pools = distribution.get("SpotInstancePools", 0)
    if strategy == "lowest-price" and not 1 <= pools <= 20:
        raise invalid("SpotInstancePools must be between 1 and 20.")
    if strategy != "lowest-price" and pools > 0:
        raise invalid(f"SpotInstancePools option is only available with the lowest-price strategy, not {strategy}.")  # fmt: skip
    for segment in distribution.get("DistributionSegments", ()):
        if "on-demand" not in segment["TargetCapacityTypes"]:
            raise unsimulated("distribution segments without on-demand")
    overrides = list(template.get("Overrides", ()))
    for override in overrides:
        if strange := override.keys() - OVERRIDES:
            raise unsimulated(", ".join(f"Overrides.{name}" for name in sorted(strange)))
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": template["LaunchTemplateSpecification"],
            "Overrides": overrides,
        },
        "InstancesDistribution": dict(distribution),
    }
