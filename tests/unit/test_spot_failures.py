"""What the text of a failed launch says: no capacity, no quota, a mistake, or nothing."""

from __future__ import annotations

import pytest

from functions.spot_fallback.failures import Kind, kind, market_in
from functions.spot_fallback.observation import Market
from tests.unit.groups import NO_ON_DEMAND, NO_SPOT, failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NO_SPOT, "capacity"),
        (NO_ON_DEMAND, "capacity"),
        ("UnfulfillableCapacity - due to your request configuration; invalid", "capacity"),
        ("We currently do not have sufficient m5.large capacity in the zone", "capacity"),
        ("SpotMaxPriceTooLow - Your Spot request price is lower than required", "capacity"),
        ("InsufficientFreeAddressesInSubnet - Not enough free addresses", "capacity"),
        ("Unsupported - Your requested instance type is not there", "capacity"),
        ("Could not launch Spot Instances: capacity is out", "capacity"),
        ("MaxSpotInstanceCountExceeded - Max spot instance count exceeded", "quota"),
        ("You have requested more vCPU capacity than your current vCPU limit of 0", "quota"),
        ("VcpuLimitExceeded - InsufficientInstanceCapacity", "quota"),
        ("RequestLimitExceeded - Request limit exceeded.", "throttle"),
        ("ThrottlingException - Rate exceeded", "throttle"),
        ("InvalidParameterValue - Invalid IAM Instance Profile name", "configuration"),
        ("InvalidLaunchTemplateId.NotFound - gone", "configuration"),
        ("UnauthorizedOperation - You are not authorized to perform this", "configuration"),
        ("AuthFailure.ServiceLinkedRoleCreationNotPermitted - no", "configuration"),
        ("The security group 'sg-1' does not exist in VPC 'vpc-1'", "configuration"),
        ("no reason given", "unknown"),
        ("Could not launch Spot Instances: odd", "unknown"),
        ("capacity of another kind", "unknown"),
    ],
)
def test_the_kind_of_a_failure(text: str, expected: Kind) -> None:
    assert kind(failed(market=market_in(text), text=text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NO_SPOT, "spot"),
        (NO_ON_DEMAND, "on-demand"),
        ("MaxSpotInstanceCountExceeded", "spot"),
        ("VcpuLimitExceeded - more vCPU", "on-demand"),
        ("Could not launch Spot Instances. VcpuLimitExceeded", "spot"),
        ("neither Spot nor On-Demand", None),
        ("no reason given", None),
    ],
)
def test_the_market_of_a_failure(text: str, expected: Market | None) -> None:
    assert market_in(text) == expected
