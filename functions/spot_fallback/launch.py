"""What RunInstances is asked for an On-Demand twin: the instance's launch template, and what the
instance has by itself. Pure.

A launch template that asks for Spot cannot be told to be On-Demand, so its data is passed part by
part. The members are those of ResponseLaunchTemplateData and RunInstancesRequest in the botocore
model of EC2, 2016-11-15.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

KEPT = (
    "BlockDeviceMappings",
    "CapacityReservationSpecification",
    "CpuOptions",
    "CreditSpecification",
    "DisableApiStop",
    "DisableApiTermination",
    "EbsOptimized",
    "ElasticInferenceAccelerators",
    "EnclaveOptions",
    "HibernationOptions",
    "IamInstanceProfile",
    "ImageId",
    "InstanceInitiatedShutdownBehavior",
    "InstanceType",
    "KernelId",
    "KeyName",
    "LicenseSpecifications",
    "MaintenanceOptions",
    "MetadataOptions",
    "Monitoring",
    "NetworkInterfaces",
    "NetworkPerformanceOptions",
    "Placement",
    "PrivateDnsNameOptions",
    "SecondaryInterfaces",
    "SecurityGroupIds",
    "TagSpecifications",
    "UserData",
)
"""What a template's data and a request share, by name and meaning."""

LEFT = (
    "ElasticGpuSpecifications",  # Elastic Graphics has ended
    "InstanceMarketOptions",  # the twin is On-Demand
    "InstanceRequirements",  # the type is the instance's
    "Operator",  # says who manages an instance, which whoever launches cannot be told to be
    "RamDiskId",  # goes with kernels that no current type boots
    "SecurityGroups",  # names: the groups are passed by ID
)
"""What of a template's data is not passed."""

UNSHARED = {
    "Ipv4Prefixes": "Ipv4PrefixCount",
    "Ipv6Addresses": "Ipv6AddressCount",
    "Ipv6Prefixes": "Ipv6PrefixCount",
    "PrivateIpAddresses": "SecondaryPrivateIpAddressCount",
}
"""Addresses that two instances cannot have at once; as many others are asked for."""

_APART = frozenset(
    {"InstanceMarketOptions", "InstanceRequirements", "NetworkInterfaces", "SecondaryInterfaces"}
    | {"Operator", "SecurityGroups", "TagSpecifications"}
)
"""A template with one of these is passed in parts: what it says could not be told otherwise in a
request, or how the two are put together is not documented (EC2 API reference, RunInstances)."""

_OWN = ("ImageId", "InstanceType", "KeyName", "SubnetId")


def likeness(description: Mapping[str, Any]) -> dict[str, Any]:
    """What a twin has from the instance itself rather than from the template: parameters of
    RunInstances as plain data, and under "Interfaces" the subnet and groups of each interface.

    EC2 no longer tells most of it once the instance is terminated. Tags that begin with aws: are
    AWS's own and cannot be set (EC2 user guide, "Tag your Amazon EC2 resources").
    """
    found = {name: description[name] for name in _OWN if description.get(name)}
    if groups := [each["GroupId"] for each in description.get("SecurityGroups", ())]:
        found["SecurityGroupIds"] = groups
    if profile := description.get("IamInstanceProfile"):
        found["IamInstanceProfile"] = {"Arn": profile["Arn"]}
    found["Interfaces"] = [
        {
            "DeviceIndex": each["Attachment"]["DeviceIndex"],
            "NetworkCardIndex": each["Attachment"].get("NetworkCardIndex", 0),
            "SubnetId": each["SubnetId"],
            "Groups": [group["GroupId"] for group in each.get("Groups", ())],
        }
        for each in description.get("NetworkInterfaces", ())
        if "Attachment" in each
    ]
    found["Tags"] = [
        {"Key": each["Key"], "Value": each["Value"]}
        for each in description.get("Tags", ())
        if not each["Key"].startswith("aws:")
    ]
    return found


def has_place(template: Mapping[str, Any], like: Mapping[str, Any]) -> bool:
    """Whether it is known in which subnet a twin belongs."""
    interfaces = template.get("NetworkInterfaces", ())
    return "SubnetId" in like or any("SubnetId" in each for each in interfaces)


def request(
    version: Mapping[str, str], template: Mapping[str, Any], like: Mapping[str, Any], token: str
) -> dict[str, Any]:
    """Parameters of RunInstances, the same each time for the same arguments.

    version: {"LaunchTemplateId", "Version"}. template: that version's data. like: of `likeness`.
    """
    template = {name: part for name, part in template.items() if part not in ([], {}, "")}
    own = {name: like[name] for name in like if name not in ("Interfaces", "Tags")}
    tags = [{"ResourceType": "instance", "Tags": like["Tags"]}] if like["Tags"] else []
    asked: dict[str, Any] = {"MinCount": 1, "MaxCount": 1, "ClientToken": token}
    if not template.keys() & _APART:
        return {**asked, "LaunchTemplate": dict(version), **own, "TagSpecifications": tags}
    asked |= {name: template[name] for name in KEPT if name in template} | own
    if interfaces := template.get("NetworkInterfaces"):
        # Subnet and groups belong to the interfaces where there are any (EC2 API reference,
        # RunInstances).
        asked["NetworkInterfaces"] = [_interface(each, like["Interfaces"]) for each in interfaces]
        asked.pop("SubnetId", None)
        asked.pop("SecurityGroupIds", None)
    if secondary := template.get("SecondaryInterfaces"):
        asked["SecondaryInterfaces"] = [_secondary(each) for each in secondary]
    if "MetadataOptions" in template:
        options = template["MetadataOptions"]
        asked["MetadataOptions"] = {name: options[name] for name in options if name != "State"}
    if "UserData" in template:
        asked["UserData"] = base64.b64decode(template["UserData"])  # boto3 encodes it again
    asked["TagSpecifications"] = tags + [
        each
        for each in template.get("TagSpecifications", ())
        if each["ResourceType"] in ("volume", "network-interface")
    ]
    return asked


def _interface(wanted: Mapping[str, Any], had: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The template's interface, another one of its kind: where the instance has it now."""
    fixed = {*UNSHARED, "NetworkInterfaceId", "PrivateIpAddress"}
    interface = {name: wanted[name] for name in wanted if name not in fixed}
    for addresses, count in UNSHARED.items():
        further = [
            each
            for each in wanted.get(addresses, ())
            if not each.get("Primary")  # every interface has one of these anyway
        ]
        if further:
            interface[count] = len(further)
    place = wanted.get("DeviceIndex", 0), wanted.get("NetworkCardIndex", 0)
    interface.setdefault("DeviceIndex", 0)
    for each in had:
        if (each["DeviceIndex"], each["NetworkCardIndex"]) == place:
            interface |= {"SubnetId": each["SubnetId"], "Groups": list(each["Groups"])}
    return interface


def _secondary(wanted: Mapping[str, Any]) -> dict[str, Any]:
    interface = {name: wanted[name] for name in wanted if name != "PrivateIpAddresses"}
    if addresses := wanted.get("PrivateIpAddresses"):
        interface["PrivateIpAddressCount"] = len(addresses)
    return interface
