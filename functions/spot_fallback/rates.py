"""What an hour of an instance type costs: On-Demand as settings say, Spot as EC2 does.

Source: EC2 API reference, DescribeSpotPriceHistory: from a start time on it tells the changes since
then and, for each zone, the price in effect at that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.spot_fallback.observation import Rates
from functions.spot_fallback.settings import Price

logger = Logger(child=True)


class RateCard:
    """prices: as set; a type without one has no rates. ec2: a boto3 client.

    Lives for one invocation: a price it has asked for it keeps.
    """

    def __init__(self, prices: tuple[Price, ...], ec2: Any) -> None:
        self._prices = {price.instance_type: price for price in prices}
        self._ec2 = ec2
        self._spot: dict[str, float] = {}

    def of(self, types: Iterable[str], now: datetime) -> Mapping[str, Rates]:
        """Dollars an hour of each type. Spot is the mean over the Region's zones.

        A Spot price that EC2 does not tell is None: money is counted with it, nothing else.
        """
        wanted = list(dict.fromkeys(types))
        asked = [each for each in wanted if self._is_told_by_ec2(each)]
        if asked:
            self._spot |= self._ask(asked, now)
        return {each: self._rates(each) for each in wanted}

    def _is_told_by_ec2(self, type: str) -> bool:
        price = self._prices.get(type)
        known = price is None or price.spot or type in self._spot
        return not known and not _is_ml(type)

    def _rates(self, type: str) -> Rates:
        price = self._prices.get(type)
        if price is None:
            return Rates()
        spot = float(price.spot) if price.spot and not _is_ml(type) else self._spot.get(type)
        return Rates(on_demand=float(price.on_demand), spot=spot)

    def _ask(self, types: Sequence[str], now: datetime) -> dict[str, float]:
        """No rescue waits for a price: without an answer it is unknown for now."""
        newest: dict[tuple[str, str], tuple[datetime, float]] = {}
        try:
            pages = self._ec2.get_paginator("describe_spot_price_history").paginate(
                InstanceTypes=types, ProductDescriptions=["Linux/UNIX"], StartTime=now
            )
            for each in (each for page in pages for each in page["SpotPriceHistory"]):
                place = each["InstanceType"], each["AvailabilityZone"]
                change = each["Timestamp"], float(each["SpotPrice"])
                newest[place] = max(change, newest.get(place, change))
        except (BotoCoreError, ClientError) as error:
            logger.warning("Spot prices unknown", types=list(types), error=str(error))
            return {}
        over_zones: dict[str, list[float]] = {}
        for (type, _), (_, dollars) in newest.items():
            over_zones.setdefault(type, []).append(dollars)
        return {type: fmean(dollars) for type, dollars in over_zones.items()}


def _is_ml(type: str) -> bool:
    return type.startswith("ml.")
