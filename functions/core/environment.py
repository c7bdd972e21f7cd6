"""What a function needs from its environment, read once, each missing name said by name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.settings import Settings, parse


class EnvironmentMissing(RuntimeError):
    """The function was deployed without something it needs; the stack sets every name."""


def require(names: Sequence[str], env: Mapping[str, str] = os.environ) -> None:
    """Raises EnvironmentMissing, naming all of the names that are not set."""
    if missing := [name for name in names if not env.get(name)]:
        raise EnvironmentMissing(
            f"{', '.join(missing)} not set: deploy the stack again, it sets them."
        )


@dataclass(frozen=True)
class Environment:
    """ledger_table, topic_arn and mode_parameter name AWS resources of this stack.

    lever: the remediation's own settings as plain data, for the remediation to parse.
    sweep_seconds: between two sweeps; a remediation may have its own. echo_queue: URL of the queue
    through which the heartbeat comes a second time, half a minute later; empty where it does not.
    """

    ledger_table: str
    topic_arn: str
    mode_parameter: str
    settings: Settings
    lever: Mapping[str, Any]
    sweep_seconds: int
    echo_queue: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Environment:
        """Raises EnvironmentMissing, naming all that is missing, and SettingsError."""
        names = ("LEDGER_TABLE", "TOPIC_ARN", "MODE_PARAMETER", "SETTINGS", "LEVER_SETTINGS")
        require(names, env)
        settings = parse(Settings, json.loads(env["SETTINGS"]), "SETTINGS")
        return cls(
            ledger_table=env["LEDGER_TABLE"],
            topic_arn=env["TOPIC_ARN"],
            mode_parameter=env["MODE_PARAMETER"],
            settings=settings,
            lever=json.loads(env["LEVER_SETTINGS"]),
            sweep_seconds=settings.sweep_minutes * 60,
            echo_queue=env.get("ECHO_QUEUE_URL", ""),
        )
