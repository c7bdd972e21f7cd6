"""Which events reach spot fallback: all that speak of Spot, and as little else as patterns can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.patterns import matches

EVENTS = Path(__file__).resolve().parent.parent.parent / "events"
OWN = sorted((EVENTS / "spot_fallback").glob("*.json"))
TAG = "ml-remediation:spot-fallback"


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / "spot_fallback" / f"{name}.json").read_text())
    return found


def with_detail(name: str, **changes: Any) -> dict[str, Any]:
    found = event(name)
    return found | {"detail": found["detail"] | changes}


@pytest.fixture(scope="module")
def reaches(patterns):
    """How many rules put an event on the queue: more than one would look twice."""

    def count(each: dict[str, Any]) -> int:
        return sum(matches(pattern, each) for pattern in patterns["spot_fallback"].values())

    return count


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_a_recorded_event_reaches_it_once(reaches, file):
    assert reaches(json.loads(file.read_text())) == 1


def test_every_rule_brings_a_recorded_event(patterns):
    recorded = [json.loads(file.read_text()) for file in OWN]
    for pattern in patterns["spot_fallback"].values():
        assert any(matches(pattern, each) for each in recorded)


@pytest.mark.parametrize("folder", ["quota_increase", "traffic_shift", "operator"])
def test_what_others_listen_to_is_left_alone(reaches, folder):
    files = sorted((EVENTS / folder).glob("*.json"))
    assert files
    assert [each.name for each in files if reaches(json.loads(each.read_text()))] == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("interruption_warning", "EC2 Instance State-change Notification"),
        ("interruption_warning", "EC2 Spot Instance Request Fulfillment"),
        ("interruption_warning", "EC2 Capacity Reservation Instance Interruption Warning"),
        ("interruption_warning", "AWS API Call via CloudTrail"),
        ("launch_successful", "EC2 Instance Terminate Successful"),
        ("launch_successful", "EC2 Instance-launch Lifecycle Action"),
        ("launch_successful", "EC2 Auto Scaling Instance Refresh Started"),
        ("training_job_starting", "SageMaker Processing Job State Change"),
        ("training_job_starting", "SageMaker HyperParameter Tuning Job State Change"),
    ],
)
def test_other_kinds_of_events_are_left_alone(reaches, name, kind):
    assert reaches(event(name) | {"detail-type": kind}) == 0


@pytest.mark.parametrize(
    "name", ["interruption_warning", "launch_unsuccessful_unfulfillable", "training_job_starting"]
)
def test_what_only_looks_like_aws_is_left_alone(reaches, name):
    assert reaches(event(name) | {"source": "my.app"}) == 0


@pytest.mark.parametrize(
    ("source", "name"),
    [("aws.autoscaling", "interruption_warning"), ("aws.ec2", "launch_successful")],
)
def test_each_services_events_are_taken_from_that_service(reaches, source, name):
    assert reaches(event(name) | {"source": source}) == 0


@pytest.mark.parametrize("mode", ["off", "observe", "approve", "act", ""])
def test_a_job_that_bears_the_tag_is_queued_whatever_it_says(reaches, mode):
    """What the tag says is read when the job is looked at."""
    assert reaches(with_detail("training_job_interrupted", Tags={TAG: mode})) == 1


@pytest.mark.parametrize(
    "tags",
    [{}, {"team": "vision"}, {f"{TAG}:deadline": "2026-03-02T18:00:00Z"}, {TAG.upper(): "act"}],
    ids=["none", "another", "only a setting", "of other case"],
)
def test_a_job_without_the_tag_is_left_alone(reaches, tags):
    assert reaches(with_detail("training_job_interrupted", Tags=tags)) == 0


def test_a_job_whose_event_tells_no_tags_is_left_alone(reaches):
    untold = event("training_job_interrupted")
    del untold["detail"]["Tags"]
    assert reaches(untold) == 0


def test_a_job_on_spot_that_failed_for_a_quota_reaches_both_remediations(patterns):
    reason = "ResourceLimitExceeded: The account-level service limit 'x' is 0 Instances"
    failed = with_detail("training_job_starting", TrainingJobStatus="Failed", FailureReason=reason)
    for name in ("quota_increase", "spot_fallback"):
        assert sum(matches(pattern, failed) for pattern in patterns[name].values()) == 1


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_what_speaks_of_spot_alone_is_nobody_elses(patterns, file):
    each = json.loads(file.read_text())
    for name in ("quota_increase", "traffic_shift"):
        assert not any(matches(pattern, each) for pattern in patterns[name].values())
