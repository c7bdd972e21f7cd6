"""Every file under events/ means what the table says: to its handler, and to `explain`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from functions.operator.handler import handler as operator
from local.cloud.sagemaker.control import put_traffic
from tests.functional import test_explain_quotas, test_explain_spot, test_pc_events
from tests.functional.test_the_way_back import percent_alarm
from tests.functional.world import FUNCTION, Context, Stage

EVENTS = Path(__file__).parents[2] / "events"
SHOP = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop"
MUTATING = {"UpdateEndpointWeightsAndCapacities"}

HANDLED = {
    "heartbeat.json": [],
    "traffic_shift/alarm_back_to_ok.json": ["settled"],
    "traffic_shift/alarm_composite.json": ["acted"],
    "traffic_shift/alarm_composite_suppressed.json": ["acted"],  # only AWS says it is suppressed
    "traffic_shift/alarm_metric_math.json": ["acted"],
    "traffic_shift/alarm_muted.json": ["muted"],
    "traffic_shift/alarm_on_another_service.json": ["not-an-endpoint"],
    "traffic_shift/alarm_on_cpu.json": ["not-failures"],
    "traffic_shift/alarm_on_latency.json": ["acted"],
    "traffic_shift/alarm_on_low_traffic.json": ["not-failures"],
    "traffic_shift/alarm_single_metric.json": ["acted"],
    "traffic_shift/direct_composite.json": ["acted"],
    "traffic_shift/direct_on_cpu.json": ["acted"],
    "traffic_shift/direct_single_metric.json": ["acted"],
    "traffic_shift/operator_intent.json": ["settled"],
}
"""Outcomes when green fails and is slow, and the alarms that the files name are in ALARM."""
ASKED = {"operator/approve.json", "operator/reject.json", "operator/revert.json"}
REFUSED = {
    "invalid/direct_foreign_account.json": "foreign-account",
    "invalid/foreign_account.json": "foreign-account",
    "invalid/foreign_alarm.json": "foreign-account",
    "invalid/intent_of_another_account.json": "foreign-account",
    "invalid/list.json": "not-an-event",
    "invalid/no_alarm_name.json": "not-an-event",
    "invalid/no_detail.json": "not-an-event",
    "invalid/no_resources.json": "not-an-event",
    "invalid/not_json.txt": "not-json",
    "invalid/null.json": "not-an-event",
    "invalid/other_region.json": "other-region",
    "invalid/state_is_text.json": "not-an-event",
    "invalid/strange_endpoint_name.json": "bad-endpoint-name",
    "invalid/time_is_a_number.json": "not-an-event",
    "invalid/time_without_zone.json": "not-an-event",
    "invalid/unknown_detail_type.json": "unknown-signal",
    "invalid/unknown_source.json": "unknown-signal",
}
UNREADABLE = {name: code for name, code in REFUSED.items() if code != "bad-endpoint-name"}
"""Refused before anybody sights a target, and so kept in the ledger."""


def files() -> list[str]:
    return sorted(str(p.relative_to(EVENTS)) for p in EVENTS.rglob("*") if p.is_file())


def text(name: str) -> str:
    return (EVENTS / name).read_text()


def codes(answer: dict[str, Any]) -> list[str]:
    return [outcome["code"] for outcome in answer["outcomes"]]


def mutations(stage: Stage) -> int:
    return sum(call.operation in MUTATING for call in stage.calls)


def test_the_tables_name_every_file() -> None:
    elsewhere = [
        *test_explain_quotas.EVENTS,
        *test_explain_spot.EVENTS,
        *test_pc_events.EVENTS,
    ]
    assert files() == sorted([*HANDLED, *ASKED, *REFUSED, *elsewhere])


@pytest.fixture
def failing(stage: Stage) -> Stage:
    everything_alarms(stage)
    return stage


def everything_alarms(stage: Stage) -> None:
    """Green fails, and the alarms of the files that are in ALARM are so here."""
    stage.scene(green=0.3)
    slow = {"green": {"error_rate": 0.3, "latency_ms": 500}}
    put_traffic({"name": "shop"}, {}, {"requests_per_minute": 600, "variants": slow})
    dimensions = [
        {"Name": "EndpointName", "Value": "shop"},
        {"Name": "VariantName", "Value": "green"},
    ]
    stage.alarm(
        "green-cpu",
        Namespace="/aws/sagemaker/Endpoints",
        MetricName="CPUUtilization",
        Dimensions=dimensions,
        AlarmActions=[FUNCTION],
    )
    percent_alarm(stage, "green-5xx-percent")
    latency = {"MetricName": "ModelLatency", "Statistic": None, "ExtendedStatistic": "p90"}
    stage.alarm("green-latency", Threshold=100_000.0, **latency)
    cloudwatch = stage.client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="canary-fails", AlarmRule='ALARM("green-5xx")')
    for alarm in ("canary-fails", "green-5xx-percent", "green-latency"):
        stage.wait_for_alarm(alarm)
    cloudwatch.set_alarm_state(AlarmName="green-cpu", StateValue="ALARM", StateReason="test")
    stage.calls.clear()


def quiet(stage: Stage) -> None:
    """No alarm is in ALARM any more."""
    cloudwatch = stage.client("cloudwatch")
    for name in ("green-5xx", "green-cpu", "green-5xx-percent", "green-latency"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")


@pytest.mark.parametrize("name", [n for n in HANDLED if not n.startswith("heartbeat")])
def test_a_signal_comes_to_what_the_table_says(failing: Stage, name: str) -> None:
    if "back_to_ok" in name:
        quiet(failing)
    event = json.loads(text(name))
    if "muted" in name:  # its word on a mute counts while it is fresh
        event["time"] = datetime.now(UTC).isoformat()

    direct = "/direct_" in name
    answer = failing.invoke(event) if direct else failing.batch(event)

    assert codes(answer) == HANDLED[name]
    assert answer["batchItemFailures"] == []
    assert mutations(failing) == (HANDLED[name] == ["acted"])
    assert failing.weights()["green"] == (0 if HANDLED[name] == ["acted"] else 1)


def test_the_heartbeat_finds_nothing_due_where_nothing_is(stage: Stage) -> None:
    assert stage.invoke(json.loads(text("heartbeat.json"))) == {
        "batchItemFailures": [],
        "outcomes": [],
    }


@pytest.mark.parametrize("name", sorted(ASKED))
def test_what_an_operator_asks_of_an_unknown_incident_is_refused(stage: Stage, name: str) -> None:
    asked = json.loads(text(name))

    answer = operator(asked, Context())

    assert answer["accepted"] is False
    assert asked["incident"] in answer["reason"]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_input_is_refused_by_name_and_harms_nobody(failing: Stage, name: str) -> None:
    good = text("traffic_shift/alarm_single_metric.json")

    answer = failing.batch(text(name), good)

    assert sorted(codes(answer)) == sorted([REFUSED[name], "acted"])
    assert answer["batchItemFailures"] == []
    assert mutations(failing) == 1


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_bad_input_is_kept_once_and_counted(stage: Stage, name: str) -> None:
    stage.mode("act")
    for _ in range(3):
        assert codes(stage.batch(text(name))) == [UNREADABLE[name]]

    [kept] = stage.records("refused#")
    assert kept["code"]["S"] == UNREADABLE[name]
    assert float(kept["times_seen"]["N"]) == 3
    assert kept["body"]["S"] == text(name)
    assert kept["expires_at"]
    assert mutations(stage) == 0


def test_a_bad_direct_invocation_is_kept_and_not_retried(stage: Stage) -> None:
    answer = stage.invoke(json.loads(text("invalid/direct_foreign_account.json")))

    assert codes(answer) == ["foreign-account"]
    assert len(stage.records("refused#")) == 1


def test_refused_signals_are_counted_as_metrics(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.batch(text("invalid/null.json"))

    metrics = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    ]
    assert [each["outcome"] for each in metrics] == ["not-an-event"]


# explain


def explained(*names: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["explain", "--json", *(str(EVENTS / n) for n in names)])
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_explain_says_one_thing_a_file_in_their_order_offline() -> None:
    names = files()
    said = explained(*names)

    assert len(said) == len(names)
    assert explained(*reversed(names)) == list(reversed(said))
    for each in said:
        assert {"remediation", "target", "signal", "refusal"} <= each.keys()


ELSEWHERE = ("foreign-account", "other-region")


@pytest.mark.parametrize("name", sorted(n for n in UNREADABLE if UNREADABLE[n] not in ELSEWHERE))
def test_explain_says_what_is_wrong_with_an_event(name: str) -> None:
    [said] = explained(name)

    assert said["refusal"]["code"] == UNREADABLE[name]
    assert said["refusal"]["reason"]
    assert said["remediation"] is None


@pytest.mark.parametrize("name", sorted(n for n in UNREADABLE if UNREADABLE[n] in ELSEWHERE))
def test_explain_takes_events_of_any_account_and_region(name: str) -> None:
    assert explained(name)[0]["refusal"] is None


ACTED = [n for n, outcome in HANDLED.items() if outcome == ["acted"] and "composite" not in n]


@pytest.mark.parametrize("name", ACTED)
def test_explain_names_target_and_remediation_of_what_is_acted_on(name: str) -> None:
    [said] = explained(name)

    assert said["remediation"] == "traffic_shift"
    assert said["target"] == SHOP
    assert said["refusal"] is None
    assert said["signal"]["state"] == "ALARM"
    assert said["signal"]["direct"] is ("/direct_" in name)
    assert said["conditions"]


@pytest.mark.parametrize("name", ["alarm_composite", "direct_composite"])
def test_explain_says_of_a_composite_that_its_children_are_asked(name: str) -> None:
    [said] = explained(f"traffic_shift/{name}.json")

    assert (said["remediation"], said["target"]) == ("traffic_shift", None)
    assert "children" in said["would"]


@pytest.mark.parametrize(
    "name",
    [n for n, outcome in HANDLED.items() if outcome in (["not-failures"], ["not-an-endpoint"])],
)
def test_explain_says_why_a_signal_is_passed_over(name: str) -> None:
    [said] = explained(name)

    assert [said["refusal"]["code"]] == HANDLED[name]


def test_explain_reads_an_event_as_a_queue_brings_it(tmp_path: Path) -> None:
    body = text("traffic_shift/alarm_single_metric.json")
    wrapped = tmp_path / "queued.json"
    wrapped.write_text(json.dumps({"Records": [{"messageId": "1", "body": body}]}))

    result = CliRunner().invoke(app, ["explain", "--json", str(wrapped)])

    assert json.loads(result.stdout)[0]["target"] == SHOP


def test_explain_says_that_a_file_is_missing() -> None:
    [said] = explained("traffic_shift/none.json")

    assert said["refusal"]["code"] == "unreadable"
