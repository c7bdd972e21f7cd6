"""Training plan offerings: what reserved capacity could be bought. Nothing here sells it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloud.sagemaker.limits import admit_reservation
from local.cloud.sagemaker.resources import timestamp
from local.cloud.sagemaker.store import Store
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

HOUR = 60 * 60
DAY = 24 * HOUR
COUNTS = (1, 2, 4, 8, 16, 32, 64)
LONGEST_DAYS = 182
HALF_PAST_ELEVEN = 11.5 * HOUR

HOURLY_FEES: Mapping[str, float] = {
    "ml.p4d.24xlarge": 13.0,
    "ml.p5.48xlarge": 45.77,
    "ml.trn1.32xlarge": 9.53,
    "ml.trn2.48xlarge": 35.76,
}
"""What is on offer unless told otherwise, in USD an instance and hour; AWS publishes no list."""
BUILT_IN: Sequence[tuple[int, str]] = ((1, "a"), (8, "b"))
"""In how many days the built-in offers start, and in which zone."""


@dataclass(frozen=True)
class Offer:
    """One reservation that can be bought; `start` is in epoch seconds."""

    instance_type: str
    instance_count: int
    availability_zone: str
    start: float
    duration_hours: int
    upfront_fee: str
    currency_code: str = "USD"
    target_resources: Sequence[str] = ("training-job",)

    @property
    def end(self) -> float:
        return self.start + self.duration_hours * HOUR

    def description(self, after: datetime | None, before: datetime | None) -> dict[str, Any]:
        """`TrainingPlanOffering`; the id's form is that of the developer guide's sample
        (search-training-plan-offerings-api-cli-sdk)."""
        wanted = {"RequestedStartTimeAfter": after, "RequestedEndTimeBefore": before}
        span = {"DurationHours": self.duration_hours, "DurationMinutes": 0}
        return {
            "TrainingPlanOfferingId": f"tpo-{hashlib.sha256(repr(self).encode()).hexdigest()}",
            "TargetResources": list(self.target_resources),
            **{name: moment for name, moment in wanted.items() if moment is not None},
            **span,
            "UpfrontFee": self.upfront_fee,
            "CurrencyCode": self.currency_code,
            "ReservedCapacityOfferings": [
                {
                    "InstanceType": self.instance_type,
                    "InstanceCount": self.instance_count,
                    "AvailabilityZone": self.availability_zone,
                    **span,
                    "StartTime": timestamp(self.start),
                    "EndTime": timestamp(self.end),
                }
            ],
        }


class TrainingPlans(Store):
    """SearchTrainingPlanOfferings.

    Rules: SageMaker developer guide, search-training-plan-offerings-api-cli-sdk: type, count and
    duration are required, a count is 1 or a power of two up to 64, a duration is rounded up to
    whole days, up to 182; nothing that fits is an empty list. Reservations start and end at 11:30
    UTC, as in that page's samples. "Invalid instance count .. for instance type .." is the text
    that github.com/aws-samples/
    sample-capacity-finder-for-ec2-capacity-block-and-sagemaker-training-plan looks for.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.offers: Sequence[Offer] | None = None
        """What is on offer instead of the built-in offers."""

    @operation
    def search_training_plan_offerings(
        self,
        instance_type: str | None = None,
        instance_count: int | None = None,
        start_time_after: datetime | None = None,
        end_time_before: datetime | None = None,
        duration_hours: int | None = None,
        target_resources: Sequence[str] = ("training-job",),
    ) -> dict[str, Any]:
        if instance_type is None or instance_count is None or duration_hours is None:
            raise Refusal(
                "ValidationException",
                "InstanceType, InstanceCount and DurationHours must be specified.",
            )
        sold = {each.instance_type for each in self.offers or ()} | HOURLY_FEES.keys()
        if instance_type not in sold:
            raise Refusal(
                "ValidationException",
                f"Invalid instance type {instance_type} for target resource "
                f"{', '.join(target_resources)}.",
            )
        if instance_count not in COUNTS:
            raise Refusal(
                "ValidationException",
                f"Invalid instance count {instance_count} for instance type {instance_type}.",
            )
        days = math.ceil(duration_hours / 24)
        if days > LONGEST_DAYS:
            raise Refusal("ValidationException", f"Invalid duration hours {duration_hours}.")
        admit_reservation(self, instance_type, instance_count)
        earliest = WORLD.clock()
        if start_time_after is not None:
            earliest = max(earliest, start_time_after.replace(tzinfo=UTC).timestamp())
        latest = math.inf
        if end_time_before is not None:
            latest = end_time_before.replace(tzinfo=UTC).timestamp()
        offers = self.offers
        if offers is None:
            offers = self._built_in(instance_type, instance_count, earliest, days)
        return {
            "TrainingPlanOfferings": [
                each.description(start_time_after, end_time_before)
                for each in offers
                if each.instance_type == instance_type
                and each.instance_count == instance_count
                and each.duration_hours == days * 24
                and set(target_resources) <= set(each.target_resources)
                and earliest <= each.start
                and each.end <= latest
            ]
        }

    def _built_in(
        self, instance_type: str, count: int, earliest: float, days: int
    ) -> Sequence[Offer]:
        fee = HOURLY_FEES[instance_type] * count * days * 24
        today = earliest // DAY * DAY
        return [
            Offer(
                instance_type,
                count,
                f"{self.region_name}{zone}",
                today + ahead * DAY + HALF_PAST_ELEVEN,
                days * 24,
                f"{fee:.2f}",
                target_resources=("training-job", "hyperpod-cluster", "endpoint"),
            )
            for ahead, zone in BUILT_IN
        ]
