"""Invocations that reach functions only in number, and the metrics Lambda makes of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ministack.core.responses import (
    get_account_id,
    get_region,
    set_request_account_id,
    set_request_region,
)
from ministack.services import lambda_svc

from local import lambda_rules as rules
from local.ministack.wire import Wire

log = logging.getLogger("local.ministack")

MINUTE = 60.0


class FunctionTraffic:
    """The traffic of every function, by account, Region and name, and within it by qualifier."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._traffic: dict[tuple[str, str, str], dict[str, rules.Traffic]] = {}

    def measure(self, function: rules.Function) -> None:
        """Tell what was measured of a function of the request's account and Region until now."""
        traffic = self._traffic.get((get_account_id(), get_region(), function.name))
        if traffic:
            self._tell(rules.measure(function, traffic, time.time()))

    def measure_account(self, account: Iterable[rules.Function]) -> None:
        """Tell what was measured of all functions of the request's account and Region in the minute
        that has just ended."""
        place = (get_account_id(), get_region())
        each = [(function, self._traffic.get((*place, function.name), {})) for function in account]
        self._tell(rules.claimed(each, time.time() // MINUTE * MINUTE))

    def begin(self, function: rules.Function, qualifier: str, told: Mapping[str, Any]) -> None:
        """Let invocations reach a qualifier, in the place of those until now."""
        traffic = rules.Traffic(qualifier, rules.Demand.of(told), time.time())
        key = (get_account_id(), get_region(), function.name)
        self._traffic.setdefault(key, {})[qualifier] = traffic
        self._tell(traffic.history(function))

    def end(self, function: rules.Function, qualifier: str) -> None:
        """End the invocations that reach a qualifier."""
        key = (get_account_id(), get_region(), function.name)
        self._traffic.get(key, {}).pop(qualifier, None)

    def functions(self) -> list[tuple[str, str, str]]:
        """Account, Region and name of the functions that have traffic and are still there."""
        for account, region, name in list(self._traffic):
            set_request_account_id(account)
            set_request_region(region)
            if name not in lambda_svc._functions:
                del self._traffic[account, region, name]
        return list(self._traffic)

    def _tell(self, data: list[rules.Datum]) -> None:
        for datum in data:
            self._wire.metric(
                asdict(datum)
                | {"region": get_region(), "namespace": "AWS/Lambda", "resolution": 60}
            )


def each_minute(act: Callable[[], None]) -> None:
    """Runs `act` on a thread of its own at the end of every minute of the clock."""

    def run() -> None:
        while True:
            threading.Event().wait(MINUTE - time.time() % MINUTE)
            try:
                act()
            except Exception:
                log.exception("the traffic of a minute was not measured")

    threading.Thread(target=run, name="function-traffic", daemon=True).start()
