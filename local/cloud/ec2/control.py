"""What the control interface does to EC2: capacity that runs out, Capacity Blocks on offer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local.cloud.ec2 import catalogue
from local.cloud.ec2.blocks import LARGEST, SOLD, Offer, next_start
from local.cloud.ec2.capacity import Pool
from local.cloud.ec2.moments import now
from local.cloud.fault import IN_REGION, REGION, Fault, Rejected
from local.cloud.schema import Schema
from local.cloud.world import WORLD

Where = Mapping[str, Any]

CAPACITY: Schema = {
    "type": "object",
    "properties": {
        "instance_type": {"type": "string"},
        "availability_zone": {
            "type": "string",
            "description": "a zone's name; every zone that has the type when it is left out",
        },
        "market": {
            "enum": list(catalogue.MARKETS),
            "description": "each of both for itself when it is left out",
        },
        "remaining": {"description": "a whole number, 0 for none; null for any number"},
        "region": REGION,
    },
    "required": ["instance_type", "remaining"],
    "additionalProperties": False,
}
OFFER: Schema = {
    "type": "object",
    "properties": {
        "instance_type": {"enum": sorted(SOLD)},
        "availability_zone": {"type": "string"},
        "instance_count": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "description": "of the largest block",
        },
        "hourly_price": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "of one instance, in US dollars",
        },
        "starts_in_hours": {"type": "number", "minimum": 0},
        "instant": {"type": "boolean"},
    },
    "required": [
        *("instance_type", "availability_zone", "instance_count", "hourly_price"),
        "starts_in_hours",
    ],
    "additionalProperties": False,
}
OFFERS: Schema = {
    "type": "object",
    "properties": {
        "offerings": {
            "type": "array",
            "items": OFFER,
            "description": "a block starts at the first 11:30 UTC starts_in_hours from now, an "
            "instant one at that very minute",
        },
        "region": REGION,
    },
    "required": ["offerings"],
    "additionalProperties": False,
}


def put_capacity(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """Limit pools from now on."""
    remaining = body["remaining"]
    if remaining is not None and (
        not isinstance(remaining, int) or isinstance(remaining, bool) or remaining < 0
    ):
        raise Rejected(400, f"body.remaining must be a whole number or null, not {remaining!r}")
    with WORLD.turn():
        backend = ec2(body)
        offered = _zones(backend, body["instance_type"])
        asked = body.get("availability_zone")
        if asked is not None:
            _check_zone(asked, offered, body["instance_type"])
        held = backend.held()
        for zone in offered if asked is None else [asked]:
            for market in [body["market"]] if "market" in body else catalogue.MARKETS:
                pool = Pool(body["instance_type"], zone, market)
                backend.capacity.limit(pool, remaining, held[pool])
        return _shown_capacity(backend)


def get_capacity(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """The pools that were limited."""
    with WORLD.turn():
        return _shown_capacity(ec2(query))


def delete_capacity(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """Let every pool have instances without end again."""
    with WORLD.turn():
        backend = ec2(query)
        backend.capacity.totals.clear()
        return _shown_capacity(backend)


def put_offerings(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """Offer these Capacity Blocks and no others."""
    with WORLD.turn():
        backend = ec2(body)
        backend.offers = [_offer(backend, each) for each in body["offerings"]]
        return _shown_offers(backend)


def get_offerings(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """The Capacity Blocks on offer."""
    with WORLD.turn():
        return _shown_offers(ec2(query))


def delete_offerings(place: Where, query: Where, body: Where) -> dict[str, Any]:
    """Offer again what is on offer when nothing was said."""
    with WORLD.turn():
        backend = ec2(query)
        backend.offers = None
        return _shown_offers(backend)


def ec2(where: Where) -> Any:
    """EC2 of this account in the Region that is named, us-east-1 when none is."""
    stores: Any = get_backend("ec2")
    account = stores[os.environ.get("MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT_ID)]
    region = where.get("region", "us-east-1")
    try:
        return account[region]
    except KeyError:
        raise Rejected(400, f"EC2 is not in a Region {region!r}.") from None


def _zones(backend: Any, instance_type: str) -> list[str]:
    offered = catalogue.zones(backend.region_name, instance_type)
    if not offered:
        raise Rejected(400, f"{backend.region_name} has no instance type {instance_type!r}.")
    return offered


def _check_zone(zone: str, offered: Sequence[str], instance_type: str) -> None:
    if zone not in offered:
        raise Rejected(400, f"{instance_type} is offered in {offered}, not in {zone!r}.")


def _shown_capacity(backend: Any) -> dict[str, Any]:
    held = backend.held()
    return {
        "pools": [
            {
                "instance_type": pool.instance_type,
                "availability_zone": pool.zone,
                "market": pool.market,
                "remaining": backend.capacity.room(pool, held),
                "in_use": held[pool],
            }
            for pool in backend.capacity.totals
        ]
    }


def _offer(backend: Any, wanted: Where) -> Offer:
    instance_type, zone = wanted["instance_type"], wanted["availability_zone"]
    _check_zone(zone, _zones(backend, instance_type), instance_type)
    minute = now().replace(second=0, microsecond=0)
    earliest = minute + timedelta(hours=wanted["starts_in_hours"])
    return Offer(
        instance_type,
        zone,
        wanted["instance_count"],
        float(wanted["hourly_price"]),
        earliest if wanted.get("instant", False) else next_start(earliest),
    )


def _shown_offers(backend: Any) -> dict[str, Any]:
    return {
        "offerings": [
            {
                "instance_type": each.instance_type,
                "availability_zone": each.availability_zone,
                "instance_count": each.instance_count,
                "hourly_price": each.hourly_price,
                "start": each.start.isoformat(),
            }
            for each in backend.on_offer()
        ]
    }


_CAPACITY, _OFFERINGS = "/ec2/capacity", "/ec2/capacity-block-offerings"

EC2_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        _CAPACITY,
        "AWS has so many more instances of the type, beside those that are launched already; one "
        "that ends can be launched again. Launches beyond that meet InsufficientInstanceCapacity.",
        put_capacity,
        CAPACITY,
    ),
    Fault(
        "GET",
        _CAPACITY,
        "Shows the capacity that was limited, and how much of it is in use.",
        get_capacity,
        query=IN_REGION,
    ),
    Fault(
        "DELETE",
        _CAPACITY,
        "AWS has any number of every instance type again.",
        delete_capacity,
        query=IN_REGION,
    ),
    Fault(
        "PUT",
        _OFFERINGS,
        "DescribeCapacityBlockOfferings finds these offers and no others.",
        put_offerings,
        OFFERS,
    ),
    Fault(
        "GET",
        _OFFERINGS,
        "Shows the Capacity Blocks on offer.",
        get_offerings,
        query=IN_REGION,
    ),
    Fault(
        "DELETE",
        _OFFERINGS,
        "DescribeCapacityBlockOfferings finds the built-in offers again.",
        delete_offerings,
        query=IN_REGION,
    ),
)
