"""When traffic stays where it is, and why."""

from __future__ import annotations

import pytest

from tests.functional.world import Stage


def refused(stage: Stage) -> str:
    assert stage.made("UpdateEndpointWeightsAndCapacities") == []
    return stage.told()[-1]


def test_an_endpoint_without_the_tag_is_never_touched_nor_recorded(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=9, green=1, tags={})
    stage.traffic(green=0.3)
    stage.alarm()
    stage.wait_for_alarm()
    stage.deliver()

    assert refused(stage) == "Remediation Refused: not-opted-in"
    assert stage.incidents() == []


@pytest.mark.parametrize(
    ("tag", "code"), [("yes", "bad-tag"), ("ACT", "bad-tag"), ("off", "tag-off")]
)
def test_a_tag_that_is_off_or_unknown_touches_nothing(stage: Stage, tag: str, code: str) -> None:
    stage.mode("act")
    stage.endpoint(blue=9, green=1, tags={"ml-remediation:traffic-shift": tag})
    stage.traffic(green=0.3)
    stage.alarm()
    stage.wait_for_alarm()
    stage.deliver()

    assert refused(stage) == f"Remediation Refused: {code}"


def test_an_endpoint_that_is_updating_is_looked_at_again_when_due(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredInstanceCount": 2}],
    )

    stage.deliver()
    assert refused(stage) == "Remediation Refused: not-in-service"

    stage.wait(60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_single_variant_has_nowhere_to_go(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(green=1)
    stage.traffic(green=0.3)
    stage.alarm()
    stage.wait_for_alarm()
    stage.deliver()

    assert refused(stage) == "Remediation Refused: single-variant"


def test_when_the_other_variant_fails_alike_a_person_is_called(stage: Stage) -> None:
    stage.scene(green=0.3, blue=0.2)
    stage.wait_for_alarm()
    stage.wait(60)
    stage.deliver()

    assert refused(stage) == "Remediation Refused: other-sick"
    assert "fails like green" in stage.messages()[-1]["content"]["description"]


def test_when_the_other_variant_is_barely_used_a_person_is_called(stage: Stage) -> None:
    stage.mode("act")
    stage.endpoint(blue=0.01, green=1)
    stage.traffic(green=0.3)
    stage.alarm()
    stage.wait_for_alarm()
    stage.deliver()

    assert refused(stage) == "Remediation Refused: other-unknown"
    assert len(stage.messages()) == 1


def test_a_refusal_is_told_once_however_often_it_is_looked_at(stage: Stage) -> None:
    stage.scene(green=0.3, blue=0.2)
    stage.wait_for_alarm()
    stage.wait(60)
    stage.deliver()
    for _ in range(5):
        stage.wait(60)
        stage.heartbeat()

    assert stage.told() == ["Remediation Refused: other-sick"]
    assert stage.incident()["stage"] == "open"


def test_the_incident_of_a_refusal_ends_with_its_alarm(stage: Stage) -> None:
    stage.scene(green=0.3, blue=0.2)
    stage.wait_for_alarm()
    stage.wait(60)
    stage.deliver()

    stage.traffic()
    stage.wait_for_alarm(state="OK")
    stage.heartbeat()

    assert stage.incident()["stage"] == "recovered"
    assert stage.made("UpdateEndpointWeightsAndCapacities") == []


def test_alarms_on_cpu_or_traffic_move_nothing_by_event(stage: Stage) -> None:
    stage.scene()
    quiet = {
        "MetricName": "Invocations",
        "Statistic": "Sum",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 100000.0,
    }
    stage.alarm("green-quiet", **quiet)
    stage.wait_for_alarm("green-quiet")

    answer = stage.deliver()

    assert [o["code"] for o in answer["outcomes"]] == ["not-failures"]
    assert stage.weights() == {"blue": 9, "green": 1}


def test_an_error_alarm_that_falls_below_is_no_failure(stage: Stage) -> None:
    stage.scene()
    stage.alarm("green-few", ComparisonOperator="LessThanThreshold", Threshold=0.5)
    stage.wait_for_alarm("green-few")

    stage.deliver()

    assert stage.weights() == {"blue": 9, "green": 1}


def test_an_alarm_on_anything_moves_traffic_when_the_function_is_its_action(stage: Stage) -> None:
    stage.scene()
    function = "arn:aws:lambda:us-east-1:123456789012:function:traffic-shift"
    stage.alarm(
        "green-slow",
        MetricName="Invocations",
        Statistic="Sum",
        ComparisonOperator="LessThanThreshold",
        Threshold=100.0,
        AlarmActions=[function],
    )
    stage.wait_for_alarm("green-slow")

    stage.deliver_direct()

    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_muted_alarm_moves_nothing_until_the_mute_ends(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.client("cloudwatch").put_alarm_mute_rule(
        Name="release-night",
        Rule={"Schedule": {"Expression": "at(2026-03-02T12:05)", "Duration": "PT30M"}},
        MuteTargets={"AlarmNames": ["green-5xx"]},
    )
    stage.wait_for_alarm()

    stage.deliver()
    assert refused(stage) == "Remediation Refused: muted"
    stage.wait(180)
    stage.heartbeat()
    assert refused(stage) == "Remediation Refused: muted"

    stage.wait(30 * 60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 10, "green": 0}


def test_a_suppressed_composite_alarm_moves_nothing(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.alarm("release-freeze", MetricName="Invocations", Statistic="Sum", Threshold=1.0)
    stage.wait_for_alarm("release-freeze")
    stage.client("cloudwatch").put_composite_alarm(
        AlarmName="canary-fails",
        AlarmRule='ALARM("green-5xx")',
        ActionsSuppressor="release-freeze",
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=60,
    )
    stage.wait_for_alarm("canary-fails")

    stage.pending = [e for e in stage.pending if e["detail"]["alarmName"] == "canary-fails"]
    stage.deliver()

    assert refused(stage) == "Remediation Refused: muted"


def test_an_alarm_without_a_variant_cannot_say_which_one_fails(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.alarm(
        "shop-5xx",
        Metrics=[
            {"Id": "all", "Expression": "e1 + 0", "ReturnData": True},
            {
                "Id": "e1",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SageMaker",
                        "MetricName": "Invocation5XXErrors",
                        "Dimensions": [{"Name": "EndpointName", "Value": "shop"}],
                    },
                    "Period": 60,
                    "Stat": "Average",
                },
            },
        ],
        **dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period")),
    )
    cloudwatch = stage.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="shop-5xx", StateValue="ALARM", StateReason="test")

    stage.pending = [e for e in stage.pending if e["detail"]["alarmName"] == "shop-5xx"]
    stage.deliver()

    assert refused(stage) == "Remediation Refused: no-variant-named"


def test_an_endpoint_that_is_gone_ends_its_incident(stage: Stage) -> None:
    stage.scene(green=0.3, blue=0.2)
    stage.wait_for_alarm()
    stage.wait(60)
    stage.deliver()
    stage.client("sagemaker").delete_endpoint(EndpointName="shop")
    stage.wait(60)
    stage.heartbeat()

    assert stage.incident()["stage"] == "recovered"
    stage.calls.clear()
    stage.heartbeat()
    assert [c.operation for c in stage.calls] == ["Query"]


def test_weights_that_somebody_else_changed_are_left_alone_for_an_hour(stage: Stage) -> None:
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.deliver()
    stage.wait(10)
    stage.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="shop",
        DesiredWeightsAndCapacities=[
            {"VariantName": "blue", "DesiredWeight": 5},
            {"VariantName": "green", "DesiredWeight": 5},
        ],
    )
    stage.wait(180)
    stage.heartbeat()

    assert stage.incident()["stage"] == "superseded"
    assert stage.told()[-1] == "Remediation Refused: superseded"
    assert "CloudTrail" in stage.messages()[-1]["content"]["description"]

    stage.wait(40 * 60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 5, "green": 5}

    stage.wait(30 * 60)
    stage.heartbeat()
    assert stage.weights() == {"blue": 10, "green": 0}
