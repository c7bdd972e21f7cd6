"""Four canaries go bad; one endpoint may be repaired, three must be left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.demo.account import VARIANTS, DemoFailed, Hands, until
from local.demo.view import View

REPAIRED, OBSERVED, UNTAGGED, SWITCHED_OFF = "checkout", "search", "reviews", "pricing"
ENDPOINTS: Mapping[str, str | None] = {
    REPAIRED: "act",
    OBSERVED: "observe",
    UNTAGGED: None,
    SWITCHED_OFF: "act",
}
MOVED = {"blue": 10, "green": 0}
ALARM_SECONDS, LOOK_SECONDS, VERIFY_SECONDS = 90, 30, 150
LEVER_SERVICES = ("sagemaker", "monitoring", "application-autoscaling")


@dataclass
class Scene:
    """What happened to one endpoint. seconds: from the alarm's change of state to what is named.

    calls: to SageMaker, CloudWatch and scaling, in the look that acted.
    """

    endpoint: str
    story: str
    passed: bool = False
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    calls: int | None = None
    alarm_at: float = 0.0
    acted_at: float = 0.0
    why: str = ""


def play(hands: Hands, view: View) -> list[Scene]:
    """Run all scenes on a deployed stack; one that cannot be played out failed, and says why.

    Raises DemoFailed when the stage cannot be set.
    """
    function = hands.outputs()["TrafficShiftFunctionArn"].rsplit(":", 1)[-1]
    repaired = Scene(REPAIRED, "tag act: traffic goes back, and is verified")
    observed = Scene(OBSERVED, "tag observe: only what would be done is recorded")
    untagged = Scene(UNTAGGED, "no tag: not touched")
    switched_off = Scene(SWITCHED_OFF, "account's mode off: not touched")
    scenes = [repaired, observed, untagged, switched_off]
    _set_the_stage(hands, view, scenes)

    view.says("the canary of the first starts failing 40 % of its requests")
    hands.traffic(REPAIRED, green_fails=0.4)
    _try(repaired, lambda: _repaired(hands, view, repaired, function))
    view.says("those of the second and third do the same; nobody allowed to act on them")
    for scene in (observed, untagged):
        hands.traffic(scene.endpoint, green_fails=0.4)
    _try(observed, lambda: _left_alone(hands, view, observed, "observe"))
    _try(untagged, lambda: _left_alone(hands, view, untagged, "not-opted-in"))
    if repaired.acted_at:
        _try(repaired, lambda: _verified(hands, view, repaired))

    view.says("the account's mode goes off, and the fourth canary goes bad")
    hands.remediation("mode", "off")
    hands.traffic(SWITCHED_OFF, green_fails=0.4)
    _try(switched_off, lambda: _left_alone(hands, view, switched_off, "account-off"))

    for scene in (observed, untagged, switched_off):
        scene.after = hands.weights(scene.endpoint)[1]
        scene.passed = scene.passed and scene.after == scene.before == VARIANTS
    if len(_moves(hands, function)) > 1:
        repaired.passed, repaired.why = False, "the function changed weights more than once"
    return scenes


def _set_the_stage(hands: Hands, view: View, scenes: Sequence[Scene]) -> None:
    view.says("four endpoints, 90/10 between blue and a canary, green; an alarm on each variant")
    for name, mode in ENDPOINTS.items():
        hands.endpoint(name, mode)
    until("all endpoints in service", lambda: _all_serve(hands), 60, view.draw)
    for scene in scenes:
        hands.traffic(scene.endpoint, history=True)
        hands.remediation("alarms", scene.endpoint, "--create")
        scene.before = hands.weights(scene.endpoint)[1]
    hands.remediation("mode", "act")
    until("all alarms OK", lambda: _all_ok(hands), ALARM_SECONDS, view.draw)


def _try(scene: Scene, part: Callable[[], None]) -> None:
    try:
        part()
    except DemoFailed as failure:
        scene.passed, scene.why = False, str(failure)


def _moves(hands: Hands, function: str) -> list[dict[str, Any]]:
    """The function's calls that change an endpoint."""
    calls = hands.account.calls(caller=function, service="sagemaker")
    return [c for c in calls if c["operation"] == "UpdateEndpointWeightsAndCapacities"]


def _all_serve(hands: Hands) -> bool:
    return all(hands.weights(name)[0] == "InService" for name in ENDPOINTS)


def _all_ok(hands: Hands) -> bool:
    return all(hands.alarm_state(name) == "OK" for name in ENDPOINTS)


def _await_alarm(hands: Hands, view: View, scene: Scene) -> None:
    """Wait for the first change to ALARM; where traffic is moved the alarm soon is OK again."""
    name = scene.endpoint
    until(f"an alarm on {name}", lambda: hands.alarmed_at(name), ALARM_SECONDS, view.draw)
    scene.alarm_at = hands.alarmed_at(name) or 0.0


def _repaired(hands: Hands, view: View, scene: Scene, function: str) -> None:
    name = scene.endpoint
    _await_alarm(hands, view, scene)
    until(f"a shift on {name}", lambda: hands.heard(name, "acted"), LOOK_SECONDS, view.draw)
    until(
        f"{name} in service with new weights",
        lambda: hands.weights(name) == ("InService", MOVED),
        LOOK_SECONDS,
        view.draw,
    )
    in_service_at = time.time()
    move = _moves(hands, function)[0]
    look = [c for c in hands.account.calls(caller=function) if c["trace"] == move["trace"]]
    scene.acted_at = datetime.fromisoformat(move["time"]).timestamp()
    scene.seconds["call"] = scene.acted_at - scene.alarm_at
    scene.seconds["InService"] = in_service_at - scene.alarm_at
    scene.calls = sum(c["service"] in LEVER_SERVICES for c in look)


def _verified(hands: Hands, view: View, scene: Scene) -> None:
    name = scene.endpoint
    view.says("the heartbeat, once a minute, verifies what was done")
    until(f"{name} verified", lambda: hands.heard(name, "verified"), VERIFY_SECONDS, view.draw)
    told = hands.heard(name, "verified")
    assert told is not None
    scene.seconds["verified"] = told.at - scene.alarm_at
    scene.after = hands.weights(name)[1]
    scene.passed = scene.after == MOVED
    scene.why = str(told.detail["reason"])


def _left_alone(hands: Hands, view: View, scene: Scene, code: str) -> None:
    """The alarm fired, the function looked and said why it does nothing, and nothing changed."""
    name = scene.endpoint
    _await_alarm(hands, view, scene)
    until(f"a word on {name}", lambda: hands.heard(name, code), LOOK_SECONDS, view.draw)
    told = hands.heard(name, code)
    assert told is not None
    scene.passed = True
    scene.why = str(told.detail["reason"])
