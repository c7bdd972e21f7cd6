"""What Lambda's rules depend on beyond Lambda: the account's quota, durations and switches."""

from __future__ import annotations

from typing import Any

from local.cloud.servicequotas.keeper import of
from local.cloud.world import WORLD

SERVICE, CONCURRENT_EXECUTIONS, DEFAULT = "lambda", "L-B99A9384", 1000.0


def conditions(account_id: str, region: str) -> dict[str, Any]:
    """The members of `local.lambda_rules.Conditions`, but for the time, as JSON can tell them.

    The limit is the applied value of the quota "Concurrent executions" (Lambda developer guide,
    gettingstarted-limits): an increase that AWS grants raises it.
    """
    return {
        "limit": int(_quota(account_id, region)),
        "unreserved_minimum": WORLD.lambdas.unreserved_minimum,
        "provisioning": WORLD.durations.lambda_provisioning,
        "failing": list(WORLD.lambdas.failing),
        "provisioning_refuses_changes": WORLD.switches.provisioning_refuses_changes,
        "alias_keeps_old_version": WORLD.switches.alias_keeps_old_version,
        "account_settings_count_provisioned": WORLD.switches.account_settings_count_provisioned,
    }


def _quota(account_id: str, region: str) -> float:
    """The quota's value, AWS's default where a catalogue was put in place that lacks it."""
    keeper = of(account_id, region)
    service = keeper.catalogue.services.get(SERVICE)
    quota = service.quotas.get(CONCURRENT_EXECUTIONS) if service else None
    return keeper.value(SERVICE, quota) if quota else DEFAULT
