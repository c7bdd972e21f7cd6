"""Lambda's aliases and concurrency as strict as AWS, by `local.lambda_rules`.

ministack takes provisioned concurrency for `$LATEST` and in any amount, has it ready at once, and
reserves more than the account has. Its records of functions stay what they are: the rules read and
change them, for CloudFormation's calls like for clients'.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote

from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    set_request_account_id,
    set_request_region,
)
from ministack.services import lambda_svc

from local import lambda_rules as rules
from local.ministack import routing
from local.ministack.function_traffic import FunctionTraffic, each_minute
from local.ministack.wire import Wire

Answer = tuple[int, dict[str, str], bytes]
Maybe = TypeVar("Maybe", Answer, Answer | None)
Parameters = dict[str, Any]

JSON = "application/json"

_handle = lambda_svc.handle_request
_account_settings = lambda_svc._get_account_settings
# Calls come on several threads: CloudFormation's beside clients'.
_turn = threading.RLock()


def install(wire: Wire) -> StrictLambda:
    """Puts the rules in the place of ministack's operations, or before them."""
    strict = StrictLambda(wire)
    lambda_svc._publish_version = strict.once_settled(lambda_svc._publish_version)
    lambda_svc._update_code = strict.once_settled(lambda_svc._update_code)
    lambda_svc._update_config = strict.once_settled(lambda_svc._update_config)
    lambda_svc.handle_request = strict.handle
    lambda_svc._create_alias = strict.create_alias
    lambda_svc._get_alias = strict.get_alias
    lambda_svc._update_alias = strict.update_alias
    lambda_svc._delete_alias = strict.delete_alias
    lambda_svc._list_aliases = strict.list_aliases
    lambda_svc._put_provisioned_concurrency = strict.put_provisioned
    lambda_svc._get_provisioned_concurrency = strict.get_provisioned
    lambda_svc._delete_provisioned_concurrency = strict.delete_provisioned
    lambda_svc._put_function_concurrency = strict.put_reserved
    lambda_svc._delete_function_concurrency = strict.delete_reserved
    lambda_svc._get_account_settings = strict.account_settings
    routing.install(strict.settle)
    each_minute(strict.measure)
    return strict


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


class StrictLambda:
    """ministack's operations on aliases and concurrency, by their names there, and the traffic of
    functions. They act in the account and Region of the request."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._traffic = FunctionTraffic(wire)

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: Parameters
    ) -> Any:
        """Does what ministack does not look at: the two qualifiers of one call, `List=ALL`, by which
        alone ListProvisionedConcurrencyConfigs differs from Get, and that reservations are functions'
        (botocore service model)."""
        *_, reference, resource = ["", *unquote(path).split("/")]
        answer = None
        if resource in ("concurrency", "provisioned-concurrency"):
            listing = method == "GET" and "List" in query_params
            answer = self._answer_first(reference, resource, listing, query_params)
        return answer or await _handle(method, path, headers, body, query_params)

    @_answering
    def _answer_first(
        self, reference: str, resource: str, listing: bool, query_params: Parameters
    ) -> Answer | None:
        given = lambda_svc._qp_first(query_params, "Qualifier") or None
        name, qualifier = rules.qualified(reference, given)
        if resource == "concurrency":
            rules.require_whole(qualifier)
            return None
        if not listing:
            return None
        most = lambda_svc._qp_first(query_params, "MaxItems")
        marker = lambda_svc._qp_first(query_params, "Marker")
        function = self._function(name)
        found = rules.list_provisioned(function, time.time(), marker, int(most) if most else None)
        return _json(found)

    @_answering
    def create_alias(self, func_name: str, data: Parameters) -> Answer:
        alias = rules.create_alias(self._function(func_name), data, time.time())
        return _json(alias, 201)

    @_answering
    def get_alias(self, func_name: str, alias_name: str) -> Answer:
        return _json(rules.get_alias(self._function(func_name), alias_name, time.time()))

    @_answering
    def update_alias(self, func_name: str, alias_name: str, data: Parameters) -> Answer:
        asked = dict(data)
        if "RoutingConfig" in asked and asked["RoutingConfig"] is None:
            # CloudFormation's way to say that the template has none any more.
            asked["RoutingConfig"] = {}
        function = self._function(func_name)
        return _json(rules.update_alias(function, alias_name, asked, self._conditions()))

    @_answering
    def delete_alias(self, func_name: str, alias_name: str) -> Answer:
        rules.delete_alias(self._function(func_name), alias_name, time.time())
        return 204, {}, b""

    @_answering
    def list_aliases(self, func_name: str, query_params: Parameters) -> Answer:
        version = lambda_svc._qp_first(query_params, "FunctionVersion") or None
        most = lambda_svc._qp_first(query_params, "MaxItems")
        marker = lambda_svc._qp_first(query_params, "Marker")
        function = self._function(func_name)
        asked = int(most) if most else None
        return _json(rules.list_aliases(function, time.time(), version, marker, asked))

    @_answering
    def put_provisioned(self, func_name: str, qualifier: str, data: Parameters) -> Answer:
        amount = _amount(data, "ProvisionedConcurrentExecutions")
        function = self._function(func_name)
        put = rules.put_provisioned(
            function, qualifier, amount, self._account(), self._conditions()
        )
        return _json(put, 202)

    @_answering
    def get_provisioned(self, func_name: str, qualifier: str) -> Answer:
        return _json(rules.get_provisioned(self._function(func_name), qualifier, time.time()))

    @_answering
    def delete_provisioned(self, func_name: str, qualifier: str) -> Answer:
        rules.delete_provisioned(self._function(func_name), qualifier, time.time())
        return 204, {}, b""

    @_answering
    def put_reserved(self, func_name: str, data: Parameters) -> Answer:
        amount = _amount(data, "ReservedConcurrentExecutions")
        function = self._function(func_name)
        reserved = rules.put_reserved(function, None, amount, self._account(), self._conditions())
        lambda_svc._functions[func_name]["concurrency"] = reserved
        return _json({"ReservedConcurrentExecutions": reserved})

    @_answering
    def delete_reserved(self, func_name: str) -> Answer:
        self._function(func_name)
        lambda_svc._functions[func_name]["concurrency"] = None
        return 204, {}, b""

    @_answering
    def account_settings(self) -> Answer:
        status, headers, body = _account_settings()
        answer = json.loads(body)
        answer["AccountLimit"] |= rules.account_limit(self._account(), self._conditions())
        return status, headers, json.dumps(answer).encode()

    def once_settled(self, act: Callable[[str, Parameters], Answer]) -> Callable[..., Answer]:
        """An operation that changes or copies `$LATEST`, refused while it is being changed."""

        @_answering
        def refuse(func_name: str) -> Answer | None:
            self._function(func_name).require_settled()
            return None

        def acting(func_name: str, data: Parameters) -> Answer:
            return refuse(func_name) or act(func_name, data)

        return acting

    def set_traffic(self, name: str, qualifier: str, demand: Mapping[str, Any] | None) -> None:
        """Let invocations reach a qualifier, or end them; raises Refused when it is not there."""
        with _turn:
            function = self._function(name)
            function.version_of(qualifier)
            if demand is None:
                self._traffic.end(function, qualifier)
            else:
                self._traffic.begin(function, qualifier, demand)

    def settle(self, name: str) -> None:
        """Bring about what has fallen due for a function, if there is one of that name."""
        with _turn:
            if name in lambda_svc._functions:
                rules.settle(self._function(name), time.time())

    def measure(self) -> None:
        """Tell the metrics of every function that has traffic, in whatever account and Region, and
        then of each Region as a whole."""
        with _turn:
            functions = self._traffic.functions()
            for account, region, name in functions:
                set_request_account_id(account)
                set_request_region(region)
                self._function(name)
            for account, region in sorted({place[:2] for place in functions}):
                set_request_account_id(account)
                set_request_region(region)
                self._traffic.measure_account(self._account())

    def _function(self, name: str) -> rules.Function:
        """A function as the rules see it. What happened to it until now is measured first: whoever
        asks may change it."""
        arn = lambda_svc._func_arn(name)
        if name not in lambda_svc._functions:
            raise rules.Refused("ResourceNotFoundException", f"Function not found: {arn}")
        record = lambda_svc._functions[name]
        published = {version: each["config"] for version, each in record["versions"].items()}
        configs = {"$LATEST": record["config"], **published}
        function = rules.Function(
            arn,
            record["versions"].keys(),
            record["aliases"],
            record.setdefault("provisioned_concurrency", {}),
            record.get("concurrency"),
            {version: config.get("State", "Active") for version, config in configs.items()},
            record["config"].get("LastUpdateStatus") == "InProgress",
            {version for version, config in configs.items() if "CapacityProviderConfig" in config},
            {version for version, config in configs.items() if _starts_by_snapshot(config)},
        )
        self._traffic.measure(function)
        return function

    def _account(self) -> list[rules.Function]:
        return [self._function(name) for name in list(lambda_svc._functions.keys())]

    def _conditions(self) -> rules.Conditions:
        told = self._wire.lambda_conditions(get_account_id(), get_region())
        return rules.Conditions.of(told, time.time())


def _amount(data: Parameters, name: str) -> int:
    if name not in data:
        member = name[:1].lower() + name[1:]
        raise rules.Refused(
            "ValidationException",
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null",
        )
    return int(data[name])


def _starts_by_snapshot(config: Mapping[str, Any]) -> bool:
    return (config.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions"


def _json(answer: Mapping[str, Any], status: int = 200) -> Answer:
    written: Answer = json_response(dict(answer), status)
    return written
