"""Provisioned concurrency: what AWS refuses of it, and what becomes of it with time.

Rules: Lambda developer guide, provisioned-concurrency ("Configuring provisioned concurrency"), but
where it is said. Texts are those that AWS's clients report, at the refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from local.lambda_rules.conditions import Conditions
from local.lambda_rules.function import LATEST, Function, Provisioned, weights
from local.lambda_rules.refusal import Refused, invalid, out_of_model
from local.lambda_rules.reserved import unreserved

UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
ALREADY = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
MANAGED = "Provisioned Concurrency is not supported for functions with a capacity provider."
SNAP_STARTED = "Provisioned Concurrency is not supported for functions with SnapStart."
MOST_LISTED = 50


def put_provisioned(
    function: Function,
    qualifier: str,
    amount: int,
    account: Iterable[Function],
    conditions: Conditions,
) -> dict[str, Any]:
    """PutProvisionedConcurrencyConfig; `account` is every function of the account in the Region.

    Not for `$LATEST` (text: github.com/hashicorp/terraform-provider-aws/issues/12120), not for an
    alias with weights (hashicorp/terraform/issues/24957); not beyond the function's reservation, nor
    so that less than the minimum is left (anomalyco/sst/issues/5829). Functions on Managed Instances
    keep environments of their own by PutFunctionScalingConfig (Lambda developer guide,
    lambda-managed-instances-scaling), and SnapStart does not support it (same guide, snapstart); with
    which words these refuse it is not known.
    """
    settle(function, conditions.now)
    if amount < 1:
        constraint = "Member must have value greater than or equal to 1"
        raise out_of_model(amount, "provisionedConcurrentExecutions", constraint)
    if qualifier == LATEST:
        raise invalid(UNPUBLISHED)
    version = _version(function, qualifier)
    if version == LATEST:
        raise invalid(UNPUBLISHED)
    function.require_active(version)
    if version in function.managed:
        raise invalid(MANAGED)
    if version in function.snap_started:
        raise invalid(SNAP_STARTED)
    if weights(function.aliases.get(qualifier, {})):
        raise invalid("Alias with weights can not be used with Provisioned Concurrency")
    require_free(function, qualifier, version)
    before = function.provisioned.get(qualifier)
    if before and conditions.provisioning_refuses_changes and conditions.now < before.due:
        raise Refused(
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource: "
            f"{function.arn}:{qualifier}",
        )
    _require_room(function, qualifier, amount, account, conditions)
    function.provisioned[qualifier] = Provisioned(
        version,
        amount,
        conditions.now,
        conditions.now + conditions.provisioning,
        min(amount, available(before, conditions.now)),
        conditions.fails(function.name, version),
    )
    return _described(function.provisioned[qualifier], conditions.now)


def get_provisioned(function: Function, qualifier: str, now: float) -> dict[str, Any]:
    """GetProvisionedConcurrencyConfig."""
    settle(function, now)
    _require_qualified(function, qualifier)
    if qualifier not in function.provisioned:
        raise Refused(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )
    return _described(function.provisioned[qualifier], now)


def list_provisioned(
    function: Function, now: float, marker: str = "", most: int | None = None
) -> dict[str, Any]:
    """ListProvisionedConcurrencyConfigs, 1 to 50 a page (botocore service model)."""
    settle(function, now)
    if most is not None and not 1 <= most <= MOST_LISTED:
        word = "greater than or equal to 1" if most < 1 else f"less than or equal to {MOST_LISTED}"
        raise out_of_model(most, "maxItems", f"Member must have value {word}")
    rest = sorted(each for each in function.provisioned if each > marker)
    page = rest[: most or MOST_LISTED]
    answer: dict[str, Any] = {
        "ProvisionedConcurrencyConfigs": [
            {"FunctionArn": f"{function.arn}:{each}"} | _described(function.provisioned[each], now)
            for each in page
        ]
    }
    return answer | ({"NextMarker": page[-1]} if len(page) < len(rest) else {})


def delete_provisioned(function: Function, qualifier: str, now: float) -> None:
    """DeleteProvisionedConcurrencyConfig. Deleting what is not there succeeds."""
    settle(function, now)
    _require_qualified(function, qualifier)
    deleted = function.provisioned.pop(qualifier, None)
    if deleted:
        _let_go(function, qualifier, deleted)


def settle(function: Function, now: float) -> None:
    """Bring about what has fallen due: an alias lets its old version go once all is allocated for
    the new one, never when that failed; what was provisioned for a qualifier ends with it."""
    for qualifier, each in list(function.provisioned.items()):
        if qualifier not in function.aliases and qualifier not in function.versions:
            del function.provisioned[qualifier]
        elif each.due <= now and not each.failed:
            _let_go(function, qualifier, each)
            each.left = None


def require_free(function: Function, qualifier: str, version: str) -> None:
    """Refuse what would provision a version twice: by itself, or by two of its aliases."""
    if qualifier == version:
        for alias in function.aliases.values():
            if alias["FunctionVersion"] == version and alias["Name"] in function.provisioned:
                raise Refused(
                    "ResourceConflictException",
                    "Version is pointed by a Provisioned Concurrency alias",
                )
        return
    others = (held.version for name, held in function.provisioned.items() if name != qualifier)
    if version in others:
        raise Refused("ResourceConflictException", ALREADY)


def move(function: Function, alias: dict[str, Any], old: str, conditions: Conditions) -> None:
    """Allocate anew for the version that an alias with provisioned concurrency points to now.

    Meanwhile the alias sends all traffic to the old one and what is provisioned of it, by a weight of
    1, and for ever when the new one cannot be initialised (github.com/hashicorp/terraform-provider-aws/pull/48116,
    serverless/serverless/issues/7329, gradientedge/cdk-utils/pull/1110).
    """
    held = function.provisioned[alias["Name"]]
    keeps = conditions.alias_keeps_old_version
    serving = available(held, conditions.now) if keeps else 0
    function.provisioned[alias["Name"]] = replace(
        held,
        version=alias["FunctionVersion"],
        due=conditions.now + conditions.provisioning,
        kept=serving,
        failed=conditions.fails(function.name, alias["FunctionVersion"]),
        left=old if keeps else None,
    )
    if keeps:
        alias["RoutingConfig"] = {"AdditionalVersionWeights": {old: 1.0}}


def _version(function: Function, qualifier: str) -> str:
    if qualifier in function.aliases or qualifier.isdigit():
        return function.version_of(qualifier)
    raise Refused("ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{qualifier}")


def _require_qualified(function: Function, qualifier: str) -> None:
    if qualifier == LATEST:
        raise invalid("The function resource provided must be an alias or a published version.")
    _version(function, qualifier)


def _require_room(
    function: Function,
    qualifier: str,
    amount: int,
    account: Iterable[Function],
    conditions: Conditions,
) -> None:
    before = function.provisioned.get(qualifier)
    growth = amount - (before.requested if before else 0)
    if function.reserved is not None:
        if function.total_provisioned + growth > function.reserved:
            raise invalid(
                "Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
        return
    if growth > 0 and unreserved(account, conditions) - growth < conditions.floor:
        raise invalid(
            "Specified ConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{conditions.floor}]."
        )


def available(held: Provisioned | None, now: float) -> int:
    """How many environments are ready at a moment."""
    if held is None:
        return 0
    return held.requested if held.due <= now and not held.failed else held.kept


def _described(held: Provisioned, now: float) -> dict[str, Any]:
    """Environments become usable all at once, when the last one is ready (Lambda developer guide,
    lambda-concurrency, "How Lambda allocates provisioned concurrency")."""
    ready = available(held, now)
    status = "IN_PROGRESS" if now < held.due else "FAILED" if held.failed else "READY"
    moment = datetime.fromtimestamp(held.changed, UTC)
    answer: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": held.requested,
        "AvailableProvisionedConcurrentExecutions": ready,
        "AllocatedProvisionedConcurrentExecutions": ready,
        "Status": status,
        "LastModified": moment.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    # Text: github.com/serverless/serverless/issues/7250.
    return answer | ({"StatusReason": "FUNCTION_ERROR_INIT_FAILURE"} if status == "FAILED" else {})


def _let_go(function: Function, qualifier: str, held: Provisioned) -> None:
    alias = function.aliases.get(qualifier)
    if alias and held.left and weights(alias) == {held.left: 1.0}:
        del alias["RoutingConfig"]
