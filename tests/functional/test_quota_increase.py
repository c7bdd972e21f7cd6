"""A quota that refuses a call is raised by exactly what the call needs, once, and seen to its end."""

from __future__ import annotations

import pytest

from tests.functional.quotas import (
    P4D,
    P4D_TRAINING,
    asked,
    begin,
    control,
    now,
    reads,
    refusal,
    requests,
    settings,
)
from tests.functional.world import Stage

QUOTA = f"/servicequotas/quotas/sagemaker/{P4D_TRAINING}"


@pytest.fixture
def quotas(stage: Stage, environment: pytest.MonkeyPatch) -> Stage:
    environment.setenv("LEVER_SETTINGS", settings())
    begin(stage)
    return stage


def codes(answer: dict[str, object]) -> list[str]:
    return [outcome["code"] for outcome in answer["outcomes"]]  # type: ignore[attr-defined]


def minutes(stage: Stage, count: int) -> list[str]:
    """Let minutes pass with their heartbeats; what the looks came to."""
    seen = []
    for _ in range(count):
        stage.wait(60)
        seen += codes(stage.heartbeat())
    return seen


def test_a_zero_quota_is_raised_to_exactly_what_the_refused_call_needs(quotas: Stage) -> None:
    answer = quotas.batch(refusal(limit=0, use=0, delta=2))

    assert codes(answer) == ["acted"]
    assert asked(quotas) == [(P4D_TRAINING, 2.0)]
    incident = quotas.incident()
    assert incident["target"] == P4D
    assert incident["stage"] == "acted"
    assert incident["evidence"]["refusedCalls"][0]["delta"] == 2
    assert quotas.told() == ["Remediation Decided: decided", "Remediation Acted: acted"]


def test_a_refused_call_costs_four_reads_at_most_and_one_write(quotas: Stage) -> None:
    quotas.batch(refusal())

    assert reads(quotas) <= 4
    assert len(asked(quotas)) == 1


def test_refused_instances_are_asked_for_in_vcpus_with_four_reads_at_most(quotas: Stage) -> None:
    quotas.batch(now("instances_refused"))

    [(code, desired)] = asked(quotas)
    assert code == "L-417A185B"
    assert desired % 96 == 0
    assert reads(quotas) <= 4


def test_a_thousand_refusals_are_one_request(quotas: Stage) -> None:
    for _ in range(100):
        quotas.batch(*[refusal()] * 10)
        quotas.wait(1)

    assert len(requests(quotas)) == 1
    assert len(quotas.incidents()) == 1


def test_an_approval_counts_once_its_value_is_applied(quotas: Stage) -> None:
    control("PUT", "/durations", {"quota_decision": 90, "quota_applied": 90})
    quotas.batch(refusal())

    assert minutes(quotas, 5) == ["waiting", "waiting", "verified"]
    assert quotas.incident()["stage"] == "verified"
    assert quotas.told()[-1] == "Remediation Verified: verified"
    applied = quotas.client("service-quotas").get_service_quota(
        ServiceCode="sagemaker", QuotaCode=P4D_TRAINING
    )
    assert applied["Quota"]["Value"] == 1.0


def test_while_it_is_pending_a_heartbeat_lists_the_history_and_reads_nothing_else(
    quotas: Stage,
) -> None:
    control("PUT", "/durations", {"quota_decision": 9000})
    other = refusal(quota="ml.p5.48xlarge for training job usage")
    quotas.batch(refusal(), other)
    quotas.calls.clear()

    assert minutes(quotas, 1) == ["waiting", "waiting"]
    assert reads(quotas) == 1


def test_a_support_case_is_told_once_with_its_id(quotas: Stage) -> None:
    control("PUT", f"{QUOTA}/next-decision", {"outcome": "open-case"})
    quotas.batch(refusal())
    minutes(quotas, 4)

    [told] = [each for each in quotas.told() if each.endswith("case-opened")]
    assert told == "Remediation Decided: case-opened"
    case = requests(quotas)[0]["CaseId"]
    assert any(case in str(message) for message in quotas.messages())


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("deny", "denied"),
        ("not-approve", "not-approved"),
        ("invalid", "invalid-request"),
        ("close-case", "closed-without-grant"),
    ],
)
def test_an_end_without_a_grant_is_told_with_a_text_to_paste(
    quotas: Stage, outcome: str, code: str
) -> None:
    control("PUT", f"{QUOTA}/next-decision", {"outcome": outcome})
    quotas.batch(refusal())
    minutes(quotas, 20)

    assert quotas.incident()["stage"] == "failed"
    assert quotas.told()[-1] == f"Remediation Failed: {code}"
    steps = quotas.messages()[-1]["content"]["nextSteps"]
    assert any(step.startswith("Text to paste:") for step in steps)


def test_what_was_denied_is_not_requested_again(quotas: Stage) -> None:
    control("PUT", f"{QUOTA}/next-decision", {"outcome": "deny"})
    quotas.batch(refusal())
    minutes(quotas, 5)
    quotas.wait(3600)

    assert codes(quotas.batch(refusal())) == ["denied-before"]
    assert len(requests(quotas)) == 1


@pytest.mark.parametrize("by", ["person", "automatic-management"])
def test_an_open_request_of_anybody_is_awaited(quotas: Stage, by: str) -> None:
    control("PUT", "/durations", {"quota_decision": 150, "quota_applied": 0})
    control("POST", f"{QUOTA}/requests", {"desired_value": 1, "by": by})

    assert codes(quotas.batch(refusal())) == ["waiting"]
    assert quotas.told() == ["Remediation Decided: already-requested"]
    assert minutes(quotas, 6)[-1] == "recovered"
    assert asked(quotas) == []


def test_in_mode_observe_nothing_is_requested(quotas: Stage) -> None:
    quotas.mode("observe")

    assert codes(quotas.batch(refusal())) == ["observe"]
    assert requests(quotas) == []
    assert quotas.incident()["goal"]["desired"] == 1.0


def test_in_mode_approve_a_person_is_asked_first(quotas: Stage) -> None:
    quotas.mode("approve")

    assert codes(quotas.batch(refusal())) == ["needs-approval"]
    assert requests(quotas) == []


def test_a_quota_without_a_rule_is_left_alone(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(quotas=[]))

    assert codes(quotas.batch(refusal())) == ["not-opted-in"]
    assert requests(quotas) == []


@pytest.mark.parametrize(("delta", "code"), [(8, "acted"), (9, "above-cap"), (17, "above-cap")])
def test_caps_are_kept(quotas: Stage, delta: float, code: str) -> None:
    assert codes(quotas.batch(refusal(delta=delta))) == [code]
    assert len(requests(quotas)) == (code == "acted")


def test_a_name_that_nobody_lists_is_kept_for_a_person(quotas: Stage) -> None:
    answer = quotas.batch(refusal(quota="ml.q9.99xlarge for training job usage"), refusal())

    assert sorted(codes(answer)) == ["acted", "unknown-quota"]
    [kept] = quotas.records("refused#")
    assert kept["code"]["S"] == "unknown-quota"


def test_a_name_without_a_known_code_is_resolved_and_remembered(quotas: Stage) -> None:
    quotas.batch(refusal(quota="ml.g5.12xlarge for training job usage"))
    listed = len(quotas.made("ListServiceQuotas"))
    quotas.wait(10)
    quotas.batch(refusal(quota="ml.g5.24xlarge for training job usage"))

    assert listed > 0
    assert len(quotas.made("ListServiceQuotas")) == listed
    assert len(asked(quotas)) == 2


def test_a_request_cannot_be_reverted(quotas: Stage) -> None:
    quotas.batch(refusal())
    steps = [m["content"].get("nextSteps", []) for m in quotas.messages()]

    assert not [step for each in steps for step in each if "revert" in step]


def test_a_request_whose_record_was_lost_is_not_made_again(quotas: Stage) -> None:
    control("PUT", "/durations", {"quota_decision": 3000})

    def die(moment: str, call: object) -> None:
        if moment == "after" and str(call) == "service-quotas:RequestServiceQuotaIncrease":
            raise KeyboardInterrupt

    quotas.fault = die
    with pytest.raises(KeyboardInterrupt):
        quotas.batch(refusal())
    quotas.fault = lambda moment, call: None
    quotas.wait(120)
    minutes(quotas, 3)

    assert len(requests(quotas)) == 1
    assert quotas.incident()["stage"] == "acted"
    assert quotas.incident()["written"]["desired"] == 1.0


def test_somebody_elses_later_request_makes_us_stand_back(quotas: Stage) -> None:
    control("PUT", f"{QUOTA}/next-decision", {"outcome": "deny"})
    control("PUT", "/durations", {"quota_decision": 30})
    quotas.batch(refusal())
    quotas.wait(40)
    control("POST", f"{QUOTA}/requests", {"desired_value": 4})

    assert minutes(quotas, 1) == ["superseded"]
    assert quotas.incident()["stage"] == "superseded"


def test_more_open_requests_than_aws_allows_are_waited_out(quotas: Stage) -> None:
    control("PUT", "/durations", {"quota_decision": 9000})
    client = quotas.client("service-quotas")
    listed = client.list_service_quotas(ServiceCode="sagemaker", MaxResults=100)["Quotas"]
    others = [q for q in listed if q["QuotaCode"] != P4D_TRAINING and q["Adjustable"]][:20]
    for each in others:
        control(
            "POST",
            f"/servicequotas/quotas/sagemaker/{each['QuotaCode']}/requests",
            {"desired_value": each["Value"] + 1},
        )

    assert codes(quotas.batch(refusal())) == ["waiting"]
    assert quotas.told() == ["Remediation Decided: no-slot"]
    assert asked(quotas) == []


def g_instances(value: float, used: float) -> None:
    """On-Demand G and VT instances: the quota's value, and how much of it is in use."""
    path = "/servicequotas/quotas/ec2/L-DB2E81BA"
    control("PUT", f"{path}/value", {"value": value})
    control("PUT", f"{path}/use", {"used": used, "history": [used] * 60})


def test_a_usage_alarm_asks_for_room(quotas: Stage) -> None:
    g_instances(100, used=90)
    quotas.wait(180)
    quotas.batch(now("health_threshold_breach"))

    assert ("L-DB2E81BA", 151.0) in asked(quotas)


def test_the_scan_finds_what_no_signal_brought(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(scan_minutes=15))
    g_instances(100, used=90)
    quotas.wait(3700)
    quotas.calls.clear()
    minutes(quotas, 3)

    assert asked(quotas) == [("L-DB2E81BA", 151.0)]
    assert reads(quotas) <= 8


def test_without_a_report_the_scan_asks_the_metrics(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    control("PUT", "/servicequotas/next-report", {})
    g_instances(100, used=90)
    quotas.wait(3700)
    minutes(quotas, 4)

    assert asked(quotas) == [("L-DB2E81BA", 151.0)]


def test_a_quota_that_is_fixed_is_told_with_what_to_do_instead(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    rule = {"service": "sagemaker", "quota": "Rate of *", "max": 100, "max_growth": 100}
    environment.setenv("LEVER_SETTINGS", settings(quotas=[rule]))
    event = refusal(limit=10, use=10, quota="Rate of CreateTrainingJob requests")

    assert codes(quotas.batch(event)) == ["not-adjustable"]
    assert quotas.messages()[0]["content"]["nextSteps"]


def test_a_shortage_is_told_with_zones_and_ranked_offers_and_nothing_is_bought(
    quotas: Stage,
) -> None:
    answer = quotas.batch(now("instances_out_of_capacity"))
    again = quotas.batch(now("instances_out_of_capacity"))

    assert codes(answer) == codes(again) == ["capacity-short"]
    evidence = quotas.incident()["evidence"]
    assert evidence["azHints"] == ["us-east-1a", "us-east-1b"]
    hourly = [offer["feePerInstanceHour"] for offer in evidence["offers"]]
    assert hourly
    assert hourly == sorted(hourly)
    assert quotas.told() == ["Remediation Refused: capacity-short"]
    assert not [c for c in quotas.calls if "Purchase" in c.operation or "Plan" in c.operation]


def test_a_shortage_of_training_capacity_is_told_with_training_plans(quotas: Stage) -> None:
    reserved = "Number of ml.p4d.24xlarge instances in reserved capacity across training plans"
    control("PUT", f"/servicequotas/quotas/sagemaker/{reserved} per Region/value", {"value": 8})
    quotas.batch(now("training_job_out_of_capacity"))

    offers = quotas.incident()["evidence"]["offers"]
    assert {offer["kind"] for offer in offers} == {"Training Plan"}


def test_a_shortage_ends_when_nobody_meets_it_for_an_hour(quotas: Stage) -> None:
    quotas.batch(now("instances_out_of_capacity"))
    quotas.calls.clear()
    minutes(quotas, 75)

    assert quotas.incident()["stage"] == "recovered"
    assert len(quotas.made("DescribeCapacityBlockOfferings")) <= 4
