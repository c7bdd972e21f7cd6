"""Everything a user may set for a deployment, under the context key `remediation` in cdk.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from functions.core.settings import Settings, SettingsError, parse, setting
from functions.provisioned_concurrency.settings import (
    Plan,
    Prices,
    ProvisionedConcurrencySettings,
)
from functions.quota_increase.settings import QuotaIncreaseSettings
from functions.spot_fallback.settings import Price, SpotFallbackSettings
from functions.traffic_shift.settings import TrafficShiftSettings

# What CloudWatch Logs accepts (PutRetentionPolicy, `Days` in botocore's logs model).
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# Of the 4 KB that a function's environment variables may have in all (Lambda developer guide,
# "Lambda quotas"), what the names of variables and resources leave to settings. Lambda measures
# JSON, so each quotation mark of a value counts twice
# (github-aws-runners/terraform-aws-github-runner#3594).
VARIABLE_BYTES = 3300

# Of ServiceCode (botocore's service-quotas model), with what a pattern may have besides.
_SERVICE = re.compile(r"[a-zA-Z*?\[][a-zA-Z0-9*?\[\]!-]{0,62}")


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
        "Events that one invocation takes from its queue; spot fallback's takes up to 1,000.",
        minimum=1,
        maximum=10,
    )
    batching_window_seconds: int = setting(
        0,
        "How long a batch may wait to fill up, spot fallback's 1 s apart; a move to safety waits "
        "with it.",
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
    quota_increase: QuotaIncreaseSettings = field(default_factory=QuotaIncreaseSettings)
    spot_fallback: SpotFallbackSettings = field(default_factory=SpotFallbackSettings)
    provisioned_concurrency: ProvisionedConcurrencySettings = field(
        default_factory=ProvisionedConcurrencySettings
    )
    infrastructure: InfrastructureSettings = field(default_factory=InfrastructureSettings)


def read_settings(context: object) -> StackSettings:
    """Parse the value of cdk.json's context key `remediation`; absent (None) means all defaults.

    Raises SettingsError with one sentence for each thing to change.
    """
    settings = parse(StackSettings, {} if context is None else context, "remediation")
    if problems := [
        *_contradictions(settings.quota_increase),
        *_contradictory_prices(settings.spot_fallback.prices),
        *_unbounded_roles(settings.spot_fallback.roles),
        *_contradictory_plans(settings.provisioned_concurrency.plans),
        *_contradictory_units(settings.provisioned_concurrency.prices),
        *_too_long(settings),
    ]:
        raise SettingsError(problems)
    return settings


def as_variable(
    settings: Settings
    | TrafficShiftSettings
    | QuotaIncreaseSettings
    | SpotFallbackSettings
    | ProvisionedConcurrencySettings,
) -> str:
    """Settings as the environment variable in which a function gets them."""
    return json.dumps(asdict(settings), sort_keys=True, separators=(",", ":"))


def _contradictions(own: QuotaIncreaseSettings) -> Iterator[str]:
    """What is wrong with settings that are each well by themselves."""
    where = "remediation.quota_increase"
    if own.target_percent >= own.hot_percent:
        yield (
            f"{where}.target_percent is {own.target_percent}, which is not below hot_percent,"
            f" {own.hot_percent}: what was granted would at once be near its end again."
        )
    seen: dict[tuple[str, str], int] = {}
    for i, rule in enumerate(own.quotas):
        if not _SERVICE.fullmatch(rule.service):
            yield (
                f"{where}.quotas[{i}].service is {rule.service!r}, which is neither a service code"
                " of Service Quotas nor a pattern of one."
            )
        first = seen.setdefault((rule.service.lower(), rule.quota.lower()), i)
        if first != i:
            yield (
                f"{where}.quotas[{i}] would never count: quotas[{first}] is of the same service"
                " and quota; keep one of the two."
            )


def _contradictory_prices(prices: Sequence[Price]) -> Iterator[str]:
    """A price that is wrong lets through what the cap on dollars should hold."""
    seen: dict[str, int] = {}
    for i, price in enumerate(prices):
        where = f"remediation.spot_fallback.prices[{i}]"
        first = seen.setdefault(price.instance_type, i)
        if first != i:
            yield f"{where} is of {price.instance_type}, as prices[{first}] is; keep one of the two."
        if price.on_demand == 0:
            yield f"{where}.on_demand is 0; leave out a type whose price you do not know."
        elif price.on_demand < price.spot:
            yield (
                f"{where}.on_demand is {price.on_demand}, below its spot, {price.spot}: nothing"
                " would be saved on Spot; exchange the two, or leave spot out to have EC2's own."
            )


def _unbounded_roles(roles: Sequence[str]) -> Iterator[str]:
    for i, role in enumerate(roles):
        if not role.partition(":role/")[2].strip("*/"):
            yield (
                f"remediation.spot_fallback.roles[{i}] is {role!r}, which any role fits, an"
                " administrator's too: name the roles, or what their names or paths begin with."
            )


def _contradictory_plans(plans: Sequence[Plan]) -> Iterator[str]:
    """A plan that cannot be followed would refuse each of its targets once it is deployed."""
    seen: dict[str, int] = {}
    for i, plan in enumerate(plans):
        where = f"remediation.provisioned_concurrency.plans[{i}]"
        first = seen.setdefault(plan.target, i)
        if first != i:
            yield f"{where} would never count: plans[{first}] is of {plan.target} too; keep one."
        if found := plan.contradiction():
            code, why = found
            yield f"{where} is refused as {code}: {why}."


def _contradictory_units(prices: Prices) -> Iterator[str]:
    """Prices at which nothing ever pays would have every level called a waste."""
    for name, unit in (
        ("lambda_x86", prices.lambda_x86),
        ("lambda_arm", prices.lambda_arm),
        ("sagemaker", prices.sagemaker),
    ):
        if unit.provisioned and unit.on_demand <= unit.duration:
            yield (
                f"remediation.provisioned_concurrency.prices.{name}.on_demand is {unit.on_demand:g},"
                f" not above its duration, {unit.duration:g}; set all three prices, or provisioned to 0"
                " where you do not know them."
            )


def _too_long(settings: StackSettings) -> Iterator[str]:
    core = len(json.dumps(as_variable(settings.core)))
    for name, lever, remedy in (
        (
            "quota_increase",
            settings.quota_increase,
            "let fewer rules of quotas say more with patterns",
        ),
        (
            "spot_fallback",
            settings.spot_fallback,
            "let fewer roles say more with patterns, and leave out prices you do not need",
        ),
        (
            "provisioned_concurrency",
            settings.provisioned_concurrency,
            "let fewer plans say more with patterns, or write them into tags",
        ),
    ):
        taken = len(json.dumps(as_variable(lever)))
        if core + taken > VARIABLE_BYTES:
            yield (
                f"remediation.{name} takes {taken} bytes, and a Lambda function has room for"
                f" {VARIABLE_BYTES - core}: {remedy}."
            )
