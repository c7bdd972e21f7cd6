"""Nothing that goes wrong between a signal and a function is lost or silent."""

from __future__ import annotations

from typing import Any

import pytest


def target(value: dict[str, Any]) -> str:
    """The logical id that an intrinsic points to."""
    match value:
        case {"Fn::GetAtt": [str(id), _]} | {"Ref": str(id)}:
            return id
        case _:
            pytest.fail(f"not a reference: {value}")


def test_every_function_sends_what_it_gave_up_on_to_a_dead_letter_queue(resources, dead_letters):
    configs = {
        target(each["Properties"]["FunctionName"]): each["Properties"]
        for each in resources("AWS::Lambda::EventInvokeConfig").values()
    }
    assert configs.keys() == resources("AWS::Lambda::Function").keys()
    for config in configs.values():
        assert target(config["DestinationConfig"]["OnFailure"]["Destination"]) in dead_letters
        assert config["MaximumRetryAttempts"] == 2
        assert config["MaximumEventAgeInSeconds"] == 900


def test_each_function_has_a_dead_letter_queue_of_its_own(resources, dead_letters):
    assert len(dead_letters) == len(resources("AWS::Lambda::Function"))


def test_every_rule_target_has_a_dead_letter_queue(resources, dead_letters):
    for rule in resources("AWS::Events::Rule").values():
        for each in rule["Properties"]["Targets"]:
            assert target(each["DeadLetterConfig"]["Arn"]) in dead_letters


def test_a_rule_may_write_to_its_dead_letter_queue(resources, dead_letters):
    allowed = {
        (target(policy["Properties"]["Queues"][0]), target(source))
        for policy in resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
        for source in [statement["Condition"]["ArnEquals"]["aws:SourceArn"]]
    }
    for id, rule in resources("AWS::Events::Rule").items():
        for each in rule["Properties"]["Targets"]:
            assert (target(each["DeadLetterConfig"]["Arn"]), id) in allowed
            assert (target(each["Arn"]), id) in allowed


def test_every_schedule_has_a_dead_letter_queue(resources, dead_letters):
    for schedule in resources("AWS::Scheduler::Schedule").values():
        config = schedule["Properties"]["Target"]["DeadLetterConfig"]
        assert target(config["Arn"]) in dead_letters


def test_a_message_that_fails_three_times_is_a_dead_letter(resources, dead_letters):
    queues = resources("AWS::SQS::Queue")
    for id in queues.keys() - dead_letters:
        redrive = queues[id]["Properties"]["RedrivePolicy"]
        assert target(redrive["deadLetterTargetArn"]) in dead_letters
        assert redrive["maxReceiveCount"] == 3


def test_dead_letters_wait_two_weeks_for_a_person(resources, dead_letters):
    for id in dead_letters:
        properties = resources("AWS::SQS::Queue")[id]["Properties"]
        assert properties["MessageRetentionPeriod"] == 14 * 86400


def alarms_on(resources, namespace: str) -> list[dict[str, Any]]:
    every = [a["Properties"] for a in resources("AWS::CloudWatch::Alarm").values()]
    return [p for p in every if p["Namespace"] == namespace]


def test_every_alarm_is_one_of_these(resources):
    known = alarms_on(resources, "AWS/SQS") + alarms_on(resources, "AWS/Scheduler")
    assert len(known) == len(resources("AWS::CloudWatch::Alarm"))


def test_one_dead_letter_tells_people(resources, dead_letters):
    (topic,) = resources("AWS::SNS::Topic")
    watched = set()
    for p in alarms_on(resources, "AWS/SQS"):
        assert p["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert (p["Threshold"], p["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert (p["Statistic"], p["EvaluationPeriods"]) == ("Maximum", 1)
        assert p["TreatMissingData"] == "notBreaching"
        assert [target(action) for action in p["AlarmActions"]] == [topic]
        watched |= {target(dimension["Value"]) for dimension in p["Dimensions"]}
    assert watched == dead_letters


def test_a_heartbeat_that_stops_tells_people(resources):
    """A schedule that is disabled or deleted leaves no data; with none at all for the whole time an
    alarm that treats it as missing is INSUFFICIENT_DATA, so that state must tell too."""
    (topic,) = resources("AWS::SNS::Topic")
    watched = []
    for p in alarms_on(resources, "AWS/Scheduler"):
        assert p["MetricName"] == "InvocationAttemptCount"
        assert (p["Threshold"], p["ComparisonOperator"]) == (1, "LessThanThreshold")
        assert (p["Statistic"], p["Period"], p["EvaluationPeriods"]) == ("Sum", 60, 10)
        assert [target(action) for action in p["AlarmActions"]] == [topic]
        assert [target(action) for action in p["InsufficientDataActions"]] == [topic]
        (dimension,) = p["Dimensions"]
        assert dimension["Name"] == "ScheduleGroup"
        watched.append(target(dimension["Value"]))
    beating = [s["Properties"] for s in resources("AWS::Scheduler::Schedule").values()]
    assert sorted(watched) == sorted(target(each["GroupName"]) for each in beating)


def test_a_heartbeat_that_has_not_begun_is_no_alarm(resources):
    """A new alarm is INSUFFICIENT_DATA, and only coming to a state runs its actions; treated as
    breaching, a deploy's minutes without data would be ALARM (CloudWatch user guide, "Configuring
    how alarms treat missing data")."""
    for p in alarms_on(resources, "AWS/Scheduler"):
        assert p["TreatMissingData"] == "missing"


def test_a_failed_record_takes_none_of_its_batch_with_it(resources):
    for mapping in resources("AWS::Lambda::EventSourceMapping").values():
        p = mapping["Properties"]
        assert p["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert p["ScalingConfig"] == {"MaximumConcurrency": 5}


def mappings(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Service name -> properties of the mapping that feeds its function."""
    of = template["Resources"]
    found = [r["Properties"] for r in of.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    return {
        of[p["FunctionName"]["Ref"]]["Properties"]["Environment"]["Variables"][
            "POWERTOOLS_SERVICE_NAME"
        ]: p
        for p in found
    }


def test_a_batch_is_as_large_as_it_may_be_without_a_wait(template):
    for name in ("quota_increase", "traffic_shift"):
        p = mappings(template)[name]
        assert (p["BatchSize"], p["MaximumBatchingWindowInSeconds"]) == (10, 0)


def test_a_storm_of_spot_is_few_batches_whatever_the_others_settings(synthesize):
    """More than 10 need a window (Lambda developer guide, "Configuring an event source mapping")."""
    settings = {"batch_size": 1, "batching_window_seconds": 300, "maximum_concurrency": 7}
    p = mappings(synthesize({"infrastructure": settings}))["spot_fallback"]
    assert (p["BatchSize"], p["MaximumBatchingWindowInSeconds"]) == (1000, 1)
    assert p["ScalingConfig"] == {"MaximumConcurrency": 7}


@pytest.mark.parametrize("window", [0, 300])
def test_a_message_stays_hidden_for_six_function_timeouts_and_its_window(synthesize, window):
    template = synthesize({"infrastructure": {"batching_window_seconds": window}})
    of = template["Resources"]
    (timeout,) = {
        r["Properties"]["Timeout"] for r in of.values() if r["Type"] == "AWS::Lambda::Function"
    }
    for name, mapping in mappings(template).items():
        waited = mapping["MaximumBatchingWindowInSeconds"]
        assert waited == (1 if name == "spot_fallback" else window)
        queue = of[target(mapping["EventSourceArn"])]["Properties"]
        times = 1 if name == "spot_fallback" else 6  # a notice leaves two minutes
        assert queue["VisibilityTimeout"] == times * timeout + waited
