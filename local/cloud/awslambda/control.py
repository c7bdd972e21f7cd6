"""What the control interface does to AWS Lambda: functions that cannot start, a floor of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from local.cloud.fault import Fault, number
from local.cloud.schema import Schema
from local.cloud.world import WORLD, LambdaAccount

ACCOUNT: Schema = {
    "type": "object",
    "properties": {
        "failing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "functions (shop) and versions (shop:3)",
        },
        "unreserved_minimum": {**number(), "type": "integer", "description": "100 on AWS"},
    },
    "additionalProperties": False,
}


def put_account(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Be an account like this; what the body leaves out is as on AWS."""
    with WORLD.turn():
        WORLD.lambdas = LambdaAccount(**body)
        return asdict(WORLD.lambdas)


def get_account(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """What PUT made of it."""
    with WORLD.turn():
        return asdict(WORLD.lambdas)


LAMBDA_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        "/lambda/account",
        "Names the functions whose initialisation fails from the next provisioning on, and how much"
        " concurrency must be left unreserved. The account's limit is its quota, set by PUT"
        " /servicequotas/quotas/lambda/L-B99A9384/value.",
        put_account,
        ACCOUNT,
    ),
    Fault("GET", "/lambda/account", "Shows what PUT /lambda/account sets.", get_account),
)
