"""Describing, switching, setting and deleting alarms; tags and dashboards.

Sources: API_DescribeAlarms, API_DescribeAlarmHistory, API_DeleteAlarms, API_SetAlarmState,
API_TagResource.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import (
    ACCOUNT,
    FUNCTION,
    REGION,
    START,
    TOPIC,
    VARIANT,
    Clock,
    dimensions,
    error_alarm,
    publish,
)

BOTH = ["MetricAlarm", "CompositeAlarm"]


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def names(cloudwatch: Any, **filters: Any) -> list[str]:
    found = cloudwatch.describe_alarms(**filters)
    return [a["AlarmName"] for a in found["MetricAlarms"] + found["CompositeAlarms"]]


@pytest.fixture
def family(cloudwatch: Any) -> Any:
    """A composite `parent` of `errors-1` and `child`, itself a composite, beside `errors-2`."""
    cloudwatch.put_metric_alarm(**error_alarm(AlarmName="errors-1", AlarmActions=[FUNCTION]))
    cloudwatch.put_metric_alarm(**error_alarm(AlarmName="errors-2", OKActions=[TOPIC]))
    cloudwatch.put_composite_alarm(AlarmName="child", AlarmRule="TRUE")
    cloudwatch.put_composite_alarm(
        AlarmName="parent", AlarmRule="ALARM(errors-1) AND NOT OK(child)"
    )
    return cloudwatch


def test_without_types_only_metric_alarms_are_described(family: Any) -> None:
    assert names(family) == ["errors-1", "errors-2"]
    assert names(family, AlarmNames=["parent"]) == []
    assert names(family, AlarmTypes=["CompositeAlarm"]) == ["child", "parent"]
    assert names(family, AlarmTypes=BOTH, AlarmNames=["parent", "errors-2"]) == [
        "errors-2",
        "parent",
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"AlarmNamePrefix": "errors-"}, ["errors-1", "errors-2"]),
        ({"StateValue": "ALARM"}, ["child"]),
        ({"ActionPrefix": "arn:aws:lambda"}, ["errors-1"]),
        ({"ActionPrefix": TOPIC}, ["errors-2"]),
        ({"AlarmNames": ["nobody"]}, []),
    ],
)
def test_filters(family: Any, filters: dict[str, Any], expected: list[str]) -> None:
    assert names(family, AlarmTypes=BOTH, **filters) == expected


def test_children_and_parents_of_an_alarm(family: Any) -> None:
    assert names(family, ChildrenOfAlarmName="parent") == ["errors-1", "child"]
    assert names(family, ParentsOfAlarmName="child") == ["parent"]

    [child] = family.describe_alarms(ChildrenOfAlarmName="parent")["CompositeAlarms"]
    assert set(child) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    [parent] = family.describe_alarms(ParentsOfAlarmName="child")["CompositeAlarms"]
    assert set(parent) == {"AlarmName", "AlarmArn"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"ChildrenOfAlarmName": "parent", "AlarmNames": ["child"]},
        {"ChildrenOfAlarmName": "parent", "AlarmTypes": ["MetricAlarm"]},
        {"ChildrenOfAlarmName": "parent", "ParentsOfAlarmName": "child"},
        {"AlarmNames": ["child"], "AlarmNamePrefix": "c"},
    ],
)
def test_parameters_that_exclude_each_other(family: Any, parameters: dict[str, Any]) -> None:
    assert code(family.describe_alarms, **parameters) == "ValidationError"


def test_descriptions_come_in_pages(family: Any) -> None:
    pages = family.get_paginator("describe_alarms").paginate(
        AlarmTypes=BOTH, PaginationConfig={"PageSize": 3}
    )
    sizes = [len(page["MetricAlarms"]) + len(page["CompositeAlarms"]) for page in pages]
    assert sizes == [3, 1]
    assert code(family.describe_alarms, NextToken="soap") == "InvalidNextToken"


def test_alarms_for_a_metric_need_its_dimensions(family: Any) -> None:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors"}
    found = family.describe_alarms_for_metric(**metric, Dimensions=dimensions(VARIANT))
    assert [a["AlarmName"] for a in found["MetricAlarms"]] == ["errors-1", "errors-2"]
    assert family.describe_alarms_for_metric(**metric)["MetricAlarms"] == []
    other = family.describe_alarms_for_metric(
        **metric, Dimensions=dimensions(VARIANT), Statistic="Average"
    )
    assert other["MetricAlarms"] == []


def test_history_tells_changes_and_survives_the_alarm(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm(AlarmActions=[FUNCTION]))
    publish(0, 9)
    clock.to(1)
    cloudwatch.delete_alarms(AlarmNames=["errors"])

    items = cloudwatch.describe_alarm_history(AlarmName="errors", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert [(i["HistoryItemType"], i["HistorySummary"]) for i in items] == [
        ("ConfigurationUpdate", 'Alarm "errors" created'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("Action", f"Successfully executed action {FUNCTION}"),
        ("ConfigurationUpdate", 'Alarm "errors" deleted'),
    ]
    change = json.loads(items[1]["HistoryData"])
    assert change["newState"]["stateReasonData"]["recentDatapoints"] == [9.0]


def test_history_can_be_narrowed(cloudwatch: Any, clock: Clock) -> None:
    cloudwatch.put_metric_alarm(**error_alarm())
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(errors)")
    publish(0, 9)
    clock.to(1)

    def summaries(**filters: Any) -> list[str]:
        found = cloudwatch.describe_alarm_history(**filters)["AlarmHistoryItems"]
        return [item["AlarmName"] for item in found]

    assert summaries() == ["errors", "errors"]
    assert summaries(AlarmTypes=["CompositeAlarm"], HistoryItemType="StateUpdate") == [
        "both",
        "both",
    ]
    assert summaries(HistoryItemType="StateUpdate") == ["errors"]
    assert summaries(EndDate=START) == ["errors"]
    assert summaries(MaxRecords=1) == ["errors"]


def test_deleting_several_spares_none_of_the_right_names(family: Any) -> None:
    parameters = {"AlarmNames": ["errors-2", "nobody"]}
    assert code(family.delete_alarms, **parameters) == "ResourceNotFound"
    assert names(family) == ["errors-1"]


def test_an_alarm_that_a_composite_watches_stays(family: Any) -> None:
    assert code(family.delete_alarms, AlarmNames=["errors-1"]) == "ValidationError"
    family.delete_alarms(AlarmNames=["parent"])
    family.delete_alarms(AlarmNames=["errors-1"])


def test_one_composite_can_be_deleted_a_call(family: Any) -> None:
    assert code(family.delete_alarms, AlarmNames=["child", "parent"]) == "ValidationError"


def test_actions_can_be_switched(family: Any) -> None:
    for switch, expected in (
        (family.disable_alarm_actions, False),
        (family.enable_alarm_actions, True),
    ):
        switch(AlarmNames=["errors-1"])
        [alarm] = family.describe_alarms(AlarmNames=["errors-1"])["MetricAlarms"]
        assert alarm["ActionsEnabled"] is expected


def test_a_state_can_be_set_on_what_exists_only(family: Any) -> None:
    wanted = {"StateValue": "ALARM", "StateReason": "drill"}
    assert code(family.set_alarm_state, AlarmName="nobody", **wanted) == "ResourceNotFound"
    bad = {"AlarmName": "errors-1", "StateReasonData": "{", **wanted}
    assert code(family.set_alarm_state, **bad) == "InvalidFormat"


def test_alarms_can_be_tagged_while_they_exist(family: Any) -> None:
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors-1"
    family.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}])
    family.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    family.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert family.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]

    family.delete_alarms(AlarmNames=["parent"])
    family.delete_alarms(AlarmNames=["errors-1"])
    family.put_metric_alarm(**error_alarm(AlarmName="errors-1"))
    assert family.list_tags_for_resource(ResourceARN=arn)["Tags"] == []

    nobody = arn.replace("errors-1", "nobody")
    assert code(family.list_tags_for_resource, ResourceARN=nobody) == "ResourceNotFoundException"


def test_dashboards_work(cloudwatch: Any) -> None:
    cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    assert cloudwatch.get_dashboard(DashboardName="board")["DashboardBody"] == '{"widgets": []}'
    [entry] = cloudwatch.list_dashboards()["DashboardEntries"]
    assert entry["DashboardName"] == "board"
    cloudwatch.delete_dashboards(DashboardNames=["board"])
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_other_operations_fail_loudly(cloudwatch: Any) -> None:
    assert code(cloudwatch.describe_anomaly_detectors) == "UnknownOperationException"
