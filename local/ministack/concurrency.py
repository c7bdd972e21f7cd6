"""Lambda's aliases and concurrency as strict as AWS, by `local.lambda_rules`.

ministack takes provisioned concurrency for `$LATEST` and in any amount, has it ready at once, and
reserves more than the account has. Its records of functions stay what they are: the rules read and
change them, for CloudFormation's calls like for clients'.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import lambda_svc

from local import lambda_rules as rules
from local.ministack.wire import Wire

Answer = tuple[int, dict[str, str], bytes]
Maybe = TypeVar("Maybe", Answer, Answer | None)

JSON = "application/json"

_handle = lambda_svc.handle_request
_account_settings = lambda_svc._get_account_settings
# Calls come on several threads: CloudFormation's beside clients'.
_turn = threading.RLock()


def install(wire: Wire) -> None:
    """Puts the rules in the place of ministack's operations."""

    def conditions() -> rules.Conditions:
        told = wire.lambda_conditions(get_account_id(), get_region())
        return rules.Conditions.of(told, time.time())

    @_answering
    def create_alias(func_name: str, data: dict[str, Any]) -> Answer:
        alias = rules.create_alias(function_named(func_name), data, time.time())
        return _json(alias, 201)

    @_answering
    def get_alias(func_name: str, alias_name: str) -> Answer:
        return _json(rules.get_alias(function_named(func_name), alias_name, time.time()))

    @_answering
    def update_alias(func_name: str, alias_name: str, data: dict[str, Any]) -> Answer:
        asked = dict(data)
        if "RoutingConfig" in asked and asked["RoutingConfig"] is None:
            # CloudFormation's way to say that the template has none any more.
            asked["RoutingConfig"] = {}
        function = function_named(func_name)
        return _json(rules.update_alias(function, alias_name, asked, conditions()))

    @_answering
    def delete_alias(func_name: str, alias_name: str) -> Answer:
        rules.delete_alias(function_named(func_name), alias_name, time.time())
        return 204, {}, b""

    list_aliases = lambda_svc._list_aliases

    @_answering
    def list_settled_aliases(func_name: str, query_params: dict[str, Any]) -> Answer:
        rules.settle(function_named(func_name), time.time())
        answer: Answer = list_aliases(func_name, query_params)
        return answer

    @_answering
    def put_provisioned(func_name: str, qualifier: str, data: dict[str, Any]) -> Answer:
        amount = _amount(data, "ProvisionedConcurrentExecutions")
        function = function_named(func_name)
        return _json(
            rules.put_provisioned(function, qualifier, amount, account(), conditions()), 202
        )

    @_answering
    def get_provisioned(func_name: str, qualifier: str) -> Answer:
        return _json(rules.get_provisioned(function_named(func_name), qualifier, time.time()))

    @_answering
    def delete_provisioned(func_name: str, qualifier: str) -> Answer:
        rules.delete_provisioned(function_named(func_name), qualifier, time.time())
        return 204, {}, b""

    @_answering
    def put_reserved(func_name: str, data: dict[str, Any]) -> Answer:
        amount = _amount(data, "ReservedConcurrentExecutions")
        function = function_named(func_name)
        reserved = rules.put_reserved(function, None, amount, account(), conditions())
        lambda_svc._functions[func_name]["concurrency"] = reserved
        return _json({"ReservedConcurrentExecutions": reserved})

    @_answering
    def account_settings() -> Answer:
        status, headers, body = _account_settings()
        answer = json.loads(body)
        answer["AccountLimit"] |= rules.account_limit(account(), conditions())
        return status, headers, json.dumps(answer).encode()

    lambda_svc.handle_request = _handle_strictly
    lambda_svc._create_alias = create_alias
    lambda_svc._get_alias = get_alias
    lambda_svc._update_alias = update_alias
    lambda_svc._delete_alias = delete_alias
    lambda_svc._list_aliases = list_settled_aliases
    lambda_svc._put_provisioned_concurrency = put_provisioned
    lambda_svc._get_provisioned_concurrency = get_provisioned
    lambda_svc._delete_provisioned_concurrency = delete_provisioned
    lambda_svc._put_function_concurrency = put_reserved
    lambda_svc._get_account_settings = account_settings


def function_named(name: str) -> rules.Function:
    """A function of the request's account and Region as the rules see it."""
    arn = lambda_svc._func_arn(name)
    if name not in lambda_svc._functions:
        raise rules.Refused("ResourceNotFoundException", f"Function not found: {arn}")
    record = lambda_svc._functions[name]
    return rules.Function(
        arn,
        record["versions"].keys(),
        record["aliases"],
        record.setdefault("provisioned_concurrency", {}),
        record.get("concurrency"),
    )


def account() -> list[rules.Function]:
    """Every function of the request's account and Region."""
    return [function_named(name) for name in list(lambda_svc._functions.keys())]


async def _handle_strictly(
    method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
) -> Any:
    """Does what ministack does not look at: the two qualifiers of one call, `List=ALL`, by which
    alone ListProvisionedConcurrencyConfigs differs from Get, and that reservations are functions'
    (botocore service model)."""
    *_, reference, resource = ["", *unquote(path).split("/")]
    if resource not in ("concurrency", "provisioned-concurrency"):
        return await _handle(method, path, headers, body, query_params)

    @_answering
    def answer() -> Answer | None:
        given = lambda_svc._qp_first(query_params, "Qualifier") or None
        name, qualifier = rules.qualified(reference, given)
        if resource == "concurrency":
            rules.require_whole(qualifier)
        elif method == "GET" and "List" in query_params:
            most = lambda_svc._qp_first(query_params, "MaxItems")
            marker = lambda_svc._qp_first(query_params, "Marker")
            return _json(
                rules.list_provisioned(
                    function_named(name), time.time(), marker, int(most) if most else None
                )
            )
        return None

    return answer() or await _handle(method, path, headers, body, query_params)


def _answering(act: Callable[..., Maybe]) -> Callable[..., Answer | Maybe]:
    """One call at a time, with refusals as Lambda answers them."""

    @wraps(act)
    def answer(*args: Any, **kwargs: Any) -> Answer | Maybe:
        with _turn:
            try:
                return act(*args, **kwargs)
            except rules.Refused as refused:
                status = rules.STATUS[refused.code]
                refusal: Answer = error_response_json(
                    refused.code, refused.message, status, content_type=JSON
                )
                return refusal

    return answer


def _amount(data: dict[str, Any], name: str) -> int:
    if name not in data:
        member = name[:1].lower() + name[1:]
        raise rules.Refused(
            "ValidationException",
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null",
        )
    return int(data[name])


def _json(answer: dict[str, Any], status: int = 200) -> Answer:
    written: Answer = json_response(answer, status)
    return written
