"""Quotas as a user meets them: calls that are refused, what is requested, how a quota stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.account import ACCOUNT_ID, REGION
from local.demo.account import Hands
from local.demo.scene import Chart, DemoFailed, Line, Listing

NODE, SMALL_NODE = "p4d.24xlarge", "p5.4xlarge"
NODES = 2
ON_SALE: Mapping[str, Mapping[str, tuple[float, int]]] = {
    NODE: {
        "us-east-1a": (14.2, 24),
        "us-east-1b": (11.8, 72),
        "us-east-1c": (12.5, 48),
    },
    SMALL_NODE: {"us-east-1a": (6.4, 24), "us-east-1c": (4.1, 48)},
}
"""Capacity Blocks for sale, for all acts: zone, dollars an instance hour, hours until the earliest
start."""
P_QUOTAS: Mapping[str, int] = {"L-417A185B": 192, "L-C4BD4855": 64}
"""Codes and values in vCPUs: P instances On-Demand, P5 on Spot. Capacity is what is short."""
SECONDS_BETWEEN_READINGS = 1.0
"""Service Quotas takes five calls a second of each kind, and the function needs some of them."""


def train(hands: Hands, name: str, instance_type: str, instances: int = 1) -> None:
    """Start a training job. Raises ClientError as AWS refuses it."""
    hands.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/training",
        AlgorithmSpecification={
            "TrainingImage": f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/train:1",
            "TrainingInputMode": "File",
        },
        OutputDataConfig={"S3OutputPath": "s3://models/out"},
        ResourceConfig={
            "InstanceType": instance_type,
            "InstanceCount": instances,
            "VolumeSizeInGB": 100,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def sell(hands: Hands) -> None:
    """Let the quotas of P instances allow some, and have Capacity Blocks of them on offer."""
    control = hands.account.control
    for code, vcpus in P_QUOTAS.items():
        control("PUT", f"/servicequotas/quotas/ec2/{code}/value", {"value": vcpus})
    offers = [
        {
            "instance_type": instance_type,
            "availability_zone": zone,
            "instance_count": NODES,
            "hourly_price": price,
            "starts_in_hours": hours,
        }
        for instance_type, zones in ON_SALE.items()
        for zone, (price, hours) in zones.items()
    ]
    control("PUT", "/ec2/capacity-block-offerings", {"offerings": offers})


def ranked(offers: Sequence[Mapping[str, Any]], instance_type: str) -> bool:
    """Whether the offers that were told are those of the type, the cheapest hour first."""
    prices = [offer["feePerInstanceHour"] for offer in offers]
    return prices == sorted(price for price, _ in ON_SALE[instance_type].values())


def listing(offers: Sequence[Mapping[str, Any]]) -> Listing:
    """The offers that were told, as a table."""
    return Listing(
        ("$ an instance hour", "zone", "instances", "start", "hours", "up front"),
        [
            (
                f"{offer['feePerInstanceHour']:.2f}",
                offer["availabilityZone"],
                str(offer["instances"]),
                offer["start"][:16],
                f"{offer['hours']:g}",
                f"${offer['upfrontFee']:,.2f}",
            )
            for offer in offers
        ],
    )


def launch(hands: Hands, instance_type: str, instances: int, zone: str = "") -> None:
    """Launch so many instances, or none, in a zone if one is named. Raises ClientError as AWS
    refuses it."""
    ec2 = hands.client("ec2", attempts=1)
    ec2.run_instances(
        ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        InstanceType=instance_type,
        MinCount=instances,
        MaxCount=instances,
        **({"Placement": {"AvailabilityZone": zone}} if zone else {}),
    )


def refused(call: Callable[[], None], code: str) -> float:
    """When AWS refused a call, with that code. Raises DemoFailed when it did not, ClientError when
    it refused it for something else."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return time.time()
    raise DemoFailed(f"a call that had to be refused with {code} was not")


@dataclass
class Quota:
    """A quota, looked at now and then. request: the newest of its requests."""

    hands: Hands
    service: str
    code: str
    name: str
    value: float | None = None
    in_use: int = 0
    request: Mapping[str, Any] = field(default_factory=dict)
    values: list[tuple[float, float]] = field(default_factory=list)
    uses: list[tuple[float, float]] = field(default_factory=list)

    def look(self, in_use: int = 0) -> None:
        """Read value and newest request, and keep them with what is in use."""
        now, which = time.time(), {"ServiceCode": self.service, "QuotaCode": self.code}
        found = self.hands.client("service-quotas").get_service_quota(**which)
        self.value, self.in_use = found["Quota"]["Value"], in_use
        self.request = next(iter(self.requests()), {})
        self.values.append((now, found["Quota"]["Value"]))
        self.uses.append((now, in_use))

    def requests(self) -> list[dict[str, Any]]:
        """Everybody's requests of more of it, newest first."""
        client = self.hands.client("service-quotas")
        found = client.list_requested_service_quota_change_history_by_quota(
            ServiceCode=self.service, QuotaCode=self.code
        )["RequestedQuotas"]
        return sorted(found, key=lambda each: each["Created"], reverse=True)

    @property
    def requested(self) -> str:
        """The newest request in words."""
        if not self.request:
            return "-"
        return f"{self.request['DesiredValue']:g}, {self.request['Status']}"

    def chart(self) -> Chart:
        """Value and use over the run."""
        return Chart(
            self.name,
            [Line("quota", "#2563eb", self.values), Line("in use", "#16a34a", self.uses)],
        )
