"""Mute rules: they withhold actions, not events, and let go at their end.

Sources: API_PutAlarmMuteRule, API_GetAlarmMuteRule, API_DeleteAlarmMuteRule; CloudWatch User
Guide, alarm-mute-rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, FUNCTION, REGION, START, Clock, Inbox, error_alarm, publish

ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm-mute-rule:night"


def mute(cloudwatch: Any, expression: str = "at(2026-03-02T10:00)", **other: Any) -> None:
    """Ten minutes from START on."""
    cloudwatch.put_alarm_mute_rule(
        **{
            "Name": "night",
            "Rule": {"Schedule": {"Expression": expression, "Duration": "PT10M"}},
            "MuteTargets": {"AlarmNames": ["errors"]},
            **other,
        }
    )


@pytest.fixture
def muted(cloudwatch: Any, clock: Clock, inbox: Inbox) -> Any:
    """An alarm that went into ALARM while muted."""
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION], TreatMissingData="ignore"))
    mute(cloudwatch)
    publish(0, 9)
    clock.to(1)
    return cloudwatch


@pytest.mark.usefixtures("muted")
def test_a_mute_withholds_the_action_and_is_named_in_the_event(inbox: Inbox) -> None:
    assert inbox.invocations == []
    [event] = inbox.events
    assert event["detail"]["muteDetail"] == {
        "mutedByArn": ARN,
        "muteWindowStart": "2026-03-02T10:00:00.000+0000",
        "muteWindowEnd": "2026-03-02T10:10:00.000+0000",
    }


@pytest.mark.usefixtures("muted")
def test_the_action_runs_when_the_window_ends_on_the_same_state(clock: Clock, inbox: Inbox) -> None:
    clock.to(9, 59)
    assert inbox.invocations == []
    clock.to(10, 0)
    [(arn, payload)] = inbox.invocations
    assert arn == FUNCTION
    assert payload["alarmData"]["state"]["value"] == "ALARM"
    clock.to(30)
    assert len(inbox.invocations) == 1


@pytest.mark.usefixtures("muted")
def test_no_action_runs_when_the_alarm_is_over_by_then(clock: Clock, inbox: Inbox) -> None:
    publish(5, 0)
    clock.to(30)
    assert [value for _, value in inbox.states()] == ["ALARM", "OK"]
    assert inbox.invocations == []


def test_deleting_the_rule_unmutes_at_once(muted: Any, inbox: Inbox) -> None:
    muted.delete_alarm_mute_rule(AlarmMuteRuleName="night")
    assert len(inbox.invocations) == 1
    muted.delete_alarm_mute_rule(AlarmMuteRuleName="night")


def test_an_updated_rule_that_spares_the_alarm_unmutes_at_once(muted: Any, inbox: Inbox) -> None:
    mute(muted, MuteTargets={"AlarmNames": []})
    assert len(inbox.invocations) == 1


def test_other_alarms_are_not_muted(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    cloudwatch.put_metric_alarm(**error_alarm(AlarmName="other", Threshold=100))
    mute(cloudwatch, MuteTargets={"AlarmNames": ["other"]})
    publish(0, 9)
    clock.to(1)
    assert len(inbox.invocations) == 1


def test_a_window_has_a_beginning(cloudwatch: Any, clock: Clock, inbox: Inbox) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    mute(cloudwatch, "at(2026-03-02T10:05)")
    publish(0, 9)
    clock.to(1)
    assert len(inbox.invocations) == 1
    assert "muteDetail" not in inbox.events[0]["detail"]


def test_a_rule_tells_its_status(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    mute(cloudwatch, "at(2026-03-02T10:05)", Description="deploy")

    def status() -> str:
        return str(cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")["Status"])

    assert status() == "SCHEDULED"
    clock.to(5)
    assert status() == "ACTIVE"
    clock.to(15)
    assert status() == "EXPIRED"
    rule = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")
    assert (rule["MuteType"], rule["Description"]) == ("ONE_TIME", "deploy")
    assert rule["MuteTargets"] == {"AlarmNames": ["errors"]}
    assert rule["Rule"]["Schedule"]["Duration"] == "PT10M"


def test_an_expiry_date_ends_the_window_early(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    mute(cloudwatch, ExpireDate=START + timedelta(minutes=3))
    clock.to(3)
    assert cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")["Status"] == "EXPIRED"


def test_a_start_date_opens_the_window_late(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    mute(cloudwatch, StartDate=START + timedelta(minutes=3))
    rule = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")
    assert (rule["Status"], rule["StartDate"]) == ("SCHEDULED", START + timedelta(minutes=3))
    clock.to(3)
    assert cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")["Status"] == "ACTIVE"


def test_a_rule_keeps_the_tags_it_was_created_with(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    for team in ("first", "second"):
        mute(cloudwatch, Tags=[{"Key": "team", "Value": team}])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=ARN)["Tags"]
    assert tags == [{"Key": "team", "Value": "first"}]

    cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="night")
    mute(cloudwatch)
    assert cloudwatch.list_tags_for_resource(ResourceARN=ARN)["Tags"] == []


def test_rules_are_listed_by_alarm_and_status(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    mute(cloudwatch)

    def arns(**filters: Any) -> list[str]:
        found = cloudwatch.list_alarm_mute_rules(**filters)["AlarmMuteRuleSummaries"]
        return [one["AlarmMuteRuleArn"] for one in found]

    assert arns() == [ARN]
    assert arns(AlarmName="errors", Statuses=["ACTIVE"]) == [ARN]
    assert arns(AlarmName="other") == []
    assert arns(Statuses=["EXPIRED", "SCHEDULED"]) == []


@pytest.mark.parametrize(
    ("expression", "other", "code"),
    [
        ("cron(0 2 * * *)", {}, "UnsupportedByPocketAccount"),
        ("soon", {}, "ValidationError"),
        (
            "at(2026-03-02T10:00)",
            {"MuteTargets": {"AlarmNames": ["nobody"]}},
            "ValidationError",
        ),
    ],
)
def test_bad_rules_are_refused(
    cloudwatch: Any, expression: str, other: dict[str, Any], code: str
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    with pytest.raises(ClientError) as caught:
        mute(cloudwatch, expression, **other)
    assert caught.value.response["Error"]["Code"] == code


def test_a_rule_that_is_not_there_is_not_found(cloudwatch: Any) -> None:
    with pytest.raises(cloudwatch.exceptions.ResourceNotFoundException):
        cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")
