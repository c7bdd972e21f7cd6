"""Which quota is meant: EC2's by instance type and market, codes that are known offline. Pure.

Names are those that Service Quotas lists. Codes serve where nothing can be asked; a name without
one here is looked up in the account's own catalogue. Sources: AWS General Reference, "Amazon EC2
endpoints and quotas" and "Amazon SageMaker AI endpoints and quotas"; EC2 user guide, "On-Demand
Instance quotas" and "Spot Instance quotas"; lists of real accounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from functions.quota_increase.readings import same_name

LAMBDA_CONCURRENCY = "Concurrent executions"
STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"

ON_DEMAND: Mapping[str, str] = {
    **dict.fromkeys(
        ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"),
        f"Running On-Demand {STANDARD} instances",
    ),
    "dl": "Running On-Demand DL instances",
    "f": "Running On-Demand F instances",
    **dict.fromkeys(("g", "gr", "vt"), "Running On-Demand G and VT instances"),
    "hpc": "Running On-Demand HPC instances",
    "inf": "Running On-Demand Inf instances",
    "p": "Running On-Demand P instances",
    "trn": "Running On-Demand Trn instances",
    "u": "Running On-Demand High Memory instances",
    "x": "Running On-Demand X instances",
}
"""Letters before the first digit of an instance type, and the quota that counts its vCPUs."""
SPOT: Mapping[str, str] = {
    **dict.fromkeys(
        ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"),
        f"All {STANDARD} Spot Instance Requests",
    ),
    "dl": "All DL Spot Instance Requests",
    "f": "All F Spot Instance Requests",
    **dict.fromkeys(("g", "gr", "vt"), "All G and VT Spot Instance Requests"),
    "inf": "All Inf Spot Instance Requests",
    **dict.fromkeys(("p2", "p3", "p4"), "All P4, P3 and P2 Spot Instance Requests"),
    **dict.fromkeys(("p5", "p6"), "All P5 Spot Instance Requests"),
    "trn": "All Trn Spot Instance Requests",
    "x": "All X Spot Instance Requests",
}
"""The same of Spot; of the P family each generation tells."""

CODES: Mapping[str, Mapping[str, str]] = {
    "ec2": {
        f"Running On-Demand {STANDARD} instances": "L-1216C47A",
        "Running On-Demand DL instances": "L-6E869C2A",
        "Running On-Demand F instances": "L-74FC7D96",
        "Running On-Demand G and VT instances": "L-DB2E81BA",
        "Running On-Demand HPC instances": "L-F7808C92",
        "Running On-Demand High Memory instances": "L-43DA4232",
        "Running On-Demand Inf instances": "L-1945791B",
        "Running On-Demand P instances": "L-417A185B",
        "Running On-Demand Trn instances": "L-2C3B7624",
        "Running On-Demand X instances": "L-7295265B",
        f"All {STANDARD} Spot Instance Requests": "L-34B43A08",
        "All DL Spot Instance Requests": "L-85EED4F7",
        "All F Spot Instance Requests": "L-88CF9481",
        "All G and VT Spot Instance Requests": "L-3819A6DF",
        "All Inf Spot Instance Requests": "L-B5D1601B",
        "All P4, P3 and P2 Spot Instance Requests": "L-7212CCBC",
        "All P5 Spot Instance Requests": "L-C4BD4855",
        "All Trn Spot Instance Requests": "L-6B0D517C",
        "All X Spot Instance Requests": "L-E3A00192",
    },
    "lambda": {LAMBDA_CONCURRENCY: "L-B99A9384"},
    "sagemaker": {
        "Maximum total concurrency that can be allocated across all serverless endpoints": (
            "L-96300102"
        ),
        "Number of instances across all training jobs": "L-00C91CB5",
        "ml.g5.48xlarge for endpoint usage": "L-0100B823",
        "ml.g6.4xlarge for training job usage": "L-07B51BA0",
        "ml.g6e.48xlarge for training job usage": "L-0DA2E7B0",
        "ml.p4d.24xlarge for endpoint usage": "L-09F79647",
        "ml.p4d.24xlarge for spot training job usage": "L-09D56C4F",
        "ml.p4d.24xlarge for training job usage": "L-09B4A649",
        "ml.p5.4xlarge for training job usage": "L-C2764A80",
        "ml.p5.48xlarge for spot training job usage": "L-82733FAD",
        "ml.p5.48xlarge for training job usage": "L-82E1C851",
    },
}
"""Codes that at least one list of a real account shows beside the name."""

FAMILY = re.compile(r"(?P<letters>[a-z]+)-?(?P<generation>[0-9]+)[a-z0-9-]*\.[a-z0-9-]+")
"""Of an EC2 instance type: `p5en.48xlarge` is P, generation 5; `u-6tb1.metal` is High Memory."""


def vcpu_quota(instance_type: str, spot: bool) -> str | None:
    """The EC2 quota that counts the type's vCPUs; None where no list says which."""
    found = FAMILY.fullmatch(instance_type)
    if found is None:
        return None
    if not spot:
        return ON_DEMAND.get(found["letters"])
    return SPOT.get(found["letters"]) or SPOT.get(found["letters"] + found["generation"])


def code_of(service: str, name: str) -> str | None:
    """The quota's code where it is known offline."""
    known = CODES.get(service, {})
    return next((code for each, code in known.items() if same_name(each, name)), None)
