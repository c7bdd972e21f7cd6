"""How often Service Quotas itself may be called: a token bucket for each of its operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

Method = TypeVar("Method", bound=Callable[..., Any])


class Paced(Protocol):
    """Whose operations share one set of buckets."""

    buckets: Buckets


class Buckets:
    """The buckets of one account and Region.

    An operation that may be called N times a second may be called N times more "in one burst"
    (Service Quotas User Guide, reference_limits): the bucket holds 2 N tokens and gets N a second.
    "Rate exceeded" is AWS's text (github.com/cloud-custodian/cloud-custodian/pull/7138).
    """

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str, rate: float) -> None:
        """Take a token for a call of the operation `name`, or refuse the call."""
        now = WORLD.clock()
        level, since = self._levels.get(name, (2 * rate, now))
        level = min(2 * rate, level + rate * max(0.0, now - since))
        self._levels[name] = (level - 1 if level >= 1 else level, now)
        if level < 1:
            raise Refusal("TooManyRequestsException", "Rate exceeded")


def paced(rate: float) -> Callable[[Method], Method]:
    """Mark a backend method as an AWS operation that is served `rate` times a second."""

    def mark(method: Method) -> Method:
        @wraps(method)
        def call(self: Paced, **arguments: Any) -> Any:
            if WORLD.switches.quota_api_rates:
                self.buckets.take(method.__name__, rate)
            return method(self, **arguments)

        return cast(Method, operation(call))

    return mark
