"""What `explain` says offline of each event under events/ that speaks of provisioned concurrency."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional import test_pc_events
from tests.functional.test_explain_quotas import FILES, explained

PLACE = "us-east-1:123456789012"
LIVE = f"arn:aws:lambda:{PLACE}:function:shop:live"
CHAT = f"arn:aws:sagemaker:{PLACE}:endpoint/chat"

SAID = {
    "alarm_back_to_ok": LIVE,
    "alarm_on_endpoint_spillover": CHAT,
    "alarm_on_endpoint_utilization": CHAT,
    "alarm_on_metric_math": LIVE,
    "alarm_on_spillover": LIVE,
    "alarm_on_spillover_of_one_version": LIVE,
    "alarm_on_utilization": LIVE,
    "direct_on_concurrency": LIVE,
    "direct_on_spillover": LIVE,
}
"""Alarms that are answered, and the target."""
REFUSED = {
    "alarm_muted": "muted",
    "alarm_on_a_function": "no-alias-named",
    "alarm_on_a_version": "no-alias-named",
    "alarm_on_errors": "not-an-endpoint",
    "alarm_on_latest": "latest-version",
    "alarm_on_the_account": "no-alias-named",
    "direct_on_another_service": "not-an-endpoint",
}
"""Alarms that nothing follows from, and why."""
CHILDREN = {"alarm_composite", "alarm_composite_suppressed", "direct_composite"}
"""Composite alarms, which do not tell what they watch."""
OTHERS = {"alarm_on_endpoint_latency"}
"""Alarms that another remediation answers."""
INVALID = {
    "pc_spillover_of_strange_alias": "no-alias-named",
    "pc_spillover_of_strange_dimensions": "no-alias-named",
    "pc_spillover_of_strange_endpoint": "no-endpoint-named",
}


def test_the_tables_name_every_event() -> None:
    assert {*SAID, *REFUSED, *CHILDREN, *OTHERS} == test_pc_events.HANDLED.keys()
    assert {*INVALID, "pc_spillover_of_another_account"} == test_pc_events.INVALID.keys()


@pytest.mark.parametrize("name", SAID)
def test_the_alias_or_endpoint_is_named(name: str) -> None:
    [said] = explained(f"provisioned_concurrency/{name}.json")

    assert (said["remediation"], said["refusal"]) == ("provisioned_concurrency", None)
    assert said["target"] == SAID[name]
    assert said["readings"] == [{"kind": "alarm", "target": SAID[name]}]
    assert "goes up once" in said["would"]
    assert any("ml-remediation:provisioned-concurrency" in each for each in said["conditions"])
    assert said["signal"]["direct"] is ("direct" in name)


@pytest.mark.parametrize("name", [*REFUSED, *INVALID])
def test_what_nothing_follows_from_is_refused_by_name(name: str) -> None:
    folder = "invalid" if name in INVALID else "provisioned_concurrency"
    [said] = explained(f"{folder}/{name}.json")

    assert said["refusal"]["code"] == (REFUSED | INVALID)[name]
    assert said["refusal"]["reason"]
    assert said["remediation"] is said["target"] is None


@pytest.mark.parametrize("name", sorted(CHILDREN))
def test_a_composite_alarm_s_children_are_asked(name: str) -> None:
    [said] = explained(f"provisioned_concurrency/{name}.json")

    assert said["target"] is None
    assert "children" in said["would"]
    assert "provisioned concurrency" in said["would"]


def test_an_endpoint_s_latency_is_for_traffic_shift() -> None:
    [said] = explained("provisioned_concurrency/alarm_on_endpoint_latency.json")

    assert (said["remediation"], said["target"]) == ("traffic_shift", CHAT)


def test_another_account_s_alarm_is_explained_as_that_account_s() -> None:
    [said] = explained("invalid/pc_spillover_of_another_account.json")

    assert said["remediation"] == "provisioned_concurrency"
    assert said["target"].split(":")[4] != "123456789012"


def test_several_targets_are_all_told(tmp_path: Path) -> None:
    alarm = json.loads((FILES / "provisioned_concurrency/alarm_on_spillover.json").read_text())
    metrics = alarm["detail"]["configuration"]["metrics"]
    second = json.loads(json.dumps(metrics[0]))
    second["metricStat"]["metric"]["dimensions"]["Resource"] = "shop:beta"
    metrics.append(second)
    path = tmp_path / "event.json"
    path.write_text(json.dumps(alarm))
    [said] = explained(path)

    assert said["target"] == f"{LIVE.removesuffix('live')}beta"
    assert [each["target"] for each in said["readings"]] == [said["target"], LIVE]
