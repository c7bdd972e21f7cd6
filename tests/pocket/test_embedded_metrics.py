"""Metrics in log lines are read as CloudWatch reads them."""

from __future__ import annotations

import json
from typing import Any

from local.ministack import emf


def line(dimensions: Any = (("service",),), metrics: Any = None, **members: Any) -> str:
    directive = {
        "Namespace": "Ours",
        "Dimensions": [list(keys) for keys in dimensions],
        "Metrics": metrics or [{"Name": "Looked", "Unit": "Count"}],
    }
    return json.dumps(
        {
            "_aws": {"Timestamp": 1_767_225_600_500, "CloudWatchMetrics": [directive]},
            "service": "traffic_shift",
            "Looked": 1,
            **members,
        }
    )


def test_a_metric_carries_its_dimensions_unit_and_time() -> None:
    assert list(emf.data(line())) == [
        {
            "namespace": "Ours",
            "name": "Looked",
            "dimensions": {"service": "traffic_shift"},
            "values": [1.0],
            "timestamp": 1_767_225_600.5,
            "unit": "Count",
            "resolution": 60,
        }
    ]


def test_each_dimension_set_is_a_metric_of_its_own() -> None:
    found = emf.data(line(dimensions=((), ("service",), ("service", "outcome")), outcome="acted"))
    assert [datum["dimensions"] for datum in found] == [
        {},
        {"service": "traffic_shift"},
        {"service": "traffic_shift", "outcome": "acted"},
    ]


def test_a_list_of_values_is_one_datum() -> None:
    (datum,) = emf.data(line(Looked=[1, 2.5]))
    assert datum["values"] == [1.0, 2.5]


def test_a_high_resolution_metric_says_so() -> None:
    (datum,) = emf.data(line(metrics=[{"Name": "Looked", "StorageResolution": 1}]))
    assert (datum["resolution"], datum["unit"]) == (1, "None")


def test_what_breaks_the_format_is_only_a_log_line() -> None:
    for broken in (
        "plain text",
        '{"message": "CloudWatchMetrics"}',
        line()[:-1],
        line(dimensions=(("missing",),)),
        line(Looked="many"),
        line(Looked=True),
        line(Looked=list(range(101))),
        line(metrics=["Looked"]),
        line(metrics=[{"Unit": "Count"}]),
        line().replace('"Namespace"', '"Name"'),
        line().replace('[["service"]]', '["service"]'),
        json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [1]}, "Looked": 1}),
    ):
        assert list(emf.data(broken)) == []
