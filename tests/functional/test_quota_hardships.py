"""What would lose a need, or cost too much: needs that grow, hands that are off, storms, failures."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.functional.quotas import (
    P4D_TRAINING,
    asked,
    control,
    now,
    refusal,
    requests,
    settings,
)
from tests.functional.test_quota_increase import (
    QUOTA,
    codes,
    g_instances,
    minutes,
    quotas,
)
from tests.functional.world import Stage

__all__ = ["quotas"]


def test_a_value_below_the_default_can_only_be_raised_by_a_case(quotas: Stage) -> None:
    path = "/servicequotas/quotas/lambda/L-B99A9384"
    control("PUT", f"{path}/value", {"value": 100})
    control("PUT", f"{path}/use", {"used": 95, "history": [95] * 60})

    assert codes(quotas.batch(now("usage_alarm_on_lambda"))) == ["below-default"]
    assert quotas.incident()["stage"] == "failed"
    assert "support case" in quotas.messages()[-1]["content"]["nextSteps"][0]
    assert requests(quotas) == []


def test_a_scan_by_metrics_lists_the_services_of_a_pattern_once(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    rule = {"service": "la*", "quota": "*", "max": 5000, "max_growth": 2000}
    environment.setenv("LEVER_SETTINGS", settings(quotas=[rule], scan="metrics", scan_minutes=15))
    quotas.wait(3700)
    minutes(quotas, 40)

    assert len(quotas.made("GetMetricData")) >= 2
    assert len(quotas.made("ListServices")) == 1


def test_a_need_that_grew_while_a_request_was_open_is_answered_after_it(quotas: Stage) -> None:
    control("PUT", "/durations", {"quota_decision": 90, "quota_applied": 0})
    quotas.batch(refusal(delta=2))
    quotas.wait(10)
    quotas.batch(refusal(delta=5))
    minutes(quotas, 8)

    assert [value for _, value in asked(quotas)] == [2.0, 5.0]
    assert quotas.incident()["stage"] == "verified"


def test_a_call_refused_while_hands_are_off_is_answered_afterwards(quotas: Stage) -> None:
    control("PUT", f"{QUOTA}/next-decision", {"outcome": "deny"})
    quotas.batch(refusal(delta=8))
    minutes(quotas, 3)
    quotas.wait(1200)

    assert codes(quotas.batch(refusal(delta=2))) == ["hands-off"]
    assert minutes(quotas, 45)[0] == "acted"
    assert [value for _, value in asked(quotas)] == [8.0, 2.0]


def test_a_request_that_came_just_before_ours_is_awaited_and_then_the_need_looked_at(
    quotas: Stage,
) -> None:
    control("PUT", "/durations", {"quota_decision": 100, "quota_applied": 0})

    def somebody_is_quicker(moment: str, call: object) -> None:
        if moment == "before" and str(call) == "service-quotas:RequestServiceQuotaIncrease":
            quotas.fault = lambda moment, call: None
            quotas.outside(lambda: control("POST", f"{QUOTA}/requests", {"desired_value": 1}))

    quotas.fault = somebody_is_quicker
    quotas.batch(refusal(delta=4))
    minutes(quotas, 15)

    assert [each["DesiredValue"] for each in requests(quotas)] == [1.0, 4.0]
    assert quotas.incident()["stage"] == "verified"


def test_any_number_of_different_refusals_fits_into_one_incident(
    quotas: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.core.incident.MOST_CAUSES", 100)
    quotas.mode("observe")
    for start in range(0, 300, 10):
        quotas.batch(*(refusal(use=use, delta=1) for use in range(start, start + 10)))
        quotas.wait(2)

    assert len(quotas.incident()["causes"]) == 100
    assert len(quotas.incident()["evidence"]["refusedCalls"]) == 10


def test_a_target_that_cannot_be_looked_at_does_not_make_the_scan_start_again(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(scan="metrics", scan_minutes=60))
    g_instances(100, used=90)

    def denied(moment: str, call: object) -> None:
        if moment == "before" and str(call) == "service-quotas:GetServiceQuota":
            raise ConnectionError("no answer")

    quotas.fault = denied
    quotas.wait(3700)
    minutes(quotas, 1)
    one_scan = len(quotas.made("GetMetricData"))
    minutes(quotas, 9)
    ten_minutes = len(quotas.made("GetMetricData"))
    quotas.fault = lambda moment, call: None
    minutes(quotas, 2)

    assert one_scan == ten_minutes > 0
    assert asked(quotas) == [("L-DB2E81BA", 151.0)]


def test_a_fleet_of_everyday_types_that_runs_short_calls_nobody(quotas: Stage) -> None:
    fleet = now("fleet_refused_inside_a_success")
    items = fleet["detail"]["responseElements"]["CreateFleetResponse"]["errorSet"]["item"]
    short = next(each for each in items if each["errorCode"] == "InsufficientInstanceCapacity")
    everyday = [
        json.loads(json.dumps(short).replace("g6.12xlarge", f"m7i.{size}xlarge"))
        for size in range(2, 40)
    ]
    fleet["detail"]["responseElements"]["CreateFleetResponse"]["errorSet"]["item"] = everyday

    assert codes(quotas.batch(fleet)) == ["not-opted-in"]
    assert quotas.messages() == []


def test_offers_that_could_not_be_asked_for_are_asked_for_again(quotas: Stage) -> None:
    def throttled(moment: str, call: object) -> None:
        if moment == "before" and str(call) == "ec2:DescribeCapacityBlockOfferings":
            raise ConnectionError("no answer")

    quotas.fault = throttled
    quotas.batch(now("instances_out_of_capacity"))
    quotas.fault = lambda moment, call: None
    minutes(quotas, 2)

    assert quotas.incident()["evidence"]["offers"]


def test_a_notice_on_a_global_quota_is_followed_in_the_region_that_owns_it(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    rule = {"service": "iam", "quota": "*", "max": 5000, "max_growth": 5000}
    environment.setenv("LEVER_SETTINGS", settings(quotas=[rule]))
    notice = now("health_threshold_breach")
    notice["detail"]["eventRegion"] = "global"
    notice["resources"] = ["Service: iam | Quota Name: Roles per account | Utilization: 95.0%"]

    assert codes(quotas.batch(notice)) == ["acted"]


def test_every_quota_of_a_long_notice_is_looked_at(quotas: Stage) -> None:
    names = [f"ml.{t} for endpoint usage" for t in ("m5.large", "m5.xlarge", "m5.2xlarge")]
    names += [f"ml.{t} for training job usage" for t in ("m5.large", "m5.xlarge", "c5.xlarge")]
    names += [f"ml.{t} for processing job usage" for t in ("m5.large", "m5.xlarge", "c5.xlarge")]
    notice = now("health_threshold_breach")
    notice["resources"] = [
        f"Service: sagemaker | Quota Name: {name} | Utilization: 1.0%" for name in names
    ]

    assert codes(quotas.batch(notice)) == ["settled"] * len(names)


def test_of_a_fleet_that_runs_short_of_many_types_some_are_told(quotas: Stage) -> None:
    fleet = now("fleet_refused_inside_a_success")
    response = fleet["detail"]["responseElements"]["CreateFleetResponse"]
    items = response["errorSet"]["item"]
    short = next(each for each in items if each["errorCode"] == "InsufficientInstanceCapacity")
    response["errorSet"]["item"] = [
        json.loads(json.dumps(short).replace("g6.12xlarge", f"g{family}.{size}xlarge"))
        for family in (4, 5, 6)
        for size in (2, 4, 8, 16)
    ]

    assert codes(quotas.batch(fleet)) == ["capacity-short"] * 8


def test_too_many_open_requests_elsewhere_are_told_and_tried_again_in_a_while(
    quotas: Stage,
) -> None:
    def full(moment: str, call: object) -> None:
        if moment == "before" and str(call) == "service-quotas:RequestServiceQuotaIncrease":
            raise ClientError(
                {"Error": {"Code": "QuotaExceededException", "Message": "too many"}}, "Request"
            )

    quotas.fault = full
    quotas.batch(refusal())
    quotas.calls.clear()
    minutes(quotas, 14)
    assert quotas.made("RequestServiceQuotaIncrease") == []
    quotas.fault = lambda moment, call: None
    minutes(quotas, 3)

    assert asked(quotas) == [(P4D_TRAINING, 1.0)]


def test_what_a_scan_found_no_time_for_is_looked_at_by_the_next_heartbeat(
    quotas: Stage, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LEVER_SETTINGS", settings(scan="metrics", scan_minutes=60))
    g_instances(100, used=90)
    quotas.wait(3700)
    beat = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}

    assert codes(quotas.invoke(beat, seconds=10)) == []
    minutes(quotas, 1)
    assert asked(quotas) == [("L-DB2E81BA", 151.0)]
