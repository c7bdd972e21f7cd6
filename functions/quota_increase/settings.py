"""What a user may set for quota increase: which quotas, how far, and how often they are scanned."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from fnmatch import fnmatchcase

from functions.core.settings import setting


@dataclass(frozen=True)
class QuotaRule:
    """Quotas carry no tags: a rule opts in those that match, up to its caps.

    `service` and `quota` are patterns with * and ?, without regard to case.
    """

    service: str = setting(MISSING, 'Service code in Service Quotas, e.g. `sagemaker`, or "*".')
    quota: str = setting(MISSING, "Pattern of the quota's name, or its code.")
    max: int = setting(
        MISSING, "The highest value ever requested, in the quota's unit.", minimum=0, maximum=10**9
    )
    max_growth: int = setting(
        MISSING, "The most that one request adds to the value.", minimum=0, maximum=10**9
    )
    mode: str = setting(
        "act", "How far it may go, like a tag's.", choices=("off", "observe", "approve", "act")
    )

    def covers(self, service: str, code: str, name: str) -> bool:
        """Whether the quota is one of those the rule opts in."""
        wanted = self.quota.lower()
        return self.serves(service) and (
            fnmatchcase(name.lower(), wanted) or fnmatchcase(code.lower(), wanted)
        )

    def serves(self, service: str) -> bool:
        """Whether the rule speaks of any quota of the service."""
        return fnmatchcase(service.lower(), self.service.lower())


@dataclass(frozen=True)
class QuotaIncreaseSettings:
    """Which quotas are raised, when use counts as near, and where shortages are answered."""

    quotas: tuple[QuotaRule, ...] = setting(
        (), "Quotas that are opted in; the first rule that matches counts."
    )
    hot_percent: int = setting(
        80, "Use of a quota, in percent, from which more is requested.", minimum=1, maximum=100
    )
    target_percent: int = setting(
        60, "Use that such a request aims at; below hot_percent.", minimum=1, maximum=99
    )
    scan: str = setting(
        "report",
        "How use is found: Service Quotas' utilization report, or `metrics` through GetMetricData.",
        choices=("report", "metrics", "off"),
    )
    scan_minutes: int = setting(
        360, "How often all opted-in quotas are scanned.", minimum=15, maximum=1440
    )
    after_denial_days: int = setting(
        30, "Days in which a value that AWS denied is not requested again.", minimum=1, maximum=90
    )
    global_region: str = setting(
        "us-east-1",
        "Region whose stack sees to quotas of global services.",
        pattern=r"[a-z]{2}(-[a-z]+)+-\d",
    )
    capacity_types: tuple[str, ...] = setting(
        ("ml.*", "p*", "g*", "trn*", "inf*", "dl*"),
        "Patterns of instance types whose shortages are answered with offers.",
    )
    offer_hours: int = setting(
        24, "Length of the capacity that is offered, in hours.", minimum=24, maximum=4368
    )
