"""Capacity Blocks for ML: what AWS would sell. Nobody buys here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from local.cloud.ec2.catalogue import zones
from local.cloud.ec2.moments import now, utc
from local.cloud.ec2.prices import Prices
from local.cloud.ec2.templates import page
from local.cloud.seam import Refusal, operation

SOLD = frozenset(
    {
        *("p4d.24xlarge", "p4de.24xlarge", "p5.4xlarge", "p5.48xlarge", "p5e.48xlarge"),
        *("p5en.48xlarge", "p6-b200.48xlarge", "p6-b300.48xlarge"),
        *("trn1.32xlarge", "trn2.3xlarge", "trn2.48xlarge"),
    }
)
"""The instance types of EC2 user guide, "Capacity Blocks for ML", Supported instance types and
Regions, with the newer ones that AWS's own sample searches for (github.com/aws-samples/
sample-capacity-finder-for-ec2-capacity-block-and-sagemaker-training-plan)."""

DAY, WEEK = 24, 168
LONGEST = 182 * DAY
LARGEST = 64
AHEAD = timedelta(weeks=8)
"""How far ahead a Capacity Block may start (EC2 user guide, "Capacity Blocks for ML")."""
BOUNDARY = time(11, 30, tzinfo=UTC)
"""When blocks end (EC2 user guide, "How Capacity Blocks work")."""


@dataclass(frozen=True)
class Offer:
    """A block of up to `instance_count` instances that AWS would sell for any duration, from
    `start` on. `hourly_price` is in US dollars for one instance."""

    instance_type: str
    availability_zone: str
    instance_count: int
    hourly_price: float
    start: datetime


def built_in(region: str, today: datetime) -> list[Offer]:
    """What is on offer until somebody says otherwise, in zones that have the type."""
    return [
        Offer(instance_type, zone, count, price, next_start(today + wait * position))
        for instance_type, count, price, wait in (
            ("p4d.24xlarge", 64, 11.8, timedelta(days=1)),
            ("p5.48xlarge", 32, 31.464, timedelta(days=2)),
        )
        for position, zone in enumerate(zones(region, instance_type)[:2], 1)
    ]


def next_start(earliest: datetime) -> datetime:
    """The first moment from `earliest` on at which blocks usually start: when others end."""
    boundary = datetime.combine(earliest.date(), BOUNDARY)
    return boundary if boundary >= earliest else boundary + timedelta(days=1)


class CapacityBlocks(Prices):
    """What Capacity Blocks AWS would sell in one Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.offers: list[Offer] | None = None

    @operation
    def describe_capacity_block_offerings(
        self,
        capacity_duration_hours: int,
        instance_type: str | None = None,
        instance_count: int = 1,
        instance_type_preferences: Sequence[Mapping[str, str]] = (),
        start_date_range: datetime | None = None,
        end_date_range: datetime | None = None,
        all_availability_zones: bool = False,
        max_results: int = 1000,
        next_token: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Blocks that fit, the earliest first.

        Durations are whole days up to 14, then whole weeks up to 182 days; a block has at most 64
        instances (botocore service model, `DescribeCapacityBlockOfferings`). The refusals contain
        the words that AWS's sample knows them by; the words around them are not AWS's.
        """
        wanted = [each["InstanceType"] for each in instance_type_preferences]
        if instance_type is not None:
            wanted.append(instance_type)
        if not wanted:
            raise Refusal("MissingParameter", "The request must contain the parameter InstanceType")
        for each in wanted:
            if each not in SOLD:
                raise Refusal(
                    "InvalidParameterValue", f"The instance type '{each}' is not supported"
                )
        if not _is_duration(capacity_duration_hours):
            raise Refusal(
                "InvalidParameterValue",
                f"The capacity duration is not valid: {capacity_duration_hours} hours",
            )
        if not 1 <= instance_count <= LARGEST:
            raise Refusal(
                "InvalidParameterValue", f"The instance count is not valid: {instance_count}"
            )
        today = now()
        earliest = utc(start_date_range or today)
        latest = utc(end_date_range or today + AHEAD + timedelta(hours=LONGEST))
        if latest <= earliest or latest <= today or earliest > today + AHEAD:
            raise Refusal(
                "InvalidParameterValue", f"The start date is not valid: {earliest.isoformat()}"
            )
        if dry_run:
            raise Refusal(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set."
            )
        found = [
            _described(each, instance_count, capacity_duration_hours)
            for each in self.on_offer()
            if each.instance_type in wanted and instance_count <= each.instance_count
        ]
        fitting = [
            each
            for each in found
            if max(earliest, today) <= each["StartDate"] <= today + AHEAD
            and each["EndDate"] <= latest
        ]
        fitting.sort(key=lambda each: (each["StartDate"], each["CapacityBlockOfferingId"]))
        shown, token = page(fitting, max_results, next_token)
        return {"CapacityBlockOfferings": shown, **token}

    def on_offer(self) -> list[Offer]:
        """What AWS offers now."""
        return built_in(self.region_name, now()) if self.offers is None else self.offers


def _described(offer: Offer, instances: int, hours: int) -> dict[str, Any]:
    end = _end(offer.start, hours)
    length = int((end - offer.start).total_seconds() // 60)
    fee = offer.hourly_price * instances * length / 60
    identity = hashlib.sha256(f"{offer} {instances} {hours}".encode()).hexdigest()[:17]
    return {
        "CapacityBlockOfferingId": f"cb-{identity}",
        "InstanceType": offer.instance_type,
        "AvailabilityZone": offer.availability_zone,
        "InstanceCount": instances,
        "StartDate": offer.start,
        "EndDate": end,
        "CapacityBlockDurationHours": length // 60,
        "CapacityBlockDurationMinutes": length % 60,
        "UpfrontFee": f"{fee:.4f}",
        "CurrencyCode": "USD",
        "Tenancy": "default",
        "ZoneType": "availability-zone",
    }


def _is_duration(hours: int) -> bool:
    if hours % DAY or not DAY <= hours <= LONGEST:
        return False
    return hours <= 14 * DAY or hours % WEEK == 0


def _end(start: datetime, hours: int) -> datetime:
    """The boundary at which a block ends: days are counted from boundary to boundary, so one that
    starts between two is shorter than asked (botocore service model, `CapacityBlockOffering`:
    "if a Capacity Block starts at 04:55 and ends at 11:30, the hours field would be 6")."""
    first = datetime.combine(start.date(), BOUNDARY)
    if first <= start:
        first += timedelta(days=1)
    return first + timedelta(hours=hours - DAY)
