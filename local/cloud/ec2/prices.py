"""DescribeSpotPriceHistory: what Spot costs now, and what it cost before it was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from local.cloud.ec2 import catalogue
from local.cloud.ec2.moments import now, utc
from local.cloud.ec2.offerings import Offerings
from local.cloud.ec2.templates import page
from local.cloud.seam import Refusal, operation

DOLLARS_PER_VCPU = 0.02
"""An hour's price where none was set. AWS publishes no price of a type that could be counted on,
so any that says the same each time will do."""
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=90)
LINUX = ("Linux/UNIX", "Linux/UNIX (Amazon VPC)")
FILTERS = ("availability-zone", "instance-type", "product-description", "spot-price")


class Prices(Offerings):
    """The Spot prices of one account and Region, those of Linux alone."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.changes: dict[tuple[str, str], list[tuple[datetime, float]]] = {}

    def set_price(self, instance_type: str, zone: str, dollars: float) -> None:
        """From now on an hour on Spot costs so much."""
        self.changes.setdefault((instance_type, zone), []).append((now(), dollars))

    @operation
    def describe_spot_price_history(  # type: ignore[override]
        self,
        instance_types: Sequence[str] = (),
        product_descriptions: Sequence[str] = (),
        availability_zone: str | None = None,
        filters: Sequence[Mapping[str, Any]] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        max_results: int = 1000,
        next_token: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Changes from start to end, newest first, and the price that was in effect at the start;
        90 days back at most (botocore service model, `DescribeSpotPriceHistory`)."""
        here = catalogue.region_types(self.region_name)
        if strange := [each for each in instance_types if each not in here]:
            raise Refusal("InvalidParameterValue", f"Invalid instance type: {', '.join(strange)}")
        wanted = {each["Name"]: each["Values"] for each in filters}
        if unknown := wanted.keys() - set(FILTERS):
            raise Refusal("InvalidParameterValue", f"The filter '{min(unknown)}' is invalid")
        if dry_run:
            raise Refusal(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set."
            )
        oldest = now() - KEPT
        start = max(utc(start_time) if start_time else oldest, oldest)
        end = utc(end_time) if end_time else now()
        found: list[dict[str, Any]] = [
            {
                "InstanceType": type,
                "AvailabilityZone": zone,
                "ProductDescription": LINUX[0],
                "SpotPrice": f"{dollars:.6f}",
                "Timestamp": at,
            }
            for type in instance_types or here
            if catalogue.supports(type, "spot")
            for zone in here[type]
            if availability_zone in (None, zone)
            for at, dollars in self._between(type, zone, start, end)
        ]
        if product_descriptions and not set(product_descriptions) & set(LINUX):
            found = []
        shown = [each for each in found if _matches(each, wanted)]
        shown.sort(key=lambda each: each["Timestamp"], reverse=True)
        history, token = page(shown, max_results, next_token)
        return {"SpotPriceHistory": history, **token}

    def _between(
        self, type: str, zone: str, start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, float]]:
        price = (BEGINNING, DOLLARS_PER_VCPU * catalogue.vcpus(type))
        changes = [price, *self.changes.get((type, zone), ())]
        before = [each for each in changes if each[0] <= start]
        yield from before[-1:]
        yield from (each for each in changes if start < each[0] <= end)


def _matches(price: Mapping[str, Any], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Values may hold wildcards (EC2 API reference, "List and filter")."""
    names = dict(
        zip(
            FILTERS,
            ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice"),
            strict=True,
        )
    )
    return all(
        any(fnmatchcase(str(price[names[name]]), pattern) for pattern in patterns)
        for name, patterns in wanted.items()
    )
