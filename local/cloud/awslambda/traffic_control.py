"""The traffic of a function, as the control interface takes it for whichever Lambda there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.backends import get_backend

from local import lambda_rules as rules
from local.cloud.fault import Fault, Rejected, number
from local.cloud.schema import Schema
from local.cloud.seam import Refusal
from local.cloud.world import WORLD

SetTraffic = Callable[[str, str, Mapping[str, Any] | None], None]
"""Function, qualifier and the body of PUT, or None to end it; raises Rejected."""

MINUTES: Schema = {
    "type": "array",
    "items": number(),
    "description": "invocations in flight at once, one number a minute",
}
TRAFFIC: Schema = {
    "type": "object",
    "properties": {
        "concurrency": {**MINUTES, "description": f"{MINUTES['description']}, the last one stays"},
        "history": {**MINUTES, "description": "minutes gone by, the oldest first"},
        "versions": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "duration_ms": {"type": "number", "exclusiveMinimum": 0},
                    "error_rate": {"type": "number", "minimum": 0, "maximum": 1},
                },
                "additionalProperties": False,
            },
        },
    },
    "required": ["concurrency"],
    "additionalProperties": False,
}
PATH = "/lambda/functions/<name>/traffic"


def traffic_faults(set_traffic: SetTraffic) -> Sequence[Fault]:
    """PUT and DELETE of a function's traffic, which `set_traffic` lets happen."""

    def put(place: Mapping[str, str], query: Mapping[str, str], body: Any) -> dict[str, Any]:
        if not body["concurrency"]:
            raise Rejected(400, "concurrency needs a number at least.")
        set_traffic(*_target(place["name"]), body)
        return dict(body)

    def delete(place: Mapping[str, str], query: Mapping[str, str], body: Any) -> dict[str, Any]:
        set_traffic(*_target(place["name"]), None)
        return {}

    return (
        Fault(
            "PUT",
            PATH,
            "Lets invocations reach an alias or version (shop:live), not run but measured each"
            " minute: what was provisioned for it serves what it can, the rest spills over, beyond"
            " the reservation it is throttled. Versions answer in a second unless it is said.",
            put,
            TRAFFIC,
        ),
        Fault("DELETE", PATH, "Ends the traffic of an alias or version.", delete),
    )


def set_in_process(name: str, qualifier: str, told: Mapping[str, Any] | None) -> None:
    """The traffic of a function of moto's Lambda, in whatever account and Region it is."""
    with WORLD.turn():
        stores: Any = get_backend("lambda")
        for _, _, backend in stores.iter_backends():
            if name in backend._lambdas._functions:
                try:
                    backend.set_traffic(name, qualifier, rules.Demand.of(told) if told else None)
                except Refusal as refusal:
                    raise Rejected(404, str(refusal.message)) from None
                return
    raise Rejected(404, f"There is no function {name!r}. Create it with CreateFunction first.")


def _target(reference: str) -> tuple[str, str]:
    name, _, qualifier = reference.partition(":")
    return name, qualifier or "$LATEST"
