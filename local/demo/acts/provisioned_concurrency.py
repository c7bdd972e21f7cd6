"""A day of a function, in minutes: warm before the morning, one rise for a burst, cold after the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from rich.table import Table

from local.demo.account import Hands
from local.demo.acts.functions import MEMORY_MB, SPILLED, Function
from local.demo.scene import DemoFailed, Point, Scatter, Scene, Script, attempt, until

WARM, UNTAGGED = "assistant", "archive"
MORNING, BURST, EVENING, ALONE = "morning", "burst", "evening", UNTAGGED
STORIES = {
    MORNING: f"{WARM}'s schedule wants 10 when the day begins: they are ready before it",
    BURST: f"three times as much at once: {WARM} is raised once, to what it needs",
    EVENING: f"{WARM}'s window ends: what nobody asks for any more is let go",
    ALONE: "no tag: not touched, though invocations spill over",
}
LEVEL, MOST = 10, 60
RAMP = (2.0, 5.0, 8.0)
PEAK = 30.0
STEP_SECONDS, BURST_AFTER = 9, 30
"""Of the ramp, and of the burst after the window began."""
EARLIEST = 80
"""Seconds that the first heartbeat, and allocation after it, may take."""
DURATIONS = {"lambda_provisioning": 5}
MINUTE = 60
RAISED_SECONDS, RISEN_SECONDS, FALLEN_SECONDS = 110, 150, 330
WRITES = ("PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig")
LEVER_SERVICES = ("lambda", "monitoring", "application-autoscaling")
START_SECONDS = 2.0
"""What a cold start is taken to last in the picture of latency, beside an invocation's second."""
PRICE = 0.0000041667 * MEMORY_MB / 1024 * 3600
"""Dollars an hour of one environment, of 1 GB, in US East (N. Virginia)."""


@dataclass
class ProvisionedConcurrency:
    """hands: on a deployed stack that is listened to. says: tells a sentence of the story."""

    hands: Hands
    says: Callable[[str], None]
    title: str = "A function's day"
    scenes: list[Scene] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._remediation = self.hands.function("ProvisionedConcurrency")
        self._warm, self._alone = Function(self.hands, WARM), Function(self.hands, UNTAGGED)
        self._of = {title: Scene(title, story) for title, story in STORIES.items()}
        self.scenes = list(self._of.values())
        self._opens = self._closes = 0.0

    def scripts(self) -> list[Script]:
        self.hands.account.control("PUT", "/durations", DURATIONS)
        for function in (self._warm, self._alone):
            function.create()
        return [self._day(), attempt(self._of[ALONE], self._left_alone())]

    def scripts_while_off(self) -> list[Script]:
        return []

    def finish(self, started: float) -> None:
        for scene in (self._of[MORNING], self._of[BURST], self._of[EVENING]):
            scene.charts = [self._warm.chart(started)]
        self._of[EVENING].scatter = self._picture()
        writes = len(self._writes())
        if writes != len(self._warm.changes()):
            scene = self._of[EVENING]
            scene.passed, scene.why = False, f"{writes} changes, of which fewer were told"
        if self._alone.changes():
            scene = self._of[ALONE]
            scene.passed, scene.why = False, "the function changed what did not opt in"

    def table(self) -> Table:
        table = Table("function", "in flight", "ready", "last word", expand=True)
        for each in (self._warm, self._alone):
            flight = f"{each.sent[-1][1]:.0f}" if each.sent else "-"
            ready = f"{each.available} of {each.level}"
            table.add_row(each.name, flight, ready, self.hands.last_word(each.target))
        return table

    def line(self) -> str:
        return "  ".join(
            f"{each.name}: {each.available} of {each.level} ready"
            for each in (self._warm, self._alone)
        )

    # the day

    def _day(self) -> Script:
        for title, script in (
            (MORNING, self._morning),
            (BURST, self._burst),
            (EVENING, self._evening),
        ):
            yield from attempt(self._of[title], script(self._of[title]))

    def _morning(self, scene: Scene) -> Script:
        now = time.time()
        self._opens = (now + EARLIEST) // MINUTE * MINUTE + MINUTE
        self._closes = self._opens + 2 * MINUTE
        window = f"daily@{_clock(self._opens)}-{_clock(self._closes)}={LEVEL} tz=UTC"
        self.says(f"{WARM} gets the schedule {window}")
        self._warm.warn(self._action())
        self._warm.tag({"": "act", ":live:schedule": window, ":live:max": str(MOST)})
        scene.moments["tagged"], scene.before = now, "0"
        yield from until("provisioned concurrency", self._is_ready, RAISED_SECONDS)
        yield from self.hands.hears(self._warm.target, "acted")
        raised = self._warm.changes()
        scene.moments |= {"asked": raised[0][0], "ready": time.time(), "opens": self._opens}
        yield from until("the window", lambda: time.time() >= self._opens, RAISED_SECONDS)
        for in_flight in RAMP:
            self._warm.send(in_flight)
            yield from _pause(STEP_SECONDS)
        spilled, begun = self._counted(SPILLED), self._counted("Invocations")
        scene.after = str(self._warm.level)
        for wrong, why in (
            (raised[0][1] != LEVEL, f"it was raised to {raised[0][1]}"),
            (len(raised) != 1, f"it was changed {len(raised)} times"),
            (scene.moments["ready"] > self._opens, "it was not ready when the window began"),
            (not begun, "no invocation was measured"),
            (spilled, f"{spilled:.0f} of {begun:.0f} invocations spilled over"),
        ):
            if wrong:
                raise DemoFailed(why)
        scene.passed = True
        scene.why = f"{begun:.0f} invocations of the ramp, and none of them started cold"

    def _burst(self, scene: Scene) -> Script:
        yield from until(
            "the burst", lambda: time.time() >= self._opens + BURST_AFTER, RAISED_SECONDS
        )
        self.says(f"{WARM} is asked for {PEAK:.0f} at once")
        scene.before = str(self._warm.level)
        self._warm.send(PEAK)
        scene.moments["burst"] = time.time()
        yield from until("as many ready", lambda: self._sees(self._warm) > PEAK, RISEN_SECONDS)
        rise = self._warm.changes()[-1]
        scene.moments |= {"asked": rise[0], "ready": time.time()}
        yield from until(
            "the end of the window", lambda: time.time() >= self._closes, RISEN_SECONDS
        )
        changes = self._warm.changes()
        last = self._warm.minutes(SPILLED, "Sum", self._closes - MINUTE)
        look = self.hands.look_of(self._remediation, self._writes()[1])
        scene.calls = sum(call["service"] in LEVER_SERVICES for call in look)
        scene.after = str(rise[1])
        begun = self._warm.minutes("Invocations", "Sum", self._closes - MINUTE)
        late = last.get(self._closes - MINUTE, 0.0)
        for wrong, why in (
            (len(changes) != 2, f"its level went {[level for _, level in changes]}: a ladder"),
            (rise[1] > MOST, f"it was raised to {rise[1]}, above its max"),
            (
                late > begun.get(self._closes - MINUTE, 0.0) / 3,
                f"{late:.0f} invocations spilled over in the minute of the rise",
            ),
        ):
            if wrong:
                raise DemoFailed(why)
        told = self.hands.told
        scene.why = next(
            str(each.detail["reason"])
            for each in reversed(told)
            if each.target == self._warm.target and each.code == "acted"
        )
        scene.passed = True

    def _evening(self, scene: Scene) -> Script:
        self.says(
            f"{WARM}'s window is over, and so is its traffic; what is paid for is kept to its end"
        )
        scene.before, scene.moments["over"] = str(self._warm.level), time.time()
        self._warm.send(0)
        yield from until("nothing left", lambda: not self._sees(self._warm), FALLEN_SECONDS)
        yield from until("its word", lambda: len(self._warm.changes()) > 2, FALLEN_SECONDS)
        changes = self._warm.changes()
        scene.moments["let go"], scene.after = changes[-1][0], "0"
        if [level for _, level in changes[-1:]] != [0] or len(changes) != 3:
            raise DemoFailed(f"its level went {[level for _, level in changes]}")
        scene.passed = True
        scene.why = f"its level went {', '.join(str(level) for _, level in [(0, 0), *changes])}"

    def _left_alone(self) -> Script:
        """Provisioned by its owner for less than there is, and nobody allowed to touch it."""
        scene, function = self._of[ALONE], self._alone
        function.provision(2)
        yield from until("what its owner asked for", lambda: self._sees(function) >= 2, 60)
        function.send(6)
        scene.before = str(function.level)
        function.warn(self._action())
        told = yield from self.hands.hears(function.target, "not-opted-in", RISEN_SECONDS)
        scene.moments["told"], scene.after = told.at, str(self._sees(function))
        scene.passed, scene.why = True, str(told.detail["reason"])

    # what is seen

    def _action(self) -> str:
        target = self._warm.target.split(":function:", 1)[0]
        return f"{target}:function:{self._remediation}"

    def _is_ready(self) -> bool:
        self._warm.look()
        return 0 < self._warm.level == self._warm.available

    def _sees(self, function: Function) -> int:
        function.look()
        return function.available

    def _counted(self, metric: str) -> float:
        self._warm.look()
        return sum(self._warm.minutes(metric, "Sum", self._opens).values())

    def _writes(self) -> list[dict[str, Any]]:
        """The function's changes of provisioned concurrency."""
        calls = self.hands.account.calls(caller=self._remediation, service="lambda")
        return [call for call in calls if call["operation"] in WRITES and not call["error"]]

    def _picture(self) -> Scatter | None:
        """Mean latency against cost, from the first rise until all is let go: what was measured, beside
        nothing provisioned and its highest level all that time, for the same traffic.

        A cold start is counted for each environment that must be made for traffic as it grows; on
        provisioned concurrency none is.
        """
        begun = self._counted("Invocations")
        if not begun:
            return None
        busy = self._warm.minutes("ProvisionedConcurrentExecutions", "Maximum", self._opens)
        at_once = self._warm.minutes("ConcurrentExecutions", "Maximum", self._opens)
        ours = max(at_once[minute] - busy.get(minute, 0.0) for minute in at_once)
        changes = [*self._warm.changes(), (time.time(), 0)]
        over = next(at for at, level in changes if not level)
        stood = sum(level * (end - at) for (at, level), (end, _) in pairwise(changes))
        level, highest = stood / (over - changes[0][0]), max(level for _, level in changes)
        points = [
            Point("nothing provisioned (computed)", "#6b7280", 0.0, _mean(PEAK, begun)),
            Point("this run (measured)", "#16a34a", level * PRICE, _mean(ours, begun)),
            Point("always at its highest (computed)", "#b91c1c", highest * PRICE, _mean(0, begun)),
        ]
        return Scatter("latency against cost", "dollars an hour", "mean latency, ms", points)


def _mean(cold: float, invocations: float) -> float:
    """Mean latency in ms of invocations of a second, some of them cold."""
    return 1000 * (1 + START_SECONDS * cold / invocations)


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"


def _pause(seconds: float) -> Script:
    end = time.time() + seconds
    while time.time() < end:
        yield
