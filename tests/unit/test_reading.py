"""What a signal says about quotas and capacity, a rule each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core import signals
from functions.core.decision import Refuse
from functions.core.signals import BadSignal, Kind, Place, Signal
from functions.quota_increase.reading import read
from functions.quota_increase.readings import (
    CapacityShort,
    NearLimit,
    Reading,
    Refused,
    UsageAlarm,
)

EVENTS = Path(__file__).parents[2] / "events"
HERE = Place("aws", "us-east-1", "123456789012")
P4D = "ml.p4d.24xlarge for training job usage"
LIMIT = (
    f"The account-level service limit '{P4D}' is 4 Instances, with current utilization of 3 "
    "Instances and a request delta of 2 Instances. Please use AWS Service Quotas."
)
VCPUS = (
    "You have requested more vCPU capacity than your current vCPU limit of 64 allows for the "
    "instance bucket that the specified instance type belongs to."
)
MAX_SPOT = "Max spot instance count exceeded"
SHORT = (
    "We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested "
    "(us-east-1d). You can currently get g5.xlarge capacity by not specifying an Availability Zone "
    "in your request or choosing us-east-1a, us-east-1b."
)
G = ("Running On-Demand G and VT instances", "L-DB2E81BA")
P_SPOT = ("All P4, P3 and P2 Spot Instance Requests", "L-7212CCBC")
P5_SPOT = ("All P5 Spot Instance Requests", "L-C4BD4855")


def event(source: str, kind: str, detail: dict[str, Any], *resources: str) -> Signal:
    envelope = {
        "source": source,
        "detail-type": kind,
        "account": HERE.account,
        "region": HERE.region,
        "time": "2026-03-02T11:59:59Z",
        "resources": list(resources),
        "detail": detail,
    }
    return signals.read(envelope, HERE)


def call(service: str, name: str, code: str | None, text: str = "", **detail: Any) -> Signal:
    said = {"errorCode": code, "errorMessage": text} if code else {}
    record = {"eventSource": f"{service}.amazonaws.com", "eventName": name, **said, **detail}
    return event(f"aws.{service}", "AWS API Call via CloudTrail", record)


def run(code: str, text: str = VCPUS, count: int = 1, **request: Any) -> Signal:
    asked = {"instancesSet": {"items": [{"minCount": 1, "maxCount": count}]}, **request}
    return call("ec2", "RunInstances", code, text, requestParameters=asked)


def only(signal: Signal) -> Reading:
    said = read(signal)
    assert isinstance(said, list)
    [found] = said
    return found


def refusal(signal: Signal) -> str:
    """The code of what is refused, whether it is kept or passed over."""
    said: list[Reading] | Refuse
    try:
        said = read(signal)
    except BadSignal as bad:
        said = Refuse(bad.code, bad.reason)
    assert isinstance(said, Refuse), said
    assert said.reason
    return said.code


# SageMaker


@pytest.mark.parametrize(
    "name",
    ["CreateTrainingJob", "CreateHyperParameterTuningJob", "CreateEndpoint", "CreateCluster"],
)
def test_sagemakers_refusal_is_read_whatever_was_called(name: str) -> None:
    found = only(call("sagemaker", name, "ResourceLimitExceeded", LIMIT))

    assert found == Refused("sagemaker", P4D, "L-09B4A649", 4, 3, 2, "ml.p4d.24xlarge", 2)


def test_a_quota_on_all_types_names_no_type() -> None:
    text = LIMIT.replace(P4D, "Number of instances across all processing jobs")
    found = only(call("sagemaker", "CreateProcessingJob", "ResourceLimitExceeded", text))

    assert isinstance(found, Refused)
    assert (found.quota_code, found.instance_type, found.instances) == (None, "", 2)


def test_what_is_no_instance_is_not_counted_as_some() -> None:
    text = LIMIT.replace(P4D, "Total number of trial components").replace("Instances", "Components")
    found = only(call("sagemaker", "AssociateTrialComponent", "ResourceLimitExceeded", text))

    assert isinstance(found, Refused)
    assert (found.delta, found.instances) == (2, 1)


def test_a_refusal_without_a_quotas_name_is_unparsable() -> None:
    text = "The account-level service limit is 0 Apps"
    assert refusal(call("sagemaker", "CreateApp", "ResourceLimitExceeded", text)) == (
        "unparsable-text"
    )
    assert refusal(call("sagemaker", "CreateApp", "ResourceLimitExceeded")) == "unparsable-text"


def test_a_type_that_is_not_offered_here_is_no_matter_of_quotas() -> None:
    """aws/amazon-sagemaker-examples#1001: the same error code."""
    text = "The requested resource training-job/ml.p2.xlarge is not available in this region"
    signal = call("sagemaker", "CreateTrainingJob", "ResourceLimitExceeded", text)
    assert refusal(signal) == "not-a-shortage"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", None])
def test_other_errors_and_successes_are_passed_over(code: str | None) -> None:
    assert refusal(call("sagemaker", "CreateTrainingJob", code, LIMIT)) == "not-a-shortage"


# EC2


@pytest.mark.parametrize("prefix", ["Client.", "Server.", ""])
def test_ec2s_codes_are_known_with_and_without_prefix(prefix: str) -> None:
    found = only(run(f"{prefix}VcpuLimitExceeded", instanceType="g5.xlarge", count=3))

    assert found == Refused("ec2", *G, 64, None, None, "g5.xlarge", 3)


def test_spot_is_told_by_the_code() -> None:
    found = only(run("Client.MaxSpotInstanceCountExceeded", MAX_SPOT, instanceType="p4d.24xlarge"))
    assert found == Refused("ec2", *P_SPOT, None, None, None, "p4d.24xlarge", 1)


@pytest.mark.parametrize("options", [{"marketType": "spot"}, {"spotOptions": {"maxPrice": "1"}}])
def test_spot_is_told_by_the_requests_market(options: dict[str, Any]) -> None:
    signal = run(
        "Client.VcpuLimitExceeded", instanceType="p5.48xlarge", instanceMarketOptions=options
    )
    found = only(signal)

    assert isinstance(found, Refused)
    assert (found.quota_name, found.quota_code) == P5_SPOT


def test_which_quota_counts_a_capacity_block_is_not_guessed() -> None:
    signal = run(
        "Client.VcpuLimitExceeded",
        instanceType="p5.48xlarge",
        instanceMarketOptions={"marketType": "capacity-block"},
    )
    assert refusal(signal) == "unknown-family"


def test_the_old_text_counts_instances_so_its_limit_is_not_taken() -> None:
    text = "You have requested more instances (1) than your current instance limit of 5 allows"
    found = only(run("Client.InstanceLimitExceeded", text, instanceType="g3.4xlarge"))

    assert isinstance(found, Refused)
    assert (found.quota_code, found.limit) == ("L-DB2E81BA", None)


def test_without_an_instance_type_no_quota_is_known() -> None:
    template = {"launchTemplateId": "lt-0a1b2c3d4e5f60718", "version": "3"}
    assert refusal(run("Client.VcpuLimitExceeded", launchTemplate=template)) == "no-instance-type"


def test_an_unknown_family_is_never_guessed() -> None:
    assert refusal(run("Client.VcpuLimitExceeded", instanceType="q9.large")) == "unknown-family"


@pytest.mark.parametrize(
    ("name", "request_", "expected"),
    [
        (
            "RequestSpotInstances",
            {"instanceCount": 4, "launchSpecification": {"instanceType": "p4d.24xlarge"}},
            (P_SPOT, "p4d.24xlarge", 4),
        ),
        (
            "RequestSpotFleet",
            {
                "spotFleetRequestConfig": {
                    "targetCapacity": 2,
                    "launchSpecifications": {
                        "items": [{"instanceType": "p3.2xlarge"}, {"instanceType": "p4d.24xlarge"}]
                    },
                }
            },
            (P_SPOT, "", 2),
        ),
        (
            "CreateCapacityReservation",
            {
                "CreateCapacityReservationRequest": {
                    "InstanceType": "g5.48xlarge",
                    "InstanceCount": 3,
                }
            },
            (G, "g5.48xlarge", 3),
        ),
        (
            "CreateFleet",
            {
                "CreateFleetRequest": {
                    "LaunchTemplateConfigs": {"Overrides": [{"InstanceType": "g6.xlarge"}]},
                    "TargetCapacitySpecification": {"TotalTargetCapacity": 5},
                }
            },
            (G, "g6.xlarge", 5),
        ),
    ],
)
def test_each_launching_call_is_understood(
    name: str, request_: dict[str, Any], expected: tuple[tuple[str, str], str, int]
) -> None:
    found = only(call("ec2", name, "Client.VcpuLimitExceeded", "", requestParameters=request_))

    quota, instance_type, instances = expected
    assert found == Refused("ec2", *quota, None, None, None, instance_type, instances)


def test_types_of_different_quotas_say_not_which_was_refused() -> None:
    signal = run(
        "Client.VcpuLimitExceeded", a={"instanceType": "g5.xlarge"}, instanceType="c5.large"
    )
    assert refusal(signal) == "no-instance-type"


@pytest.mark.parametrize(
    "code",
    [
        "Client.RequestLimitExceeded",
        "Client.UnauthorizedOperation",
        "Client.Unsupported",
        "Client.SpotMaxPriceTooLow",
        "Client.InsufficientFreeAddressesInSubnet",
        "Client.ReservationCapacityExceeded",
        "Client.VolumeLimitExceeded",
        "Server.InternalError",
    ],
)
def test_ec2s_other_errors_are_passed_over(code: str) -> None:
    assert refusal(run(code, VCPUS, instanceType="g5.xlarge")) == "not-a-shortage"


# capacity


def test_a_shortage_of_ec2_tells_zone_and_hints() -> None:
    found = only(
        run("Server.InsufficientInstanceCapacity", SHORT, count=2, instanceType="g5.xlarge")
    )
    hints = ("us-east-1a", "us-east-1b")
    assert found == CapacityShort("ec2", "g5.xlarge", "us-east-1d", hints, 2)


def test_type_and_zone_are_the_requests_where_the_text_names_none() -> None:
    signal = run(
        "InsufficientInstanceCapacity",
        "Insufficient capacity.",
        instanceType="p4d.24xlarge",
        placement={"availabilityZone": "us-east-1f"},
    )
    assert only(signal) == CapacityShort("ec2", "p4d.24xlarge", "us-east-1f", (), 1)


def test_the_text_names_the_type_where_the_request_names_none() -> None:
    signal = call("ec2", "StartInstances", "Server.InsufficientInstanceCapacity", SHORT)
    found = only(signal)

    assert isinstance(found, CapacityShort)
    assert found.instance_type == "g5.xlarge"


def test_a_shortage_of_nothing_named_is_refused() -> None:
    signal = call("ec2", "StartInstances", "Server.InsufficientInstanceCapacity", "Insufficient")
    assert refusal(signal) == "no-instance-type"


# fleets


def fleet(*errors: dict[str, Any], launched: Any = "", **target: Any) -> Signal:
    capacity = {"DefaultTargetCapacityType": "on-demand", "TotalTargetCapacity": 4, **target}
    return call(
        "ec2",
        "CreateFleet",
        None,
        requestParameters={"CreateFleetRequest": {"TargetCapacitySpecification": capacity}},
        responseElements={
            "CreateFleetResponse": {
                "errorSet": {"item": list(errors)},
                "fleetInstanceSet": launched,
            }
        },
    )


def failed(
    code: str, kind: str | None, life: str = "on-demand", text: str = VCPUS
) -> dict[str, Any]:
    chosen = {"instanceType": kind, "availabilityZone": "us-east-1a"} if kind else {}
    return {
        "errorCode": code,
        "errorMessage": text,
        "lifecycle": life,
        "launchTemplateAndOverrides": {"overrides": chosen},
    }


def test_errors_inside_a_success_are_read_each_once() -> None:
    """CreateFleet of type instant answers 200 with an error for each pool that failed."""
    said = read(
        fleet(
            failed("VcpuLimitExceeded", "g5.xlarge"),
            failed("VcpuLimitExceeded", "g5.xlarge"),
            failed("MaxSpotInstanceCountExceeded", "p5.48xlarge", "spot", MAX_SPOT),
            failed("InsufficientInstanceCapacity", "g5.xlarge", text=SHORT),
            failed("InvalidParameterValue", "m5.large"),
        )
    )
    assert said == [
        Refused("ec2", *G, 64, None, None, "g5.xlarge", 4),
        Refused("ec2", *P5_SPOT, None, None, None, "p5.48xlarge", 4),
        CapacityShort("ec2", "g5.xlarge", "us-east-1d", ("us-east-1a", "us-east-1b"), 4),
    ]


def test_a_spot_fleets_refusal_is_spots() -> None:
    found = only(fleet(failed("VcpuLimitExceeded", "p4d.24xlarge", "spot")))

    assert isinstance(found, Refused)
    assert (found.quota_name, found.quota_code) == P_SPOT


def test_a_fleet_lacks_what_it_wanted_and_did_not_get() -> None:
    launched = {
        "item": [{"lifecycle": "on-demand", "instanceIds": {"item": ["i-1", "i-2", "i-3"]}}]
    }
    spot = {"item": [{"lifecycle": "spot", "instanceIds": {"item": ["i-1", "i-2", "i-3"]}}]}
    error = failed("VcpuLimitExceeded", "g5.xlarge")

    def missing(**more: Any) -> int:
        found = only(fleet(error, **more))
        assert isinstance(found, Refused)
        return found.instances

    everything = {"item": [{"lifecycle": "on-demand", "instanceIds": ["i-1", "i-2", "i-3", "i-4"]}]}
    assert refusal(fleet(error, launched=everything)) == "not-a-shortage"
    assert missing() == 4
    assert missing(launched=launched) == 1
    assert missing(launched=spot) == 4
    assert missing(OnDemandTargetCapacity=2) == 2


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        (
            "CreateFleet",
            {
                "CreateFleetRequest": {
                    "LaunchTemplateConfigs": {
                        "Overrides": [{"InstanceType": "g5.xlarge", "WeightedCapacity": 8}]
                    },
                    "TargetCapacitySpecification": {"TotalTargetCapacity": 64},
                }
            },
        ),
        (
            "RequestSpotFleet",
            {
                "spotFleetRequestConfig": {
                    "launchSpecifications": [{"instanceType": "g5.xlarge", "weightedCapacity": 8}],
                    "targetCapacity": 64,
                }
            },
        ),
    ],
)
def test_a_weighted_target_counts_no_instances(name: str, request_: dict[str, Any]) -> None:
    found = only(call("ec2", name, "Client.VcpuLimitExceeded", requestParameters=request_))

    assert isinstance(found, Refused)
    assert found.instances == 1


@pytest.mark.parametrize("shape", ["item", "items", "list", "one"])
def test_a_list_may_come_in_any_of_cloudtrails_forms(shape: str) -> None:
    signal = fleet()
    error = failed("VcpuLimitExceeded", "g5.xlarge")
    response = signal.detail["responseElements"]["CreateFleetResponse"]
    forms: dict[str, Any] = {
        "item": {"item": [error]},
        "items": {"items": [error]},
        "list": [error],
        "one": {"item": error},
    }
    response["errorSet"] = forms[shape]

    assert isinstance(only(signal), Refused)


def test_what_can_be_read_of_a_fleet_is_and_the_rest_does_no_harm() -> None:
    good = failed("VcpuLimitExceeded", "g5.xlarge")
    assert isinstance(only(fleet(failed("VcpuLimitExceeded", None), good)), Refused)
    assert refusal(fleet(failed("VcpuLimitExceeded", None))) == "no-instance-type"
    assert refusal(fleet(failed("VcpuLimitExceeded", "q9.large"))) == "unknown-family"
    assert refusal(fleet(failed("InvalidParameterValue", "m5.large"))) == "not-a-shortage"
    assert refusal(fleet()) == "not-a-shortage"


# Lambda and others


@pytest.mark.parametrize("words", ["Specified ReservedConcurrentExecutions for function ", ""])
def test_a_reservation_that_leaves_too_little_wants_more_concurrency(words: str) -> None:
    """aws-samples/one-observability-demo#278."""
    text = (
        f"{words}decreases account's UnreservedConcurrentExecution below its minimum value of [10]."
    )
    found = only(
        call("lambda", "PutFunctionConcurrency20171031", "InvalidParameterValueException", text)
    )
    assert found == Refused("lambda", "Concurrent executions", "L-B99A9384", None, None, None)


def test_other_errors_of_lambda_are_passed_over() -> None:
    signal = call(
        "lambda", "CreateFunction20150331", "InvalidParameterValueException", "MemorySize"
    )
    assert refusal(signal) == "not-a-shortage"


def test_calls_of_services_that_nobody_asked_for_are_refused() -> None:
    signal = call("bedrock", "InvokeModel", "ThrottlingException", "Too many tokens")
    assert refusal(signal) == "unknown-signal"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("recipientAccountId", "210987654321", "foreign-account"),
        ("recipientAccountId", 123456789012, "foreign-account"),
        ("awsRegion", "eu-west-1", "other-region"),
    ],
)
def test_a_record_of_elsewhere_is_refused(field: str, value: object, code: str) -> None:
    signal = call(
        "sagemaker", "CreateTrainingJob", "ResourceLimitExceeded", LIMIT, **{field: value}
    )
    assert refusal(signal) == code


# state changes of SageMaker


def change(kind: str, reason: object, **detail: Any) -> Signal:
    return event(
        "aws.sagemaker", f"SageMaker {kind} State Change", {"FailureReason": reason, **detail}
    )


def resources(*types: str) -> dict[str, Any]:
    groups = [{"InstanceType": each, "InstanceCount": 2} for each in types]
    return {"ResourceConfig": groups[0] if len(groups) == 1 else {"InstanceGroups": groups}}


CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."


@pytest.mark.parametrize("kind", ["Training Job", "Processing Job", "Transform Job"])
def test_a_job_that_got_no_capacity_names_its_instances(kind: str) -> None:
    found = only(change(kind, CAPACITY, **resources("ml.p4d.24xlarge")))
    assert found == CapacityShort("sagemaker", "ml.p4d.24xlarge", "", (), 2)


def test_of_several_types_the_short_one_is_not_said() -> None:
    signal = change("Training Job", CAPACITY, **resources("ml.p4d.24xlarge", "ml.c5.xlarge"))
    assert refusal(signal) == "no-instance-type"


def test_an_endpoints_type_is_the_texts() -> None:
    """Its event names none (SageMaker developer guide, "Endpoint state change")."""
    found = only(change("Endpoint", "InsufficientInstanceCapacity for ml.g5.48xlarge"))
    assert found == CapacityShort("sagemaker", "ml.g5.48xlarge", "", (), 1)
    assert refusal(change("Endpoint", CAPACITY)) == "no-instance-type"


def test_a_quota_may_stand_in_a_failures_reason() -> None:
    found = only(change("Endpoint", f"ResourceLimitExceeded: {LIMIT}"))
    assert found == Refused("sagemaker", P4D, "L-09B4A649", 4, 3, 2, "ml.p4d.24xlarge", 2)
    assert refusal(change("Endpoint", "ResourceLimitExceeded: too much")) == "unparsable-text"


@pytest.mark.parametrize(
    "reason",
    [
        f"AlgorithmError: ResourceLimitExceeded: {LIMIT}",
        "AlgorithmError: insufficient capacity of the buffer",
        "InternalServerError: please try again",
        "",
        None,
    ],
)
def test_other_failures_are_passed_over_above_all_the_customers_own(reason: object) -> None:
    signal = change("Training Job", reason, **resources("ml.p4d.24xlarge"))
    assert refusal(signal) == "not-a-shortage"


def test_a_status_message_is_not_branched_on() -> None:
    waits = [{"StatusMessage": "Insufficient capacity error from EC2 while launching instances"}]
    signal = change("Training Job", None, SecondaryStatusTransitions=waits)
    assert refusal(signal) == "not-a-shortage"


# notices


def health(
    *said: object, code: str = "AWS_SERVICEQUOTAS_THRESHOLD_BREACH", **detail: Any
) -> Signal:
    return event(
        "aws.health", "AWS Health Event", {"eventTypeCode": code, **detail}, *map(str, said)
    )


BREACH = "Service: ec2 | Quota Name: Running On-Demand G and VT instances | Utilization: 80.0%"


def test_a_threshold_breach_names_quotas_and_percents() -> None:
    other = "Service: CloudTrail | Quota Name: Trails per region | Utilization: 100.0%"
    assert read(health(BREACH, other)) == [
        NearLimit("ec2", *G, None, None, 80),
        NearLimit("cloudtrail", "Trails per region", None, None, None, 100),
    ]


def test_the_affected_entities_serve_where_no_resource_is_listed() -> None:
    signal = health(affectedEntities=[{"entityValue": BREACH}])
    assert only(signal) == NearLimit("ec2", *G, None, None, 80)


def test_resources_that_name_no_quota_do_the_others_no_harm() -> None:
    assert isinstance(only(health("i-0a1b2c3d4e5f60718", BREACH)), NearLimit)
    assert refusal(health("i-0a1b2c3d4e5f60718")) == "unparsable-text"
    assert (
        refusal(health("Service: no code! | Quota Name: x | Utilization: 9%")) == "unparsable-text"
    )


def test_health_tells_of_other_things_and_of_other_places() -> None:
    assert refusal(health(BREACH, code="AWS_EC2_OPERATIONAL_ISSUE")) == "unknown-signal"
    assert refusal(health(BREACH, affectedAccount="210987654321")) == "foreign-account"
    assert refusal(health(BREACH, eventRegion="eu-west-1")) == "other-region"


def service_event(name: str = "ServiceQuotasUtilizationBreachingThreshold", **said: Any) -> Signal:
    details = {
        "serviceCode": "dynamodb",
        "quotaCode": "L-F98FE922",
        "quotaName": "Maximum number of tables",
        "utilizationValue": "2500.0",
        **said,
    }
    detail = {"eventName": name, "serviceEventDetails": details}
    return event("aws.servicequotas", "AWS Service Event via CloudTrail", detail)


def test_service_quotas_own_notice_gives_the_code_itself() -> None:
    expected = NearLimit(
        "dynamodb", "Maximum number of tables", "L-F98FE922", None, utilization=2500, percent=None
    )
    assert only(service_event()) == expected
    assert refusal(service_event("SomethingElse")) == "unknown-signal"
    assert refusal(service_event(quotaCode="../L-1")) == "unparsable-text"


def advisor(status: object = "WARN", **item: object) -> Signal:
    checked = {
        "Service": "EC2",
        "Limit Name": G[0],
        "Limit Amount": "1,024",
        "Current Usage": "900",
        "Region": "us-east-1",
        **item,
    }
    detail = {"status": status, "check-item-detail": checked}
    return event("aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification", detail)


@pytest.mark.parametrize("status", ["WARN", "ERROR"])
def test_trusted_advisor_tells_limit_and_use(status: str) -> None:
    assert only(advisor(status)) == NearLimit("ec2", *G, 1024, 900, None)


def test_use_that_is_not_told_is_not_known() -> None:
    found = only(advisor(**{"Current Usage": None}))
    assert isinstance(found, NearLimit)
    assert (found.limit, found.utilization) == (1024, None)


def test_a_service_is_called_by_its_code() -> None:
    for word, code in (("ELB", "elasticloadbalancing"), ("AutoScaling", "autoscaling")):
        found = only(advisor(Service=word))
        assert isinstance(found, NearLimit)
        assert found.service == code


def test_trusted_advisor_tells_of_other_things_too() -> None:
    assert refusal(advisor("OK")) == "not-a-shortage"
    assert refusal(advisor(None)) == "not-a-shortage"
    assert refusal(advisor(Region="eu-west-1")) == "other-region"
    assert refusal(advisor(**{"Limit Name": None})) == "unknown-signal"
    assert isinstance(only(advisor(Region="-", Service="IAM")), NearLimit)


# alarms


def alarm(namespace: str, name: str, dimensions: dict[str, str], **more: Any) -> Signal:
    envelope = json.loads((EVENTS / "quota_increase" / "usage_alarm.json").read_text())
    [query] = envelope["detail"]["configuration"]["metrics"]
    query["metricStat"]["metric"] = {
        "namespace": namespace,
        "name": name,
        "dimensions": dimensions,
    }
    query |= more.pop("query", {})
    envelope["detail"] |= more
    return signals.read(envelope, HERE)


def test_an_alarm_on_usage_hands_its_metrics_on() -> None:
    found = only(alarm("AWS/Usage", "ResourceCount", {"Service": "EC2", "Class": "P/OnDemand"}))

    assert isinstance(found, UsageAlarm)
    [metric] = found.metrics
    assert metric.dimensions == {"Service": "EC2", "Class": "P/OnDemand"}


def test_lambdas_concurrency_of_the_account_is_a_usage_metric() -> None:
    assert isinstance(only(alarm("AWS/Lambda", "ConcurrentExecutions", {})), UsageAlarm)


@pytest.mark.parametrize(
    ("namespace", "name", "dimensions"),
    [
        ("AWS/Lambda", "ConcurrentExecutions", {"FunctionName": "shop"}),
        ("AWS/Lambda", "Errors", {}),
        ("AWS/SageMaker", "Invocations", {}),
    ],
)
def test_other_alarms_are_passed_over(
    namespace: str, name: str, dimensions: dict[str, str]
) -> None:
    assert refusal(alarm(namespace, name, dimensions)) == "not-a-usage-metric"


def test_another_accounts_usage_is_not_ours() -> None:
    foreign = {"accountId": "210987654321"}
    assert refusal(alarm("AWS/Usage", "ResourceCount", {}, query=foreign)) == "not-a-usage-metric"


def test_a_muted_alarm_is_passed_over() -> None:
    mute = {"mutedByArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm-mute-rule:night"}
    assert refusal(alarm("AWS/Usage", "ResourceCount", {}, muteDetail=mute)) == "muted"


# others


def test_what_is_no_event_tells_of_no_quota() -> None:
    assert refusal(Signal(Kind.HEARTBEAT)) == "unknown-signal"
    assert (
        refusal(event("aws.ec2", "EC2 Instance State-change Notification", {})) == "unknown-signal"
    )
