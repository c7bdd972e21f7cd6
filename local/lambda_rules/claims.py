"""The concurrency of an account as a whole, and the metrics Lambda makes of it, without dimensions.

Lambda developer guide, monitoring-concurrency: unreserved executions are those of functions without a
reservation on environments that are not provisioned; claimed is what these take and what is reserved
or provisioned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from local.lambda_rules.function import Function
from local.lambda_rules.provisioned import available
from local.lambda_rules.traffic import MINUTE, Datum, Traffic


def claimed(account: Iterable[tuple[Function, Mapping[str, Traffic]]], now: float) -> list[Datum]:
    """What is measured of a Region's functions and their traffic, by qualifier, at the end of a
    minute, `now`. Without any invocation nothing is."""
    running = unreserved = 0.0
    allocated = 0
    for function, traffic in account:
        reserved = math.inf if function.reserved is None else function.reserved
        wanted = {name: each.in_flight(now) for name, each in traffic.items() if function.has(name)}
        taken = min(sum(wanted.values()), reserved)
        running += taken
        allocated += function.concurrency
        if function.reserved is None:
            warm = sum(
                min(amount, available(function.provisioned.get(name), now))
                for name, amount in wanted.items()
            )
            unreserved += taken - warm
    if not running:
        return []
    began = now - MINUTE
    return [
        Datum(name, {}, [float(math.ceil(round(value, 6)))], [1.0], began)
        for name, value in (
            ("ConcurrentExecutions", running),
            ("UnreservedConcurrentExecutions", unreserved),
            ("ClaimedAccountConcurrency", unreserved + allocated),
        )
    ]
