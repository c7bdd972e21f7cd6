"""Every recorded event that speaks of quotas or capacity comes to what the table says."""

from __future__ import annotations

import json

import pytest

from tests.functional.quotas import EVENTS, asked, begin, now, settings
from tests.functional.test_quota_increase import codes
from tests.functional.world import Stage

HANDLED: dict[str, list[str]] = {
    "alarm_on_something_else": ["not-a-usage-metric"],
    "call_not_allowed": ["not-a-shortage"],
    "call_throttled": ["not-a-shortage"],
    "concurrency_handed_over": ["acted"],
    "concurrency_handed_over_only_observed": ["only-observed"],
    "concurrency_refused_by_lambda_handed_over": ["acted"],
    "endpoint_failed_for_a_quota": ["acted"],
    "endpoint_out_of_capacity": ["no-instance-type"],
    "endpoint_refused": ["acted"],
    # Of its three errors one tells of a lower limit than the quota has here.
    "fleet_refused_inside_a_success": ["capacity-short", "not-opted-in", "settled"],
    "health_threshold_breach": ["acted", "settled"],  # the other quota is 0 here, so unused
    "instances_out_of_capacity": ["capacity-short"],
    "instances_out_of_capacity_everywhere": ["no-instance-type"],
    "instances_refused": ["acted"],
    "instances_refused_through_auto_scaling": ["acted"],
    "processing_jobs_total_refused": ["not-opted-in"],
    "serverless_concurrency_handed_over": ["not-opted-in"],
    "service_quotas_threshold": ["not-opted-in"],
    "spot_fleet_out_of_capacity": ["capacity-short", "capacity-short"],
    "spot_instances_refused": ["acted"],
    "spot_training_job_refused": ["acted"],
    "training_job_failed_of_itself": ["not-a-shortage"],
    "training_job_out_of_capacity": ["capacity-short"],
    "training_job_refused": ["acted"],
    "training_job_refused_2017_text": ["unknown-quota"],  # of a type that SageMaker gave up
    "training_job_refused_support_text": ["acted"],
    "training_plan_refused": ["not-opted-in"],
    "trusted_advisor_warning": ["acted"],
    "trusted_advisor_well": ["not-a-shortage"],
    "usage_alarm": ["settled"],  # nothing is in use here
    "usage_alarm_muted": ["muted"],
    "usage_alarm_on_lambda": ["settled"],
}
REFUSED = {
    "event_nobody_asked_for": "unknown-signal",
    "handed_over_without_a_quota": "unparsable-text",
    "quota_call_in_another_region": "other-region",
    "quota_call_of_another_account": "foreign-account",
    "quota_call_of_unknown_family": "unknown-family",
    "quota_call_of_wrong_types": "no-instance-type",
    "quota_call_without_instance_type": "no-instance-type",
    "quota_text_without_a_name": "unparsable-text",
    "told_of_no_quota": "unknown-signal",
    "trusted_advisor_of_another_region": "other-region",
}


@pytest.fixture
def quotas(stage: Stage, environment: pytest.MonkeyPatch) -> Stage:
    environment.setenv("LEVER_SETTINGS", settings())
    begin(stage)
    return stage


def test_the_table_names_every_file() -> None:
    assert sorted(HANDLED) == sorted(path.stem for path in EVENTS.iterdir())


@pytest.mark.parametrize("name", sorted(HANDLED))
def test_a_signal_comes_to_what_the_table_says(quotas: Stage, name: str) -> None:
    answer = quotas.batch(now(name))

    assert sorted(codes(answer)) == HANDLED[name]
    assert answer["batchItemFailures"] == []
    assert len(asked(quotas)) == HANDLED[name].count("acted")


@pytest.mark.parametrize("name", sorted(HANDLED))
def test_what_came_a_second_time_changes_nothing(quotas: Stage, name: str) -> None:
    event = now(name)
    quotas.batch(event)
    quotas.wait(2)
    quotas.batch(event, event)

    assert len(asked(quotas)) == HANDLED[name].count("acted")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_input_is_refused_by_name_kept_and_harms_nobody(quotas: Stage, name: str) -> None:
    bad = json.loads((EVENTS.parent / "invalid" / f"{name}.json").read_text())

    answer = quotas.batch(bad, now("training_job_refused"))

    assert sorted(codes(answer)) == sorted([REFUSED[name], "acted"])
    assert answer["batchItemFailures"] == []
    [kept] = quotas.records("refused#")
    assert kept["code"]["S"] == REFUSED[name]


def test_another_remediations_signal_is_refused_by_name(quotas: Stage) -> None:
    alarm = json.loads((EVENTS.parent / "traffic_shift" / "alarm_single_metric.json").read_text())

    assert codes(quotas.batch(alarm)) == ["not-a-usage-metric"]
