"""What `explain` says offline of each event under events/ that speaks of a quota or of capacity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app

FILES = Path(__file__).parents[2] / "events"
HERE = "us-east-1:123456789012"
ASKED = {
    "quota_increase/concurrency_handed_over.json": "Concurrent executions",
    "quota_increase/concurrency_refused_by_lambda_handed_over.json": "Concurrent executions",
    "quota_increase/endpoint_failed_for_a_quota.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/endpoint_refused.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/fleet_refused_inside_a_success.json": "Running On-Demand G and VT instances",
    "quota_increase/health_threshold_breach.json": "ml.g5.48xlarge for endpoint usage",
    "quota_increase/instances_refused.json": "Running On-Demand P instances",
    "quota_increase/instances_refused_through_auto_scaling.json": (
        "Running On-Demand G and VT instances"
    ),
    "quota_increase/processing_jobs_total_refused.json": (
        "Number of instances across all processing jobs"
    ),
    "quota_increase/serverless_concurrency_handed_over.json": (
        "Maximum total concurrency that can be allocated across all serverless endpoints"
    ),
    "quota_increase/service_quotas_threshold.json": "Number of instances across all training jobs",
    "quota_increase/spot_instances_refused.json": "All P5 Spot Instance Requests",
    "quota_increase/spot_training_job_refused.json": "ml.p5.48xlarge for spot training job usage",
    "quota_increase/training_job_refused.json": "ml.p4d.24xlarge for training job usage",
    "quota_increase/training_job_refused_2017_text.json": "ml.p2.xlarge for training job usage",
    "quota_increase/training_job_refused_support_text.json": "ml.p5.48xlarge for training job usage",
    "quota_increase/training_plan_refused.json": (
        "Number of ml.p5.48xlarge instances in reserved capacity across training plans per Region"
    ),
    "quota_increase/trusted_advisor_warning.json": "Running On-Demand G and VT instances",
}
"""Events that speak of a quota, and its name."""
SHORT = {
    "quota_increase/instances_out_of_capacity.json": "p4d.24xlarge",
    "quota_increase/spot_fleet_out_of_capacity.json": "p5.48xlarge",
    "quota_increase/training_job_out_of_capacity.json": "ml.p4d.24xlarge",
}
"""Events that say that AWS is out of capacity, and of which instance type."""
WATCHED = {
    "quota_increase/usage_alarm.json",
    "quota_increase/usage_alarm_on_lambda.json",
}
"""Alarms on metrics of usage: which quota they measure is looked up when they speak."""
PASSED_OVER = {
    "quota_increase/alarm_on_something_else.json": "not-an-endpoint",
    "quota_increase/call_not_allowed.json": "not-a-shortage",
    "quota_increase/call_throttled.json": "not-a-shortage",
    "quota_increase/concurrency_handed_over_only_observed.json": "only-observed",
    "quota_increase/training_job_failed_of_itself.json": "not-a-shortage",
    "quota_increase/trusted_advisor_well.json": "not-a-shortage",
    "quota_increase/usage_alarm_muted.json": "muted",
}
"""Events that need no remedy, and why not."""
UNREADABLE = {
    "invalid/event_nobody_asked_for.json": "unknown-signal",
    "invalid/handed_over_without_a_quota.json": "unparsable-text",
    "invalid/quota_call_in_another_region.json": "other-region",
    "invalid/quota_call_of_another_account.json": "foreign-account",
    "invalid/quota_call_of_unknown_family.json": "unknown-family",
    "invalid/quota_call_of_wrong_types.json": "no-instance-type",
    "invalid/quota_call_without_instance_type.json": "no-instance-type",
    "invalid/quota_text_without_a_name.json": "unparsable-text",
    "invalid/told_of_no_quota.json": "unknown-signal",
    "invalid/trusted_advisor_of_another_region.json": "other-region",
    "quota_increase/endpoint_out_of_capacity.json": "no-instance-type",
    "quota_increase/instances_out_of_capacity_everywhere.json": "no-instance-type",
}
"""Events that cannot be acted on, and the code they are refused with."""
EVENTS = [*ASKED, *SHORT, *WATCHED, *PASSED_OVER, *UNREADABLE]


def explained(*paths: Path | str) -> list[dict[str, Any]]:
    files = [str(FILES / path) for path in paths]
    result = CliRunner().invoke(app, ["explain", "--json", *files])
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def changed(tmp_path: Path, name: str, **detail: Any) -> Path:
    """The event of a file with parts of its detail exchanged."""
    event = json.loads((FILES / name).read_text())
    event["detail"].update(detail)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(event))
    return path


QUOTA_KEYS = ("service_code", "quota_code", "quota_name", "limit", "utilization", "delta")


@pytest.mark.parametrize("name", ASKED)
def test_a_quota_is_named(name: str) -> None:
    [said] = explained(name)

    assert (said["remediation"], said["refusal"]) == ("quota_increase", None)
    assert said["quota_name"] == ASKED[name]
    assert said["instance_type"] is said["az_hints"] is None
    assert said["would"]
    assert said["conditions"]


@pytest.mark.parametrize("name", SHORT)
def test_a_shortage_names_the_instance_type(name: str) -> None:
    [said] = explained(name)

    service = "sagemaker" if SHORT[name].startswith("ml.") else "ec2"
    assert (said["remediation"], said["refusal"]) == ("quota_increase", None)
    assert said["instance_type"] == SHORT[name]
    assert said["target"] == f"arn:aws:{service}:{HERE}:instance-type/{SHORT[name]}"
    assert [said[key] for key in QUOTA_KEYS] == [None] * 6
    assert said["would"]
    assert said["conditions"]


@pytest.mark.parametrize("name", sorted(WATCHED))
def test_which_quota_an_alarm_measures_is_looked_up_later(name: str) -> None:
    [said] = explained(name)

    assert (said["remediation"], said["target"]) == ("quota_increase", None)
    assert "looked up" in said["would"]
    assert said["readings"][0]["kind"] == "usage-alarm"


@pytest.mark.parametrize("name", [*PASSED_OVER, *UNREADABLE])
def test_what_nothing_follows_from_is_refused_by_name(name: str) -> None:
    [said] = explained(name)

    assert said["refusal"]["code"] == {**PASSED_OVER, **UNREADABLE}[name]
    assert said["refusal"]["reason"]
    assert said["remediation"] is said["target"] is None
    assert said["signal"]["kind"] in ("event", "alarm")


def test_a_refused_call_says_exactly_what_it_needs() -> None:
    [said] = explained("quota_increase/training_job_refused.json")

    assert said["target"] == f"arn:aws:servicequotas:{HERE}:sagemaker/L-09B4A649"
    assert [said[key] for key in QUOTA_KEYS] == [
        "sagemaker",
        "L-09B4A649",
        "ml.p4d.24xlarge for training job usage",
        0,
        0,
        1,
    ]
    assert "an increase to 1" in said["would"]


def test_what_was_handed_over_needs_what_is_missing_on_top_of_the_limit() -> None:
    [said] = explained("quota_increase/concurrency_handed_over.json")

    assert said["target"] == f"arn:aws:servicequotas:{HERE}:lambda/L-B99A9384"
    assert [said[key] for key in ("limit", "utilization", "delta")] == [1000, 1000, 30]
    assert "an increase to 1030" in said["would"]


def test_whole_numbers_have_no_decimals_and_others_keep_theirs(tmp_path: Path) -> None:
    text = "service limit 'Rate' is 1,024.0 None, with current utilization of 0.5 None and a "
    text += "request delta of 12 None."
    path = changed(tmp_path, "quota_increase/training_job_refused.json", errorMessage=text)
    [said] = explained(path)

    shown = [json.dumps(said[key]) for key in ("limit", "utilization", "delta")]
    assert shown == ["1024", "0.5", "12"]


def test_a_quota_whose_code_is_not_known_offline_has_no_target() -> None:
    [said] = explained("quota_increase/processing_jobs_total_refused.json")

    assert said["quota_code"] is said["target"] is None
    assert (said["limit"], said["utilization"], said["delta"]) == (4, 3, 2)
    assert "looked up by name" in said["would"]


def test_az_hints_are_told_in_awss_order() -> None:
    [said] = explained("quota_increase/instances_out_of_capacity.json")

    assert said["az_hints"] == ["us-east-1a", "us-east-1b"]
    assert said["readings"][0]["zone"] == "us-east-1d"


def test_the_first_of_several_things_is_in_the_keys_and_all_are_in_readings() -> None:
    [said] = explained("quota_increase/fleet_refused_inside_a_success.json")

    kinds = [each["kind"] for each in said["readings"]]
    assert kinds == ["refused", "refused", "capacity-short"]
    assert said["quota_code"] == said["readings"][0]["quota_code"] == "L-DB2E81BA"
    assert said["readings"][1]["quota_code"] == "L-1216C47A"


def test_the_arn_is_of_the_events_partition(tmp_path: Path) -> None:
    event = json.loads((FILES / "quota_increase/instances_refused.json").read_text())
    for region, partition in (("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        event["region"] = event["detail"]["awsRegion"] = region
        path = tmp_path / "there.json"
        path.write_text(json.dumps(event))
        [said] = explained(path)

        assert (
            said["target"] == f"arn:{partition}:servicequotas:{region}:123456789012:ec2/L-417A185B"
        )


def test_every_explanation_has_the_same_keys() -> None:
    said = explained(
        "quota_increase/instances_refused.json",
        "quota_increase/instances_out_of_capacity.json",
        "traffic_shift/alarm_single_metric.json",
        "invalid/null.json",
        "heartbeat.json",
    )

    assert len({frozenset(each.keys() - {"readings"}) for each in said}) == 1


def test_a_person_reads_one_line_a_key() -> None:
    file = str(FILES / "quota_increase/instances_out_of_capacity.json")
    result = CliRunner().invoke(app, ["explain", file])

    assert '  az_hints: ["us-east-1a", "us-east-1b"]' in result.stdout.splitlines()
