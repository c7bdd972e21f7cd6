"""Aliases: one version, or two by weight, and the RevisionId that locks them.

Rules: Lambda developer guide, configuring-alias-routing; constraints of the service model.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from local.lambda_rules.conditions import Conditions
from local.lambda_rules.function import ALIAS, LATEST, VERSION, Function, weights
from local.lambda_rules.provisioned import UNPUBLISHED, move, require_free, settle
from local.lambda_rules.refusal import Refused, invalid, out_of_model

Request = Mapping[str, Any]
A_PAGE = 50
"""Aliases in an answer of ListAliases that is not asked for another number."""
MOST_LISTED = 10_000


def create_alias(function: Function, asked: Request, now: float) -> dict[str, Any]:
    """CreateAlias. `asked` has the members of the request, those absent are None or left out."""
    settle(function, now)
    name: str = asked["Name"]
    if ALIAS.fullmatch(name) is None:
        constraint = f"Member must satisfy regular expression pattern: {ALIAS.pattern}"
        raise out_of_model(name, "name", constraint)
    if name in function.aliases:
        raise Refused("ResourceConflictException", f"Alias already exists: {function.arn}:{name}")
    version: str = asked["FunctionVersion"]
    function.require_version(version)
    alias: dict[str, Any] = {
        "AliasArn": f"{function.arn}:{name}",
        "Name": name,
        "FunctionVersion": version,
        "Description": asked.get("Description") or "",
    }
    _route(alias, _weights_asked(function, asked, version))
    _stamp(alias)
    function.aliases[name] = alias
    return alias


def get_alias(function: Function, name: str, now: float) -> dict[str, Any]:
    """GetAlias."""
    settle(function, now)
    if name not in function.aliases:
        raise Refused("ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{name}")
    return function.aliases[name]


def list_aliases(
    function: Function,
    now: float,
    version: str | None = None,
    marker: str = "",
    most: int | None = None,
) -> dict[str, Any]:
    """ListAliases, those of one version or all, 1 to 10,000 a page (botocore service model)."""
    settle(function, now)
    if most is not None and not 1 <= most <= MOST_LISTED:
        word = "greater than or equal to 1" if most < 1 else f"less than or equal to {MOST_LISTED}"
        raise out_of_model(most, "maxItems", f"Member must have value {word}")
    rest = [
        alias
        for name, alias in sorted(function.aliases.items())
        if name > marker and version in (None, alias["FunctionVersion"])
    ]
    page = rest[: most or A_PAGE]
    answer: dict[str, Any] = {"Aliases": page}
    return answer | ({"NextMarker": page[-1]["Name"]} if len(page) < len(rest) else {})


def update_alias(
    function: Function, name: str, asked: Request, conditions: Conditions
) -> dict[str, Any]:
    """UpdateAlias: members left out keep their values; the new RevisionId is another one.

    With provisioned concurrency an alias takes no weights, nor another version while it has some
    ("Invalid alias configuration for Provisioned Concurrency", Lambda developer guide,
    troubleshooting-deployment; github.com/gradientedge/cdk-utils/pull/1110). Another version makes
    Lambda allocate anew.
    """
    settle(function, conditions.now)
    alias = function.aliases.get(name)
    if alias is None:
        raise Refused("ResourceNotFoundException", f"Alias not found: {function.arn}:{name}")
    if asked.get("RevisionId") and asked["RevisionId"] != alias["RevisionId"]:
        raise Refused(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        )
    old: str = alias["FunctionVersion"]
    version: str = asked.get("FunctionVersion") or old
    function.require_version(version)
    shares = weights(alias)
    if asked.get("RoutingConfig") is not None:
        shares = _weights_asked(function, asked, version)
    elif version in shares:
        raise _twice(version)
    provisioned = name in function.provisioned
    if provisioned and shares and (version != old or shares != weights(alias)):
        raise invalid("Invalid alias configuration for Provisioned Concurrency")
    if provisioned and version != old:
        if version == LATEST:
            raise invalid(UNPUBLISHED)
        require_free(function, name, version)
    alias["FunctionVersion"] = version
    if asked.get("Description") is not None:
        alias["Description"] = asked["Description"]
    _route(alias, shares)
    if provisioned and version != old:
        move(function, alias, old, conditions)
    _stamp(alias)
    return alias


def delete_alias(function: Function, name: str, now: float) -> None:
    """DeleteAlias; its provisioned concurrency goes with it. Deleting what is not there succeeds."""
    settle(function, now)
    function.aliases.pop(name, None)
    settle(function, now)


def _weights_asked(function: Function, asked: Request, version: str) -> dict[str, float]:
    """The weights a request sets: one more version, published, another one than the alias's, both
    published (Lambda developer guide, configuring-alias-routing)."""
    shares = weights(dict(asked))
    where = "routingConfig.additionalVersionWeights"
    if len(shares) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, share in shares.items():
        if not 0 <= share <= 1:
            raise out_of_model(
                f"{{{other}={share}}}",
                where,
                "Map value must satisfy constraint: [Member must have value less than or equal to "
                "1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
            )
        if other == version:
            raise _twice(version)
        if version == LATEST:
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if VERSION.fullmatch(other) is None:
            raise out_of_model(
                f"{{{other}={share}}}",
                where,
                "Map keys must satisfy constraint: [Member must have length less than or equal to "
                "1024, Member must have length greater than or equal to 1, Member must satisfy "
                "regular expression pattern: [0-9]+, Member must not be null]",
            )
        function.require_version(other)
    return shares


def _twice(version: str) -> Refused:
    # Text: github.com/serverless/serverless/issues/7329.
    return invalid(
        f"Invalid function version {version}. Function version {version} is already included in "
        "routing configuration."
    )


def _route(alias: dict[str, Any], shares: dict[str, float]) -> None:
    alias.pop("RoutingConfig", None)
    if shares:
        alias["RoutingConfig"] = {"AdditionalVersionWeights": dict(shares)}


def _stamp(alias: dict[str, Any]) -> None:
    alias["RevisionId"] = str(uuid.uuid4())
