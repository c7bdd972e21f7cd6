"""Settings that are unknown, malformed or unsafe never reach an account."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from functions.core.settings import SettingsError
from infra.settings import StackSettings, read_settings
from infra.settings_table import BEGIN, END, render_table


def test_settings_may_be_left_out():
    assert read_settings(None) == read_settings({}) == StackSettings()


def test_the_settings_that_are_delivered_are_the_defaults(context):
    assert read_settings(context["remediation"]) == StackSettings()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("observe", "remediation must be an object"),
        ([], "remediation must be an object"),
        ({"cores": {}}, "remediation.cores is not a setting; did you mean 'core'?"),
        ({"core": None}, "remediation.core must be an object"),
        ({"mode": "act"}, "remediation.mode is not a setting"),
        (
            {"core": {"cooldown_secconds": 300}},
            "remediation.core.cooldown_secconds is not a setting; did you mean 'cooldown_seconds'?",
        ),
        ({"core": {"cooldown_seconds": -1}}, "remediation.core.cooldown_seconds must be from 0"),
        ({"core": {"cooldown_seconds": True}}, "must be int, not True"),
        ({"core": {"cooldown_seconds": "300"}}, "must be int, not '300'"),
        ({"core": {"cooldown_seconds": None}}, "must be int, not None"),
        ({"core": {"cooldown_seconds": float("nan")}}, "must be int, not nan"),
        ({"core": {"limits": {"actions_per_hour": 1001}}}, "must be from 0 to 1000"),
        ({"core": {"limits": 4}}, "remediation.core.limits must be an object"),
        ({"traffic_shift": {"minimum_requests": 0}}, "must be from 1"),
        ({"infrastructure": {"log_retention_days": 31}}, "must be one of 1, 3, 5, 7, 14, 30"),
        ({"infrastructure": {"notify_emails": "me@example.com"}}, "must be a list"),
        ({"infrastructure": {"notify_emails": ["nobody"]}}, "notify_emails[0] is 'nobody'"),
        ({"infrastructure": {"memory_mb": 128}}, "must be from 256 to 3008"),
        ({"infrastructure": {"batch_size": 0}}, "must be from 1 to 10"),
        ({"infrastructure": {"batching_window_seconds": 301}}, "must be from 0 to 300"),
        ({"infrastructure": {"maximum_concurrency": 1}}, "must be from 2 to 1000"),
        ({"infrastructure": {"dashboard": 1}}, "must be bool, not 1"),
    ],
)
def test_a_setting_that_may_not_be_deployed_is_refused(settings, sentence):
    with pytest.raises(SettingsError) as refusal:
        read_settings(settings)
    assert sentence in str(refusal.value)


def test_synth_stops_with_a_sentence_for_each_thing_to_change(root, tmp_path):
    settings = {"core": {"cooldown": 1}, "infrastructure": {"batch_size": 11}}
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=root,
        env={
            **os.environ,
            "CDK_CONTEXT_JSON": json.dumps({"remediation": settings}),
            "CDK_OUTDIR": str(tmp_path / "out"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "remediation.core.cooldown is not a setting" in run.stderr
    assert "remediation.infrastructure.batch_size must be from 1 to 10, not 11." in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out" / "MlCapacityRemediation.template.json").exists()


def test_settings_reach_what_they_set(synthesize):
    template = synthesize(
        {
            "infrastructure": {
                "notify_emails": ["on-call@example.com"],
                "log_retention_days": 7,
                "memory_mb": 512,
                "batch_size": 1,
                "maximum_concurrency": 2,
                "dashboard": False,
            }
        }
    )

    def properties(kind: str) -> list[dict[str, object]]:
        return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]

    (subscription,) = properties("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")
    assert {g["RetentionInDays"] for g in properties("AWS::Logs::LogGroup")} == {7}
    assert {f["MemorySize"] for f in properties("AWS::Lambda::Function")} == {512}
    (mapping,) = properties("AWS::Lambda::EventSourceMapping")
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert properties("AWS::CloudWatch::Dashboard") == []
    assert "DashboardName" not in template["Outputs"]


def test_the_readme_lists_every_setting(root):
    readme = (root / "README.md").read_text()
    assert BEGIN in readme, f"README.md needs the markers {BEGIN} and {END}"
    listed = readme.partition(BEGIN)[2].partition(END)[0].strip()
    assert listed == render_table(), "put in README.md what `python -m infra.settings_table` prints"
