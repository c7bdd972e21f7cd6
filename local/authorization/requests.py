"""Which rights a call needs: pure.

Names of actions, resource types and condition keys: Service Authorization Reference, the page of each
service. A function's tags count for its versions and aliases (Lambda developer guide,
attribute-based-access-control).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

PREFIX = {"monitoring": "cloudwatch", "tagging": "tag"}
"""IAM's name of a service where requests are signed for another one."""

ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""STS API reference: "No permissions are required"."""

UNJUDGED = frozenset({"s3", "unsigned"})
"""Services whose operations and actions have different names; deployed functions call none."""

_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
_ON_A_QUALIFIER = frozenset(
    {
        *("GetFunction", "GetFunctionConfiguration", "Invoke"),
        "DeleteProvisionedConcurrencyConfig",
        "GetProvisionedConcurrencyConfig",
        "PutProvisionedConcurrencyConfig",
    }
)
_FUNCTION = re.compile(r"/\d{4}-\d\d-\d\d/functions/(?P<name>[^/]+)(?:/.*)?")
_REFERENCE = re.compile(
    r"(?:arn:[^:]+:lambda:[^:]+:)?(?:\d{12}:)?(?:function:)?(?P<name>[^:]+)(?::(?P<qualifier>.+))?"
)
_TAGS = re.compile(r"/\d{4}-\d\d-\d\d/tags/(?P<arn>[^/]+)")


@dataclass(frozen=True)
class Request:
    """A signed call. `service` is the name it is signed for, `operation` is as AWS spells it."""

    service: str
    operation: str
    region: str
    account: str
    path: str
    query: str
    body: bytes

    def arn(self, service: str, resource: str) -> str:
        """An ARN of the call's account and Region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def members(self) -> Mapping[str, Any]:
        """The members of a request in JSON; none of another, or of one that is no object."""
        try:
            told = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True)
class Right:
    """An action on a resource (None: not worked out), whose tags are those of `tagged`."""

    action: str
    resource: str | None = None
    tagged: str | None = None


def rights(request: Request) -> Sequence[Right]:
    """What IAM is asked before a call is served. Of a call that is not understood only the action
    counts: the service refuses it."""
    action = f"{PREFIX.get(request.service, request.service)}:{request.operation}"
    if request.service in UNJUDGED or action in ALWAYS_ALLOWED:
        return ()
    match request.service:
        case "dynamodb" if request.operation in ("TransactWriteItems", "TransactGetItems"):
            items = request.members().get("TransactItems", ())
            wanted = {_TRANSACTED[kind] for item in items for kind in item if kind in _TRANSACTED}
            return [Right(each) for each in sorted(wanted)]
        case "lambda":
            return [_of_function(request, action)]
        case "sagemaker":
            return [of_endpoint(request, action, request.members().get("EndpointName"))]
        case _:
            return [Right(action)]


def _of_function(request: Request, action: str) -> Right:
    if request.operation == "Invoke":
        action = "lambda:InvokeFunction"
    path = unquote(request.path)
    if tags := _TAGS.fullmatch(path):
        return Right(action, tags["arn"], tags["arn"])
    if not (found := _FUNCTION.fullmatch(path)) or not (
        named := _REFERENCE.fullmatch(found["name"])
    ):
        return Right(action)
    given = parse_qs(request.query).get("Qualifier", [named["qualifier"]])[0]
    qualified = request.operation in _ON_A_QUALIFIER
    return of_function(request, action, named["name"], given if qualified else None)


def of_function(request: Request, action: str, name: str, qualifier: str | None) -> Right:
    """The right to do something to a function, or to one of its versions or aliases."""
    whole = request.arn("lambda", f"function:{name}")
    return Right(action, f"{whole}:{qualifier}" if qualifier else whole, whole)


def of_endpoint(request: Request, action: str, name: object) -> Right:
    """The right to do something to an endpoint, whose ARN is in lower case."""
    if not isinstance(name, str):
        return Right(action)
    arn = request.arn("sagemaker", f"endpoint/{name.lower()}")
    return Right(action, arn, arn)
