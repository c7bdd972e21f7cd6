"""Which events reach quota increase: all that it can read, and as little else as patterns can tell."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.signals import OWN_SOURCE, TOLD
from tests.infra.patterns import matches

EVENTS = Path(__file__).resolve().parent.parent.parent / "events" / "quota_increase"
LEFT_ALONE = {
    "alarm_on_something_else.json",
    "call_not_allowed.json",
    "call_throttled.json",
    "concurrency_handed_over_only_observed.json",
    "training_job_failed_of_itself.json",
    "trusted_advisor_well.json",
}


def event(name: str, **changes: Any) -> dict[str, Any]:
    """The recorded event of that name, with changes to its detail."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    found["detail"] |= changes
    return found


@pytest.fixture(scope="module")
def reaches(patterns):
    """How many rules put an event on the queue: more than one would look twice."""

    def count(each: dict[str, Any]) -> int:
        return sum(matches(pattern, each) for pattern in patterns["quota_increase"].values())

    return count


@pytest.mark.parametrize("file", sorted(EVENTS.glob("*.json")), ids=lambda file: file.stem)
def test_a_recorded_event_reaches_it_once_or_is_left_alone(reaches, file):
    wanted = 0 if file.name in LEFT_ALONE else 1
    assert reaches(json.loads(file.read_text())) == wanted


def test_every_event_that_is_left_alone_is_recorded():
    assert {file.name for file in EVENTS.glob("*.json")} > LEFT_ALONE


def test_every_rule_brings_a_recorded_event(patterns):
    recorded = [json.loads(file.read_text()) for file in EVENTS.glob("*.json")]
    for pattern in patterns["quota_increase"].values():
        assert any(matches(pattern, each) for each in recorded)


@pytest.mark.parametrize("prefix", ["", "Client.", "Server."])
@pytest.mark.parametrize(
    "code",
    [
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "UnfulfillableCapacity",
    ],
)
def test_a_call_that_ec2_refuses_for_instances_is_queued(reaches, prefix, code):
    assert reaches(event("instances_refused", errorCode=prefix + code)) == 1


@pytest.mark.parametrize("code", ["ResourceLimitExceeded", "ResourceLimitExceededException"])
def test_a_call_that_sagemaker_refuses_for_a_quota_is_queued(reaches, code):
    assert reaches(event("training_job_refused", errorCode=code)) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("instances_refused", "Client.RequestLimitExceeded"),
        ("instances_refused", "Client.AddressLimitExceeded"),
        ("instances_refused", "ResourceLimitExceeded"),
        ("training_job_refused", "ValidationException"),
        ("training_job_refused", "ResourceInUse"),
        ("training_job_refused", "VcpuLimitExceeded"),
    ],
)
def test_a_call_that_fails_of_something_else_is_left_alone(reaches, name, code):
    assert reaches(event(name, errorCode=code)) == 0


def test_a_call_that_succeeds_is_left_alone(reaches):
    for name in ("instances_refused", "training_job_refused"):
        well = event(name)
        del well["detail"]["errorCode"]
        assert reaches(well) == 0


def test_another_services_call_is_left_alone(reaches):
    other = event("training_job_refused", eventSource="bedrock.amazonaws.com")
    assert reaches(other | {"source": "aws.bedrock"}) == 0


def reserving(message: str, name: str = "PutFunctionConcurrency20171031") -> dict[str, Any]:
    refused = event(
        "training_job_refused",
        eventSource="lambda.amazonaws.com",
        eventName=name,
        errorCode="InvalidParameterValueException",
        errorMessage=message,
    )
    return refused | {"source": "aws.lambda"}


def test_concurrency_that_lambda_has_not_got_is_queued(reaches):
    said = (
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [10]."
    )
    assert reaches(reserving(said)) == 1
    assert reaches(reserving("The function must be in one Region.")) == 0
    assert reaches(reserving(said, name="UpdateFunctionCode20150331v2")) == 0


def fleet(errors: object) -> dict[str, Any]:
    found = event("fleet_refused_inside_a_success")
    found["detail"]["responseElements"]["CreateFleetResponse"]["errorSet"] = errors
    return found


SHORT = {"lifecycle": "spot", "errorCode": "InsufficientInstanceCapacity"}
ODD = {"lifecycle": "spot", "errorCode": "InvalidParameterValue"}


@pytest.mark.parametrize(
    "errors",
    [{"item": [ODD, SHORT]}, {"item": SHORT}, {"items": [SHORT]}, [ODD, SHORT]],
    ids=["a list", "only one", "items", "a bare list"],
)
def test_a_fleet_that_is_short_is_queued_however_its_errors_are_rendered(reaches, errors):
    assert reaches(fleet(errors)) == 1


@pytest.mark.parametrize(
    "errors", ["", {"item": [ODD]}, {"item": ODD}], ids=["none", "one", "only"]
)
def test_a_fleet_that_is_short_of_nothing_is_left_alone(reaches, errors):
    assert reaches(fleet(errors)) == 0


LIMIT = (
    "The account-level service limit 'ml.p5.48xlarge for training job usage' is 0 Instances, with "
    "current utilization of 0 Instances and a request delta of 2 Instances."
)


@pytest.mark.parametrize(
    "reason",
    [
        "CapacityError: Unable to provision requested ML compute capacity.",
        "Insufficient capacity error from EC2 while launching instances",
        "EC2InsufficientCapacityError: try another zone",
        f"ResourceLimitExceeded: {LIMIT}",
        f"ClientError: {LIMIT}",
    ],
)
@pytest.mark.parametrize("kind", ["HyperParameter Tuning", "Processing", "Training", "Transform"])
def test_a_job_that_failed_for_a_quota_or_capacity_is_queued(reaches, kind, reason):
    status = f"{kind.replace(' ', '')}JobStatus"
    failed = event("training_job_failed_of_itself", FailureReason=reason)
    del failed["detail"]["TrainingJobStatus"]
    failed["detail-type"] = f"SageMaker {kind} Job State Change"
    assert reaches(failed | {"detail": failed["detail"] | {status: "Failed"}}) == 1
    assert reaches(failed | {"detail": failed["detail"] | {status: "InProgress"}}) == 0


@pytest.mark.parametrize(
    ("status", "count"),
    [("FAILED", 1), ("ROLLING_BACK", 1), ("UPDATE_ROLLBACK_FAILED", 1), ("IN_SERVICE", 0)],
)
def test_an_endpoint_is_looked_at_unless_it_serves(reaches, status, count):
    assert reaches(event("endpoint_out_of_capacity", EndpointStatus=status)) == count


@pytest.mark.parametrize(
    "changes",
    [
        {"eventTypeCode": "AWS_SERVICEQUOTAS_OPERATIONAL_ISSUE"},
        {"service": "EC2"},
    ],
)
def test_other_notices_of_health_are_left_alone(reaches, changes):
    assert reaches(event("health_threshold_breach", **changes)) == 0


def test_a_notice_that_only_says_it_is_of_health_is_left_alone(reaches):
    assert reaches(event("health_threshold_breach") | {"source": "my.health"}) == 0


def test_quota_requests_themselves_are_left_alone(reaches):
    """Its own request must not wake it (EventBridge API reference, PutRule: rules that trigger
    themselves)."""
    request = event("service_quotas_threshold", eventName="RequestServiceQuotaIncrease")
    assert reaches(request) == 0
    assert reaches(request | {"detail-type": "AWS API Call via CloudTrail"}) == 0


def test_what_another_remediation_was_refused_for_a_quota_is_queued(reaches):
    """By the names under which the stack's events go, and no others of them."""
    handed = event("concurrency_handed_over")
    assert handed["source"] == OWN_SOURCE
    assert {handed["detail-type"], "Remediation Decided"} == set(TOLD)
    for kind in TOLD:
        assert reaches(handed | {"detail-type": kind}) == 1
    for kind in ("Remediation Acted", "Remediation Failed", "Operator Intent"):
        assert reaches(handed | {"detail-type": kind}) == 0
    assert reaches(handed | {"source": "my.app"}) == 0


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"mode": "approve"}, 1),
        ({"mode": "observe"}, 0),
        ({"mode": "off"}, 0),
        ({"code": "regional-quota"}, 1),
        ({"code": "maximum"}, 0),
        ({"code": "above-cap"}, 0),
    ],
)
def test_what_it_could_not_mend_or_nobody_wants_is_left_alone(reaches, changes, count):
    assert reaches(event("concurrency_handed_over", **changes)) == count


def alarm(*metrics: dict[str, Any], state: str = "ALARM") -> dict[str, Any]:
    found = event("usage_alarm", state={"value": state})
    found["detail"]["configuration"]["metrics"] = [
        {"id": f"m{i}", "metricStat": {"metric": {"dimensions": {}, **metric}}}
        for i, metric in enumerate(metrics)
    ]
    return found


USE = {"namespace": "AWS/Usage", "name": "ResourceCount"}
CONCURRENCY = {"namespace": "AWS/Lambda", "name": "ConcurrentExecutions"}
ERRORS = {"namespace": "AWS/Lambda", "name": "Errors"}


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(alarm(USE), id="use"),
        pytest.param(alarm(ERRORS, USE), id="metric math over use"),
        pytest.param(alarm(CONCURRENCY), id="the account's concurrency"),
    ],
)
def test_an_alarm_on_use_is_queued(reaches, signal):
    assert reaches(signal) == 1


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(alarm(USE, state="OK"), id="back to OK"),
        pytest.param(alarm(USE, state="INSUFFICIENT_DATA"), id="no data"),
        pytest.param(
            alarm(CONCURRENCY | {"dimensions": {"FunctionName": "shop"}}), id="a function"
        ),
        pytest.param(alarm(ERRORS), id="another metric of Lambda"),
        pytest.param(alarm({"namespace": "AWS/EC2", "name": "ConcurrentExecutions"}), id="of EC2"),
        pytest.param(
            alarm(ERRORS, {"namespace": "AWS/EC2", "name": "ConcurrentExecutions"}),
            id="namespace and name of two metrics",
        ),
    ],
)
def test_an_alarm_on_anything_else_is_left_alone(reaches, signal):
    assert reaches(signal) == 0


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1),
        ({"Region": "-"}, 1),
        ({"Region": "eu-west-1"}, 0),
        ({"Limit Name": None}, 0),
    ],
    ids=["of this Region", "of a global service", "of another Region", "no limit"],
)
def test_trusted_advisor_tells_of_limits_of_this_region(reaches, changes, count):
    """us-east-1 gets the items of every Region: each other one would be a dead letter there."""
    found = copy.deepcopy(event("trusted_advisor_warning"))
    item = found["detail"]["check-item-detail"]
    item |= changes
    found["detail"]["check-item-detail"] = {k: v for k, v in item.items() if v is not None}
    assert reaches(found) == count


@pytest.mark.parametrize(("status", "count"), [("WARN", 1), ("ERROR", 1), ("OK", 0)])
def test_trusted_advisor_tells_of_what_is_used_up_or_nearly_so(reaches, status, count):
    assert reaches(event("trusted_advisor_warning", status=status)) == count
