"""What a user may set for provisioned concurrency: when it is warm, how far it goes, what it may cost."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field

from functions.core.settings import setting
from functions.provisioned_concurrency.schedule import BadSchedule, parse


@dataclass(frozen=True)
class Plan:
    """What holds for targets that say nothing else in their own tags."""

    target: str = setting(
        MISSING,
        "Pattern of what Application Auto Scaling calls a resource ID: `function:NAME:ALIAS` or "
        "`endpoint/NAME/variant/VARIANT`.",
        pattern=r"(function:|endpoint/|\*).{0,254}",
    )
    schedule: str = setting(
        "", "Windows with a level, `mon-fri@08:00-18:00=20 sat@10:00-14:00=5 tz=Europe/Berlin`."
    )
    min: int | None = setting(None, "Level outside all windows.", minimum=0, maximum=10_000)
    max: int | None = setting(None, "Highest level.", minimum=1, maximum=10_000)

    def contradiction(self) -> tuple[str, str] | None:
        """What of it every look would refuse: a stable name, as in `wishes`, and why. None if nothing."""
        if self.min is not None and self.max is not None and self.min > self.max:
            return "min-above-max", f"its min, {self.min}, is above its max, {self.max}"
        try:
            windows = parse(self.schedule).windows if self.schedule else ()
        except BadSchedule as bad:
            return bad.code, f"its schedule cannot be followed: {bad}"
        highest = max((each.level for each in windows), default=0)
        if self.max is not None and highest > self.max:
            why = f"its schedule has a window with {highest}, above its max, {self.max}"
            return "level-above-max", why
        return None


@dataclass(frozen=True)
class UnitPrices:
    """US dollars a GB-second: of an invocation on demand, of provisioned concurrency that stands, of
    an invocation on it. 0 where a price is not known: then no money is told."""

    on_demand: float | int = setting(
        0, "Dollars a GB-second of an invocation on demand.", minimum=0, maximum=1
    )
    provisioned: float | int = setting(
        0, "Dollars a GB-second of provisioned concurrency that stands.", minimum=0, maximum=1
    )
    duration: float | int = setting(
        0, "Dollars a GB-second of an invocation on provisioned concurrency.", minimum=0, maximum=1
    )


@dataclass(frozen=True)
class Prices:
    """What a target's concurrency costs, in US East (N. Virginia); set your Region's."""

    lambda_x86: UnitPrices = field(
        default_factory=lambda: UnitPrices(0.0000166667, 0.0000041667, 0.0000097222)
    )
    lambda_arm: UnitPrices = field(
        default_factory=lambda: UnitPrices(0.0000133334, 0.0000033334, 0.0000077778)
    )
    sagemaker: UnitPrices = field(default_factory=lambda: UnitPrices(0.00002, 0, 0))


@dataclass(frozen=True)
class ProvisionedConcurrencySettings:
    """When provisioned concurrency is raised and lowered, and how far."""

    plans: tuple[Plan, ...] = setting(
        (), "Schedules and bounds of targets whose tags name none; the first that fits counts."
    )
    maximum: int = setting(
        100, "Highest level of a target that names no `max` itself.", minimum=0, maximum=10_000
    )
    dollars_per_hour: int = setting(
        50,
        "What the provisioned concurrency of one target may cost an hour, where `prices` has its price; "
        "a serverless variant without one is bounded by `maximum` and `max` alone.",
        minimum=0,
        maximum=100_000,
    )
    changes_per_hour: int = setting(
        12, "Changes of one target in an hour; reaching it pages.", minimum=0, maximum=60
    )
    unreserved_minimum: int = setting(
        100,
        "Concurrency of the account that is left to functions without a reservation.",
        minimum=100,
        maximum=1_000_000,
    )
    lead_seconds: int = setting(
        180,
        "How long allocation is taken to last until it was measured on a target.",
        minimum=0,
        maximum=3600,
    )
    spill_percent: int = setting(
        2,
        "Share of invocations, in percent, that must have spilled over in a minute to be answered.",
        minimum=0,
        maximum=100,
    )
    spilled_invocations: int = setting(
        2, "Spilled invocations that a minute must have more of.", minimum=0, maximum=1_000_000
    )
    headroom_percent: int = setting(
        10,
        "What a level has above the demand that was seen, in percent; a rise adds twice the demand's "
        "root at least.",
        minimum=0,
        maximum=100,
    )
    hold_seconds: int = setting(
        600,
        "How long a level is kept after a rise, and how far back and ahead a fall looks.",
        minimum=0,
        maximum=86_400,
    )
    glance_seconds: int = setting(
        30,
        "How often every opted-in target is glanced at without a signal; from 60 on half as much is asked "
        "of CloudWatch, and a burst is found up to half a minute later.",
        choices=(30, 60, 120, 300, 900),
    )
    prices: Prices = field(default_factory=Prices)
