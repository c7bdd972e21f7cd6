"""What the control interface does to SageMaker endpoints: traffic, and updates that end badly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from moto.backends import get_backend

from local.cloud.cloudwatch import record
from local.cloud.fault import Fault, Rejected, number
from local.cloud.sagemaker.resources import Mishap
from local.cloud.schema import Schema
from local.cloud.traffic import Behaviour, History, Plan, Traffic
from local.cloud.world import WORLD

BEHAVIOUR: Schema = {
    "type": "object",
    "properties": {
        "error_rate": {"type": "number", "minimum": 0, "maximum": 1},
        "latency_ms": number(),
        "capacity_per_instance": {"type": "number", "exclusiveMinimum": 0},
        "setup_ms": number(),
    },
    "additionalProperties": False,
}
TRAFFIC: Schema = {
    "type": "object",
    "properties": {
        "requests_per_minute": number(),
        "variants": {"type": "object", "additionalProperties": BEHAVIOUR},
        "history_minutes": {"type": "integer", "minimum": 1, "maximum": 1440},
        "history_requests_per_minute": number(),
        "history_weights": {"type": "object", "additionalProperties": number()},
    },
    "required": ["requests_per_minute"],
    "additionalProperties": False,
}


MISHAP: Schema = {
    "type": "object",
    "properties": {"outcome": {"enum": ["roll-back", "fail"]}, "reason": {"type": "string"}},
    "required": ["outcome"],
    "additionalProperties": False,
}


def find_endpoint(name: str) -> Any:
    """The endpoint of that name, in whatever account and Region of this process it is."""
    stores: Any = get_backend("sagemaker")
    found = [
        backend.endpoints[name.lower()]
        for _, _, backend in stores.iter_backends()
        if name.lower() in backend.endpoints
    ]
    if not found:
        raise Rejected(404, f"There is no endpoint {name!r}. Create it with CreateEndpoint first.")
    if len(found) > 1:
        arns = ", ".join(endpoint.arn for endpoint in found)
        raise Rejected(409, f"The name {name!r} is used more than once: {arns}.")
    return found[0]


def _variants_known(endpoint: Any, names: Sequence[str]) -> None:
    known = [variant.name for variant in endpoint.variants]
    if strange := sorted(set(names) - set(known)):
        raise Rejected(400, f"{endpoint.name} has no variant {strange}; it has {known}.")


def put_traffic(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Let requests reach an endpoint; takes the place of its traffic until now."""
    with WORLD.turn():
        endpoint = find_endpoint(place["name"])
        variants = {
            name: Behaviour(**behaviour) for name, behaviour in body.get("variants", {}).items()
        }
        weights = body.get("history_weights")
        _variants_known(endpoint, [*variants, *(weights or {})])
        per_minute = body["requests_per_minute"]
        history = None
        if "history_minutes" in body:
            history = History(
                body["history_minutes"],
                body.get("history_requests_per_minute", per_minute),
                weights,
            )
        elif body.keys() & {"history_weights", "history_requests_per_minute"}:
            raise Rejected(400, "A history needs history_minutes.")
        Traffic(endpoint, Plan(per_minute, variants, history), record).start()
        return get_traffic(place, query, {})


def get_traffic(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """The traffic of an endpoint; `requests_per_minute` 0 when there is none."""
    with WORLD.turn():
        traffic = find_endpoint(place["name"]).traffic
        plan = traffic.plan if traffic else Plan(0)
        return {
            "requests_per_minute": plan.requests_per_minute,
            "variants": {name: asdict(behaviour) for name, behaviour in plan.variants.items()},
        }


def delete_traffic(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Stop an endpoint's traffic; what came in until now is published."""
    with WORLD.turn():
        endpoint = find_endpoint(place["name"])
        if endpoint.traffic:
            endpoint.traffic.settle()
            endpoint.traffic = None
        return get_traffic(place, query, {})


def put_mishap(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Let the next update of an endpoint end badly."""
    with WORLD.turn():
        endpoint = find_endpoint(place["name"])
        reason = body.get("reason", "The update failed because the control interface said so.")
        endpoint.mishap = Mishap(body["outcome"] == "roll-back", reason)
        return {"outcome": body["outcome"], "reason": reason}


_TRAFFIC_PATH = "/sagemaker/endpoints/<name>/traffic"

ENDPOINT_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        _TRAFFIC_PATH,
        "Requests reach the endpoint, split by its current weights; variants fail, take time and "
        "overload as told, serverless ones spill over and start cold; the AWS/SageMaker metrics "
        "are published, also for history_minutes before now.",
        put_traffic,
        TRAFFIC,
    ),
    Fault("GET", _TRAFFIC_PATH, "Shows the endpoint's traffic.", get_traffic),
    Fault("DELETE", _TRAFFIC_PATH, "No more requests reach the endpoint.", delete_traffic),
    Fault(
        "PUT",
        "/sagemaker/endpoints/<name>/next-update",
        "The next UpdateEndpoint or UpdateEndpointWeightsAndCapacities of the endpoint ends in "
        "RollingBack and then InService as before (on AWS only with autoscaling), or in Failed "
        "with this reason.",
        put_mishap,
        MISHAP,
    ),
)
