"""Amazon EC2: instances, quotas on their vCPUs, capacity that runs out, Spot, Capacity Blocks.

`install_ec2()` puts it in moto's place. What a scene needs besides (VPCs, images, tags) is moto's.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.ec2 import utils

from local.cloud.seam import extend, require
from local.cloud.servicequotas import meter

__all__ = ["install_ec2"]

KEPT = (
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateDefaultSubnet",
    "CreateDefaultVpc",
    "CreateKeyPair",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateVpc",
    "DeleteKeyPair",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteVpc",
    "DescribeAccountAttributes",
    "DescribeAvailabilityZones",
    "DescribeImages",
    "DescribeInstanceAttribute",
    "DescribeInstanceStatus",
    "DescribeInstanceTypeOfferings",
    "DescribeInstances",
    "DescribeInternetGateways",
    "DescribeKeyPairs",
    "DescribeNetworkInterfaces",
    "DescribeRegions",
    "DescribeRouteTables",
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "DescribeSpotInstanceRequests",
    "DescribeSubnets",
    "DescribeTags",
    "DescribeVolumes",
    "DescribeVpcAttribute",
    "DescribeVpcs",
    "DescribeVpnGateways",
    "ImportKeyPair",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
)
"""moto's operations that set a scene or look at it, and those that CDK's look-ups call."""


def install_ec2() -> None:
    """Put our EC2 in moto's place. Run it before the first call of it."""
    from local.cloud.ec2.blocks import CapacityBlocks

    require(utils, "filter_dict_attribute_mapping")
    utils.filter_dict_attribute_mapping["client-token"] = "client_token"
    extend("ec2", CapacityBlocks, keep=KEPT)
    meter("ec2", _vcpus_in_use)


def _vcpus_in_use(account_id: str, region: str) -> dict[str, float]:
    backend: Any = get_backend("ec2")[account_id][region]
    used: dict[str, float] = backend.vcpus_in_use()
    return used
