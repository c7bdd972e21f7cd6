"""One page that shows the run: each scene, what it changed, and the moment of action."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates as dates
from matplotlib.figure import Figure

from local.demo.scene import Act, Chart, Listing, Scatter, Scene

MOMENT_COLORS = ("#b91c1c", "#111827", "#7c3aed", "#0891b2", "#ca8a04", "#6b7280")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #1f2937 }
h1 { font-size: 1.5rem } h2 { font-size: 1.3rem; margin: 2.5rem 0 0; border-top: 1px solid #d1d5db }
h3 { font-size: 1.1rem; margin: 1.5rem 0 0 } p { margin: .3rem 0 }
.PASS { color: #15803d; font-weight: 600 } .FAIL { color: #b91c1c; font-weight: 600 }
svg { width: 100%; height: auto } .facts { color: #4b5563 }
table { border-collapse: collapse; font-size: .9em } td, th { padding: .2rem .7rem .2rem 0; text-align: left }
"""


def write(path: Path, acts: Sequence[Act]) -> None:
    """Write the page, complete in itself."""
    scenes = [scene for act in acts for scene in act.scenes]
    passed = sum(scene.passed for scene in scenes)
    path.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<title>ML capacity remediation: a run</title><style>{STYLE}</style>"
        "<h1>Things break, and are repaired</h1>"
        f"<p>{passed} of {len(scenes)} scenes passed, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in a pocket account on this machine.</p>"
        + "".join(map(_act, acts))
        + "</html>"
    )


def _act(act: Act) -> str:
    return f"<h2>{escape(act.title)}</h2>" + "".join(map(_scene, act.scenes))


def _scene(scene: Scene) -> str:
    verdict = "PASS" if scene.passed else "FAIL"
    first = next(iter(scene.moments), "")
    facts = [f"{first} to {what}: {seconds:.1f} s" for what, seconds in scene.seconds.items()]
    if scene.before or scene.after:
        facts.insert(0, f"{scene.before} → {scene.after}")
    if scene.calls is not None:
        facts.append(f"{scene.calls} calls in the look that acted")
    return (
        f"<h3><span class='{verdict}'>{verdict}</span> {escape(scene.title)}: "
        f"{escape(scene.story)}</h3><p>{escape(scene.why)}</p>"
        f"<p class='facts'>{escape(', '.join(facts))}</p>"
        + (_drawn(scene.charts, scene.moments, scene.title) if scene.charts else "")
        + (_scattered(scene.scatter) if scene.scatter else "")
        + (_listed(scene.listing) if scene.listing else "")
    )


def _listed(listing: Listing) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in listing.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>"
        for row in listing.rows
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def _drawn(charts: Sequence[Chart], moments: Mapping[str, float], salt: str) -> str:
    mpl.rcParams["svg.hashsalt"] = salt
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    # matplotlib takes datetimes, its annotations do not say so.
    panels: Any = figure.subplots(ncols=len(charts), squeeze=False)[0]
    for axes, chart in zip(panels, charts, strict=True):
        for line in chart.lines:
            times = [datetime.fromtimestamp(at, UTC) for at, _ in line.points]
            values = [value for _, value in line.points]
            axes.plot(times, values, color=line.color, label=line.name, drawstyle="steps-post")
        for (name, at), color in zip(moments.items(), MOMENT_COLORS, strict=False):
            moment = datetime.fromtimestamp(at, UTC)
            axes.axvline(moment, color=color, linewidth=1, linestyle="--", label=name)
        axes.set_title(chart.title, loc="left", fontsize="medium")
        highest = max((value for line in chart.lines for _, value in line.points), default=0.0)
        axes.set_ylim(0, max(highest * 1.1, 1.2))
        axes.xaxis.set_major_locator(dates.MinuteLocator())  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return _as_svg(figure)


def _scattered(scatter: Scatter) -> str:
    mpl.rcParams["svg.hashsalt"] = scatter.title
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    axes = figure.subplots()
    for each in scatter.points:
        axes.scatter([each.x], [each.y], color=each.color, s=60, label=each.name, zorder=2)
        axes.annotate(
            f"{each.x:.3g}, {each.y:.4g}", (each.x, each.y), (6, 6), textcoords="offset points"
        )
    line = sorted((each.x, each.y) for each in scatter.points)
    axes.plot(*zip(*line, strict=True), color="#d1d5db", linewidth=1, zorder=1)
    axes.set_title(scatter.title, loc="left", fontsize="medium")
    axes.set_xlabel(scatter.x)
    axes.set_ylabel(scatter.y)
    axes.margins(0.15, 0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return _as_svg(figure)


def _as_svg(figure: Figure) -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]
