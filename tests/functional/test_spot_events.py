"""Every recorded event that speaks of Spot comes to what the table says, and bad ones harm nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.functional.spot import Fleets, fleets, settings
from tests.functional.world import Stage

EVENTS = Path(__file__).parents[2] / "events"
WRITES = {
    "CreateTrainingJob",
    "DetachInstances",
    "RegisterTargets",
    "RunInstances",
    "StopTrainingJob",
    "UpdateAutoScalingGroup",
}
HANDLED: dict[str, list[str]] = {
    # The instance that the files name is in no group, and EC2 does not know it.
    "interruption_warning": ["not-opted-in"],
    "interruption_warning_arn_names_zone": ["not-opted-in"],
    "interruption_warning_hibernate": ["not-opted-in"],
    "rebalance_recommendation": ["only-a-risk"],
    # A group that has all its instances needs nothing, whatever an event says.
    "launch_successful": ["settled"],
    "launch_unsuccessful_no_spot_capacity": ["settled"],
    "launch_unsuccessful_on_demand": ["settled"],
    "launch_unsuccessful_spot_price": ["settled"],
    "launch_unsuccessful_unfulfillable": ["settled"],
    # No job of that name is here.
    "training_job_completed": ["gone"],
    "training_job_heir": ["gone"],
    "training_job_interrupted": ["gone"],
    "training_job_not_on_spot": ["not-on-spot"],
    "training_job_out_of_wait_time": ["gone"],
    "training_job_starting": ["gone"],
    "training_job_times_as_text": ["gone"],
}
INVALID = {
    "spot_job_of_another_account": "foreign-account",
    "spot_job_of_strange_name": "not-an-event",
    "spot_launch_of_no_group": "not-an-event",
    "spot_warning_of_another_account": "foreign-account",
    "spot_warning_of_strange_instance": "not-an-event",
    "spot_warning_without_an_instance": "not-an-event",
}


@pytest.fixture
def fleet(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Fleets]:
    environment.setenv("LEVER_SETTINGS", settings())
    with fleets(stage) as scene:
        scene.create(4)
        stage.pretend_swept("spot_fallback")
        yield scene


def event(name: str, folder: str = "spot_fallback") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / folder / f"{name}.json").read_text())
    return found


def codes(answer: dict[str, Any]) -> list[str]:
    return [outcome["code"] for outcome in answer["outcomes"]]


def writes(stage: Stage) -> list[str]:
    return [call.operation for call in stage.calls if call.operation in WRITES]


def warning_of(instance: str) -> dict[str, Any]:
    made = event("interruption_warning") | {"time": datetime.now(UTC).isoformat()}
    made["detail"]["instance-id"] = instance
    return made


def test_the_tables_name_every_file() -> None:
    assert sorted(HANDLED) == sorted(path.stem for path in (EVENTS / "spot_fallback").iterdir())
    assert sorted(INVALID) == sorted(path.stem for path in (EVENTS / "invalid").glob("spot_*"))


def test_an_event_comes_to_what_the_table_says_and_changes_nothing(fleet: Fleets) -> None:
    answers = {name: fleet.stage.batch(event(name)) for name in HANDLED}

    assert {name: codes(answer) for name, answer in answers.items()} == HANDLED
    assert not any(answer["batchItemFailures"] for answer in answers.values())
    assert writes(fleet.stage) == []
    assert fleet.stage.incidents() == []


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_event_is_kept_and_harms_no_batch_mate(fleet: Fleets, name: str) -> None:
    [warned, *_] = sorted(fleet.spot())
    answer = fleet.stage.batch(event(name, "invalid"), warning_of(warned))

    assert codes(answer) == [INVALID[name], "acted"]
    assert answer["batchItemFailures"] == []
    assert fleet.detached() == [warned]
    [kept] = fleet.stage.records("refused#")
    assert kept["code"]["S"] == INVALID[name]


@pytest.mark.parametrize(
    "envelope",
    [
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"},
        {"source": "aws.health", "detail-type": "AWS Health Event"},
    ],
)
def test_an_event_of_another_kind_is_refused_by_name(
    fleet: Fleets, envelope: dict[str, str]
) -> None:
    answer = fleet.stage.batch(event("interruption_warning") | envelope)

    assert codes(answer) == ["unknown-signal"]


def test_a_launch_of_a_group_without_the_tag_is_passed_over(fleet: Fleets) -> None:
    fleet.create(2, name="strangers", tags={})
    fleet.stage.calls.clear()
    launched = event("launch_successful")
    launched["detail"]["AutoScalingGroupName"] = "strangers"

    assert codes(fleet.stage.batch(launched)) == []
    assert fleet.stage.told() == []


def test_a_tag_that_is_no_mode_is_told_when_the_groups_launches_fail(fleet: Fleets) -> None:
    fleet.create(2, name="typo", tags={"ml-remediation:spot-fallback": "atc"})
    failed = event("launch_unsuccessful_unfulfillable")
    failed["detail"]["AutoScalingGroupName"] = "typo"

    assert codes(fleet.stage.batch(failed)) == ["bad-tag"]
    assert fleet.stage.told()[-1] == "Remediation Refused: bad-tag"


def test_instances_of_a_batch_are_looked_up_fifty_a_call(fleet: Fleets) -> None:
    instances = [f"i-{number:017x}" for number in range(120)]
    fleet.stage.batch(*(event_of(each) for each in instances))

    looked_up = fleet.stage.made("DescribeAutoScalingInstances")
    assert [len(call.parameters["InstanceIds"]) for call in looked_up] == [50, 50, 20]


def event_of(instance: str) -> dict[str, Any]:
    made = event("rebalance_recommendation")
    made["detail"]["instance-id"] = instance
    return made
