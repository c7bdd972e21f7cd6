"""Which operation of which service an HTTP request is, read as the services read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

_SIGNED = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")

FORM = "application/x-www-form-urlencoded"
MOST = 20_000

# Where the name a request is signed for is not the name of botocore's model.
_MODEL = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
}


@dataclass(frozen=True)
class Signature:
    """What a signature says, unverified: the key, the Region and the service."""

    access_key: str
    region: str
    service: str


def model_name(service: str) -> str:
    """The name of botocore's model of a service that requests are signed for."""
    return _MODEL.get(service, service)


def signature(headers: Mapping[str, str], query: str) -> Signature | None:
    """The signature of a request, from its Authorization header or a presigned URL's query."""
    found = _SIGNED.search(headers.get("Authorization", ""))
    if found is None and "X-Amz-Credential" in query:
        credential = parse_qs(query).get("X-Amz-Credential", [""])[0]
        found = _SIGNED.search(f"Credential={credential}")
    return Signature(*found.groups()) if found else None


def operation(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> str:
    """The operation's name as AWS spells it, or `METHOD path` where no model knows it."""
    target = headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    _, rpc, name = path.partition("/operation/")
    if rpc:
        return name
    if headers.get("Content-Type", "").startswith(FORM):
        action = parse_qs(body[:2000].decode("latin-1")).get("Action")
        if action:
            return action[0]
    action = parse_qs(query).get("Action")
    if action:
        return action[0]
    return _rest_operation(service, method, path, query, headers) or f"{method} {path}"


def parameters(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """What a request of the Query protocol asks for, as flat as it is sent (`InstanceIds.member.1`),
    the first 20 KB of it; empty for other protocols."""
    if not headers.get("Content-Type", "").startswith(FORM):
        return {}
    text = body[:MOST].decode("latin-1")
    whole = text if len(body) <= MOST else text.rpartition("&")[0]
    asked = dict(parse_qsl(whole, keep_blank_values=True))
    return {name: value for name, value in asked.items() if name not in ("Action", "Version")}


def error_code(headers: Mapping[str, str], body: bytes) -> str | None:
    """The error code of a refused call, in any of AWS's protocols; None where none is given."""
    for candidate in (headers.get("x-amzn-errortype"), headers.get("x-amzn-query-error")):
        if candidate:
            return re.split(r"[:;]", candidate)[0]
    text = body[:4000].decode("utf-8", "replace")
    found = re.search(r"<Code>([^<]+)</Code>", text) or re.search(
        r'"(?:__type|code|Code)"\s*:\s*"([^"]+)"', text
    )
    return found[1].rsplit("#", 1)[-1].split(":")[0] if found else None


@dataclass(frozen=True)
class _Route:
    name: str
    method: str
    path: re.Pattern[str]
    literals: int
    query: frozenset[str]
    headers: frozenset[str]


def _rest_operation(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> str | None:
    given = frozenset(f"{key}={value}" if value else key for key, value in _pairs(query))
    names = given | {pair.split("=")[0] for pair in given}
    fitting = [
        route
        for route in _routes(service)
        if route.method == method
        and route.path.fullmatch(path)
        and route.query <= names
        and all(header in headers for header in route.headers)
    ]
    best = max(
        fitting,
        key=lambda route: (len(route.query) + len(route.headers), route.literals),
        default=None,
    )
    return best.name if best else None


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


@cache
def _routes(service: str) -> list[_Route]:
    try:
        model: dict[str, Any] = Loader().load_service_model(model_name(service), "service-2")
    except UnknownServiceError:
        return []
    return [
        _route(name, details, model, service == "s3")
        for name, details in model["operations"].items()
    ]


def _route(name: str, details: dict[str, Any], model: dict[str, Any], path_style: bool) -> _Route:
    uri, _, query = details["http"]["requestUri"].partition("?")
    prefix = ""
    if path_style:
        # The bucket is the first segment, which the model leaves out; only the list of buckets has none.
        uri = uri.removeprefix("/{Bucket}").rstrip("/")
        prefix = "" if name in ("ListBuckets", "ListDirectoryBuckets") else "/[^/]+"
    pieces = re.split(r"\{([^}]+)\}", uri)
    expression = "".join(
        re.escape(piece) if index % 2 == 0 else (".+" if piece.endswith("+") else "[^/]+")
        for index, piece in enumerate(pieces)
    )
    required = _required(details, model)
    return _Route(
        name,
        details["http"]["method"],
        re.compile(f"{prefix}{expression.removesuffix('/')}/?"),
        sum(len(piece) for piece in pieces[::2]),
        frozenset(f"{k}={v}" if v else k for k, v in _pairs(query)) | required["querystring"],
        required["header"],
    )


def _required(details: dict[str, Any], model: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Names of the parameters an operation cannot do without, by where in the request they stand."""
    shape = model["shapes"].get(details.get("input", {}).get("shape"), {})
    members = [shape["members"][name] for name in shape.get("required", ())]
    return {
        place: frozenset(m["locationName"] for m in members if m.get("location") == place)
        for place in ("querystring", "header")
    }
