"""One page that shows the run: each endpoint's traffic and errors, and the moment of action."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates as dates
from matplotlib.figure import Figure

from local.demo.account import VARIANTS, Hands
from local.demo.scenes import Scene

PERIOD = 10
COLORS = {"blue": "#2563eb", "green": "#16a34a"}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #1f2937 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 0 } p { margin: .3rem 0 }
.PASS { color: #15803d; font-weight: 600 } .FAIL { color: #b91c1c; font-weight: 600 }
svg { width: 100%; height: auto } .facts { color: #4b5563 }
"""


def write(path: Path, hands: Hands, scenes: Sequence[Scene], started: float) -> None:
    """Write the page, complete in itself. started: epoch seconds from which it shows metrics."""
    parts = [_section(hands, scene, started) for scene in scenes]
    passed = sum(scene.passed for scene in scenes)
    path.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<title>ML capacity remediation: a run</title><style>{STYLE}</style>"
        "<h1>Four canaries go bad</h1>"
        f"<p>{passed} of {len(scenes)} scenes passed, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in a pocket account on this machine. "
        "Lines: requests and failed requests in each 10 s, from the account's CloudWatch.</p>"
        + "".join(parts)
        + "</html>"
    )


def _section(hands: Hands, scene: Scene, started: float) -> str:
    verdict = "PASS" if scene.passed else "FAIL"
    facts = [f"alarm to {what}: {seconds:.1f} s" for what, seconds in scene.seconds.items()]
    if scene.calls is not None:
        facts.append(f"{scene.calls} SageMaker and CloudWatch calls")
    return (
        f"<h2><span class='{verdict}'>{verdict}</span> {html.escape(scene.endpoint)}: "
        f"{html.escape(scene.story)}</h2><p>{html.escape(scene.why)}</p>"
        f"<p class='facts'>{html.escape(', '.join(facts))}</p>{_chart(hands, scene, started)}"
    )


def _chart(hands: Hands, scene: Scene, started: float) -> str:
    series = _series(hands, scene.endpoint, started)
    mpl.rcParams["svg.hashsalt"] = scene.endpoint
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    axes: Any = figure.subplots()  # matplotlib takes datetimes, its annotations do not say so
    for variant, color in COLORS.items():
        times, requests = series[f"{variant}_requests"]
        axes.plot(times, requests, color=color, label=f"{variant} requests")
        times, errors = series[f"{variant}_errors"]
        axes.plot(times, errors, color=color, linestyle=":", label=f"{variant} errors")
    for moment, text in ((scene.alarm_at, "alarm"), (scene.acted_at, "traffic moved")):
        if moment:
            at = datetime.fromtimestamp(moment, UTC)
            axes.axvline(at, color="#b91c1c" if text == "alarm" else "#111827", linewidth=1)
            axes.annotate(
                text,
                (at, 1),
                xycoords=("data", "axes fraction"),
                xytext=(-4 if text == "alarm" else 4, -12),
                textcoords="offset points",
                ha="right" if text == "alarm" else "left",
            )
    axes.set_ylabel(f"in {PERIOD} s")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))  # type: ignore[no-untyped-call]
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]


def _series(
    hands: Hands, endpoint: str, started: float
) -> dict[str, tuple[list[datetime], list[float]]]:
    queries: list[dict[str, Any]] = [
        {
            "Id": f"{variant}_{what}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": endpoint},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": PERIOD,
                "Stat": "Sum",
            },
        }
        for variant in VARIANTS
        for what, metric in (("requests", "Invocations"), ("errors", "Invocation5XXErrors"))
    ]
    now = datetime.now(UTC)
    end = datetime.fromtimestamp(now.timestamp() // PERIOD * PERIOD, UTC)
    start = datetime.fromtimestamp((started - 60) // PERIOD * PERIOD, UTC)
    found = hands.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    values = {
        result["Id"]: dict(zip(result["Timestamps"], result["Values"], strict=True))
        for result in found["MetricDataResults"]
    }
    times = [
        start + timedelta(seconds=PERIOD * i)
        for i in range(round((end - start).total_seconds() / PERIOD))
    ]
    return {id: (times, [points.get(at, 0.0) for at in times]) for id, points in values.items()}
