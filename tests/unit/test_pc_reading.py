"""Which aliases and endpoints an alarm speaks of, a rule each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.decision import Refuse
from functions.core.signals import Place, Signal, read
from functions.provisioned_concurrency.reading import ENDPOINT_ARN, targets_of

EVENTS = Path(__file__).parents[2] / "events"
HERE = Place("aws", "us-east-1", "123456789012")
LIVE = "arn:aws:lambda:us-east-1:123456789012:function:shop:live"
CHAT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/chat"

NAMED = {
    "alarm_back_to_ok": LIVE,  # a look decides by what AWS says, whatever the alarm's state is
    "alarm_on_spillover": LIVE,
    "alarm_on_spillover_of_one_version": LIVE,
    "alarm_on_utilization": LIVE,
    "alarm_on_metric_math": LIVE,
    "alarm_on_endpoint_spillover": CHAT,
    "alarm_on_endpoint_utilization": CHAT,
    "direct_on_concurrency": LIVE,
    "direct_on_spillover": LIVE,
}
REFUSED = {
    "alarm_composite_suppressed": "muted",
    "alarm_muted": "muted",
    "alarm_on_a_function": "no-alias-named",
    "alarm_on_a_version": "no-alias-named",
    "alarm_on_endpoint_latency": "not-provisioned-concurrency",
    "alarm_on_errors": "not-provisioned-concurrency",
    "alarm_on_latest": "latest-version",
    "alarm_on_the_account": "no-alias-named",
    "direct_on_another_service": "not-provisioned-concurrency",
}
COMPOSITE = {"alarm_composite", "direct_composite"}


def event(name: str, folder: str = "provisioned_concurrency") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / folder / f"{name}.json").read_text())
    return found


def signal(file: str, /, **metric: Any) -> Signal:
    """The signal of a file, its first metric with other parts."""
    envelope = event(file)
    detail = envelope.get("detail") or envelope["alarmData"]
    detail["configuration"]["metrics"][0]["metricStat"]["metric"] |= metric
    return read(envelope, HERE)


def test_the_tables_name_every_file() -> None:
    files = {path.stem for path in (EVENTS / "provisioned_concurrency").iterdir()}
    assert files == NAMED.keys() | REFUSED.keys() | COMPOSITE


@pytest.mark.parametrize("name", NAMED)
def test_an_alarm_on_provisioned_concurrency_names_its_target(name: str) -> None:
    assert targets_of(read(event(name), HERE)) == frozenset({NAMED[name]})


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_signal_for_us_is_refused_by_name(name: str) -> None:
    refusal = targets_of(read(event(name), HERE))

    assert isinstance(refusal, Refuse)
    assert refusal.code == REFUSED[name]
    assert refusal.reason


@pytest.mark.parametrize("name", COMPOSITE)
def test_a_composite_alarm_names_nothing_itself(name: str) -> None:
    assert targets_of(read(event(name), HERE)) == frozenset()


def test_a_suppressor_is_named() -> None:
    refusal = targets_of(read(event("alarm_composite_suppressed"), HERE))

    assert isinstance(refusal, Refuse)
    assert "deploying (Alarm)" in refusal.reason


def test_another_metric_of_an_alias_counts_only_in_a_direct_action() -> None:
    busy = {"name": "ConcurrentExecutions"}

    refusal = targets_of(signal("alarm_on_spillover", **busy))
    assert isinstance(refusal, Refuse)
    assert refusal.code == "not-provisioned-concurrency"
    assert targets_of(signal("direct_on_spillover", **busy)) == frozenset({LIVE})


def test_another_account_s_metric_names_nothing_here() -> None:
    envelope = event("alarm_on_spillover")
    envelope["detail"]["configuration"]["metrics"][0]["accountId"] = "210987654321"

    refusal = targets_of(read(envelope, HERE))

    assert isinstance(refusal, Refuse)
    assert refusal.code == "not-provisioned-concurrency"


@pytest.mark.parametrize(
    "resource", ["shop:../live", "shop:li ve", "shop:live:1", ":live", "sh/op:live", "shop:12", ""]
)
def test_what_no_alias_can_be_called_is_refused(resource: str) -> None:
    named = {"FunctionName": "shop", "Resource": resource}

    assert isinstance(targets_of(signal("alarm_on_spillover", dimensions=named)), Refuse)


def test_an_alias_may_begin_with_digits() -> None:
    named = {"FunctionName": "shop", "Resource": "shop:2fast"}

    targets = targets_of(signal("alarm_on_spillover", dimensions=named))

    assert targets == frozenset({LIVE.replace(":live", ":2fast")})


@pytest.mark.parametrize("name", ["../chat", "chat/x", "-chat", ""])
def test_what_no_endpoint_can_be_called_is_refused(name: str) -> None:
    refusal = targets_of(signal("alarm_on_endpoint_spillover", dimensions={"EndpointName": name}))

    assert isinstance(refusal, Refuse)
    assert refusal.code == "no-endpoint-named"


def test_metric_math_over_two_aliases_names_both() -> None:
    envelope = event("alarm_on_metric_math")
    metrics = envelope["detail"]["configuration"]["metrics"]
    metrics[2]["metricStat"]["metric"] |= {
        "name": "ProvisionedConcurrencySpilloverInvocations",
        "dimensions": {"FunctionName": "shop", "Resource": "shop:beta"},
    }

    assert targets_of(read(envelope, HERE)) == frozenset({LIVE, LIVE.replace(":live", ":beta")})


@pytest.mark.parametrize("arn", [f"{CHAT}/x", CHAT.replace("chat", "cha_t"), CHAT[:-4]])
def test_only_an_endpoint_s_arn_is_one(arn: str) -> None:
    assert ENDPOINT_ARN.fullmatch(CHAT)
    assert not ENDPOINT_ARN.fullmatch(arn)
