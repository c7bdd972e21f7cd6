"""Four canaries go bad; one endpoint may be repaired, three must be left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from local.demo.account import Hands, moment
from local.demo.acts import endpoints
from local.demo.acts.endpoints import TAG, VARIANTS
from local.demo.scene import Scene, Script, attempt, together, until

REPAIRED, OBSERVED, UNTAGGED, SWITCHED_OFF = "checkout", "search", "reviews", "pricing"
MODES: Mapping[str, str | None] = {
    REPAIRED: "act",
    OBSERVED: "observe",
    UNTAGGED: None,
    SWITCHED_OFF: "act",
}
STORIES = {
    REPAIRED: "tag act: traffic goes back, and is verified",
    OBSERVED: "tag observe: only what would be done is recorded",
    UNTAGGED: "no tag: not touched",
    SWITCHED_OFF: "account's mode off: not touched",
}
MOVED = {"blue": 10, "green": 0}
ALARM_SECONDS, SERVE_SECONDS, VERIFY_SECONDS = 90, 30, 150
LEVER_SERVICES = ("sagemaker", "monitoring", "application-autoscaling")
BAR = 20


@dataclass
class TrafficShift:
    """hands: on a deployed stack that is listened to. says: tells a sentence of the story."""

    hands: Hands
    says: Callable[[str], None]
    title: str = "Four canaries go bad"
    scenes: list[Scene] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._function = self.hands.function("TrafficShift")
        self._of = {name: Scene(name, story) for name, story in STORIES.items()}
        self.scenes = list(self._of.values())

    def scripts(self) -> list[Script]:
        return [self._play()]

    def scripts_while_off(self) -> list[Script]:
        return [attempt(self._of[SWITCHED_OFF], self._switched_off())]

    def finish(self, started: float) -> None:
        for name, scene in self._of.items():
            if name != REPAIRED:
                scene.after = self._weights(name)
                scene.passed = scene.passed and scene.after == scene.before == shown(VARIANTS)
            scene.charts = endpoints.charts(self.hands, name, started)
        if len(self._moves()) > 1:
            repaired = self._of[REPAIRED]
            repaired.passed, repaired.why = False, "the function changed weights more than once"

    def table(self) -> Table:
        table = Table("endpoint", TAG, "alarm", "blue / green", "last word", expand=True)
        for name, mode in MODES.items():
            status, weights = endpoints.weights(self.hands, name)
            alarm = endpoints.alarm_state(self.hands, name)
            color = {"ALARM": "red", "OK": "green"}.get(alarm, "dim")
            bar = _bar(weights) + ("" if status == "InService" else f" {status}")
            word = self.hands.last_word(name)
            table.add_row(name, mode or "-", f"[{color}]{alarm}[/{color}]", bar, word)
        return table

    def line(self) -> str:
        told = []
        for name in MODES:
            weights = endpoints.weights(self.hands, name)[1]
            shares = "/".join(f"{share:.0%}" for share in _shares(weights))
            told.append(f"{name} {endpoints.alarm_state(self.hands, name)} {shares}")
        return "  ".join(told)

    # what happens

    def _play(self) -> Script:
        yield from self._set_the_stage()
        self.says(f"the canary of {REPAIRED} starts failing 40 % of its requests")
        repaired = self._of[REPAIRED]
        yield from attempt(repaired, self._repaired(repaired))
        self.says(f"those of {OBSERVED} and {UNTAGGED} do the same; nobody allowed to act on them")
        yield from together(
            [
                attempt(repaired, self._verified(repaired)),
                attempt(self._of[OBSERVED], self._left_alone(OBSERVED, "observe")),
                attempt(self._of[UNTAGGED], self._left_alone(UNTAGGED, "not-opted-in")),
            ]
        )

    def _set_the_stage(self) -> Script:
        self.says(
            "four endpoints, 90/10 between blue and a canary, green; an alarm on each variant"
        )
        for name, mode in MODES.items():
            endpoints.create(self.hands, name, mode)
        yield from until("all endpoints in service", self._all_serve, 60)
        for name, scene in self._of.items():
            endpoints.send_traffic(self.hands, name, history=True)
            self.hands.remediation("alarms", name, "--create")
            scene.before = self._weights(name)
            yield
        yield from until("all alarms OK", self._all_ok, ALARM_SECONDS)

    def _repaired(self, scene: Scene) -> Script:
        name = scene.title
        yield from self._goes_bad(scene)
        yield from self.hands.hears(name, "acted")
        yield from until(
            f"{name} in service with new weights",
            lambda: endpoints.weights(self.hands, name) == ("InService", MOVED),
            SERVE_SECONDS,
        )
        in_service_at = time.time()
        move = self._moves()[0]
        look = self.hands.look_of(self._function, move)
        scene.moments |= {"call": moment(move), "InService": in_service_at}
        scene.calls = sum(c["service"] in LEVER_SERVICES for c in look)

    def _verified(self, scene: Scene) -> Script:
        """The heartbeat, once a minute, looks whether what was done stands."""
        name = scene.title
        if "call" not in scene.moments:
            return
        told = yield from self.hands.hears(name, "verified", VERIFY_SECONDS)
        scene.moments["verified"] = told.at
        scene.after = self._weights(name)
        scene.passed = scene.after == shown(MOVED)
        scene.why = str(told.detail["reason"])

    def _switched_off(self) -> Script:
        self.says(f"the canary of {SWITCHED_OFF} goes bad while the account is off")
        yield from self._left_alone(SWITCHED_OFF, "account-off")

    def _left_alone(self, name: str, code: str) -> Script:
        """The alarm fired, the function looked and said why it does nothing, and nothing changed."""
        scene = self._of[name]
        yield from self._goes_bad(scene)
        told = yield from self.hands.hears(name, code)
        scene.moments["told"] = told.at
        scene.passed = True
        scene.why = str(told.detail["reason"])

    def _goes_bad(self, scene: Scene) -> Script:
        """Wait for the first change to ALARM; where traffic is moved the alarm soon is OK again."""
        name = scene.title
        endpoints.send_traffic(self.hands, name, green_fails=0.4)
        scene.moments["alarm"] = yield from until(
            f"an alarm on {name}", lambda: endpoints.alarmed_at(self.hands, name), ALARM_SECONDS
        )

    # what is seen and done

    def _weights(self, name: str) -> str:
        return shown(endpoints.weights(self.hands, name)[1])

    def _all_serve(self) -> bool:
        return all(endpoints.weights(self.hands, name)[0] == "InService" for name in MODES)

    def _all_ok(self) -> bool:
        return all(endpoints.alarm_state(self.hands, name) == "OK" for name in MODES)

    def _moves(self) -> list[dict[str, Any]]:
        """The function's calls that change an endpoint."""
        calls = self.hands.account.calls(caller=self._function, service="sagemaker")
        return [c for c in calls if c["operation"] == "UpdateEndpointWeightsAndCapacities"]


def shown(weights: Mapping[str, float]) -> str:
    """Weights as text, as `blue/green`."""
    return "/".join(f"{weight:g}" for weight in weights.values())


def _shares(weights: Mapping[str, float]) -> list[float]:
    whole = sum(weights.values())
    return [weight / whole if whole else 0.0 for weight in weights.values()]


def _bar(weights: Mapping[str, float]) -> str:
    if not weights:
        return ""
    blue = round(_shares(weights)[0] * BAR)
    return f"[blue]{'█' * blue}[/blue][green]{'█' * (BAR - blue)}[/green]"
