"""Invocations of an alias with two versions go to either, by weight.

ministack keeps an alias's RoutingConfig and then looks at its FunctionVersion alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

_chosen: ContextVar[dict[str, str]] = ContextVar("chosen")

_invoke = lambda_svc._invoke
_find = lambda_svc._get_func_record_for_ref
_lock = threading.Lock()
_owed: dict[str, float] = {}


def install(settle: Callable[[str], None]) -> None:
    """Puts the choice before every way in which ministack finds what to run. `settle` brings about
    what has fallen due for a function of that name."""

    async def invoke(
        name: str,
        event: Any,
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        given = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
        settle(name)
        with _routed(name, given):
            return await _invoke(name, event, headers, path_qualifier, query_params)

    def find(function_ref: str) -> Any:
        name, qualifier = lambda_svc._resolve_name_and_qualifier(function_ref)
        settle(name)
        with _routed(name, qualifier):
            return _find(function_ref)

    lambda_svc._invoke = invoke
    lambda_svc._get_func_record_for_ref = find


class RoutedAlias(dict[str, Any]):
    """An alias that, while an invocation looks for what to run, points to the chosen version."""

    def get(self, key: str, default: Any = None) -> Any:
        if key == "FunctionVersion" and self["AliasArn"] in _chosen.get({}):
            return _chosen.get()[self["AliasArn"]]
        return super().get(key, default)


def choose(alias: dict[str, Any]) -> str:
    """The version that the next invocation of an alias runs. AWS draws lots (Lambda developer guide,
    configuring-alias-routing); here each version gets exactly its share, as soon as it is due."""
    weights: dict[str, float] = (alias.get("RoutingConfig") or {}).get(
        "AdditionalVersionWeights"
    ) or {}
    with _lock:
        for version, weight in weights.items():
            # Rounded far below one invocation, so that 0.1 added ten times is one.
            owed = round(_owed.get(alias["AliasArn"], 0.0) + weight, 6)
            _owed[alias["AliasArn"]] = owed - 1 if owed >= 1 else owed
            if owed >= 1:
                return version
    main: str = alias["FunctionVersion"]
    return main


@contextmanager
def _routed(name: str, qualifier: str | None) -> Iterator[None]:
    aliases = lambda_svc._functions[name]["aliases"] if name in lambda_svc._functions else {}
    if qualifier not in aliases:
        yield
        return
    alias = aliases[qualifier]
    if not isinstance(alias, RoutedAlias):
        alias = aliases[qualifier] = RoutedAlias(alias)
    token = _chosen.set({alias["AliasArn"]: choose(alias)})
    try:
        yield
    finally:
        _chosen.reset(token)
