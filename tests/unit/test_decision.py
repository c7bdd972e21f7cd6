"""What traffic shift decides of an endpoint, told by the observation alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.decision import Act, Decision, Move, Refuse, Settled, Wait
from functions.core.incident import Incident, Stage
from functions.traffic_shift.decision import Health, decide, judge, relevant
from functions.traffic_shift.observation import Load, Observation, Rules, Variant
from tests.unit.endpoints import RULES, SHOP, alarm, endpoint, metric, watch, weights

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def decided(seen: Observation, incident: Incident | None = None, rules: Rules = RULES) -> Decision:
    return decide(seen, incident, rules)


def code(decision: Decision) -> str:
    assert isinstance(decision, Refuse), decision
    return decision.code


# moves


def test_a_failing_variant_gives_all_its_traffic_to_the_one_that_is_well() -> None:
    act = decided(endpoint({"blue": 9, "green": 1}))

    assert isinstance(act, Act)
    assert weights(act.write) == weights(act.goal) == {"blue": 10, "green": 0}
    assert act.move is Move.SAFETY
    assert "green fails (green-5xx in ALARM), blue is well" in act.reason
    assert act.evidence["alarms"]["green-5xx"]["values"]["green"] == [0.3, 0.3, 0.3]
    assert act.evidence["health"] == {"blue": "well"}


def test_the_healthy_take_over_in_proportion_to_what_they_serve() -> None:
    act = decided(endpoint({"blue": 6, "red": 2, "green": 4}))

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": 9, "red": 3, "green": 0}


def test_a_variant_of_unknown_health_keeps_what_it_has() -> None:
    act = decided(endpoint({"blue": 6, "red": 2, "green": 4}, per_minute={"red": 1}))

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": 10, "red": 2, "green": 0}


def test_a_sick_variant_without_an_alarm_of_its_own_takes_nothing_over() -> None:
    seen = endpoint({"blue": 6, "red": 2, "green": 4}, watch({"red": [0.2, 0.2, 0.2]}))
    act = decided(seen)

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": 10, "red": 2, "green": 0}


def test_two_failing_variants_both_give_theirs() -> None:
    red = watch(named=["red"], name="red-5xx")
    act = decided(endpoint({"blue": 6, "red": 2, "green": 4}, watch(), red))

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": 12, "red": 0, "green": 0}


def test_the_healthy_share_alike_when_they_served_lately_but_weigh_nothing() -> None:
    seen = endpoint({"blue": 0, "red": 0, "green": 4}, per_minute={"blue": 100, "red": 100})
    act = decided(seen)

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": 2, "red": 2, "green": 0}


def test_serverless_variants_without_counts_move_at_once() -> None:
    seen = endpoint(counts={"blue": None, "green": None}, busiest={"blue": None, "green": None})
    act = decided(seen)

    assert isinstance(act, Act)
    assert weights(act.write) == {"blue": 10, "green": 0}


def test_weights_in_single_precision_move_whole() -> None:
    tenth = 0.10000000149011612
    act = decided(endpoint({"blue": 0.8999999761581421, "green": tenth}))

    assert isinstance(act, Act)
    assert weights(act.goal) == {"blue": pytest.approx(1), "green": 0}
    assert weights(act.write) == weights(act.goal)


# no need


def test_no_alarm_in_alarm_is_settled() -> None:
    assert isinstance(decided(endpoint(None, watch(state="OK"))), Settled)
    assert isinstance(decided(endpoint(None, watch(state="INSUFFICIENT_DATA"))), Settled)


def test_a_failing_variant_that_serves_nothing_is_settled() -> None:
    assert isinstance(decided(endpoint({"blue": 10, "green": 0})), Settled)


def test_alarms_on_other_things_are_settled() -> None:
    cpu = watch(metrics=[metric("CPUUtilization", namespace="/aws/sagemaker/Endpoints")])
    settled = decided(endpoint(None, cpu))

    assert isinstance(settled, Settled)
    assert "neither errors nor latency" in settled.reason


# refusals


def test_a_muted_alarm_is_not_acted_on() -> None:
    muted = watch(muted_by="release-night")
    refusal = decided(endpoint(None, muted))

    assert code(refusal) == "muted"
    assert "release-night" in refusal.reason


def test_one_unmuted_alarm_among_muted_ones_speaks() -> None:
    red = watch(named=["red"], name="red-5xx", muted_by="release-night")
    act = decided(endpoint({"blue": 6, "red": 2, "green": 4}, red, watch()))

    assert isinstance(act, Act)
    assert weights(act.goal)["green"] == 0
    assert weights(act.goal)["red"] > 0


@pytest.mark.parametrize(
    "status", ["Updating", "Creating", "Failed", "RollingBack", "SystemUpdating", "OutOfService"]
)
def test_an_endpoint_not_in_service_allows_no_change(status: str) -> None:
    assert code(decided(endpoint(status=status))) == "not-in-service"


def test_a_single_variant_has_nowhere_to_go() -> None:
    assert code(decided(endpoint({"green": 1}))) == "single-variant"


def test_an_alarm_that_names_no_variant_says_not_which_one_fails() -> None:
    refusal = decided(endpoint(None, watch(named=())))

    assert code(refusal) == "no-variant-named"
    assert isinstance(refusal, Refuse)
    assert refusal.page


def test_an_alarm_that_compares_variants_says_not_which_one_fails() -> None:
    refusal = decided(endpoint(None, watch(named=("blue", "green"))))

    assert code(refusal) == "several-variants"
    assert isinstance(refusal, Refuse)
    assert refusal.page


def test_an_alarm_on_a_variant_that_is_gone_moves_nothing() -> None:
    assert code(decided(endpoint({"blue": 5, "red": 5}))) == "variant-gone"


def test_when_every_variant_has_an_alarm_there_is_nowhere_to_go() -> None:
    blue = watch(named=["blue"], name="blue-5xx")
    refusal = decided(endpoint(None, watch(), blue))

    assert code(refusal) == "other-sick"
    assert isinstance(refusal, Refuse)
    assert refusal.page
    assert "every variant fails" in refusal.reason


def test_when_the_other_fails_alike_it_is_no_failure_of_one_variant() -> None:
    refusal = decided(endpoint(None, watch({"blue": [0.2, 0.2, 0.2]})))

    assert code(refusal) == "other-sick"
    assert isinstance(refusal, Refuse)
    assert refusal.page
    assert refusal.evidence["health"] == {"blue": "sick"}


@pytest.mark.parametrize(
    "unknown",
    [
        endpoint(per_minute={"blue": 6.6}),  # 19.8 requests in 3 minutes
        endpoint(None, watch({"blue": []}, missing="missing")),
        endpoint(None, watch(threshold=None, comparison="GreaterThanUpperThreshold")),
        endpoint(busiest={"blue": None}),
    ],
    ids=["too few requests", "no data", "an anomaly band", "never busy"],
)
def test_when_it_is_unknown_whether_the_other_is_well_a_person_is_called(
    unknown: Observation,
) -> None:
    refusal = decided(unknown)

    assert code(refusal) == "other-unknown"
    assert isinstance(refusal, Refuse)
    assert refusal.page


# judging

BLUE = Variant("blue", 9, 9, 1, 1)
BUSY = Load(600, 200, 1000)


@pytest.mark.parametrize(
    ("values", "health"),
    [
        ([0.0, 0.0, 0.0], Health.WELL),
        ([0.05, 0.05, 0.05], Health.WELL),  # greater than, not equal
        ([0.0, 0.06, 0.0], Health.WELL),  # one of the two that the alarm asks for
        ([0.0, 0.06, 0.06], Health.SICK),
        ([0.06, 0.0, 0.06], Health.SICK),
        ([], Health.WELL),  # missing data is not breaching
    ],
)
def test_a_variant_is_judged_by_the_alarms_own_rule(values: list[float], health: Health) -> None:
    assert judge(BLUE, [watch({"blue": values})], BUSY, RULES) is health


@pytest.mark.parametrize(
    ("comparison", "values", "health"),
    [
        ("GreaterThanThreshold", [0.05, 0.05], Health.WELL),
        ("GreaterThanOrEqualToThreshold", [0.05, 0.05], Health.SICK),
        ("LessThanThreshold", [0.05, 0.05], Health.WELL),
        ("LessThanThreshold", [0.04, 0.04], Health.SICK),
        ("LessThanOrEqualToThreshold", [0.05, 0.05], Health.SICK),
    ],
)
def test_each_comparison_means_what_it_says(
    comparison: str, values: list[float], health: Health
) -> None:
    judged = judge(BLUE, [watch({"blue": values}, comparison=comparison)], BUSY, RULES)

    assert judged is health


def test_of_more_datapoints_than_are_looked_at_three_are_enough() -> None:
    slow = watch({"blue": [0.06, 0.06, 0.06]}, periods=10, datapoints=8)

    assert judge(BLUE, [slow], BUSY, RULES) is Health.SICK


def test_sick_by_one_alarm_is_sick_though_another_knows_nothing() -> None:
    latency = watch({"blue": []}, name="latency", missing="missing")
    errors = watch({"blue": [0.1, 0.1, 0.1]})

    assert judge(BLUE, [latency, errors], BUSY, RULES) is Health.SICK
    assert judge(BLUE, [latency, watch()], BUSY, RULES) is Health.UNKNOWN


@pytest.mark.parametrize(
    ("requests", "health"), [(19, Health.UNKNOWN), (20, Health.WELL), (21, Health.WELL)]
)
def test_so_many_requests_are_enough_and_one_fewer_is_not(requests: int, health: Health) -> None:
    assert judge(BLUE, [watch()], Load(requests, requests / 3, 1000), RULES) is health


@pytest.mark.parametrize(
    ("metrics", "relevance"),
    [
        ([metric("Invocation5XXErrors")], True),
        ([metric("Invocation4XXErrors")], True),
        ([metric("InvocationModelErrors")], True),
        ([metric("ModelLatency")], True),
        ([metric("OverheadLatency")], True),
        ([metric("Invocation5XXErrors"), metric("Invocations")], True),
        ([metric("Invocations")], False),
        ([metric("CPUUtilization", namespace="/aws/sagemaker/Endpoints")], False),
        ([metric("Invocation5XXErrors"), metric("InvocationsPerInstance")], False),
        ([metric("Invocation5XXErrors", namespace="Mine")], False),
    ],
)
def test_only_errors_and_latency_of_sagemaker_are_failures(
    metrics: list[Any], relevance: bool
) -> None:
    assert relevant(alarm(metrics=metrics), False) is relevance
    assert relevant(alarm(metrics=metrics), True)  # the alarm's own action says so


def test_errors_that_are_too_few_are_no_failure() -> None:
    assert not relevant(alarm(comparison="LessThanThreshold"), False)


# going on


def under_way(seen: Observation, **changes: Any) -> Incident:
    """Green's traffic is half on its way to blue."""
    incident = Incident.opened("traffic_shift", SHOP, NOON)
    values: dict[str, Any] = {
        "stage": Stage.ACTED,
        "before": {n: {"weight": w, "count": 1} for n, w in [("blue", 2), ("green", 8)]},
        "written": dict(seen.dial),
        "goal": {n: {"weight": w, "count": 2} for n, w in [("blue", 10), ("green", 0)]},
        "evidence": {"instances": {"blue": [1, 2]}},
        "attempts": 1,
    }
    return replace(incident, **values | changes)


def halfway(*watches: Any, **different: Any) -> Observation:
    return endpoint({"blue": 5, "green": 5}, *watches, **different)


def test_it_goes_on_to_the_goal_though_the_alarm_is_over() -> None:
    seen = halfway(watch(state="OK"))
    act = decided(seen, under_way(seen))

    assert isinstance(act, Act)
    assert weights(act.write) == {"blue": 10, "green": 0}


def test_at_the_goal_it_is_settled() -> None:
    seen = endpoint({"blue": 10, "green": 0})

    assert isinstance(decided(seen, under_way(seen)), Settled)


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack"])
def test_it_waits_while_the_endpoint_is_on_its_way(status: str) -> None:
    seen = halfway(status=status)

    assert isinstance(decided(seen, under_way(seen)), Wait)


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_fails_after_the_change_calls_a_person(status: str) -> None:
    seen = halfway(status=status)
    refusal = decided(seen, under_way(seen))

    assert code(refusal) == "endpoint-failed"
    assert isinstance(refusal, Refuse)
    assert refusal.page


def test_it_stops_when_the_one_taking_over_begins_to_fail() -> None:
    seen = halfway(watch(), watch(named=["blue"], name="blue-5xx"))
    refusal = decided(seen, under_way(seen))

    assert code(refusal) == "other-sick"
    assert isinstance(refusal, Refuse)
    assert refusal.page


def test_a_stop_forgets_none_of_the_instances_that_were_added() -> None:
    seen = halfway(watch(), watch(named=["blue"], name="blue-5xx"))
    refusal = decided(seen, under_way(seen))

    assert isinstance(refusal, Refuse)
    assert refusal.evidence["instances"] == {"blue": [1, 2]}


def test_without_any_traffic_seen_it_does_not_take_the_rest_over() -> None:
    seen = halfway(per_minute={"blue": 0, "green": 0})

    assert isinstance(decided(seen, under_way(seen)), Wait)
