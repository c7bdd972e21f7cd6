"""What each recorded event says of Spot, and which are refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.signals import BadSignal, Place, Signal
from functions.core.signals import read as read_signal
from functions.spot_fallback.reading import AtRisk, JobChanged, Launched, Warned, read

EVENTS = Path(__file__).parents[2] / "events"
HERE = Place("aws", "us-east-1", "123456789012")
INSTANCE = "i-0b1c2d3e4f5061728"
NO_SPOT = "There is no Spot capacity available that matches your request."
SAYS = {
    "interruption_warning": Warned(INSTANCE, "terminate"),
    "interruption_warning_arn_names_zone": Warned(INSTANCE, "terminate"),
    "interruption_warning_hibernate": Warned(INSTANCE, "hibernate"),
    "rebalance_recommendation": AtRisk(INSTANCE),
    "launch_successful": Launched("workers", ""),
    "training_job_starting": JobChanged("resnet", spot=True, opted_in=True),
    "training_job_interrupted": JobChanged("resnet", spot=True, opted_in=True),
    "training_job_out_of_wait_time": JobChanged("resnet", spot=True, opted_in=True),
    "training_job_completed": JobChanged("resnet", spot=True, opted_in=True),
    "training_job_times_as_text": JobChanged("resnet", spot=True, opted_in=True),
    "training_job_not_on_spot": JobChanged("resnet", spot=False, opted_in=True),
    # What happens to an heir is told of the job it took over from.
    "training_job_heir": JobChanged("resnet", spot=True, opted_in=True),
}
FAILED = {
    "launch_unsuccessful_no_spot_capacity": NO_SPOT,
    "launch_unsuccessful_unfulfillable": "Could not launch Spot Instances. UnfulfillableCapacity",
    "launch_unsuccessful_spot_price": "Could not launch Spot Instances. SpotMaxPriceTooLow",
    "launch_unsuccessful_on_demand": "Could not launch On-Demand Instances.",
}
INVALID = {
    "spot_warning_without_an_instance": "not-an-event",
    "spot_warning_of_strange_instance": "not-an-event",
    "spot_launch_of_no_group": "not-an-event",
    "spot_job_of_strange_name": "not-an-event",
    "spot_warning_of_another_account": "foreign-account",
    "spot_job_of_another_account": "foreign-account",
}


def event(name: str, folder: str = "spot_fallback") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / folder / f"{name}.json").read_text())
    return found


def signal(envelope: dict[str, Any]) -> Signal:
    return read_signal(envelope, HERE)


def test_the_tables_name_every_file() -> None:
    assert sorted([*SAYS, *FAILED]) == sorted(
        path.stem for path in (EVENTS / "spot_fallback").iterdir()
    )
    assert sorted(INVALID) == sorted(path.stem for path in (EVENTS / "invalid").glob("spot_*"))


@pytest.mark.parametrize("name", SAYS)
def test_an_event_says(name: str) -> None:
    assert read(signal(event(name))) == SAYS[name]


@pytest.mark.parametrize("name", FAILED)
def test_a_launch_that_failed_keeps_what_aws_said(name: str) -> None:
    said = read(signal(event(name)))

    assert isinstance(said, Launched)
    assert said.group == "workers"
    assert said.failure.startswith(FAILED[name])


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_event_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadSignal) as refused:
        read(signal(event(name, "invalid")))

    assert refused.value.code == INVALID[name]


def test_a_failed_launch_without_a_reason_is_still_a_failed_launch() -> None:
    envelope = event("launch_unsuccessful_on_demand")
    envelope["detail"]["StatusMessage"] = ""

    assert read(signal(envelope)) == Launched("workers", "no reason given")


@pytest.mark.parametrize("name", ["a:b", "", "x" * 256, "tab\t"])
def test_what_cannot_be_a_groups_name_is_refused(name: str) -> None:
    envelope = event("launch_successful")
    envelope["detail"]["AutoScalingGroupName"] = name

    with pytest.raises(BadSignal, match="AutoScalingGroupName"):
        read(signal(envelope))


def test_tags_that_are_no_map_are_no_tags() -> None:
    envelope = event("training_job_starting")
    envelope["detail"]["Tags"] = [{"Key": "ml-remediation:spot-fallback", "Value": "act"}]

    assert read(signal(envelope)) == JobChanged("resnet", spot=True, opted_in=False)


def test_a_job_whose_event_tells_no_market_is_looked_at() -> None:
    """As in the sample of the SageMaker developer guide, which has no such member."""
    envelope = event("training_job_interrupted")
    del envelope["detail"]["EnableManagedSpotTraining"]

    assert read(signal(envelope)) == JobChanged("resnet", spot=True, opted_in=True)


def test_an_event_of_another_kind_tells_nothing_of_spot() -> None:
    envelope = event("interruption_warning") | {"detail-type": "EC2 Instance State-change"}

    with pytest.raises(BadSignal, match="tells nothing of Spot"):
        read(signal(envelope))
