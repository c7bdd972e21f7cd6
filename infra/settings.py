"""Everything a user may set for a deployment, under the context key `remediation` in cdk.json."""

from __future__ import annotations

from dataclasses import dataclass, field

from functions.core.settings import Settings, parse, setting
from functions.traffic_shift.settings import TrafficShiftSettings

# What CloudWatch Logs accepts (PutRetentionPolicy, `Days` in botocore's logs model).
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True)
class InfrastructureSettings:
    """How the stack itself is built."""

    notify_emails: tuple[str, ...] = setting(
        (),
        "Addresses that get every message; each must confirm its subscription once.",
        pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
    )
    log_retention_days: int = setting(
        90,
        "Days that function logs are kept.",
        choices=_RETENTION_DAYS,
    )
    memory_mb: int = setting(
        256,
        "Memory of each function, in MB; CPU grows with it.",
        minimum=256,
        maximum=3008,
    )
    batch_size: int = setting(
        10,
        "Events that one invocation takes from its queue.",
        minimum=1,
        maximum=10,
    )
    batching_window_seconds: int = setting(
        0,
        "How long a batch may wait to fill up; a move to safety waits with it.",
        minimum=0,
        maximum=300,
    )
    maximum_concurrency: int = setting(
        5,
        "Invocations that one queue may run at a time.",
        minimum=2,
        maximum=1000,
    )
    dashboard: bool = setting(
        True,
        "Whether to create the CloudWatch dashboard, which costs money beyond the third.",
    )


@dataclass(frozen=True)
class StackSettings:
    """All settings of one deployment: what holds everywhere, each remediation's own, the stack's."""

    core: Settings = field(default_factory=Settings)
    traffic_shift: TrafficShiftSettings = field(default_factory=TrafficShiftSettings)
    infrastructure: InfrastructureSettings = field(default_factory=InfrastructureSettings)


def read_settings(context: object) -> StackSettings:
    """Parse the value of cdk.json's context key `remediation`; absent (None) means all defaults.

    Raises SettingsError with one sentence for each thing to change.
    """
    return parse(StackSettings, {} if context is None else context, "remediation")
