"""Where an instance type is offered, and what capacity of it AWS would sell. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.core.remediation import Gone
from functions.quota_increase.observation import Offer, ShortageSeen
from functions.quota_increase.offers import over

NOT_OFFERED = frozenset(
    {
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "ResourceLimitExceeded",
        "UnsupportedOperation",
        "ValidationException",
    }
)
"""Codes with which AWS says that nothing like that is offered; others say nothing of offers."""


class Capacity:
    """client: gives the boto3 client of a service. hours: the length of what is offered."""

    def __init__(self, client: Callable[[str], Any], hours: int) -> None:
        self._client = client
        self._hours = hours

    def observe(
        self,
        target: str,
        service: str,
        instance_type: str,
        notes: Sequence[Mapping[str, Any]],
        now: datetime,
    ) -> ShortageSeen:
        """notes: what the refused calls said; the latest counts, for the most any of them wanted.
        Raises Gone without a note."""
        latest = max(notes, key=lambda each: str(each["at"]), default=None)
        if latest is None:
            raise Gone(f"nobody was refused {instance_type}")
        last = datetime.fromisoformat(latest["at"])
        instances = max(each["instances"] for each in notes)
        zones: list[str] = []
        offers: list[Offer] = []
        errors: list[str] = []
        if not over(last, now):
            zones = self.zones(instance_type) if service == "ec2" else []
            offers, errors = self.offers(service, instance_type, instances, now)
        return ShortageSeen(
            target=target,
            now=now,
            last=last,
            instance_type=instance_type,
            instances=instances,
            zone=latest["zone"],
            hints=latest["hints"],
            zones=zones,
            offers=offers,
            errors=errors,
        )

    def zones(self, instance_type: str) -> list[str]:
        """Zones of this Region that offer an EC2 instance type, whether or not they have any."""
        pages = (
            self._client("ec2")
            .get_paginator("describe_instance_type_offerings")
            .paginate(
                LocationType="availability-zone",
                Filters=[{"Name": "instance-type", "Values": [instance_type]}],
            )
        )
        return sorted(
            {each["Location"] for page in pages for each in page["InstanceTypeOfferings"]}
        )

    def offers(
        self, service: str, instance_type: str, instances: int, now: datetime
    ) -> tuple[list[Offer], list[str]]:
        """Offers that fit, and what AWS answered where it offers none of that type.

        Training jobs and endpoints run on Training Plans, instances in Capacity Blocks (SageMaker
        developer guide, "Reserve training plans"; EC2 user guide, "Capacity Blocks for ML").
        """
        ask: Callable[[str, int, datetime], list[Offer]]
        ask = self._training_plans if service == "sagemaker" else self._capacity_blocks
        try:
            return ask(instance_type, instances, now), []
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] not in NOT_OFFERED:
                raise
            return [], [f"{said['Code']}: {said.get('Message', '')}"]

    def _capacity_blocks(self, instance_type: str, instances: int, now: datetime) -> list[Offer]:
        pages = (
            self._client("ec2")
            .get_paginator("describe_capacity_block_offerings")
            .paginate(
                InstanceType=instance_type,
                InstanceCount=instances,
                CapacityDurationHours=self._hours,
            )
        )
        return [
            Offer(
                kind="Capacity Block",
                id=each["CapacityBlockOfferingId"],
                instance_type=each["InstanceType"],
                instances=each["InstanceCount"],
                zone=each["AvailabilityZone"],
                start=each["StartDate"],
                hours=float(each["CapacityBlockDurationHours"]),
                fee=float(each["UpfrontFee"]),
            )
            for page in pages
            for each in page["CapacityBlockOfferings"]
        ]

    def _training_plans(self, instance_type: str, instances: int, now: datetime) -> list[Offer]:
        answer = self._client("sagemaker").search_training_plan_offerings(
            InstanceType=instance_type,
            InstanceCount=instances,
            DurationHours=self._hours,
            StartTimeAfter=now,
            TargetResources=["training-job"],
        )
        found = []
        for plan in answer["TrainingPlanOfferings"]:
            parts = plan.get("ReservedCapacityOfferings", ())
            hours = plan.get("DurationHours", 0) + plan.get("DurationMinutes", 0) / 60
            if not parts or not hours:  # without them it has no price an hour to be ranked by
                continue
            found.append(
                Offer(
                    kind="Training Plan",
                    id=plan["TrainingPlanOfferingId"],
                    instance_type=instance_type,
                    instances=max(part["InstanceCount"] for part in parts),
                    zone=", ".join(sorted({part.get("AvailabilityZone", "") for part in parts})),
                    start=min(part["StartTime"] for part in parts),
                    hours=hours,
                    fee=float(plan["UpfrontFee"]),
                )
            )
        return found
