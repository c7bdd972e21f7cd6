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
    # matplotlib takes datetimes, its annotations do not say so.
    panels: Any = figure.subplots(ncols=2)
    for axes, what in zip(panels, ("requests", "errors"), strict=True):
        for variant, color in COLORS.items():
            times, values = series[f"{variant}_{what}"]
            axes.plot(times, values, color=color, label=variant, drawstyle="steps-post")
        for moment, text, color in (
            (scene.alarm_at, "alarm", "#b91c1c"),
            (scene.acted_at, "traffic moved", "#111827"),
        ):
            if moment:
                at = datetime.fromtimestamp(moment, UTC)
                axes.axvline(at, color=color, linewidth=1, linestyle="--", label=text)
        axes.set_title(f"{what} in {PERIOD} s", loc="left", fontsize="medium")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(dates.MinuteLocator())  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
        axes.spines[["top", "right"]].set_visible(False)
    panels[1].set_ylim(0, max(5.0, panels[1].get_ylim()[1]))
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
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
