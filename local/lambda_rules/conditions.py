"""What Lambda's rules must know of the account and of the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Conditions:
    """`now` is epoch seconds, `limit` the account's concurrent executions in the Region.

    `unreserved_minimum` is what must be left for functions without a reservation, None for AWS's own:
    100, and all there is in an account that has less. `provisioning` is how many seconds allocation
    takes; `failing` names functions ("shop") and versions ("shop:3") whose initialisation fails.
    The switches are those of `local.cloud.Switches`, by the same names.
    """

    now: float
    limit: int = 1000
    unreserved_minimum: int | None = None
    provisioning: float = 2.0
    failing: frozenset[str] = frozenset()
    provisioning_refuses_changes: bool = True
    alias_keeps_old_version: bool = True
    account_settings_count_provisioned: bool = True

    @property
    def floor(self) -> int:
        """What must be left unreserved. "At least 100" (API reference, `PutFunctionConcurrency`);
        accounts limited to 10 and 50 report 10 and 50 as the minimum
        (github.com/aws-samples/alarm-context-tool/issues/2, awslabs/amazon-neptune-tools/issues/324)."""
        return min(100, self.limit) if self.unreserved_minimum is None else self.unreserved_minimum

    def fails(self, function: str, version: str) -> bool:
        """Whether the version's initialisation fails."""
        return not self.failing.isdisjoint({function, f"{function}:{version}"})

    @staticmethod
    def of(told: Mapping[str, Any], now: float) -> Conditions:
        """The conditions as JSON brings them."""
        return Conditions(now, **dict(told, failing=frozenset(told["failing"])))
