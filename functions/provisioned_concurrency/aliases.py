"""What AWS says of a Lambda alias, and the calls that move its provisioned concurrency."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.core.decision import Dial, Refuse
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Gone, Impossible
from functions.provisioned_concurrency import obstacles
from functions.provisioned_concurrency.aws import (
    FULL,
    Standing,
    Surroundings,
    code_of,
    dial,
    require_unmoved,
    text_of,
)
from functions.provisioned_concurrency.metrics import Meter
from functions.provisioned_concurrency.observation import Room, Seen, Service, Status
from functions.provisioned_concurrency.reading import ALIAS, FUNCTION
from functions.provisioned_concurrency.wishes import LEVER, for_all, named, wish

NO_CONFIG = "ProvisionedConcurrencyConfigNotFoundException"
NOT_FOUND = "ResourceNotFoundException"
WILDCARD = re.compile(r"[*?[]")
QUALIFIED_ARN = re.compile(
    rf"arn:[\w-]+:lambda:[\w-]+:\d{{12}}:function:(?P<function>{FUNCTION}):(?P<qualifier>[^:]+)"
)


@dataclass(frozen=True)
class Held:
    """Provisioned concurrency of one alias or version. changed_at: when it was last asked for."""

    requested: int
    available: int
    status: Status
    reason: str
    changed_at: datetime | None


NOTHING = Held(0, 0, Status.NONE, "", None)


class Aliases:
    """client: gives a boto3 client by name. Lives for one invocation."""

    def __init__(self, client: Callable[[str], Any], around: Surroundings) -> None:
        self._lambda = client("lambda")
        self._around = around
        self._tags: dict[str, Mapping[str, str]] = {}

    # where to look

    def standings(self, arn: str, tags: Mapping[str, str]) -> list[Standing]:
        """The aliases of an opted-in function that are looked after: those that its tags or a plan
        name, those that have provisioned concurrency now, and all where a tag without a name, or a
        plan for many, asks for a level.

        Calls: ListProvisionedConcurrencyConfigs; ListAliases where all are looked after; GetAlias for
        each named alias that neither answer told of, so that one that does not exist is known before
        its first window. Raises Gone.
        """
        function = arn.rsplit(":", 1)[-1]
        held = self._held(function)
        aliases = {name for name in held if not name.isdigit()}
        listed: frozenset[str] = frozenset()
        if for_all(tags) or self._planned_for_many(function):
            listed = self._listed(function)
        found = []
        for alias in sorted(self._names(tags, function) | aliases | listed):
            stands = held.get(alias, NOTHING)
            resource = f"function:{function}:{alias}"
            wanted = wish(tags, alias, resource, self._around.settings.plans)
            exists = alias in held or alias in listed
            if not exists and self._alias(function, alias) is None:
                wanted = obstacles.alias_gone(function, alias)
            found.append(
                Standing(
                    target=f"{arn}:{alias}",
                    resource=resource,
                    service=Service.LAMBDA,
                    wish=wanted,
                    level=stands.requested,
                    failed=stands.status is Status.FAILED,
                    meter=_meter(function, alias) if stands.requested else None,
                )
            )
        return found

    def _names(self, tags: Mapping[str, str], function: str) -> set[str]:
        """The aliases that a function's tags name, or a plan that fits but one."""
        prefix = f"function:{function}:"
        planned = {
            plan.target.removeprefix(prefix)
            for plan in self._around.settings.plans
            if plan.target.startswith(prefix) and not WILDCARD.search(plan.target)
        }
        return planned | named(tags)

    def _planned_for_many(self, function: str) -> bool:
        """Whether a plan with a level may fit aliases of the function that it does not name; told by
        what stands before its first wildcard, so that functions it is not for cost no call."""
        prefix = f"function:{function}:"
        starts = [
            WILDCARD.split(plan.target, maxsplit=1)[0]
            for plan in self._around.settings.plans
            if WILDCARD.search(plan.target) and (plan.schedule or plan.min is not None)
        ]
        return any(prefix.startswith(each) or each.startswith(prefix) for each in starts)

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the function's tag lets us go. Raises Gone.

        What is read serves the observation of the same look as well, once.
        """
        self._tags[target] = self._list_tags(target)
        return of_tag(self._tags[target], LEVER)

    # what there is

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Seen:
        """The alias as AWS describes it. Raises Gone.

        Calls: ListTags unless `opt_in` just made it, ListProvisionedConcurrencyConfigs, GetAlias,
        GetFunctionConfiguration, GetFunctionConcurrency, GetAccountSettings for a function without
        a reservation, DescribeScalableTargets, GetMetricData; of an alias that is not there only
        the first three and DescribeScalableTargets.
        """
        function, alias = _parts(target)
        tags = self._tags.pop(target, None)
        if tags is None:
            tags = self._list_tags(target)
        resource = f"function:{function}:{alias}"
        held = self._held(function)
        stands = held.get(alias, NOTHING)
        described = self._alias(function, alias)
        version = described and self._version(function, alias)
        x86 = not version or version.get("Architectures", ["x86_64"])[0] != "arm64"
        prices = self._around.settings.prices
        owner = self._around.owner(Service.LAMBDA, resource)
        return Seen(
            target=target,
            name=f"{function}:{alias}",
            service=Service.LAMBDA,
            now=now,
            wish=wish(tags, alias, resource, self._around.settings.plans),
            obstacle=obstacles.of_alias(function, alias, described, version),
            requested=stands.requested,
            available=stands.available,
            status=stands.status,
            status_reason=stands.reason,
            changed_at=stands.changed_at,
            owner=owner,
            room=self._room(function, alias, held) if version else Room(),
            minutes=self._around.minutes(_meter(function, alias), now) if version else (),
            lead=self._around.leads.of(target, stands.status, stands.requested, owner, now),
            memory_gb=version["MemorySize"] / 1024 if version else 0.0,
            prices=prices.lambda_x86 if x86 else prices.lambda_arm,
        )

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        """One call: the level itself, or the floor of the scalable target that owns it.

        Raises Busy, Changed, Impossible and what the API raises.
        """
        function, alias = _parts(target)
        resource = f"function:{function}:{alias}"
        owner = self._around.owner(Service.LAMBDA, resource)
        stands = self._held_now(function, alias)
        require_unmoved(dial(stands.requested, owner), seen, stands.status, f"{function}:{alias}")
        if write["minimum"] is not None:
            self._around.owners.move(Service.LAMBDA, resource, write["minimum"])
            self._around.written(target, stands.requested, write)
            return
        place = {"FunctionName": function, "Qualifier": alias}
        level = write["provisioned"]
        try:
            if level:
                self._lambda.put_provisioned_concurrency_config(
                    **place, ProvisionedConcurrentExecutions=level
                )
            else:
                self._lambda.delete_provisioned_concurrency_config(**place)
        except ClientError as error:
            raise _refusal(error) from error
        self._around.written(target, stands.requested, write)

    # single reads

    def _list_tags(self, target: str) -> Mapping[str, str]:
        """Tags are the function's, aliases have none (Lambda API reference, ListTags). Raises Gone."""
        try:
            tags: Mapping[str, str] = self._lambda.list_tags(Resource=target.rsplit(":", 1)[0])[
                "Tags"
            ]
            return tags
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                raise Gone(f"the function of {target} does not exist any more") from error
            raise

    def _held(self, function: str) -> dict[str, Held]:
        """Provisioned concurrency of a function's aliases and versions, by their names. Raises
        Gone."""
        pages = self._lambda.get_paginator("list_provisioned_concurrency_configs").paginate(
            FunctionName=function
        )
        try:
            return {
                each["FunctionArn"].rsplit(":", 1)[-1]: _of(each)
                for page in pages
                for each in page["ProvisionedConcurrencyConfigs"]
            }
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                raise Gone(f"function {function} does not exist any more") from error
            raise

    def _held_now(self, function: str, alias: str) -> Held:
        """The same of one alias alone. Raises Busy when it is gone: the next look tells of it."""
        try:
            return _of(
                self._lambda.get_provisioned_concurrency_config(
                    FunctionName=function, Qualifier=alias
                )
            )
        except ClientError as error:
            if code_of(error) == NO_CONFIG:
                return NOTHING
            raise _refusal(error) from error

    def _listed(self, function: str) -> frozenset[str]:
        """Names of a function's aliases, by a ListAliases for every 50."""
        pages = self._lambda.get_paginator("list_aliases").paginate(FunctionName=function)
        return frozenset(each["Name"] for page in pages for each in page["Aliases"])

    def _alias(self, function: str, alias: str) -> Mapping[str, Any] | None:
        """GetAlias; None when there is no such alias, or by that name can be none."""
        if not re.fullmatch(ALIAS, alias):
            return None
        return self._found(self._lambda.get_alias, FunctionName=function, Name=alias)

    def _version(self, function: str, alias: str) -> Mapping[str, Any] | None:
        """GetFunctionConfiguration of the version that the alias points to."""
        read = self._lambda.get_function_configuration
        return self._found(read, FunctionName=function, Qualifier=alias)

    def _found(self, read: Callable[..., Any], **place: str) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = read(**place)
            return answer
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return None
            raise

    def _room(self, function: str, alias: str, held: Mapping[str, Held]) -> Room:
        """What the function's reservation leaves, or else the account (Lambda developer guide,
        "Configuring provisioned concurrency": it counts towards either).

        Whether UnreservedConcurrentExecutions leaves out provisioned concurrency, or just reservations
        as its description says (API_AccountLimit), AWS does not say. More than the account has beside
        what this function alone holds tells that it does not. Where others hold what shows nowhere,
        AWS's refusal of the write keeps 100 unreserved.
        """
        answer = self._lambda.get_function_concurrency(FunctionName=function)
        reserved = answer.get("ReservedConcurrentExecutions")
        if reserved is not None:
            others = sum(each.requested for name, each in held.items() if name != alias)
            return Room(reserved=reserved - others)
        limits = self._lambda.get_account_settings()["AccountLimit"]
        unreserved, limit = limits["UnreservedConcurrentExecutions"], limits["ConcurrentExecutions"]
        own = held.get(alias, NOTHING).requested
        together = sum(each.requested for each in held.values())
        left_out = unreserved <= limit - together
        free = unreserved if left_out else unreserved - together
        return Room(unreserved=free + own, limit=limit)


def _parts(target: str) -> tuple[str, str]:
    """Names of function and alias, or of what a tag took for one. Raises Gone."""
    found = QUALIFIED_ARN.fullmatch(target)
    if found is None:
        raise Gone(f"{target!r:.160} is not the ARN of a Lambda alias")
    return found["function"], found["qualifier"]


def _meter(function: str, alias: str) -> Meter:
    dimensions = {"FunctionName": function, "Resource": f"{function}:{alias}"}
    return Meter(Service.LAMBDA, dimensions)


def _of(config: Mapping[str, Any]) -> Held:
    return Held(
        requested=config["RequestedProvisionedConcurrentExecutions"],
        available=config.get("AvailableProvisionedConcurrentExecutions", 0),
        status=Status(config["Status"]),
        reason=config.get("StatusReason", ""),
        changed_at=datetime.fromisoformat(config["LastModified"]),
    )


def _refusal(error: ClientError) -> Exception:
    """What a refused write means; the error itself where it is none of these.

    Texts: github.com/anomalyco/sst/issues/5829 (the account), hashicorp/terraform/issues/24957
    (weights); codes: service model of Lambda. How Lambda words that a version is provisioned already is
    documented nowhere: worded otherwise it is a conflict like any, and told as that after a while.
    """
    code, text = code_of(error), text_of(error)
    if code == "ResourceConflictException" and "already provisioned" in text.lower():
        return Busy(text, "version-taken", FULL)
    if code == "ResourceConflictException":
        return Busy(text)
    if code == NOT_FOUND:
        return Busy(text, "alias-gone")
    if code not in ("InvalidParameterValueException", "ValidationException"):
        return error
    if "UnreservedConcurrentExecution" in text:
        return Busy(text, "account-headroom", FULL)
    if "reservedConcurrentExecution" in text:
        return Busy(text, "reserved-concurrency", FULL)
    if "weights" in text:
        return Busy(text, "weighted-alias")
    return Impossible("refused-by-aws", text)
