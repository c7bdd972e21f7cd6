"""The control interface: what a person or a test can do to the simulated world from outside AWS.

Each thing is a `Fault` in a table. `GET /` lists the table, and the table is what validates and
serves each call, so the list cannot be wrong. The caller of `create_app` adds faults of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from flask import Flask, Response, jsonify, request
from moto.backends import get_backend
from werkzeug.exceptions import HTTPException

from local.cloud.cloudwatch import record
from local.cloud.sagemaker.resources import Mishap
from local.cloud.schema import Schema, problems
from local.cloud.traffic import Behaviour, History, Plan, Traffic
from local.cloud.world import WORLD

NOTHING: Schema = {"type": "object", "properties": {}, "additionalProperties": False}


class Rejected(Exception):
    """A control call that cannot be done: the HTTP status (4xx) and the reason to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Fault:
    """One thing the control interface does.

    `path` may hold Flask placeholders (`<name>`). `act` gets the placeholders, the query
    parameters and the body, all validated, and answers something JSON can show; it takes its own
    turn of the world, and may raise `Rejected`.
    """

    method: str
    path: str
    effect: str
    act: Callable[[Mapping[str, str], Mapping[str, str], Any], Any] = field(repr=False)
    body: Schema = field(default_factory=lambda: NOTHING)
    query: Schema = field(default_factory=lambda: NOTHING)

    def listing(self) -> dict[str, Any]:
        """The entry of `GET /`."""
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "schema": self.body,
            "effect": self.effect,
        }


def create_app(extra: Sequence[Fault] = ()) -> Flask:
    """The control interface with the faults of this package and `extra` ones."""
    app = Flask("control", static_folder=None)
    faults = [*FAULTS, *extra]

    @app.get("/")
    def index() -> Response:
        return jsonify({"faults": [fault.listing() for fault in faults]})

    for number, fault in enumerate(faults):
        app.add_url_rule(fault.path, f"fault-{number}", _view(fault), methods=[fault.method])

    @app.errorhandler(Rejected)
    def rejected(error: Rejected) -> tuple[Response, int]:
        return jsonify({"error": error.reason}), error.status

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> tuple[Response, int]:
        reason = f"{request.method} {request.path}: {error.description} GET / lists what there is."
        return jsonify({"error": reason}), error.code or 500

    return app


def _view(fault: Fault) -> Callable[..., Response]:
    def view(**placeholders: str) -> Response:
        query = request.args.to_dict()
        body: Any = {}
        if request.get_data():
            body = request.get_json(force=True, silent=True)
            if body is None:
                raise Rejected(400, "The body is not JSON.")
        wrong = [*problems(fault.query, query, "query"), *problems(fault.body, body)]
        if wrong:
            raise Rejected(400, "; ".join(wrong))
        return jsonify(fault.act(placeholders, query, body))

    return view


def _number(minimum: float = 0) -> Schema:
    return {"type": "number", "minimum": minimum}


BEHAVIOUR: Schema = {
    "type": "object",
    "properties": {
        "error_rate": {"type": "number", "minimum": 0, "maximum": 1},
        "latency_ms": _number(),
        "capacity_per_instance": {"type": "number", "exclusiveMinimum": 0},
    },
    "additionalProperties": False,
}
TRAFFIC: Schema = {
    "type": "object",
    "properties": {
        "requests_per_minute": _number(),
        "variants": {"type": "object", "additionalProperties": BEHAVIOUR},
        "history_minutes": {"type": "integer", "minimum": 1, "maximum": 1440},
        "history_requests_per_minute": _number(),
        "history_weights": {"type": "object", "additionalProperties": _number()},
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


def _settings(name: str, value: Schema, effect: str) -> list[Fault]:
    """GET and PUT for the dataclass `WORLD.<name>`; the table is made of its fields."""

    def get(place: Mapping[str, str], query: Mapping[str, str], body: Any) -> dict[str, Any]:
        with WORLD.turn():
            return asdict(getattr(WORLD, name))

    def put(place: Mapping[str, str], query: Mapping[str, str], body: Any) -> dict[str, Any]:
        with WORLD.turn():
            for each, setting in body.items():
                setattr(getattr(WORLD, name), each, setting)
            return asdict(getattr(WORLD, name))

    schema = {
        "type": "object",
        "properties": {each.name: value for each in fields(getattr(WORLD, name))},
        "additionalProperties": False,
    }
    return [
        Fault("PUT", f"/{name}", effect, put, schema),
        Fault("GET", f"/{name}", f"Shows what PUT /{name} sets.", get),
    ]


_TRAFFIC_PATH = "/sagemaker/endpoints/<name>/traffic"

FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        _TRAFFIC_PATH,
        "Requests reach the endpoint, split by its current weights; variants fail, take time and "
        "overload as told; the AWS/SageMaker metrics are published, also for history_minutes "
        "before now.",
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
    *_settings(
        "durations",
        _number(),
        "How many seconds changes of state take from now on; those under way keep their time.",
    ),
    *_settings(
        "switches",
        {"type": "boolean"},
        "Chooses a reading of AWS behaviour that nobody could verify; see local.cloud.Switches.",
    ),
)
