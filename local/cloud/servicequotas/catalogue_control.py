"""What the control interface does to the catalogue: another one in the place of the built-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.fault import Fault, Rejected, number
from local.cloud.schema import Schema
from local.cloud.servicequotas.catalogue import Catalogue
from local.cloud.servicequotas.control import Parameters, backend_in, in_turn, the_account, use
from local.cloud.servicequotas.keeper import HOME, Key
from local.cloud.servicequotas.quotas import (
    SECONDS,
    Period,
    Quota,
    Service,
    UsageMetric,
    code_of,
)
from local.cloud.servicequotas.reads import UNAVAILABLE

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
METRIC: Schema = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "dimensions": {"type": "object", "additionalProperties": TEXT},
        "namespace": TEXT,
        "statistic": {"enum": ["Sum", "Maximum"]},
    },
    "required": ["name", "dimensions"],
    "additionalProperties": False,
}
PERIOD: Schema = {
    "type": "object",
    "properties": {"value": {"type": "integer", "minimum": 1}, "unit": {"enum": list(SECONDS)}},
    "required": ["value", "unit"],
    "additionalProperties": False,
}
QUOTA: Schema = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "default": number(),
        "code": TEXT,
        "applied": number(),
        "adjustable": TRUTH,
        "is_global": TRUTH,
        "unit": TEXT,
        "metric": METRIC,
        "period": PERIOD,
        "resource_type": TEXT,
        "account_wide": TRUTH,
        "default_only": TRUTH,
        "error": {"enum": list(UNAVAILABLE)},
        "description": TEXT,
        "used": number(),
    },
    "required": ["name", "default"],
    "additionalProperties": False,
}
SERVICE: Schema = {
    "type": "object",
    "properties": {"code": TEXT, "name": TEXT, "quotas": {"type": "array", "items": QUOTA}},
    "required": ["code", "name", "quotas"],
    "additionalProperties": False,
}
CATALOGUE: Schema = {
    "type": "object",
    "properties": {
        "services": {"type": "array", "items": SERVICE},
        "regions": {"type": "array", "items": TEXT},
        "history_minutes": {"type": "integer", "minimum": 0, "maximum": 20160},
    },
    "required": ["services"],
    "additionalProperties": False,
}


def read(body: Mapping[str, Any]) -> tuple[Catalogue, dict[Key, float]]:
    """The catalogue of a body that fits `CATALOGUE`, and how much of which quotas is in use.

    Raises ValueError when codes or names are used twice.
    """
    services, uses = [], {}
    for service in body["services"]:
        quotas = []
        for given in service["quotas"]:
            quota = _quota(service["code"], given)
            quotas.append(quota)
            if "used" in given:
                uses[service["code"], quota.code] = float(given["used"])
        services.append(Service.of(service["code"], service["name"], quotas))
    return Catalogue.of(services), uses


def _quota(service: str, given: Mapping[str, Any]) -> Quota:
    told = {name: value for name, value in given.items() if name != "used"}
    told.setdefault("code", code_of(service, given["name"]))
    if "metric" in given:
        told["metric"] = UsageMetric(**given["metric"])
    if "period" in given:
        told["period"] = Period(**given["period"])
    return Quota(**told)


@in_turn
def put_catalogue(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Put another catalogue in the place of the account's."""
    regions = [backend_in(region) for region in body.get("regions", [HOME])]
    try:
        catalogue, uses = read(body)
    except ValueError as error:
        raise Rejected(400, str(error)) from None
    answer = _begin_with(catalogue)
    for backend in regions:
        for key, used in uses.items():
            if backend.shows(catalogue.services[key[0]].quotas[key[1]]):
                use(backend, key, used, [used] * body.get("history_minutes", 0))
    return answer


@in_turn
def delete_catalogue(place: Parameters, query: Parameters, body: Any) -> dict[str, Any]:
    """Give the account its built-in catalogue again."""
    return _begin_with(None)


def _begin_with(catalogue: Catalogue | None) -> dict[str, Any]:
    """A fresh account with another catalogue, or the built-in one."""
    home = backend_in(HOME)
    home.replaced = catalogue
    for backend in the_account().values():
        backend.begin()
    services = home.catalogue.services.values()
    quotas = sum(len(service.quotas) for service in services)
    return {"services": len(services), "quotas": quotas}


CATALOGUE_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        "/servicequotas/catalogue",
        "The account has these services and quotas and nothing has happened to them; what is used "
        "of them is used in these regions, and was for history_minutes before now.",
        put_catalogue,
        CATALOGUE,
    ),
    Fault(
        "DELETE",
        "/servicequotas/catalogue",
        "The account has the built-in services and quotas and nothing has happened to them.",
        delete_catalogue,
    ),
)
