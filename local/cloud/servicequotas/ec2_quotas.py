"""EC2's quotas on vCPUs, a bucket for each group of instance families, On-Demand and Spot.

Names and codes: AWS General Reference, Amazon EC2 endpoints and quotas; AWS's default is 5 for the
Standard buckets and 0 for the others. What this account has instead is its own: plenty of Standard
vCPUs, nothing of P and Trn. `Class` is what real accounts list where they list it (github.com,
responses of ListServiceQuotas); that of Trn, DL, HPC and P5 Spot follows the others' pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from local.cloud.servicequotas.quotas import Quota, UsageMetric

STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"

BUCKETS: Sequence[tuple[str, str, str, float, float]] = (
    (f"Running On-Demand {STANDARD} instances", "L-1216C47A", "Standard/OnDemand", 5, 5000),
    ("Running On-Demand P instances", "L-417A185B", "P/OnDemand", 0, 0),
    ("Running On-Demand G and VT instances", "L-DB2E81BA", "G/OnDemand", 0, 64),
    ("Running On-Demand Inf instances", "L-1945791B", "Inf/OnDemand", 0, 64),
    ("Running On-Demand Trn instances", "L-2C3B7624", "Trn/OnDemand", 0, 0),
    ("Running On-Demand DL instances", "L-6E869C2A", "DL/OnDemand", 0, 0),
    ("Running On-Demand F instances", "L-74FC7D96", "F/OnDemand", 0, 128),
    ("Running On-Demand X instances", "L-7295265B", "X/OnDemand", 0, 128),
    ("Running On-Demand High Memory instances", "L-43DA4232", "HighMem/OnDemand", 0, 0),
    ("Running On-Demand HPC instances", "L-F7808C92", "HPC/OnDemand", 0, 768),
    (f"All {STANDARD} Spot Instance Requests", "L-34B43A08", "Standard/Spot", 5, 5000),
    ("All P4, P3 and P2 Spot Instance Requests", "L-7212CCBC", "P/Spot", 0, 0),
    ("All P5 Spot Instance Requests", "L-C4BD4855", "P5/Spot", 0, 0),
    ("All G and VT Spot Instance Requests", "L-3819A6DF", "G/Spot", 0, 64),
    ("All Inf Spot Instance Requests", "L-B5D1601B", "Inf/Spot", 0, 64),
    ("All Trn Spot Instance Requests", "L-6B0D517C", "Trn/Spot", 0, 0),
    ("All DL Spot Instance Requests", "L-85EED4F7", "DL/Spot", 0, 0),
    ("All F Spot Instance Requests", "L-88CF9481", "F/Spot", 0, 128),
    ("All X Spot Instance Requests", "L-E3A00192", "X/Spot", 0, 128),
)
"""Name, code, the usage metric's `Class`, AWS's default and this account's value in vCPUs."""


def ec2_quotas() -> Iterator[Quota]:
    """Every EC2 quota of the built-in catalogue."""
    for name, code, kind, default, value in BUCKETS:
        dimensions = {"Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": kind}
        metric = UsageMetric("ResourceCount", dimensions)
        yield Quota(name, default, code, applied=value, metric=metric)
    yield Quota("EC2-VPC Elastic IPs", 5, "L-0263D0A3")
    yield Quota(
        "Route tables per transit gateway",
        20,
        "L-43872EB7",
        default_only=True,
        resource_type="AWS::EC2::TransitGateway",
    )
