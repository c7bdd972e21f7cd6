"""The gate that every call of a deployed function passes: what it needs, held against its role."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from local.authorization import scaling
from local.authorization.denials import Denial, denial, message, refusal, session
from local.authorization.requests import Request, Right, rights
from local.authorization.statements import (
    Ask,
    NotSimulated,
    Statement,
    decision,
    keys,
    parsed,
)
from local.calls import Identity
from local.operations import model_name

log = logging.getLogger(__name__)

KEPT_SECONDS = 1.0
"""IAM is eventually consistent (IAM user guide, "Troubleshoot IAM"): a role's policies are read again
after that long."""

TAG = "aws:resourcetag/"


class Records(Protocol):
    """What the account knows of roles and resources."""

    async def policies(self, role_name: str) -> Sequence[Mapping[str, Any]] | None:
        """The policy documents of a role, None when there is no such role."""

    async def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource; none when there is no such resource."""

    async def scalable_target(self, request: Request, members: Mapping[str, Any]) -> str | None:
        """The ARN of the target that a registration names, if it is registered."""


@dataclass(frozen=True)
class Denied:
    """A right that is missing."""

    right: Right
    explicit: bool


class Gate:
    """Judges calls of functions whose role there is: a role that only a test's function names has no
    policies to judge by."""

    def __init__(self, records: Records, made_up: Callable[[], bool]) -> None:
        self._records = records
        self._made_up = made_up
        self._kept: dict[str, tuple[float, list[Statement] | None]] = {}

    async def refuse(self, identity: Identity, request: Request) -> Denial | None:
        """The answer to a call that its caller may not make, None when it may."""
        if identity.role_arn is None:
            return None
        try:
            statements = await self._statements(identity.role_arn.rsplit("/", 1)[-1])
        except NotSimulated as unknown:
            return refusal("UnsupportedByPocketAccount", str(unknown))
        if statements is None:
            return None
        action = f"{request.service}:{request.operation}"
        members = request.members()
        if action == scaling.REGISTER and isinstance(members.get("ResourceId"), str):
            return await self._refuse_registering(identity, statements, request, members)
        for right in rights(request):
            if denied := await self._denied(statements, request, right, {}):
                return _denial(identity, identity.role_arn, request, denied)
        return None

    async def _refuse_registering(
        self,
        identity: Identity,
        statements: list[Statement],
        request: Request,
        members: Mapping[str, Any],
    ) -> Denial | None:
        assert identity.role_arn is not None
        target = await self._records.scalable_target(request, members)
        new = request.arn("application-autoscaling", "scalable-target/new")
        context = {
            "application-autoscaling:service-namespace": str(members.get("ServiceNamespace")),
            "application-autoscaling:scalable-dimension": str(members.get("ScalableDimension")),
        }
        for name, value in (members.get("Tags") or {}).items():
            context[f"aws:requesttag/{name}".lower()] = value
        right = Right(scaling.REGISTER, target or new, target)
        if denied := await self._denied(statements, request, right, context):
            return _denial(identity, identity.role_arn, request, denied)
        missing = [
            denied.right.action
            for each in scaling.validated(request, members["ResourceId"], made_up=self._made_up())
            if (denied := await self._denied(statements, request, each, {}, via_service=True))
        ]
        if missing:
            text = scaling.MISSING.format(", ".join(missing))
            log.warning("%s registers %s: %s", identity.name, members["ResourceId"], text)
            return refusal("ValidationException", text)
        return None

    async def _denied(
        self,
        statements: list[Statement],
        request: Request,
        right: Right,
        context: Mapping[str, str],
        *,
        via_service: bool = False,
    ) -> Denied | None:
        known = {
            "aws:requestedregion": request.region,
            "aws:viaawsservice": str(via_service).lower(),
            **context,
        }
        asked = Ask(right.action, right.resource, known)
        if right.tagged and any(key.startswith(TAG) for key in keys(statements, asked)):
            tags = await self._records.tags(right.tagged)
            known |= {f"{TAG}{name}".lower(): value for name, value in tags.items()}
        decided = decision(statements, asked)
        return None if decided == "allow" else Denied(right, decided == "deny")

    async def _statements(self, role_name: str) -> list[Statement] | None:
        until, statements = self._kept.get(role_name, (0.0, None))
        if time.monotonic() >= until:
            documents = await self._records.policies(role_name)
            statements = None if documents is None else parsed(documents)
            self._kept[role_name] = (time.monotonic() + KEPT_SECONDS, statements)
        return statements


def _denial(identity: Identity, role_arn: str, request: Request, denied: Denied) -> Denial:
    text = message(
        session(role_arn, identity.name),
        denied.right.action,
        denied.right.resource or "*",
        explicit=denied.explicit,
    )
    log.warning("%s", text)
    return denial(_protocol(request.service), text)


def _protocol(service: str) -> str:
    try:
        model: dict[str, Any] = Loader().load_service_model(model_name(service), "service-2")
    except UnknownServiceError:
        return "json"
    metadata = model["metadata"]
    # Services that speak several are called in JSON by SDKs (botocore's order of protocols).
    return "json" if "json" in metadata.get("protocols", ()) else str(metadata["protocol"])
