"""The control interface: what a person or a test can do to the simulated world from outside AWS.

Each thing is a `Fault` in a table. `GET /` lists the table, and the table is what validates and
serves each call, so the list cannot be wrong. The caller of `create_app` adds faults of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from local.cloud.awslambda.control import LAMBDA_FAULTS
from local.cloud.ec2.control import EC2_FAULTS
from local.cloud.ec2.interruption_control import INTERRUPTION_FAULTS
from local.cloud.ec2.price_control import PRICE_FAULTS
from local.cloud.fault import Fault, Rejected, number
from local.cloud.sagemaker.control import ENDPOINT_FAULTS
from local.cloud.sagemaker.plan_control import PLAN_FAULTS
from local.cloud.sagemaker.training_control import TRAINING_FAULTS
from local.cloud.schema import Schema, problems
from local.cloud.servicequotas.catalogue_control import CATALOGUE_FAULTS
from local.cloud.servicequotas.control import QUOTA_FAULTS
from local.cloud.world import WORLD


def create_app(extra: Sequence[Fault] = ()) -> Flask:
    """The control interface with the faults of this package and `extra` ones."""
    app = Flask("control", static_folder=None)
    faults = [*FAULTS, *extra]

    @app.get("/")
    def index() -> Response:
        return jsonify({"faults": [fault.listing() for fault in faults]})

    for position, fault in enumerate(faults):
        app.add_url_rule(fault.path, f"fault-{position}", _view(fault), methods=[fault.method])

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


FAULTS: Sequence[Fault] = (
    *ENDPOINT_FAULTS,
    *TRAINING_FAULTS,
    *PLAN_FAULTS,
    *EC2_FAULTS,
    *INTERRUPTION_FAULTS,
    *PRICE_FAULTS,
    *QUOTA_FAULTS,
    *CATALOGUE_FAULTS,
    *LAMBDA_FAULTS,
    *_settings(
        "durations",
        number(),
        "How many seconds changes of state take from now on; those under way keep their time.",
    ),
    *_settings(
        "switches",
        {"type": "boolean"},
        "Chooses a reading of AWS behaviour that nobody could verify; see local.cloud.Switches.",
    ),
)
