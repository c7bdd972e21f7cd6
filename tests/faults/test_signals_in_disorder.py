"""Signals twice, late, in any order, or during trouble: the same end."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import WORLD
from tests.faults.crashing import at_rest
from tests.faults.universes import each
from tests.functional.test_events import EVENTS, HANDLED, everything_alarms
from tests.functional.world import Call, Stage

WRITE = "UpdateEndpointWeightsAndCapacities"
ACTING = sorted(name for name, codes in HANDLED.items() if codes == ["acted"])


def failing(stage: Stage) -> None:
    """Green fails, and its alarm is in ALARM."""
    stage.scene(green=0.3)
    stage.wait_for_alarm()
    stage.calls.clear()


def event(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(EVENTS) / name).read_text())
    return found | changes


def settle(stage: Stage) -> None:
    for _ in range(10):
        if at_rest(stage):
            return
        stage.wait(60)
        stage.heartbeat()
    raise AssertionError(f"still due: {stage.records('')}")


@pytest.mark.parametrize("way", ["with the same id", "with new ids", "in one batch"])
def test_ten_of_the_same_make_one_write(stage: Stage, way: str) -> None:
    everything_alarms(stage)

    def play(name: str) -> None:
        one = event(name)
        if way == "in one batch":
            answers = [stage.batch(*[one] * 10)]
        else:
            ids = range(10) if way == "with new ids" else [0] * 10
            bring = stage.invoke if "/direct_" in name else stage.batch
            answers = [bring(one | {"id": f"{id}"}) for id in ids]
        assert all(answer["batchItemFailures"] == [] for answer in answers)
        settle(stage)
        assert len(stage.made(WRITE)) == 1
        assert len(stage.incidents()) == 1
        assert stage.weights() == {"blue": 10, "green": 0}

    each(ACTING, play)


def test_alarms_and_their_ends_in_any_order_come_to_the_same(stage: Stage) -> None:
    """The events say ALARM, OK, ALARM, and one comes twice; CloudWatch says what is true."""
    failing(stage)
    first = event("traffic_shift/alarm_single_metric.json", id="1")
    over = event("traffic_shift/alarm_back_to_ok.json", id="2")
    again = event("traffic_shift/alarm_single_metric.json", id="3", time="2026-03-02T12:04:00Z")
    orders = sorted(set(permutations(["first", "over", "again", "first"])))
    events = {"first": first, "over": over, "again": again}

    def play(order: tuple[str, ...]) -> None:
        for name in order:
            stage.batch(events[name])
        settle(stage)
        assert stage.weights() == {"blue": 10, "green": 0}
        assert len(stage.made(WRITE)) == 1
        assert [i["stage"] for i in stage.incidents()] == ["verified"]

    def quiet(order: tuple[str, ...]) -> None:
        stage.traffic()
        stage.wait_for_alarm(state="OK")
        for name in order:
            stage.batch(events[name])
        settle(stage)
        assert stage.made(WRITE) == []
        assert stage.weights() == {"blue": 9, "green": 1}

    each(orders, play)
    each(orders, quiet)


@pytest.mark.parametrize("late", [0, 119, 121, 24 * 3600, 25 * 3600])
def test_a_signal_of_any_age_means_what_is_true_now(stage: Stage, late: int) -> None:
    failing(stage)
    sent = datetime.now(UTC) - timedelta(seconds=late)

    stage.batch(event("traffic_shift/alarm_single_metric.json", time=sent.isoformat()))

    assert stage.weights() == {"blue": 10, "green": 0}


@pytest.mark.parametrize("skew", [-300, 300])
def test_a_clock_that_goes_wrong_by_minutes_changes_nothing(stage: Stage, skew: int) -> None:
    failing(stage)
    sent = datetime.now(UTC) + timedelta(seconds=skew)

    stage.batch(event("traffic_shift/alarm_single_metric.json", time=sent.isoformat()))
    settle(stage)

    assert stage.weights() == {"blue": 10, "green": 0}
    assert stage.incident()["stage"] == "verified"


# AWS in the way


def throttled(operation: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation
    )


def test_throttling_of_any_call_ends_clean_and_is_made_good(stage: Stage) -> None:
    """Every attempt of the SDK is throttled: the look fails or goes on, nothing is lost."""
    failing(stage)
    one = event("traffic_shift/alarm_single_metric.json")

    def play(nth: int) -> bool:
        made = 0

        def fault(moment: str, call: Call) -> None:
            nonlocal made
            made += moment == "before"
            if moment == "before" and made == nth:
                raise throttled(call.operation)

        stage.fault = fault
        answer = stage.batch(one)
        hit = made >= nth
        stage.fault = lambda moment, call: None
        if answer["batchItemFailures"]:
            stage.wait(10)
            stage.batch(one)
        stage.wait(70)
        settle(stage)
        effective = [i for i in stage.incidents() if i["stage"] == "verified"]
        assert stage.weights() == {"blue": 10, "green": 0}
        assert len(effective) == 1
        assert set(stage.told()) >= {
            "Remediation Decided: decided",
            "Remediation Acted: acted",
            "Remediation Verified: verified",
        }
        return hit

    each(range(1, 40), play)


def test_weights_changed_between_look_and_write_are_not_written_over(stage: Stage) -> None:
    failing(stage)
    sagemaker = stage.client("sagemaker")
    _on(stage, "GetMetricData", lambda: _weights(sagemaker, blue=5, green=5))

    answer = stage.batch(event("traffic_shift/alarm_single_metric.json"))

    assert [outcome["code"] for outcome in answer["outcomes"]] == ["superseded"]
    assert stage.made(WRITE) == []
    assert stage.weights() == {"blue": 5, "green": 5}
    assert stage.incident()["stage"] == "superseded"


def test_an_endpoint_that_began_to_update_between_look_and_write_is_waited_for(
    stage: Stage,
) -> None:
    failing(stage)
    sagemaker = stage.client("sagemaker")
    _on(stage, "GetMetricData", lambda: _scale(sagemaker, "green", 2))

    answer = stage.batch(event("traffic_shift/alarm_single_metric.json"))
    assert [outcome["code"] for outcome in answer["outcomes"]] == ["waiting"]
    assert stage.made(WRITE) == []

    settle(stage)
    assert stage.weights() == {"blue": 10, "green": 0}
    assert len(stage.made(WRITE)) == 1


def test_an_endpoint_that_begins_to_update_at_the_write_itself_is_waited_for(stage: Stage) -> None:
    failing(stage)
    sagemaker = stage.client("sagemaker")
    described = 0

    def last_moment() -> None:
        nonlocal described
        described += 1
        if described == 2:  # the look's own, then the one right before the write
            _scale(sagemaker, "green", 2)

    _on(stage, "DescribeEndpoint", last_moment, often=True)
    answer = stage.batch(event("traffic_shift/alarm_single_metric.json"))
    assert [outcome["code"] for outcome in answer["outcomes"]] == ["waiting"]

    settle(stage)
    assert stage.weights() == {"blue": 10, "green": 0}


@pytest.mark.parametrize("exact", [True, False])
def test_weights_in_single_precision_are_nobody_elses_change(stage: Stage, exact: bool) -> None:
    WORLD.switches.single_precision_weights = not exact
    stage.mode("act")
    stage.endpoint(blue=0.9, green=0.1)
    stage.traffic(past={"history_minutes": 60, "history_requests_per_minute": 700})
    stage.alarm()
    stage.wait(300)
    stage.traffic(green=0.3)
    stage.wait_for_alarm()

    stage.deliver()
    settle(stage)

    assert stage.incident()["stage"] == "verified"
    assert stage.weights() == {"blue": 1, "green": 0}


def test_an_alarm_made_anew_for_another_endpoint_says_nothing_of_this_one(stage: Stage) -> None:
    failing(stage)
    alarms = copy.deepcopy(stage.pending)
    stage.endpoint("other", blue=1, green=1)
    stage.alarm("green-5xx", endpoint="other")
    stage.client("cloudwatch").set_alarm_state(
        AlarmName="green-5xx", StateValue="ALARM", StateReason="test"
    )

    about = [a for a in alarms if a["detail"]["alarmName"] == "green-5xx"]
    answer = stage.batch(*about)

    assert [outcome["code"] for outcome in answer["outcomes"]] == ["settled"]
    assert stage.weights() == {"blue": 9, "green": 1}


def _on(stage: Stage, operation: str, happen: Any, often: bool = False) -> None:
    """Let something happen in the account right after the function's call of an operation."""
    done = False

    def fault(moment: str, call: Call) -> None:
        nonlocal done
        if moment == "after" and call.operation == operation and (often or not done):
            done = True
            stage._inside = False
            happen()
            stage._inside = True

    stage.fault = fault


def _change(sagemaker: Any, *changes: Mapping[str, Any]) -> None:
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=changes
    )


def _weights(sagemaker: Any, **weights: float) -> None:
    _change(sagemaker, *({"VariantName": n, "DesiredWeight": w} for n, w in weights.items()))


def _scale(sagemaker: Any, variant: str, count: int) -> None:
    _change(sagemaker, {"VariantName": variant, "DesiredInstanceCount": count})
