"""EC2's quotas on vCPUs, a bucket for each group of instance families, On-Demand and Spot.

Names and codes: AWS General Reference, Amazon EC2 endpoints and quotas. The values are this
account's own: no P instances, plenty of Standard ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from local.cloud.servicequotas.quotas import Quota, UsageMetric

BUCKETS: Sequence[tuple[str, str, str, float]] = (
    (
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        "L-1216C47A",
        "Standard/OnDemand",
        5000.0,
    ),
    ("Running On-Demand P instances", "L-417A185B", "P/OnDemand", 0.0),
    ("Running On-Demand G and VT instances", "L-DB2E81BA", "G/OnDemand", 64.0),
    ("Running On-Demand Inf instances", "L-1945791B", "Inf/OnDemand", 64.0),
    ("Running On-Demand Trn instances", "L-2C3B7624", "Trn/OnDemand", 0.0),
    ("Running On-Demand DL instances", "L-6E869C2A", "DL/OnDemand", 0.0),
    ("Running On-Demand F instances", "L-74FC7D96", "F/OnDemand", 128.0),
    ("Running On-Demand X instances", "L-7295265B", "X/OnDemand", 128.0),
    ("Running On-Demand High Memory instances", "L-43DA4232", "HighMem/OnDemand", 0.0),
    ("Running On-Demand HPC instances", "L-F7808C92", "HPC/OnDemand", 768.0),
    (
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
        "L-34B43A08",
        "Standard/Spot",
        5000.0,
    ),
    ("All P4, P3 and P2 Spot Instance Requests", "L-7212CCBC", "P/Spot", 0.0),
    ("All P5 Spot Instance Requests", "L-C4BD4855", "P5/Spot", 0.0),
    ("All G and VT Spot Instance Requests", "L-3819A6DF", "G/Spot", 64.0),
    ("All Inf Spot Instance Requests", "L-B5D1601B", "Inf/Spot", 64.0),
    ("All Trn Spot Instance Requests", "L-6B0D517C", "Trn/Spot", 0.0),
    ("All DL Spot Instance Requests", "L-85EED4F7", "DL/Spot", 0.0),
    ("All F Spot Instance Requests", "L-88CF9481", "F/Spot", 128.0),
    ("All X Spot Instance Requests", "L-E3A00192", "X/Spot", 128.0),
)
"""Name, code, the usage metric's `Class`, and the number of vCPUs."""


def ec2_quotas() -> Iterator[Quota]:
    """Every EC2 quota of the built-in catalogue."""
    for name, code, kind, vcpus in BUCKETS:
        dimensions = {"Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": kind}
        yield Quota(name, vcpus, code, metric=UsageMetric("ResourceCount", dimensions))
