"""AWS Lambda's rules of aliases and concurrency, for every Lambda of the pocket account.

Pure: standard library only, no clock, no I/O. ministack's Lambda (`local.ministack.concurrency`) and
moto's (`local.cloud.awslambda`) keep functions as they like, show them as a `Function` and answer
what these rules answer. Time is looked at, not waited for: what has come about since the last call is
settled at the next one.
"""

from __future__ import annotations

from local.lambda_rules.aliases import (
    create_alias,
    delete_alias,
    get_alias,
    list_aliases,
    update_alias,
)
from local.lambda_rules.claims import claimed
from local.lambda_rules.conditions import Conditions
from local.lambda_rules.function import Function, Provisioned, named, qualified
from local.lambda_rules.provisioned import (
    delete_provisioned,
    get_provisioned,
    list_provisioned,
    put_provisioned,
    settle,
)
from local.lambda_rules.refusal import STATUS, Refused
from local.lambda_rules.reserved import account_limit, put_reserved, require_whole
from local.lambda_rules.traffic import Datum, Demand, Traffic, measure

__all__ = [
    "STATUS",
    "Conditions",
    "Datum",
    "Demand",
    "Function",
    "Provisioned",
    "Refused",
    "Traffic",
    "account_limit",
    "claimed",
    "create_alias",
    "delete_alias",
    "delete_provisioned",
    "get_alias",
    "get_provisioned",
    "list_aliases",
    "list_provisioned",
    "measure",
    "named",
    "put_provisioned",
    "put_reserved",
    "qualified",
    "require_whole",
    "settle",
    "update_alias",
]
