"""What `explain` says offline of each event under events/ that speaks of Spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.test_explain_quotas import FILES, explained

PLACE = "us-east-1:123456789012"
INSTANCE = f"arn:aws:ec2:{PLACE}:instance/i-0b1c2d3e4f5061728"
GROUP = f"arn:aws:autoscaling:{PLACE}:autoScalingGroup:*:autoScalingGroupName/workers"
JOB = f"arn:aws:sagemaker:{PLACE}:training-job/resnet"

SAID = {
    "spot_fallback/interruption_warning.json": ("warned", INSTANCE),
    "spot_fallback/interruption_warning_arn_names_zone.json": ("warned", INSTANCE),
    "spot_fallback/interruption_warning_hibernate.json": ("warned", INSTANCE),
    "spot_fallback/launch_successful.json": ("launched", GROUP),
    "spot_fallback/launch_unsuccessful_no_spot_capacity.json": ("launch-failed", GROUP),
    "spot_fallback/launch_unsuccessful_on_demand.json": ("launch-failed", GROUP),
    "spot_fallback/launch_unsuccessful_spot_price.json": ("launch-failed", GROUP),
    "spot_fallback/launch_unsuccessful_unfulfillable.json": ("launch-failed", GROUP),
    "spot_fallback/rebalance_recommendation.json": ("at-risk", INSTANCE),
    "spot_fallback/training_job_completed.json": ("job", JOB),
    "spot_fallback/training_job_heir.json": ("job", JOB),
    "spot_fallback/training_job_interrupted.json": ("job", JOB),
    "spot_fallback/training_job_out_of_wait_time.json": ("job", JOB),
    "spot_fallback/training_job_starting.json": ("job", JOB),
    "spot_fallback/training_job_times_as_text.json": ("job", JOB),
}
"""Events that speak of Spot: what each says, and the target."""
REFUSED = {
    "invalid/spot_job_of_strange_name.json": "not-an-event",
    "invalid/spot_launch_of_no_group.json": "not-an-event",
    "invalid/spot_warning_of_strange_instance.json": "not-an-event",
    "invalid/spot_warning_without_an_instance.json": "not-an-event",
    "spot_fallback/training_job_not_on_spot.json": "not-on-spot",
}
"""Events that nothing follows from, and the code they are refused with."""
ELSEWHERE = {
    "invalid/spot_job_of_another_account.json",
    "invalid/spot_warning_of_another_account.json",
}
"""Refused where they arrive; offline any account may be the one."""
EVENTS = [*SAID, *REFUSED, *ELSEWHERE]


def event(name: str, **detail: Any) -> dict[str, Any]:
    """The event of a file with parts of its detail exchanged."""
    found: dict[str, Any] = json.loads((FILES / name).read_text())
    found["detail"].update(detail)
    return found


def said_of(tmp_path: Path, envelope: dict[str, Any]) -> dict[str, Any]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(envelope))
    [said] = explained(path)
    return said


@pytest.mark.parametrize("name", SAID)
def test_what_spot_took_is_named(name: str) -> None:
    [said] = explained(name)

    kind, target = SAID[name]
    assert (said["remediation"], said["refusal"]) == ("spot_fallback", None)
    assert said["target"] == target
    assert [(each["kind"], each["target"]) for each in said["readings"]] == [(kind, target)]
    assert said["would"]
    assert any("ml-remediation:spot-fallback" in each for each in said["conditions"])


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_follows_from_is_refused_by_name(name: str) -> None:
    [said] = explained(name)

    assert said["refusal"]["code"] == REFUSED[name]
    assert said["refusal"]["reason"]
    assert said["remediation"] is said["target"] is None
    assert said["signal"]["kind"] == "event"


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_another_accounts_event_is_explained_as_that_accounts(name: str) -> None:
    [said] = explained(name)

    assert said["remediation"] == "spot_fallback"
    assert said["target"].split(":")[4] == "999999999999"


def test_a_failed_launch_names_the_type_that_is_short_where_aws_does() -> None:
    named, unnamed = explained(
        "spot_fallback/launch_unsuccessful_on_demand.json",
        "spot_fallback/launch_unsuccessful_no_spot_capacity.json",
    )

    assert (named["instance_type"], named["az_hints"]) == ("g5.xlarge", [])
    assert named["readings"][0]["zone"] == "us-east-1b"
    assert unnamed["instance_type"] is unnamed["az_hints"] is None
    assert "no Spot capacity" in unnamed["readings"][0]["text"]


def test_the_zones_that_aws_would_try_are_told_in_its_order(tmp_path: Path) -> None:
    text = "We currently do not have sufficient g5.xlarge capacity in the Availability Zone you "
    text += "requested (us-east-1b). You can currently get g5.xlarge capacity by not specifying an "
    text += "Availability Zone in your request or choosing us-east-1d, us-east-1a."
    name = "spot_fallback/launch_unsuccessful_on_demand.json"

    said = said_of(tmp_path, event(name, StatusMessage=text))

    assert said["az_hints"] == ["us-east-1d", "us-east-1a"]


def test_an_instance_may_turn_out_to_be_in_a_group_or_not() -> None:
    [said] = explained("spot_fallback/interruption_warning.json")

    assert "group it is in" in said["would"]
    assert "outside a group" in said["would"]


def test_a_recommendation_alone_moves_nothing() -> None:
    [said] = explained("spot_fallback/rebalance_recommendation.json")

    assert "no reason in itself" in said["would"]


@pytest.mark.parametrize(
    ("reason", "quota"),
    [
        (
            "ResourceLimitExceeded: The account-level service limit 'ml.g5.2xlarge for spot "
            "training job usage' is 0 Instances, with current utilization of 0 Instances and a "
            "request delta of 1 Instances.",
            "ml.g5.2xlarge for spot training job usage",
        ),
        ("CapacityError: Unable to provision requested ML compute capacity.", None),
    ],
    ids=["a quota", "capacity"],
)
def test_why_a_job_on_spot_failed_is_told_by_what_mends_it(
    tmp_path: Path, reason: str, quota: str | None
) -> None:
    name = "spot_fallback/training_job_starting.json"

    said = said_of(tmp_path, event(name, TrainingJobStatus="Failed", FailureReason=reason))

    assert said["remediation"] == "quota_increase"
    assert said["quota_name"] == quota


def test_a_job_on_spot_that_failed_of_itself_is_spots(tmp_path: Path) -> None:
    failed = {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code 1"}

    said = said_of(tmp_path, event("spot_fallback/training_job_starting.json", **failed))

    assert said["remediation"] == "spot_fallback"


def test_a_job_on_spot_is_spots_before_it_is_tagged(tmp_path: Path) -> None:
    said = said_of(tmp_path, event("spot_fallback/training_job_interrupted.json", Tags={}))

    assert (said["remediation"], said["target"]) == ("spot_fallback", JOB)


@pytest.mark.parametrize(
    ("tags", "remediation"),
    [({"ml-remediation:spot-fallback": "act"}, "spot_fallback"), ({}, None)],
    ids=["opted in", "not opted in"],
)
def test_of_a_job_whose_event_does_not_say_whether_it_is_on_spot_the_tag_tells(
    tmp_path: Path, tags: dict[str, str], remediation: str | None
) -> None:
    untold = event("spot_fallback/training_job_interrupted.json", Tags=tags)
    del untold["detail"]["EnableManagedSpotTraining"]

    assert said_of(tmp_path, untold)["remediation"] == remediation


def test_a_job_that_has_nothing_to_do_with_spot_is_not_refused_for_that(tmp_path: Path) -> None:
    said = said_of(tmp_path, event("spot_fallback/training_job_not_on_spot.json", Tags={}))

    assert said["refusal"]["code"] == "not-a-shortage"


def test_the_arn_is_of_the_events_partition(tmp_path: Path) -> None:
    there = event("spot_fallback/interruption_warning.json") | {"region": "cn-north-1"}

    said = said_of(tmp_path, there)

    assert said["target"].startswith("arn:aws-cn:ec2:cn-north-1:123456789012:instance/")


def test_every_explanation_has_the_same_keys() -> None:
    said = explained(
        "spot_fallback/interruption_warning.json",
        "spot_fallback/launch_unsuccessful_on_demand.json",
        "spot_fallback/training_job_not_on_spot.json",
        "quota_increase/instances_refused.json",
    )

    assert len({frozenset(each.keys() - {"readings"}) for each in said}) == 1
