"""Reserved concurrency, and what of the account's is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.lambda_rules.conditions import Conditions
from local.lambda_rules.function import Function
from local.lambda_rules.refusal import invalid, out_of_model

ONLY_FUNCTIONS = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
    "operation. Please specify either a function name or an unqualified function ARN."
)


def unreserved(account: Iterable[Function], conditions: Conditions) -> int:
    """What is left for functions without a reservation: provisioned concurrency counts like a
    reservation (Lambda developer guide, lambda-concurrency)."""
    return conditions.limit - sum(function.concurrency for function in account)


def put_reserved(
    function: Function,
    qualifier: str | None,
    amount: int,
    account: Iterable[Function],
    conditions: Conditions,
) -> int:
    """PutFunctionConcurrency: for the function as a whole; the minimum stays unreserved (API
    reference; text: github.com/aws-samples/siem-on-amazon-opensearch-service/issues/175), and the
    function's provisioned concurrency fits in. Gives the reservation."""
    require_whole(qualifier)
    if amount < 0:
        constraint = "Member must have value greater than or equal to 0"
        raise out_of_model(amount, "reservedConcurrentExecutions", constraint)
    # What it holds now is given back first.
    if unreserved(account, conditions) + function.concurrency - amount < conditions.floor:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{conditions.floor}]."
        )
    if function.total_provisioned > amount:
        raise invalid(
            f" ReservedConcurrentExecutions  {amount} should not be lower than function's total "
            f"provisioned concurrency [{function.total_provisioned}]."
        )
    function.reserved = amount
    return amount


def require_whole(qualifier: str | None) -> None:
    """Refuse a reservation of a version's or an alias's."""
    if qualifier:
        raise invalid(ONLY_FUNCTIONS)


def account_limit(account: Iterable[Function], conditions: Conditions) -> dict[str, Any]:
    """The members of GetAccountSettings' AccountLimit that are about concurrency."""
    if conditions.account_settings_count_provisioned:
        left = unreserved(account, conditions)
    else:
        left = conditions.limit - sum(function.reserved or 0 for function in account)
    return {
        "ConcurrentExecutions": conditions.limit,
        "UnreservedConcurrentExecutions": max(0, left),
    }
