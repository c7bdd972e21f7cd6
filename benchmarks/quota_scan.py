"""What it costs to find the few hot quotas among all of an account's, and whether they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from benchmarks.catalogue import HISTORY_MINUTES, Size, generate
from benchmarks.figures import Figure, Measurement
from benchmarks.planted import HOT, TRAPS
from benchmarks.quota_scene import HEARTBEAT, HOT_PERCENT, QuotaScene, Scanned
from functions.quota_increase.aws import QUERIES_PER_CALL
from local.pocket import Pocket

WHOLE = Size(services=250, quotas=8442, measured=3867, used=746)
SEED = 20260302
RUNS = 3
REPORT_GOAL = 5
METRICS_GOAL = -(-WHOLE.measured // QUERIES_PER_CALL) + 1
"""Every usage metric once, 500 a call (API reference, GetMetricData), and the history."""
LIMITS = (
    "The catalogue is synthetic, of the size of an account's in a large Region: how AWS's quotas"
    " spread over services, and which have usage metrics, is drawn.",
    "Calls are the account's Service Quotas and CloudWatch; they cross a loopback, not a network,"
    " and the account takes part of this machine. What carries over is the number of calls.",
    "Seconds are those at work. A report is made in the background, and the stack reads it at the"
    " next heartbeat, a minute later; what AWS takes for it is not documented.",
    "Whether AWS's report lists quotas that are not in use is not documented: both readings are"
    " measured, the figure is of the one that takes more calls.",
    "Metrics tell nothing of rates whose period is not said, or is above an hour; the report does.",
    "The first scan by metrics lists the catalogue, a hundred calls a heartbeat, once a week.",
)


def measure(say: Callable[[str], None]) -> Measurement:
    """The same catalogue by report, and by metrics: cold once, then known."""
    catalogue = generate(WHOLE, SEED)
    with Pocket() as account:
        scene = QuotaScene(account, catalogue)
        reports = list(_reports(scene, say))
        say("by metrics, listing the catalogue first")
        cold = scene.scan("COLD", "by_metrics")
        warm = []
        for run in range(RUNS):
            say(f"by metrics, the catalogue known, {run + 1} of {RUNS}")
            warm.append(scene.scan(f"WARM{run}", "by_metrics"))
    every = [*reports, cold, *warm]
    report = max(reports, key=lambda each: each.counted)
    metrics = max(warm, key=lambda each: each.counted)
    return Measurement(
        figures=[
            Figure("Calls of a quota scan by report", report.counted, goal=REPORT_GOAL),
            Figure("Calls of a quota scan by metrics", metrics.counted, goal=METRICS_GOAL),
            Figure("Hot quotas that a scan missed", max(each.missed for each in every), goal=0),
            Figure("Quotas taken for hot that are not", max(e.false for e in every), goal=0),
            Figure("Quota scan by report, at work", max(e.seconds for e in reports), "s"),
            Figure("Quota scan by metrics, at work", max(e.seconds for e in warm), "s"),
        ],
        parts=[
            Figure("hot quotas found", min(len(each.found) for each in every)),
            *_operations("by report", report),
            *_operations("by metrics", metrics),
            Figure("by metrics: until the account had answered", metrics.answering, "s"),
            Figure("listing the catalogue: calls", cold.counted - metrics.counted),
            Figure("listing the catalogue: at work", cold.seconds, "s"),
            Figure("listing the catalogue: heartbeats", cold.looks),
            Figure("listing the catalogue: calls refused for their rate", cold.refused),
        ],
        settings={
            "catalogue": asdict(WHOLE) | {"pages": catalogue.pages, "seed": SEED},
            "hot": {each.key[1]: each.why for each in HOT},
            "traps": {each.key[1]: each.why for each in TRAPS},
            "hot_percent": HOT_PERCENT,
            "history_minutes": HISTORY_MINUTES,
            "rules": "one, that opts in every quota of every service",
            "runs": RUNS,
            "heartbeat_seconds": HEARTBEAT,
        },
        limits=LIMITS,
    )


def _reports(scene: QuotaScene, say: Callable[[str], None]) -> Iterator[Scanned]:
    """By report, several times under each reading of what a report lists."""
    for unused in (False, True):
        scene.account.control("PUT", "/switches", {"report_lists_unused_quotas": unused})
        # No report is used again for another scan.
        scene.account.control("PUT", "/durations", {"quota_report_recent": 0})
        for run in range(RUNS):
            say(
                f"by report, {run + 1} of {RUNS}, unused quotas {'listed' if unused else 'left out'}"
            )
            yield scene.scan(f"REPORT{unused:d}{run}", "by_report")


def _operations(way: str, scanned: Scanned) -> Iterator[Figure]:
    for name, count in scanned.calls.items():
        yield Figure(f"{way}: {name}", count)
