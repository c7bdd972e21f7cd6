"""What EC2 sells: instance types, where they are offered, and which quota each counts against."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

Market = Literal["on-demand", "spot"]
MARKETS: tuple[Market, ...] = ("on-demand", "spot")

STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
GROUPS: Mapping[str, str] = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), STANDARD),
    **dict.fromkeys(("g", "gr", "vt"), "G and VT"),
    "p": "P",
    "inf": "Inf",
    "trn": "Trn",
    "dl": "DL",
    "f": "F",
    "x": "X",
    "u": "High Memory",
    "hpc": "HPC",
}
"""The group of quotas each series of instance types belongs to (EC2 user guide, "On-Demand
Instance quotas" and "Spot Instance quotas"). Mac instances have none: they run on Dedicated
Hosts."""


def known(instance_type: str) -> bool:
    """Whether EC2 has such an instance type."""
    return instance_type in INSTANCE_TYPES


def described(instance_type: str) -> dict[str, Any]:
    """What DescribeInstanceTypes says of it."""
    data: Mapping[str, Any] = INSTANCE_TYPES[instance_type]
    return {name: value for name, value in data.items() if name != "SupportedInRegion"}


def vcpus(instance_type: str) -> int:
    """Its default number of vCPUs, which quotas count."""
    return int(INSTANCE_TYPES[instance_type]["VCpuInfo"]["DefaultVCpus"])


def supports(instance_type: str, market: Market) -> bool:
    """Whether it is sold in that market: High Memory and HPC instances are On-Demand only."""
    return market in INSTANCE_TYPES[instance_type]["SupportedUsageClasses"]


def quota_name(instance_type: str, market: Market) -> str | None:
    """The name of the vCPU quota that an instance counts against; None where there is none.

    P5 Spot Instances, and the newer ones of the series, count against a quota of their own: the
    other is named "All P4, P3 and P2 Spot Instance Requests" (AWS General Reference, "Amazon EC2
    endpoints and quotas").
    """
    found = re.match(r"([a-z]+)-?(\d*)", instance_type)
    series, generation = (found[1], found[2]) if found else ("", "")
    group = GROUPS.get(series)
    if group is None:
        return None
    if market == "on-demand":
        return f"Running On-Demand {group} instances"
    if group in ("High Memory", "HPC"):
        return None
    if group == "P":
        group = "P5" if int(generation) >= 5 else "P4, P3 and P2"
    return f"All {group} Spot Instance Requests"


def zones(region: str, instance_type: str) -> list[str]:
    """The Availability Zones of a Region that offer it, in the alphabet's order."""
    return list(region_types(region).get(instance_type, ()))


@cache
def region_types(region: str) -> Mapping[str, tuple[str, ...]]:
    """The instance types that a Region offers, each with its Availability Zones."""
    found: dict[str, set[str]] = {}
    offerings: Any = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, [])
    for each in offerings:
        found.setdefault(each["InstanceType"], set()).add(each["Location"])
    return {name: tuple(sorted(places)) for name, places in found.items()}
