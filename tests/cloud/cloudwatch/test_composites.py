"""Composite alarms over time, with and without a suppressor.

Sources: API_PutCompositeAlarm; CloudWatch User Guide, alarm-suppression.
"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import FUNCTION, Clock, Inbox, error_alarm, publish


def composite(cloudwatch: Any, name: str = "both") -> dict[str, Any]:
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ]
    return dict(alarm)


def set_state(cloudwatch: Any, name: str, value: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="drill")


@pytest.fixture
def pair(cloudwatch: Any, inbox: Inbox) -> Any:
    """`cpu` and `disk`, alarms without data, which keep the state they are set to."""
    for name in ("cpu", "disk"):
        cloudwatch.put_metric_alarm(**error_alarm(AlarmName=name, TreatMissingData="ignore"))
        set_state(cloudwatch, name, "OK")
    inbox.events.clear()
    return cloudwatch


def suppressed(cloudwatch: Any, wait: int = 120, extension: int = 180) -> None:
    cloudwatch.put_composite_alarm(
        AlarmName="both",
        AlarmRule="ALARM(cpu)",
        AlarmActions=[FUNCTION],
        ActionsSuppressor="disk",
        ActionsSuppressorWaitPeriod=wait,
        ActionsSuppressorExtensionPeriod=extension,
    )


def test_a_composite_is_evaluated_when_it_is_created(pair: Any, inbox: Inbox) -> None:
    pair.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(cpu) OR ALARM(disk)")

    alarm = composite(pair)
    assert alarm["StateValue"] == "OK"
    assert alarm["StateReason"] == (
        f"{alarm['AlarmArn']} was created and its alarm rule evaluates to OK"
    )
    assert inbox.states() == [("both", "OK")]


def test_an_alarm_may_have_braces_in_its_name(pair: Any) -> None:
    pair.put_composite_alarm(AlarmName="{both} {0}", AlarmRule="ALARM(cpu)")
    assert "{both} {0} was created" in composite(pair, "{both} {0}")["StateReason"]


def test_it_follows_its_children_at_once(pair: Any, inbox: Inbox) -> None:
    pair.put_composite_alarm(
        AlarmName="both", AlarmRule="ALARM(cpu) AND NOT ALARM(disk)", AlarmActions=[FUNCTION]
    )
    set_state(pair, "cpu", "ALARM")
    set_state(pair, "disk", "ALARM")

    assert inbox.states() == [
        ("both", "OK"),
        ("cpu", "ALARM"),
        ("both", "ALARM"),
        ("disk", "ALARM"),
        ("both", "OK"),
    ]
    assert len(inbox.invocations) == 1


def test_composites_of_composites(pair: Any) -> None:
    pair.put_composite_alarm(AlarmName="inner", AlarmRule="ALARM(cpu)")
    pair.put_composite_alarm(AlarmName="outer", AlarmRule="ALARM(inner)")
    set_state(pair, "cpu", "ALARM")

    assert composite(pair, "outer")["StateValue"] == "ALARM"


def test_a_cycle_ends_the_evaluation(pair: Any) -> None:
    pair.put_composite_alarm(AlarmName="first", AlarmRule="FALSE")
    pair.put_composite_alarm(AlarmName="second", AlarmRule="ALARM(first)")
    pair.put_composite_alarm(AlarmName="first", AlarmRule="ALARM(cpu) OR OK(second)")

    set_state(pair, "cpu", "ALARM")
    assert composite(pair, "first")["StateValue"] == "ALARM"


def test_an_update_is_evaluated(pair: Any) -> None:
    for rule, state in (("FALSE", "OK"), ("TRUE", "ALARM")):
        pair.put_composite_alarm(AlarmName="both", AlarmRule=rule)
        assert composite(pair)["StateValue"] == state


def test_an_update_lifts_the_suppression(pair: Any, inbox: Inbox) -> None:
    suppressed(pair, wait=120)
    set_state(pair, "cpu", "ALARM")
    pair.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(cpu)", AlarmActions=[FUNCTION])
    assert len(inbox.invocations) == 1


def test_actions_wait_for_the_suppressor(pair: Any, clock: Clock, inbox: Inbox) -> None:
    suppressed(pair, wait=120)
    set_state(pair, "cpu", "ALARM")
    assert composite(pair)["ActionsSuppressedBy"] == "WaitPeriod"
    clock.to(1, 59)
    assert inbox.invocations == []

    clock.to(2, 1)
    [(_, payload)] = inbox.invocations
    data = payload["alarmData"]
    assert data["state"]["value"] == "ALARM"
    assert "actionsSuppressedBy" not in data["state"]
    assert data["previousState"]["actionsSuppressedBy"] == "WaitPeriod"
    assert "ActionsSuppressedBy" not in composite(pair)


def test_a_suppressor_in_time_holds_them_back(pair: Any, clock: Clock, inbox: Inbox) -> None:
    suppressed(pair, wait=120, extension=180)
    set_state(pair, "cpu", "ALARM")
    clock.to(1)
    set_state(pair, "disk", "ALARM")
    clock.to(60)
    assert composite(pair)["ActionsSuppressedBy"] == "Alarm"
    assert inbox.invocations == []

    set_state(pair, "disk", "OK")
    assert composite(pair)["ActionsSuppressedBy"] == "ExtensionPeriod"
    clock.to(62, 59)
    assert inbox.invocations == []
    clock.to(63, 3)
    assert len(inbox.invocations) == 1


def test_an_alarm_during_the_extension_is_held_back_too(
    pair: Any, clock: Clock, inbox: Inbox
) -> None:
    suppressed(pair, extension=180)
    set_state(pair, "disk", "ALARM")
    set_state(pair, "disk", "OK")
    clock.to(1)
    set_state(pair, "cpu", "ALARM")
    assert composite(pair)["ActionsSuppressedBy"] == "ExtensionPeriod"
    clock.to(3, 1)
    assert len(inbox.invocations) == 1


def test_letting_go_of_mutes_lets_go_of_no_suppression(pair: Any, inbox: Inbox) -> None:
    suppressed(pair, wait=120)
    set_state(pair, "cpu", "ALARM")
    pair.put_alarm_mute_rule(
        Name="night", Rule={"Schedule": {"Expression": "at(2026-03-02T10:00)", "Duration": "PT1H"}}
    )
    pair.delete_alarm_mute_rule(AlarmMuteRuleName="night")
    assert inbox.invocations == []


def test_nothing_runs_when_it_is_over_before_the_wait_ends(
    pair: Any, clock: Clock, inbox: Inbox
) -> None:
    suppressed(pair, wait=120)
    set_state(pair, "cpu", "ALARM")
    clock.to(1)
    set_state(pair, "cpu", "OK")
    clock.to(60)
    assert inbox.invocations == []


def test_an_acted_alarm_is_not_suppressed_afterwards(pair: Any, clock: Clock, inbox: Inbox) -> None:
    suppressed(pair, wait=60, extension=60)
    set_state(pair, "cpu", "ALARM")
    clock.to(1, 1)
    acted = composite(pair)
    set_state(pair, "disk", "ALARM")
    assert composite(pair) == acted
    set_state(pair, "disk", "OK")
    clock.to(10)
    assert len(inbox.invocations) == 1
    assert composite(pair) == acted


def test_a_metric_alarm_carries_its_composite_along(
    cloudwatch: Any, clock: Clock, inbox: Inbox
) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(errors)")
    publish(0, 9)
    clock.to(1)
    assert inbox.states()[-2:] == [("errors", "ALARM"), ("both", "ALARM")]
