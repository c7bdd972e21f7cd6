"""What the control interface does to training plans: which of them are on offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.cloud.fault import IN_REGION, REGION, Fault, Rejected
from local.cloud.sagemaker.plans import HOUR, Offer
from local.cloud.sagemaker.training_control import backend_in
from local.cloud.schema import Schema, problems
from local.cloud.world import WORLD

OFFER: Schema = {
    "type": "object",
    "properties": {
        "instance_type": {"type": "string"},
        "instance_count": {"type": "integer", "minimum": 1},
        "availability_zone": {"type": "string"},
        "starts_in_hours": {"type": "number", "minimum": 0},
        "duration_hours": {"type": "integer", "minimum": 24},
        "upfront_fee": {"type": "string"},
        "currency_code": {"type": "string"},
        "target_resources": {"type": "array"},
    },
    "required": [
        "instance_type",
        "instance_count",
        "availability_zone",
        "starts_in_hours",
        "duration_hours",
        "upfront_fee",
    ],
    "additionalProperties": False,
}
OFFERS: Schema = {
    "type": "object",
    "properties": {
        "offerings": {
            "type": "array",
            "description": "each an object with "
            + ", ".join(f"{name} (needed)" for name in OFFER["required"])
            + ", currency_code, target_resources; whole days only",
        },
        "region": REGION,
    },
    "required": ["offerings"],
    "additionalProperties": False,
}


def put_offerings(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Offer these training plans and no others."""
    wrong = [
        problem
        for number, each in enumerate(body["offerings"])
        for problem in problems(OFFER, each, f"body.offerings[{number}]")
    ]
    if wrong:
        raise Rejected(400, "; ".join(wrong))
    if any(each["duration_hours"] % 24 for each in body["offerings"]):
        raise Rejected(400, "duration_hours must be whole days, as AWS sells them.")
    with WORLD.turn():
        backend = backend_in(body)
        backend.offers = [
            Offer(
                start=WORLD.clock() + each["starts_in_hours"] * HOUR,
                **{name: value for name, value in each.items() if name != "starts_in_hours"},
            )
            for each in body["offerings"]
        ]
        return _shown_offers(backend)


def delete_offerings(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Offer again what is on offer when nothing was said."""
    with WORLD.turn():
        backend = backend_in(query)
        backend.offers = None
        return _shown_offers(backend)


def _shown_offers(backend: Any) -> dict[str, Any]:
    if backend.offers is None:
        return {"offerings": "built-in"}
    return {
        "offerings": [
            {
                "instance_type": each.instance_type,
                "instance_count": each.instance_count,
                "availability_zone": each.availability_zone,
                "start": datetime.fromtimestamp(each.start, UTC).isoformat(),
                "duration_hours": each.duration_hours,
                "upfront_fee": each.upfront_fee,
            }
            for each in backend.offers
        ]
    }


_PATH = "/sagemaker/training-plan-offerings"

PLAN_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        _PATH,
        "SearchTrainingPlanOfferings finds these offers and no others.",
        put_offerings,
        OFFERS,
    ),
    Fault(
        "DELETE",
        _PATH,
        "SearchTrainingPlanOfferings finds the built-in offers again.",
        delete_offerings,
        query=IN_REGION,
    ),
)
