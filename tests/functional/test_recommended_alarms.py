"""The alarms that `remediation alarms` recommends speak when something spills over, and are answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.stack import Stack
from tests.functional.concurrency import CHAT, LIVE, Warm, codes, warm
from tests.functional.world import FUNCTION, Stage

SHIFT = FUNCTION.replace("traffic-shift", "other")
ALIAS, ENDPOINT = "shop-live-spillover", "chat-all-spillover"


@pytest.fixture
def scene(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warm]:
    deployed = Stack("ledger", "mode", "operator", FUNCTION, SHIFT)
    monkeypatch.setattr(Stack, "find", lambda name: deployed)
    with warm(stage) as scene:
        stage.pretend_swept("provisioned_concurrency")
        yield scene


def alarms(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["alarms", *arguments])


def recommended(*arguments: str) -> list[dict[str, Any]]:
    result = alarms("--json", *arguments)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("target", ["shop:live", LIVE])
def test_an_alias_is_watched_for_spillover_and_its_alarm_is_answered(
    scene: Warm, target: str
) -> None:
    scene.function()
    scene.provision(2)
    scene.stage.wait(120)
    [alarm] = recommended(target, "--create")
    assert (alarm["AlarmName"], alarm["AlarmActions"]) == (ALIAS, [FUNCTION])

    scene.send(8)
    scene.stage.wait_for_alarm(ALIAS)
    [answer] = scene.stage.deliver_direct()

    assert codes(answer) == ["acted"]
    assert answer["outcomes"][0]["target"] == LIVE


def test_a_serverless_variant_is_watched_for_spillover_and_its_alarm_is_answered(
    scene: Warm,
) -> None:
    scene.endpoint(provisioned=2)
    scene.stage.wait(120)
    [alarm] = recommended("chat", "--create", "--latency-ms", "100")
    assert (alarm["AlarmName"], alarm["AlarmActions"]) == (ENDPOINT, [FUNCTION])
    assert alarm["Statistic"] == "Maximum"  # SageMaker names no sum

    scene.request(8)
    scene.stage.wait_for_alarm(ENDPOINT)
    [answer] = scene.stage.deliver_direct()

    assert codes(answer) == ["acted"]
    assert answer["outcomes"][0]["target"] == CHAT


@pytest.mark.parametrize("traffic", [0, 1.5])
def test_it_is_silent_while_nothing_spills_over(scene: Warm, traffic: float) -> None:
    scene.function()
    scene.provision(2)
    scene.stage.wait(120)
    recommended("shop:live", "--create")
    if traffic:
        scene.send(traffic)
    scene.stage.wait(600)

    assert scene.stage.alarm_state(ALIAS) == "OK"


def test_nothing_is_created_unasked(scene: Warm) -> None:
    scene.function()
    printed = alarms("shop:live").stdout

    assert printed.startswith("aws cloudwatch put-metric-alarm --cli-input-json '{")
    assert scene.stage.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_a_variant_with_instances_is_watched_as_before(scene: Warm) -> None:
    scene.stage.endpoint("shop", blue=9, green=1)
    found = recommended("shop", "--latency-ms", "100")

    assert {each["MetricName"] for each in found} == {"Invocation5XXErrors", "ModelLatency"}
    assert {*map(str, (each["AlarmActions"] for each in found))} == {str([SHIFT])}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("shop:beta", "beta"),
        ("shop:1", "names no alias"),
        ("shop:$LATEST", "names no alias"),
        (LIVE.removesuffix(":live"), "names no alias"),
        ("nothing", "nothing"),
        (LIVE.replace("us-east-1", "eu-west-1"), "not in the stack's account and Region"),
        (CHAT.replace("123456789012", "999999999999"), "not in the stack's account and Region"),
    ],
)
def test_a_target_that_cannot_be_watched_is_refused(scene: Warm, target: str, said: str) -> None:
    scene.function()
    refused = alarms(target, "--create")

    assert refused.exit_code == 1
    assert said in refused.output
    assert scene.stage.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_an_alias_has_no_latency_that_anybody_would_answer(scene: Warm) -> None:
    scene.function()
    refused = alarms("shop:live", "--latency-ms", "100")

    assert refused.exit_code == 1
    assert "for endpoints" in refused.output
