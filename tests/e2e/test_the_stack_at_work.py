"""The deployed stack repairs what it may, leaves the rest alone, and needs exactly its rights."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from local.demo.account import Hands
from local.demo.scenes import ENDPOINTS, OBSERVED, REPAIRED, Scene, play
from local.demo.view import View
from local.pocket import Pocket
from tests.e2e.probe import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.timeout(600),
]

HEARTBEATS = 150.0
IAM_PREFIX = {"monitoring": "cloudwatch", "tagging": "tag"}
USED_BY_AWS = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",  # to the dead-letter queue, as the on-failure destination
}


@dataclass(frozen=True)
class Run:
    """What is left of a run: scenes by endpoint, and who did it."""

    scenes: dict[str, Scene]
    hands: Hands
    functions: dict[str, str]


@pytest.fixture(scope="module")
def run(pocket: Pocket, outputs: dict[str, str]) -> Run:
    """The demo's scenes, then a person who puts back what was done."""
    hands = Hands(pocket)
    hands.listen()
    view = View(Console(file=io.StringIO()), ENDPOINTS)
    view.watch(hands)
    scenes = {scene.endpoint: scene for scene in play(hands, view)}
    functions = {
        name: outputs[f"{name}FunctionArn"].rsplit(":", 1)[-1]
        for name in ("TrafficShift", "Operator")
    }
    return Run(scenes, hands, functions)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_demos_scene_passes(run: Run, endpoint: str) -> None:
    assert run.scenes[endpoint].passed, run.scenes[endpoint]


def test_a_rollback_takes_at_most_six_calls(run: Run) -> None:
    assert run.scenes[REPAIRED].calls is not None
    assert run.scenes[REPAIRED].calls <= 6


def test_the_incident_is_written_down(run: Run) -> None:
    incidents = run.hands.remediation("status")["incidents"]
    [repaired] = [i for i in incidents if i["target"].endswith(f"/{REPAIRED}")]

    assert repaired["stage"] == "verified"
    assert [step["stage"] for step in repaired["timeline"]] == ["acting", "acted", "verified"]
    assert {i["target"].rsplit("/", 1)[-1] for i in incidents} == {REPAIRED, OBSERVED}


def test_the_outcomes_are_metrics(run: Run) -> None:
    cloudwatch = run.hands.account.client("cloudwatch")
    metrics = cloudwatch.list_metrics(Namespace="MlCapacityRemediation")["Metrics"]
    dimensions = [{d["Name"]: d["Value"] for d in m["Dimensions"]} for m in metrics]

    assert {"remediation": "traffic_shift", "outcome": "verified"} in dimensions
    assert all(d.keys() == {"remediation", "outcome"} for d in dimensions)


def test_a_revert_puts_the_traffic_back(run: Run) -> None:
    run.hands.remediation("mode", "act")
    incidents = run.hands.remediation("status")["incidents"]
    [verified] = [i["id"] for i in incidents if i["stage"] == "verified"]

    assert run.hands.remediation("revert", verified)["accepted"]

    def reverted() -> bool:
        run.hands.hear()
        return run.hands.heard(REPAIRED, "reverted") is not None

    eventually(reverted, HEARTBEATS)
    assert run.hands.weights(REPAIRED) == ("InService", {"blue": 9, "green": 1})


def called(run: Run, function: str) -> set[str]:
    """IAM actions of the calls that a function made, as the front door saw them."""
    actions = set()
    for call in run.hands.account.calls(caller=run.functions[function]):
        assert call["error"] != "AccessDenied"
        prefix = IAM_PREFIX.get(call["service"], call["service"])
        # A transaction has no right of its own: it needs those of the writes in it.
        operation = "PutItem" if call["operation"] == "TransactWriteItems" else call["operation"]
        actions.add(f"{prefix}:{operation}")
    return actions


def granted(run: Run, function: str) -> set[str]:
    """Actions that a function's deployed role allows."""
    client = run.hands.account.client("lambda")
    role = client.get_function_configuration(FunctionName=run.functions[function])["Role"]
    name, iam = role.rsplit("/", 1)[-1], run.hands.account.client("iam")
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    actions: set[str] = set()
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            given = statement["Action"]
            actions |= {given} if isinstance(given, str) else set(given)
    return actions


def test_traffic_shift_is_granted_what_it_calls_and_nothing_else(run: Run) -> None:
    # The mute rules are asked for once a signal's own word on them is 2 minutes old.
    eventually(lambda: "cloudwatch:ListAlarmMuteRules" in called(run, "TrafficShift"), HEARTBEATS)

    assert called(run, "TrafficShift") == granted(run, "TrafficShift") - USED_BY_AWS


def test_the_operator_is_granted_what_it_calls_and_nothing_else(run: Run) -> None:
    assert called(run, "Operator") - USED_BY_AWS == granted(run, "Operator") - USED_BY_AWS
    assert "sqs:SendMessage" in called(run, "Operator")
