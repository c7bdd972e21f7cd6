"""What is to be launched: the request and its launch template, put together and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplateVersion

from local.cloud.ec2 import catalogue
from local.cloud.ec2.catalogue import Market
from local.cloud.seam import Refusal

UNSUPPORTED = (
    "The requested configuration is currently not supported. Please check the documentation for "
    "supported configurations."
)
PARTS = frozenset(
    {
        *("BlockDeviceMappings", "DisableApiStop", "DisableApiTermination", "EbsOptimized"),
        *("IamInstanceProfile", "ImageId", "InstanceInitiatedShutdownBehavior"),
        *("InstanceMarketOptions", "InstanceType", "KeyName", "MetadataOptions", "Monitoring"),
        *("NetworkInterfaces", "Placement", "SecurityGroupIds", "SecurityGroups", "SubnetId"),
        *("TagSpecifications", "UserData"),
    }
)
"""What of a launch is simulated; the same names in RunInstances and in launch templates."""


@dataclass(frozen=True)
class Order:
    """Instances to launch. `zone` is the Availability Zone asked for, None where EC2 chooses;
    `parts` all parameters, the template's included."""

    instance_type: str
    market: Market
    zone: str | None
    parts: Mapping[str, Any]
    template: LaunchTemplateVersion | None = None

    def tags(self, resource_type: str) -> dict[str, str]:
        """The tags for one kind of resource that the launch makes."""
        return {
            tag["Key"]: tag.get("Value", "")
            for spec in self.parts.get("TagSpecifications", ())
            if spec["ResourceType"] == resource_type
            for tag in spec.get("Tags", ())
        }

    @property
    def spot(self) -> Mapping[str, Any]:
        """`SpotOptions` of the request."""
        options: Mapping[str, Any] = self.parts.get("InstanceMarketOptions", {})
        found: Mapping[str, Any] = options.get("SpotOptions", {})
        return found

    @property
    def volume_type(self) -> str:
        """The type of the first volume; gp2 where nothing is said, as EC2 has it."""
        for mapping in self.parts.get("BlockDeviceMappings", ()):
            return str(mapping.get("Ebs", {}).get("VolumeType", "gp2"))
        return "gp2"


@dataclass
class Orders:
    """Reads requests of one account and Region."""

    backend: EC2Backend = field(repr=False)

    def read(self, parameters: Mapping[str, Any], *, market: Market | None = None) -> Order:
        """The order that RunInstances parameters mean. Without `market` they tell it themselves.

        The request's parameters take the place of the template's; tags are put together (EC2 user
        guide, "Launch instances from a launch template"). Refuses what EC2 refuses before it
        looks at quotas and capacity.
        """
        version = self._template(parameters.get("LaunchTemplate"))
        parts = _put_together(version.data if version else {}, parameters)
        if strange := parts.keys() - PARTS:
            raise unsimulated(", ".join(sorted(strange)))
        instance_type = parts.get("InstanceType", "m1.small")
        if not catalogue.known(instance_type):
            raise Refusal(
                "InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType."
            )
        sold = market or _market(parts.get("InstanceMarketOptions"))
        image = parts.get("ImageId")
        if not image:
            raise Refusal("MissingParameter", "The request must contain the parameter ImageId")
        self.backend.describe_images(ami_ids=[image])
        zone = self._zone(parts)
        self._check_offered(instance_type, sold, zone)
        return Order(instance_type, sold, zone, parts, version)

    def _template(self, wanted: Mapping[str, Any] | None) -> LaunchTemplateVersion | None:
        if wanted is None:
            return None
        return find_version(self.backend, wanted, wanted.get("Version", "$Default"))

    def _zone(self, parts: Mapping[str, Any]) -> str | None:
        """The zone of the subnet, or the one asked for."""
        interfaces = parts.get("NetworkInterfaces", ())
        subnet_id = parts.get("SubnetId")
        if interfaces and (subnet_id or parts.get("SecurityGroupIds")):
            what = "subnet ID" if subnet_id else "security groups"
            raise Refusal(
                "InvalidParameterCombination",
                f"Network interfaces and an instance-level {what} may not be specified on the "
                "same request",
            )
        for interface in interfaces:
            subnet_id = subnet_id or interface.get("SubnetId")
        placement = parts.get("Placement", {})
        if strange := placement.keys() - {"AvailabilityZone", "Tenancy"}:
            raise unsimulated(", ".join(f"Placement.{name}" for name in sorted(strange)))
        if placement.get("Tenancy", "default") != "default":
            raise unsimulated(f"the tenancy {placement['Tenancy']}")
        asked: str | None = placement.get("AvailabilityZone")
        if asked is not None and self.backend.get_zone_by_name(asked) is None:
            raise Refusal("InvalidParameterValue", f"Invalid availability zone: [{asked}]")
        if subnet_id is None:
            return asked
        zone: str = self.backend.get_subnet(subnet_id).availability_zone
        if asked not in (None, zone):
            raise Refusal(
                "InvalidParameterValue",
                f"The subnet '{subnet_id}' is not in the Availability Zone '{asked}'.",
            )
        return zone

    def _check_offered(self, instance_type: str, market: Market, zone: str | None) -> None:
        """Texts: github.com/skyplane-project/skyplane/issues/172 (zone),
        github.com/hashicorp/terraform-provider-aws/issues/9113 (Region)."""
        offered = catalogue.zones(self.backend.region_name, instance_type)
        if not offered or not catalogue.supports(instance_type, market):
            raise Refusal("Unsupported", UNSUPPORTED)
        if catalogue.quota_name(instance_type, market) is None:
            raise unsimulated(f"{instance_type}, which runs on Dedicated Hosts,")
        if zone is not None and zone not in offered:
            raise Refusal(
                "Unsupported",
                f"Your requested instance type ({instance_type}) is not supported in your "
                f"requested Availability Zone ({zone}). Please retry your request by not "
                f"specifying an Availability Zone or choosing {', '.join(offered)}.",
            )


def unsimulated(what: str) -> Refusal:
    """A valid request that the pocket account cannot play."""
    return Refusal(
        "UnsupportedByPocketAccount",
        f"The pocket account does not simulate {what} when instances are launched.",
    )


def find_version(
    backend: EC2Backend, template: Mapping[str, Any], version: str
) -> LaunchTemplateVersion:
    """A template's version by its number, `$Latest` or `$Default`, or EC2's refusal."""
    name, template_id = template.get("LaunchTemplateName"), template.get("LaunchTemplateId")
    if (name is None) == (template_id is None):
        raise Refusal(
            "InvalidParameterCombination",
            "Either the launch template ID or the launch template name must be specified, but not "
            "both.",
        )
    found = (
        backend.get_launch_template(template_id)
        if template_id is not None
        else backend.get_launch_template_by_name(str(name))
    )
    number = {
        "$Latest": found.latest_version_number,
        "$Default": found.default_version_number,
    }.get(version, version)
    for each in found.versions:
        if str(each.number) == str(number):
            return each
    raise Refusal(
        "InvalidLaunchTemplateId.VersionNotFound",
        f"Could not find the specified version {version} for the launch template with ID "
        f"{found.id}.",
    )


def _put_together(template: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    parts = {**template, **request}
    parts.pop("LaunchTemplate", None)
    both: Sequence[Any] = (
        *template.get("TagSpecifications", ()),
        *request.get("TagSpecifications", ()),
    )
    if both:
        parts["TagSpecifications"] = list(both)
    return parts


def _market(options: Mapping[str, Any] | None) -> Market:
    match (options or {}).get("MarketType"):
        case "spot":
            return "spot"
        case None if options and "SpotOptions" in options:
            raise Refusal("MissingParameter", "The request must contain the parameter MarketType")
        case None:
            return "on-demand"
        case other:
            raise unsimulated(f"the market {other}")
