"""What the control interface does to the prices of EC2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.ec2 import catalogue
from local.cloud.ec2.control import ec2
from local.cloud.fault import REGION, Fault, Rejected
from local.cloud.schema import Schema
from local.cloud.world import WORLD

Body = Mapping[str, Any]

PRICE: Schema = {
    "type": "object",
    "properties": {
        "instance_type": {"type": "string"},
        "availability_zone": {
            "type": "string",
            "description": "a zone's name; every zone that has the type when it is left out",
        },
        "spot": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "US dollars an hour on Spot; 0.02 a vCPU until it is set",
        },
        "region": REGION,
    },
    "required": ["instance_type", "spot"],
    "additionalProperties": False,
}


def put_price(place: Body, query: Body, body: Body) -> dict[str, Any]:
    """Change a Spot price from now on."""
    with WORLD.turn():
        backend = ec2(body)
        type, asked = body["instance_type"], body.get("availability_zone")
        zones = catalogue.zones(backend.region_name, type)
        if not zones or not catalogue.supports(type, "spot"):
            raise Rejected(400, f"{backend.region_name} sells no {type!r} on Spot.")
        if asked is not None and asked not in zones:
            raise Rejected(400, f"{type} is offered in {zones}, not in {asked!r}.")
        changed = zones if asked is None else [asked]
        for zone in changed:
            backend.set_price(type, zone, float(body["spot"]))
        return {"instance_type": type, "availability_zones": changed, "spot": body["spot"]}


PRICE_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        "/ec2/prices",
        "An hour of the type on Spot costs so much from now on; DescribeSpotPriceHistory tells it.",
        put_price,
        PRICE,
    ),
)
