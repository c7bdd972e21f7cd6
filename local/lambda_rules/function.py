"""A function as the rules see it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.lambda_rules.refusal import Refused, invalid, missing, out_of_model

LATEST = "$LATEST"
ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
VERSION = re.compile(r"[0-9]+")
_REFERENCE = re.compile(
    r"(?:arn:[^:]+:lambda:[^:]+:)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass
class Provisioned:
    """A configuration of provisioned concurrency.

    Allocation for `version` runs from `changed`, when somebody last asked, until `due` (epoch
    seconds); until then `kept` is what is still available of before. `failed` allocations end with
    nothing new. `left` is the version that an alias still sends all traffic to until then.
    """

    version: str
    requested: int
    changed: float
    due: float
    kept: int = 0
    failed: bool = False
    left: str | None = None


@dataclass
class Function:
    """`arn` is unqualified, `versions` are the published ones, `aliases` are as GetAlias answers them
    and `provisioned` is by qualifier, an alias or a version; the last two are changed in place.
    `states` are the states of versions and `$LATEST`, `updating` whether an update of `$LATEST` is in
    progress, `managed` names versions that run on Lambda Managed Instances, `snap_started` those that
    start by SnapStart."""

    arn: str
    versions: Collection[str]
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    provisioned: dict[str, Provisioned] = field(default_factory=dict)
    reserved: int | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    updating: bool = False
    managed: Collection[str] = ()
    snap_started: Collection[str] = ()

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def concurrency(self) -> int:
        """What it takes of the account: its reservation, or else what it has provisioned, which
        counts towards the reservation (Lambda developer guide, provisioned-concurrency)."""
        return self.total_provisioned if self.reserved is None else self.reserved

    @property
    def total_provisioned(self) -> int:
        return sum(each.requested for each in self.provisioned.values())

    def require_version(self, version: str) -> None:
        """Refuse a version that was not published."""
        if version != LATEST and version not in self.versions:
            raise missing(f"{self.arn}:{version}")

    def require_active(self, version: str) -> None:
        """Refuse what operates on a version that is not there yet: "any invocations or other API
        actions that operate on the function will fail" (Lambda developer guide, functions-states;
        text: github.com/remotion-dev/remotion/issues/1186)."""
        state = self.states.get(version, "Active")
        if state == "Pending":
            raise Refused(
                "ResourceConflictException",
                "The operation cannot be performed at this time. The function is currently in the "
                f"following state: {state}",
            )

    def require_settled(self) -> None:
        """Refuse another update, or a version, while `$LATEST` is being created or updated (same
        page; text: github.com/aws/aws-cli/issues/6718)."""
        if self.updating:
            raise Refused(
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for "
                f"resource: {self.arn}",
            )

    def has(self, qualifier: str) -> bool:
        """Whether there is such an alias or version."""
        return qualifier == LATEST or qualifier in self.versions or qualifier in self.aliases

    def version_of(self, qualifier: str) -> str:
        """The published version that a qualifier stands for, or `$LATEST`."""
        if qualifier == LATEST or qualifier in self.versions:
            return qualifier
        if qualifier not in self.aliases:
            raise missing(f"{self.arn}:{qualifier}")
        version: str = self.aliases[qualifier]["FunctionVersion"]
        return version


def weights(alias: dict[str, Any]) -> dict[str, float]:
    """An alias's additional versions and their shares; empty when it has one version."""
    routing = alias.get("RoutingConfig") or {}
    return routing.get("AdditionalVersionWeights") or {}


def named(reference: str) -> tuple[str, str | None]:
    """The name and qualifier in a function's name, partial or whole ARN (botocore service model,
    `FunctionName`)."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        constraint = f"Member must satisfy regular expression pattern: {_REFERENCE.pattern}"
        raise out_of_model(reference, "functionName", constraint)
    return found["name"], found["qualifier"]


def qualified(reference: str, qualifier: str | None) -> tuple[str, str | None]:
    """The name and the one qualifier of a call that takes it in two places."""
    name, derived = named(reference)
    if qualifier and derived and qualifier != derived:
        raise invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return name, qualifier or derived
