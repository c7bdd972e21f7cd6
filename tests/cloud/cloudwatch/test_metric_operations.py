"""Putting and getting metric data through the API.

Sources: API_PutMetricData, API_GetMetricData, API_GetMetricStatistics, API_ListMetrics.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import WORLD
from local.cloud.cloudwatch import record

from .conftest import ACCOUNT, REGION, START, VARIANT, Clock, dimensions, publish


def put(cloudwatch: Any, **datum: Any) -> None:
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "Latency", **datum}])


def metric(id: str = "m1", stat: str = "Sum", period: int = 60, **other: Any) -> dict[str, Any]:
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {"Namespace": "App", "MetricName": "Latency", **other},
            "Period": period,
            "Stat": stat,
        },
    }


ERRORS = {
    "Id": "errors",
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": dimensions(VARIANT),
        },
        "Period": 60,
        "Stat": "Sum",
    },
}


def get(cloudwatch: Any, *queries: dict[str, Any], minutes: float = 10, **other: Any) -> Any:
    return cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        **{"StartTime": START, "EndTime": START + timedelta(minutes=minutes)} | other,
    )


def refusal(call: Any, *arguments: Any, **other: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **other)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


class TestPutting:
    def test_what_is_put_can_be_got(self, cloudwatch: Any) -> None:
        put(cloudwatch, Value=3, Timestamp=START)
        put(cloudwatch, Value=4, Timestamp=START + timedelta(seconds=59))

        [found] = get(cloudwatch, metric())["MetricDataResults"]
        assert found["Values"] == [7.0]
        assert found["Timestamps"] == [START]
        assert (found["Label"], found["StatusCode"]) == ("Latency", "Complete")

    def test_values_come_with_counts(self, cloudwatch: Any) -> None:
        put(cloudwatch, Values=[1, 10], Counts=[9, 1], Timestamp=START)

        found = get(cloudwatch, metric("a", "SampleCount"), metric("b", "p90"), metric("c", "p99"))
        assert [one["Values"] for one in found["MetricDataResults"]] == [[10], [1], [10]]

    def test_a_statistic_set_is_taken_as_it_is(self, cloudwatch: Any) -> None:
        sums = {"SampleCount": 4, "Sum": 20, "Minimum": 2, "Maximum": 9}
        put(cloudwatch, StatisticValues=sums, Timestamp=START)

        found = get(cloudwatch, metric("a", "Average"), metric("b", "Maximum"), metric("c", "p90"))
        assert [one["Values"] for one in found["MetricDataResults"]] == [[5], [9], []]

    def test_namespaces_of_aws_are_not_for_users(self, cloudwatch: Any) -> None:
        code, message = refusal(
            cloudwatch.put_metric_data,
            Namespace="AWS/SageMaker",
            MetricData=[{"MetricName": "Invocations", "Value": 1}],
        )
        assert code == "InvalidParameterValue"
        assert message == "The value AWS/ for parameter Namespace is invalid."

    @pytest.mark.parametrize(
        ("datum", "code"),
        [
            ({}, "MissingParameter"),
            ({"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
            ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue"),
            ({"Values": list(range(151))}, "InvalidParameterValue"),
            ({"Value": 2.0**361}, "InvalidParameterValue"),
            ({"Values": [1], "Counts": [0]}, "InvalidParameterValue"),
            (
                {"Value": 1, "Dimensions": [{"Name": "a", "Value": x} for x in "bc"]},
                "InvalidParameterValue",
            ),
            ({"Value": 1, "StorageResolution": 30}, "InvalidParameterValue"),
            ({"Value": 1, "Dimensions": [{"Name": "a", "Value": " "}]}, "InvalidParameterValue"),
            (
                {"Value": 1, "Timestamp": START - timedelta(days=14, minutes=1)},
                "InvalidParameterValue",
            ),
            (
                {"Value": 1, "Timestamp": START + timedelta(hours=2, minutes=1)},
                "InvalidParameterValue",
            ),
            (
                {"Value": 1, "Dimensions": dimensions({str(n): "x" for n in range(31)})},
                "ValidationError",
            ),
            (
                {
                    "StatisticValues": {
                        "SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1,
                    }
                },
                "InvalidParameterValue",
            ),
        ],
    )  # fmt: skip
    def test_bad_data_is_refused(self, cloudwatch: Any, datum: dict[str, Any], code: str) -> None:
        assert refusal(put, cloudwatch, **datum)[0] == code

    def test_thirty_dimensions_two_weeks_and_two_hours_are_fine(self, cloudwatch: Any) -> None:
        many = dimensions({str(n): "x" for n in range(30)})
        put(cloudwatch, Value=1, Dimensions=many, Timestamp=START - timedelta(days=14))
        put(cloudwatch, Value=1, Timestamp=START + timedelta(hours=2))

    def test_a_request_carries_one_to_a_thousand_data(self, cloudwatch: Any) -> None:
        datum = {"MetricName": "Latency", "Value": 1}
        cloudwatch.put_metric_data(Namespace="App", MetricData=[datum] * 1000)
        for count, code in ((1001, "InvalidParameterValue"), (0, "MissingParameter")):
            data = {"Namespace": "App", "MetricData": [datum] * count}
            assert refusal(cloudwatch.put_metric_data, **data)[0] == code

    def test_one_bad_datum_keeps_the_whole_request_out(self, cloudwatch: Any) -> None:
        with pytest.raises(ClientError):
            cloudwatch.put_metric_data(
                Namespace="App",
                MetricData=[
                    {"MetricName": "Latency", "Value": 1},
                    {"MetricName": "Latency", "Value": 2.0**361},
                ],
            )
        assert cloudwatch.list_metrics()["Metrics"] == []


class TestGetting:
    def test_services_record_into_namespaces_of_aws(self, cloudwatch: Any) -> None:
        publish(0, 2)

        [found] = get(cloudwatch, ERRORS)["MetricDataResults"]
        assert found["Values"] == [2.0]

    def test_accounts_and_regions_are_apart(self, cloudwatch: Any) -> None:
        at = START.timestamp()
        record(ACCOUNT, "us-east-1", "App", "Latency", {}, value=1, timestamp=at)
        record("111111111111", REGION, "App", "Latency", {}, value=1, timestamp=at)

        [found] = get(cloudwatch, metric())["MetricDataResults"]
        assert found["Values"] == []

    def test_the_newest_point_comes_first_unless_asked_otherwise(self, cloudwatch: Any) -> None:
        publish(0, 1)
        publish(1, 2)

        [found] = get(cloudwatch, ERRORS)["MetricDataResults"]
        assert found["Values"] == [2, 1]
        [found] = get(cloudwatch, ERRORS, ScanBy="TimestampAscending")["MetricDataResults"]
        assert found["Values"] == [1, 2]

    def test_the_start_counts_and_the_end_does_not(self, cloudwatch: Any) -> None:
        for minute in range(4):
            publish(minute, minute)

        [found] = get(
            cloudwatch,
            ERRORS,
            StartTime=START + timedelta(minutes=1, seconds=40),
            EndTime=START + timedelta(minutes=3),
        )["MetricDataResults"]
        assert found["Values"] == [2, 1]

    def test_math_over_queries_that_are_not_returned(self, cloudwatch: Any) -> None:
        publish(0, 3)
        [found] = get(
            cloudwatch,
            ERRORS | {"ReturnData": False},
            {"Id": "rate", "Expression": "twice / 12 * 100", "Label": "Error rate"},
            {"Id": "twice", "Expression": "errors * 2", "ReturnData": False},
        )["MetricDataResults"]
        assert (found["Id"], found["Label"], found["Values"]) == ("rate", "Error rate", [50])

    def test_an_array_gives_one_result_a_series(self, cloudwatch: Any) -> None:
        publish(0, 3)
        found = get(
            cloudwatch,
            ERRORS | {"ReturnData": False},
            metric() | {"ReturnData": False},
            {"Id": "all", "Expression": "METRICS() * 2"},
        )["MetricDataResults"]
        assert [one["Values"] for one in found] == [[6], []]

    def test_fill_covers_the_range_asked_for(self, cloudwatch: Any) -> None:
        publish(1, 3)
        [found] = get(
            cloudwatch,
            ERRORS | {"ReturnData": False},
            {"Id": "filled", "Expression": "FILL(errors, 0)"},
            minutes=3,
        )["MetricDataResults"]
        assert found["Values"] == [0, 3, 0]

    @pytest.mark.parametrize(
        "queries",
        [
            [{"Id": "a"}],
            [metric("a"), metric("a")],
            [metric("A")],
            [{"Id": "a", "MetricStat": {"Metric": {}, "Period": 60, "Stat": "Sum"}}],
            [metric("a", period=45)],
            [metric("a", stat="Median")],
            [metric("a") | {"Expression": "b"}],
            [{"Id": "a", "Expression": "b + 1"}],
            [{"Id": "a", "Expression": "b"}, {"Id": "b", "Expression": "a"}],
            [metric("m1"), {"Id": "a", "Expression": "SUM(m1)"}],
            [metric("m1"), {"Id": "a", "Expression": "SEARCH('x', 'Sum', 60)"}],
            [metric("m1") | {"ReturnData": False}],
            [metric(f"m{n}") for n in range(501)],
        ],
    )
    def test_bad_queries_are_refused(self, cloudwatch: Any, queries: list[dict[str, Any]]) -> None:
        assert refusal(get, cloudwatch, *queries)[0] == "ValidationError"

    def test_the_end_lies_after_the_start(self, cloudwatch: Any) -> None:
        code, message = refusal(get, cloudwatch, metric(), EndTime=START)
        assert code == "ValidationError"
        assert message == "The parameter StartTime must be less than the parameter EndTime."

    def test_high_resolution_can_be_read_in_ten_seconds(
        self, cloudwatch: Any, clock: Clock
    ) -> None:
        put(cloudwatch, Value=1, Timestamp=START + timedelta(seconds=12), StorageResolution=1)
        put(cloudwatch, Value=5, Timestamp=START + timedelta(seconds=25))

        start = START + timedelta(seconds=13)
        [found] = get(cloudwatch, metric(period=10), StartTime=start)["MetricDataResults"]
        assert found["Timestamps"] == [START + timedelta(seconds=10)]
        assert found["Values"] == [1]

        clock.to(3 * 60 + 5)
        [found] = get(cloudwatch, metric(period=10), StartTime=start)["MetricDataResults"]
        assert found["Values"] == []

    def test_many_points_come_in_pages(self, cloudwatch: Any) -> None:
        for minute in range(10):
            publish(minute, minute)
        queries = [
            ERRORS,
            metric(),
            {"Id": "double", "Expression": "errors * 2"},
        ]
        pages = list(
            cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,
                StartTime=START,
                EndTime=START + timedelta(minutes=10),
                ScanBy="TimestampAscending",
                MaxDatapoints=7,
            )
        )
        read: dict[str, list[float]] = {}
        for page in pages:
            for one in page["MetricDataResults"]:
                read.setdefault(one["Id"], []).extend(one["Values"])
        assert len(pages) == 3
        assert pages[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"
        assert read == {
            "errors": [float(n) for n in range(10)],
            "m1": [],
            "double": [2.0 * n for n in range(10)],
        }

    @pytest.mark.parametrize("token", ["soap", "LTE=", "OTk="])
    def test_a_token_that_was_not_given_is_refused(self, cloudwatch: Any, token: str) -> None:
        assert refusal(get, cloudwatch, metric(), NextToken=token)[0] == "InvalidNextToken"

    @pytest.mark.parametrize("most", [0, 100_801])
    def test_a_page_has_its_bounds(self, cloudwatch: Any, most: int) -> None:
        assert refusal(get, cloudwatch, metric(), MaxDatapoints=most)[0] == "ValidationError"

    def test_other_accounts_are_not_simulated(self, cloudwatch: Any) -> None:
        query = metric() | {"AccountId": "111111111111"}
        assert refusal(get, cloudwatch, query)[0] == "UnsupportedByPocketAccount"

    def test_a_day_of_minutes_takes_milliseconds(self, cloudwatch: Any, clock: Clock) -> None:
        for minute in range(24 * 60):
            publish(minute, 1)
        clock.to(24 * 60)
        metrics = [ERRORS | {"Id": f"m{n}"} for n in range(5)]
        began = time.process_time()
        get(
            cloudwatch,
            *[metric | {"ReturnData": False} for metric in metrics],
            {"Id": "sum", "Expression": "SUM(METRICS())"},
            minutes=24 * 60,
        )
        # Measured: 30 ms, most of it the wire. Reading every datum for every point takes seconds.
        assert time.process_time() - began < 0.5

    def test_a_lacking_point_can_be_read_as_none(self, cloudwatch: Any) -> None:
        publish(0, 3)
        queries = (metric(), ERRORS, {"Id": "both", "Expression": "errors + m1"})

        assert get(cloudwatch, *queries)["MetricDataResults"][2]["Values"] == [3]
        WORLD.switches.math_reads_missing_as_zero = False
        assert get(cloudwatch, *queries)["MetricDataResults"][2]["Values"] == []


class TestStatistics:
    def statistics(self, cloudwatch: Any, **other: Any) -> Any:
        wanted = {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": dimensions(VARIANT),
            "StartTime": START,
            "EndTime": START + timedelta(minutes=10),
            "Period": 60,
            "Statistics": ["Sum", "Maximum"],
            **other,
        }
        return cloudwatch.get_metric_statistics(
            **{name: value for name, value in wanted.items() if value is not None}
        )

    def test_points_carry_each_statistic_and_their_unit(self, cloudwatch: Any) -> None:
        publish(0, 2, unit="Count")
        publish(0, 5, unit="Count")

        [point] = self.statistics(cloudwatch)["Datapoints"]
        assert point == {"Timestamp": START, "Sum": 7, "Maximum": 5, "Unit": "Count"}

    def test_all_dimensions_must_be_named(self, cloudwatch: Any) -> None:
        publish(0, 2)

        assert self.statistics(cloudwatch, Dimensions=[])["Datapoints"] == []

    def test_percentiles_are_extended_statistics(self, cloudwatch: Any) -> None:
        publish(0, 2)

        [point] = self.statistics(cloudwatch, Statistics=None, ExtendedStatistics=["p90"])[
            "Datapoints"
        ]
        assert point["ExtendedStatistics"] == {"p90": 2}

    @pytest.mark.parametrize(
        "change",
        [
            {"Statistics": None},
            {"ExtendedStatistics": ["p90"]},
            {"EndTime": START + timedelta(minutes=1441)},
        ],
    )
    def test_combinations_that_are_refused(self, cloudwatch: Any, change: dict[str, Any]) -> None:
        assert refusal(self.statistics, cloudwatch, **change)[0] == "InvalidParameterCombination"

    def test_extended_statistics_are_percentiles_and_ranges(self, cloudwatch: Any) -> None:
        wrong = {"Statistics": None, "ExtendedStatistics": ["tm90"]}
        assert refusal(self.statistics, cloudwatch, **wrong)[0] == "InvalidParameterValue"

    def test_1440_points_are_fine(self, cloudwatch: Any) -> None:
        self.statistics(cloudwatch, EndTime=START + timedelta(minutes=1440))

    def test_the_period_is_a_multiple_of_a_minute(self, cloudwatch: Any) -> None:
        assert refusal(self.statistics, cloudwatch, Period=90)[0] == "InvalidParameterValue"


class TestListing:
    def names(self, cloudwatch: Any, **filters: Any) -> list[str]:
        return [one["MetricName"] for one in cloudwatch.list_metrics(**filters)["Metrics"]]

    def test_filters_narrow_the_list(self, cloudwatch: Any) -> None:
        publish(0, 1)
        put(cloudwatch, Value=1)

        assert len(self.names(cloudwatch)) == 2
        assert self.names(cloudwatch, Namespace="App") == ["Latency"]
        assert self.names(cloudwatch, MetricName="Invocation5XXErrors") == ["Invocation5XXErrors"]
        by_name = [{"Name": "VariantName"}]
        assert self.names(cloudwatch, Dimensions=by_name) == ["Invocation5XXErrors"]
        by_value = [{"Name": "VariantName", "Value": "blue"}]
        assert self.names(cloudwatch, Dimensions=by_value) == []

    def test_silent_metrics_leave_the_list(self, cloudwatch: Any, clock: Clock) -> None:
        put(cloudwatch, Value=1)

        clock.to(4 * 60)
        assert self.names(cloudwatch, RecentlyActive="PT3H") == []
        assert self.names(cloudwatch) == ["Latency"]
        clock.to(14 * 24 * 60 + 1)
        assert self.names(cloudwatch) == []

    def test_five_hundred_come_in_a_page(self, cloudwatch: Any) -> None:
        for n in range(501):
            record(ACCOUNT, REGION, "App", str(n), {}, value=1, timestamp=START.timestamp())

        first = cloudwatch.list_metrics()
        rest = cloudwatch.list_metrics(NextToken=first["NextToken"])
        assert (len(first["Metrics"]), len(rest["Metrics"])) == (500, 1)
        assert "NextToken" not in rest


def test_record_takes_one_value_or_several() -> None:
    for wrong in ({}, {"value": 1, "values": [1]}):
        with pytest.raises(ValueError, match="either"):
            record(ACCOUNT, REGION, "App", "Latency", {}, timestamp=0, **wrong)  # type: ignore[arg-type]
