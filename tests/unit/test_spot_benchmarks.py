"""The benchmarks of Spot fallback: their storms are as asked for, and they judge what they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import spot_clone
from benchmarks.in_process import NOON
from benchmarks.spot_clone import NEVER_ON_SPOT, ON_PURPOSE, REQUEST, flat, leaves, named
from benchmarks.spot_jobs import COPIES, LATEST, MAX_SLACK, MIN_SLACK, START, Job, Post, draw, judge
from benchmarks.spot_scene import TICK, Blow, Losses, storm, ticks
from benchmarks.spot_storm import Storm, lookups_of, most_within, updates_of
from functions.spot_fallback import creation, training
from functions.spot_fallback.clone import clone

GROUPS = {f"g{number}": [f"i-{number}{each:04x}0000" for each in range(12)] for number in range(3)}


# storms


@pytest.fixture(scope="module")
def blows() -> list[Blow]:
    return storm(GROUPS, of_each=10, seconds=60, seed=7)


def test_a_storm_warns_and_recommends_as_many_of_each_group(blows: Sequence[Blow]) -> None:
    group_of = {id: name for name, ids in GROUPS.items() for id in ids}
    counts = Counter((group_of[blow.instance], blow.kind) for blow in blows)
    assert counts == {(n, k): 10 for n in GROUPS for k in ("warning", "rebalance")}
    assert len({(blow.kind, blow.instance) for blow in blows}) == len(blows)


def test_it_is_spread_evenly_and_groups_and_kinds_are_mixed(blows: Sequence[Blow]) -> None:
    assert [blow.at for blow in blows] == pytest.approx(list(range(60)))
    kinds = [blow.kind for blow in blows]
    assert 5 < kinds[:30].count("warning") < 25


def test_nothing_is_recommended_of_what_was_warned_already(blows: Sequence[Blow]) -> None:
    warned = {blow.instance: blow.at for blow in blows if blow.kind == "warning"}
    both = [b for b in blows if b.kind == "rebalance" and b.instance in warned]
    assert both
    assert all(blow.at < warned[blow.instance] for blow in both)


def test_a_seed_gives_one_storm_and_another_seed_another() -> None:
    assert storm(GROUPS, 5, 5, seed=1) == storm(GROUPS, 5, 5, seed=1)
    assert storm(GROUPS, 5, 5, seed=1) != storm(GROUPS, 5, 5, seed=2)


def test_in_a_tick_recommendations_go_first_and_none_is_early(blows: Sequence[Blow]) -> None:
    sent = list(ticks(blows))
    assert Counter((kind, id) for _, kind, ids in sent for id in ids) == Counter(
        (blow.kind, blow.instance) for blow in blows
    )
    moments = {(blow.kind, blow.instance): blow.at for blow in blows}
    for at, kind, ids in sent:
        assert all(at - TICK <= moments[kind, id] < at for id in ids)
    tight = [kind for _, kind, _ in ticks(storm(GROUPS, 10, TICK, seed=3))]
    assert tight == ["rebalance", "warning"]


def call(operation: str, second: float, trace: str = "t", status: int = 200, **asked: str) -> Any:
    return {
        "operation": operation,
        "time": f"2026-03-02T12:00:{second:06.3f}Z",
        "status": status,
        "trace": trace,
        "parameters": {name.replace("_", "."): value for name, value in asked.items()},
    }


def test_updates_are_told_apart_by_group_and_refused_ones_do_not_count() -> None:
    update = "UpdateAutoScalingGroup"
    calls = [
        call(update, 9, AutoScalingGroupName="a"),
        call(update, 2.5, AutoScalingGroupName="a"),
        call(update, 3, AutoScalingGroupName="b"),
        call(update, 4, status=400, AutoScalingGroupName="b"),
        call("DetachInstances", 5, AutoScalingGroupName="a"),
    ]
    found = updates_of(calls)
    assert {name: [t - found["a"][0] for t in times] for name, times in found.items()} == {
        "a": [0, 6.5],
        "b": [0.5],
    }


def test_look_ups_are_counted_by_invocation_with_what_they_name() -> None:
    lookup = "DescribeAutoScalingInstances"
    named_two = {"InstanceIds_member_1": "i-1", "InstanceIds_member_2": "i-2"}
    calls = [
        call(lookup, 1, trace="x", **named_two),
        call(lookup, 2, trace="x", InstanceIds_member_1="i-3"),
        call(lookup, 3, trace="y", InstanceIds_member_1="i-4"),
    ]
    assert lookups_of(calls) == {"x": [2, 1], "y": [1]}


@pytest.mark.parametrize(
    ("times", "most"),
    [([], 0), ([7], 1), ([0, 5, 10], 1), ([0, 4.9, 9.8], 2), ([3, 1, 2, 40], 3)],
)
def test_the_fullest_stretch_counts_and_its_end_is_not_in_it(
    times: Sequence[float], most: int
) -> None:
    assert most_within(times, 5) == most


def played(**different: Any) -> Storm:
    usual: dict[str, Any] = {
        "updates": {"a": [0, 5.5], "b": [1]},
        "firsts": {"a": 3.0, "b": 4.0},
        "lookups": {"t": [50, 50, 1]},
        "operations": {},
        "waited": 0.0,
        "losses": Losses(0, 0, 0),
        "took": 5.0,
        "whole": 9.0,
        "reports": [1.0],
        "failed": 0,
    }
    return Storm(**{**usual, **different})


def test_a_storm_is_judged_by_its_worst_group() -> None:
    assert (played().most_updates, played().crowded, played().gap) == (2, 1, 5.5)
    assert played().slowest == 4
    close = played(updates={"a": [0], "b": [0, 4, 8]})
    assert (close.most_updates, close.crowded, close.gap) == (3, 2, 4)
    assert played(updates={"a": [0], "b": [3]}).gap is None


def test_look_ups_that_could_have_been_fewer_show() -> None:
    assert played().lookup_ratio == 1
    assert played(lookups={"t": [50], "u": [25, 25]}).lookup_ratio == 2


# jobs


def test_jobs_leave_room_for_their_deadlines_and_are_of_both_types() -> None:
    jobs = draw(60, seed=1)
    slacks = [j.deadline - j.work - START for j in jobs if j.deadline is not None]
    assert len(slacks) == 40
    assert min(slacks) >= MIN_SLACK
    assert max(slacks) <= MAX_SLACK
    assert all(0 < job.lost_at < job.work for job in jobs)
    assert len({job.type for job in jobs}) == 2
    assert jobs == draw(60, seed=1) != draw(60, seed=2)


def test_every_event_arrives_in_all_its_copies_within_its_time_and_out_of_order() -> None:
    post = Post(seed=1)
    events = [{"source": "aws.sagemaker", "id": number} for number in range(20)]
    post.collect(0, [*events, {"source": "aws.ec2", "id": 99}])
    arrived: list[Mapping[str, Any]] = []
    for minute in range(LATEST + 1):
        assert not post.is_empty
        for batch in post.batches(minute):
            arrived += batch
    assert post.is_empty
    assert Counter(each["id"] for each in arrived) == dict.fromkeys(range(20), COPIES)
    assert (post.events, post.delivered) == (20, 20 * COPIES)
    firsts = list(dict.fromkeys(each["id"] for each in arrived))
    assert firsts != sorted(firsts)


def ended(name: str, minute: int, status: str = "Completed") -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "TrainingEndTime": NOON + timedelta(minutes=minute),
    }


def test_jobs_are_judged_by_what_completed_and_when() -> None:
    jobs = [
        Job(name, "ml.m5.xlarge", 60, 30, 100) for name in ("job-1", "job-11", "job-2", "job-3")
    ]
    found = judge(
        jobs,
        [
            ended("job-1", 99),
            ended("job-11", 40, "Stopped"),
            ended("job-11-od-aa", 101),
            ended("job-2", 40, "Stopped"),
            ended("job-2-od-aa", 90),
            ended("job-2-od-bb", 95),
            ended("job-3", 40, "Stopped"),
            ended("job-3-od-aa", 50, "Failed"),
        ],
        Post(seed=1),
        SimpleNamespace(calls=[("CreateTrainingJob", {})] * 4, invocations=7),  # type: ignore[arg-type]
    )
    assert (found.duplicates, found.lost, found.late) == (1, 1, ["job-11"])
    assert (found.fell_back, found.left_alone, found.created) == (3, 1, 4)
    assert found.least_slack_minutes == -1


# clones


def test_every_field_of_the_model_is_asked_for_and_none_of_what_no_spot_job_has() -> None:
    request = spot_clone.on_spot(spot_clone.value(REQUEST, spot_clone.random.Random(1), 1.0))
    asked = {named(path) for path in flat(request)}
    assert asked == {path for path in leaves(REQUEST) if not path.startswith(NEVER_ON_SPOT)}
    assert asked >= ON_PURPOSE


def test_a_path_is_of_its_field_whatever_list_or_map_it_is_in() -> None:
    assert named("InputDataConfig[2].DataSource.S3DataSource.S3Uri") == (
        "InputDataConfig.DataSource.S3DataSource.S3Uri"
    )
    assert named("HyperParameters.epochs") == "HyperParameters"
    assert named("VpcConfig.Subnets[0]") == "VpcConfig.Subnets"


def test_a_clone_that_drops_a_field_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(*given: Any) -> dict[str, Any]:
        made = clone(*given)
        made.pop("VpcConfig", None)
        return made

    monkeypatch.setattr(spot_clone, "REQUESTS", 3)
    usual = spot_clone.measure(lambda line: None)
    monkeypatch.setattr(training, "clone", forgetful)
    lost = spot_clone.measure(lambda line: None)
    assert usual.settings["lost"] == []
    assert lost.settings["lost"] == ["VpcConfig.SecurityGroupIds", "VpcConfig.Subnets"]


def test_a_record_that_is_not_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spot_clone, "REQUESTS", 3)
    monkeypatch.setattr(creation, "_members", lambda asked: {})
    lost = spot_clone.measure(lambda line: None)
    assert lost.settings["lost"] == ["SessionChainingConfig.EnableSessionTagChaining"]
