"""Every recorded event of provisioned concurrency comes to what the table says; bad ones harm nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.concurrency import LIVE, Warm, codes, warm
from tests.functional.world import FUNCTION, Stage

FILES = Path(__file__).parents[2] / "events"
HANDLED = {
    "alarm_back_to_ok": ["settled"],
    "alarm_composite": ["acted"],
    "alarm_composite_suppressed": ["muted"],
    "alarm_muted": ["muted"],
    "alarm_on_a_function": ["no-alias-named"],
    "alarm_on_a_version": ["no-alias-named"],
    "alarm_on_endpoint_latency": ["not-provisioned-concurrency"],
    "alarm_on_endpoint_spillover": ["acted"],
    "alarm_on_endpoint_utilization": ["acted"],
    "alarm_on_errors": ["not-provisioned-concurrency"],
    "alarm_on_latest": ["latest-version"],
    "alarm_on_metric_math": ["acted"],
    "alarm_on_spillover": ["acted"],
    "alarm_on_spillover_of_one_version": ["acted"],
    "alarm_on_the_account": ["no-alias-named"],
    "alarm_on_utilization": ["acted"],
    "direct_composite": ["acted"],
    "direct_on_another_service": ["not-provisioned-concurrency"],
    "direct_on_concurrency": ["acted"],
    "direct_on_spillover": ["acted"],
}
"""Outcomes where what is provisioned of the alias and the endpoint that the files name is too little."""
INVALID = {
    "pc_spillover_of_another_account": "foreign-account",
    "pc_spillover_of_strange_alias": "no-alias-named",
    "pc_spillover_of_strange_dimensions": "no-alias-named",
    "pc_spillover_of_strange_endpoint": "no-endpoint-named",
}
EVENTS = [
    *(f"provisioned_concurrency/{name}.json" for name in HANDLED),
    *(f"invalid/{name}.json" for name in INVALID),
]


@pytest.fixture
def spilling(stage: Stage) -> Iterator[Warm]:
    with warm(stage) as scene:
        scene.function()
        scene.endpoint(provisioned=2)
        scene.provision(2)
        stage.wait(120)
        scene.send(8)
        scene.request(8)
        child, composite = "shop-live-spills", "shop-is-cold"
        stage.alarm(
            child,
            Namespace="AWS/Lambda",
            MetricName="ProvisionedConcurrencySpilloverInvocations",
            Dimensions=[
                {"Name": "FunctionName", "Value": "shop"},
                {"Name": "Resource", "Value": "shop:live"},
            ],
            Statistic="Sum",
            EvaluationPeriods=1,
            Threshold=0.0,
        )
        stage.client("cloudwatch").put_composite_alarm(
            AlarmName=composite, AlarmRule=f"ALARM({child})", AlarmActions=[FUNCTION]
        )
        stage.pretend_swept("provisioned_concurrency")
        stage.wait(185)
        yield scene


def event(name: str, folder: str = "provisioned_concurrency") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FILES / folder / f"{name}.json").read_text())
    return found


def test_the_tables_name_every_file() -> None:
    assert sorted(HANDLED) == sorted(p.stem for p in (FILES / "provisioned_concurrency").iterdir())
    assert sorted(INVALID) == sorted(p.stem for p in (FILES / "invalid").glob("pc_*"))


@pytest.mark.parametrize("name", HANDLED)
def test_a_signal_comes_to_what_the_table_says(spilling: Warm, name: str) -> None:
    if name == "alarm_back_to_ok":
        spilling.send(1)
        spilling.stage.wait(300)
    stage = spilling.stage
    answer = stage.invoke(event(name)) if "direct" in name else stage.batch(event(name))

    assert codes(answer) == HANDLED[name]
    assert answer["batchItemFailures"] == []
    assert len(spilling.writes()) == (HANDLED[name] == ["acted"])


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_event_is_refused_by_name_and_harms_no_batch_mate(spilling: Warm, name: str) -> None:
    answer = spilling.stage.batch(event(name, "invalid"), event("alarm_on_spillover"))

    assert codes(answer) == [INVALID[name], "acted"]
    assert answer["batchItemFailures"] == []
    assert [each["target"] for each in answer["outcomes"][1:]] == [LIVE]


@pytest.mark.parametrize(
    "envelope",
    [
        {"source": "aws.lambda", "detail-type": "Lambda Function Invocation Result - Failure"},
        {"source": "aws.sagemaker", "detail-type": "SageMaker Endpoint State Change"},
    ],
)
def test_an_event_of_another_kind_is_kept_and_refused(
    spilling: Warm, envelope: dict[str, str]
) -> None:
    answer = spilling.stage.batch(event("alarm_on_spillover") | envelope)

    assert codes(answer) == ["unknown-signal"]
    assert len(spilling.stage.records("refused#")) == 1


def test_a_function_without_the_tag_is_never_touched_nor_recorded(stage: Stage) -> None:
    with warm(stage) as scene:
        scene.function(tags={})

        answer = stage.batch(event("alarm_on_spillover"))

        assert codes(answer) == ["not-opted-in"]
        assert stage.incidents() == []


@pytest.mark.parametrize(("tag", "code"), [("yes", "bad-tag"), ("off", "tag-off")])
def test_a_tag_that_is_off_or_unknown_touches_nothing(stage: Stage, tag: str, code: str) -> None:
    with warm(stage) as scene:
        scene.function(tags={"ml-remediation:provisioned-concurrency": tag})

        assert codes(stage.batch(event("alarm_on_spillover"))) == [code]


@pytest.mark.parametrize("name", ["alarm_on_spillover", "alarm_on_endpoint_spillover"])
def test_an_alarm_on_what_is_gone_is_passed_over(stage: Stage, name: str) -> None:
    with warm(stage):
        [code] = codes(stage.batch(event(name)))

    assert code in ("gone", "not-opted-in")  # SageMaker tells no tags of what is not there
    assert stage.incidents() == []


def test_alarms_on_one_alias_are_one_look(spilling: Warm) -> None:
    answer = spilling.stage.batch(event("alarm_on_spillover"), event("alarm_on_utilization"))

    assert codes(answer) == ["acted"]
    assert spilling.stage.incident()["causes"].keys() == {"shop-live-spills", "shop-live-full"}
