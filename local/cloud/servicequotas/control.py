"""What the control interface does to Service Quotas: what AWS decides, values, uses, reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local.cloud.fault import Fault, Rejected, number
from local.cloud.schema import Schema
from local.cloud.seam import Refusal
from local.cloud.servicequotas.backend import ServiceQuotas
from local.cloud.servicequotas.changes import Decision, Outcome
from local.cloud.servicequotas.keeper import HOME, Key
from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.servicequotas.usage import watch, write_history
from local.cloud.world import WORLD

Parameters = Mapping[str, str]
REGION: Schema = {
    "type": "object",
    "properties": {"region": {"type": "string"}},
    "additionalProperties": False,
}
DECISION: Schema = {
    "type": "object",
    "properties": {"outcome": {"enum": [*Outcome]}, "value": number()},
    "required": ["outcome"],
    "additionalProperties": False,
}
VALUE: Schema = {
    "type": "object",
    "properties": {"value": number(), "resource": {"type": "string"}},
    "required": ["value"],
    "additionalProperties": False,
}
USE: Schema = {
    "type": "object",
    "properties": {"used": number(), "history": {"type": "array", "items": number()}},
    "required": ["used"],
    "additionalProperties": False,
}
REQUEST: Schema = {
    "type": "object",
    "properties": {
        "desired_value": number(),
        "by": {"enum": ["person", "automatic-management"]},
        "resource": {"type": "string"},
        "support_case_allowed": {"type": "boolean"},
    },
    "required": ["desired_value"],
    "additionalProperties": False,
}
FAILURE: Schema = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "additionalProperties": False,
}
ACTOR = {"person": "user/jane", "automatic-management": "root"}


def in_turn(act: Callable[[Parameters, Parameters, Any], Any]) -> Any:
    """Let an act of the control interface take its turn of the world."""

    def acting(place: Parameters, query: Parameters, body: Any) -> Any:
        with WORLD.turn():
            return act(place, query, body)

    return acting


def the_account() -> Any:
    """Service Quotas of the account that is simulated, by Region."""
    account_id = os.environ.get("MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT_ID)
    return get_backend("service-quotas")[account_id]


def backend_in(region: str) -> ServiceQuotas:
    """Service Quotas of the account in a Region."""
    account = the_account()
    if region not in account:
        raise Rejected(404, f"There is no Region {region!r} in which Service Quotas is served.")
    backend: ServiceQuotas = account[region]
    return backend


def _find(place: Parameters, query: Parameters) -> tuple[ServiceQuotas, Service, Quota]:
    """The quota that a path names, by its code or its name; a global one in its Region."""
    backend = backend_in(query.get("region", HOME))
    services = backend.catalogue.services
    if (service := services.get(place["service"])) is None:
        raise Rejected(404, f"There is no service {place['service']!r}: {sorted(services)}.")
    quota = service.quotas.get(place["quota"]) or service.by_name.get(place["quota"])
    if quota is None:
        raise Rejected(
            404, f"{service.code} has no quota with the code or name {place['quota']!r}."
        )
    if not backend.shows(quota):
        raise Rejected(404, f"{quota.name!r} of {service.code} is global: it is in {HOME} only.")
    return backend, service, quota


def _decision(body: Mapping[str, Any]) -> Decision:
    decision = Decision(Outcome(body["outcome"]), body.get("value"))
    if decision.value is not None and decision.outcome not in {Outcome.APPROVE, Outcome.CLOSE_CASE}:
        raise Rejected(400, f"{decision.outcome} grants nothing, so it has no value.")
    return decision


@in_turn
def put_standing_decision(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """How every request is decided from now on."""
    backend_in(HOME).standing = _decision(body)
    return {"outcome": body["outcome"], "value": body.get("value")}


@in_turn
def put_next_decision(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """How the next request of one quota is decided."""
    backend, service, quota = _find(place, query)
    backend.home.planned[service.code, quota.code] = _decision(body)
    return {"service": service.code, "quota": quota.code, "outcome": body["outcome"]}


@in_turn
def post_decision(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Decide a request now. A pending one whose case is closed has its case opened first."""
    for backend in the_account().values():
        if (change := backend.changes.get(place["id"])) is None:
            continue
        if not change.is_open:
            raise Rejected(409, f"The request {change.id} is at its end: {change.status}.")
        decision = _decision(body)
        if decision.outcome is Outcome.CLOSE_CASE and change.status == "PENDING":
            backend.decide(change, Decision(Outcome.OPEN_CASE))
        backend.decide(change, decision)
        return {"id": change.id, "status": change.status}
    raise Rejected(404, f"There is no request {place['id']!r}.")


@in_turn
def post_request(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Let somebody else request an increase."""
    backend, service, quota = _find(place, query)
    by = body.get("by", "person")
    try:
        change = backend.request(
            service,
            quota,
            body["desired_value"],
            resource=body.get("resource"),
            caller=f"arn:{backend.partition}:iam::{backend.account_id}:{ACTOR[by]}",
            case_allowed=body.get("support_case_allowed", True),
            automatic=by == "automatic-management",
        )
    except Refusal as refusal:
        raise Rejected(409, f"{refusal.code}: {refusal.message}") from None
    return {"id": change.id, "status": change.status}


@in_turn
def put_value(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Set an applied value."""
    backend, service, quota = _find(place, query)
    resource = body.get("resource")
    if resource is not None and quota.resource_type is None:
        raise Rejected(400, f"{quota.name!r} of {service.code} is no resource-level quota.")
    backend.values[service.code, quota.code, resource] = body["value"]
    return {"service": service.code, "quota": quota.code, "value": body["value"]}


@in_turn
def put_use(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Let so much of a quota be in use, whatever is."""
    backend, service, quota = _find(place, query)
    use(backend, (service.code, quota.code), body["used"], body.get("history", []))
    return {"service": service.code, "quota": quota.code, "used": body["used"]}


@in_turn
def delete_use(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Let a quota's use be what is measured."""
    backend, service, quota = _find(place, query)
    backend.used.pop((service.code, quota.code), None)
    return {"service": service.code, "quota": quota.code}


@in_turn
def put_next_report(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Let the next utilization report fail."""
    message = body.get("message", "The report failed because the control interface said so.")
    failure = (body.get("code", "InternalError"), message)
    backend_in(query.get("region", HOME)).failure = failure
    return dict(zip(("code", "message"), failure, strict=True))


def use(backend: ServiceQuotas, key: Key, used: float, history: Sequence[float]) -> None:
    """Let so much of a quota be in use, now and, minute by minute, before."""
    backend.used[key] = used
    write_history(backend, key, [*history, used])
    watch(backend)


_QUOTA = "/servicequotas/quotas/<service>/<quota>"

QUOTA_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        "/servicequotas/decision",
        "Quota increase requests made from now on come to this outcome: approve (with value: that "
        "much is granted), open-case, close-case (with value: that much is granted), deny, "
        "not-approve, invalid, or wait for POST /servicequotas/requests/<id>/decision.",
        put_standing_decision,
        DECISION,
    ),
    Fault(
        "PUT",
        f"{_QUOTA}/next-decision",
        "The next increase request of this quota (a code or a name) comes to this outcome instead.",
        put_next_decision,
        DECISION,
        REGION,
    ),
    Fault(
        "POST",
        "/servicequotas/requests/<id>/decision",
        "Decides an open increase request now.",
        post_decision,
        DECISION,
    ),
    Fault(
        "POST",
        f"{_QUOTA}/requests",
        "A person, or Automatic Management, requests an increase of this quota.",
        post_request,
        REQUEST,
        REGION,
    ),
    Fault(
        "PUT",
        f"{_QUOTA}/value",
        "Sets the quota's applied value, of the account or of a resource (its ARN).",
        put_value,
        VALUE,
        REGION,
    ),
    Fault(
        "PUT",
        f"{_QUOTA}/use",
        "So much of the quota is in use from now on, whatever is measured; the usage metric is "
        "published each minute, and for the minutes before now as history says, oldest first.",
        put_use,
        USE,
        REGION,
    ),
    Fault("DELETE", f"{_QUOTA}/use", "The quota's use is measured.", delete_use, query=REGION),
    Fault(
        "PUT",
        "/servicequotas/next-report",
        "The utilization report that is finished next ends in FAILED, with this code and message.",
        put_next_report,
        FAILURE,
        REGION,
    ),
)
