"""Settings that are unknown, malformed or unsafe never reach an account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from functions.core.settings import SettingsError
from functions.quota_increase.settings import QuotaIncreaseSettings
from infra.settings import StackSettings, read_settings
from infra.settings_table import BEGIN, END, render_table


def quotas(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Settings with these rules, each what it says of a rule that is well; without any, one."""
    well = {"service": "sagemaker", "quota": "ml.* usage", "max": 16, "max_growth": 8}
    return {"quota_increase": {"quotas": [well | rule for rule in rules or (changes,)]}}


ROLE = "arn:aws:iam::123456789012:role/"


def spot(**own: Any) -> dict[str, Any]:
    return {"spot_fallback": own}


def prices(*each: dict[str, Any]) -> dict[str, Any]:
    """Settings with these prices, each what it says of one that is well."""
    well = {"instance_type": "g5.xlarge", "on_demand": 1.006, "spot": 0.4}
    return spot(prices=[well | price for price in each])


def test_settings_may_be_left_out():
    assert read_settings(None) == read_settings({}) == StackSettings()


def test_the_settings_that_are_delivered_are_the_defaults_but_for_the_quotas(context):
    delivered = read_settings(context["remediation"])
    quotas = delivered.quota_increase.quotas
    assert delivered == StackSettings(quota_increase=QuotaIncreaseSettings(quotas=quotas))


def test_no_quota_is_opted_in_unless_a_rule_says_so():
    assert StackSettings().quota_increase.quotas == ()


@pytest.mark.parametrize(
    ("service", "code", "name"),
    [
        ("sagemaker", "L-09B4A649", "ml.p4d.24xlarge for training job usage"),
        ("sagemaker", "L-82733FAD", "ml.p5.48xlarge for spot training job usage"),
        ("sagemaker", "L-0100B823", "ml.g5.48xlarge for endpoint usage"),
        ("sagemaker", "L-00C91CB5", "Number of instances across all training jobs"),
        ("ec2", "L-417A185B", "Running On-Demand P instances"),
        ("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances"),
        ("ec2", "L-C4BD4855", "All P5 Spot Instance Requests"),
        ("ec2", "L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests"),
        ("ec2", "L-3819A6DF", "All G and VT Spot Instance Requests"),
        ("lambda", "L-B99A9384", "Concurrent executions"),
    ],
)
def test_the_quotas_of_ml_capacity_are_delivered_opted_in(context, service, code, name):
    rules = read_settings(context["remediation"]).quota_increase.quotas
    rule = next(each for each in rules if each.covers(service, code, name))
    assert rule.mode == "act"
    assert 0 < rule.max_growth <= rule.max


@pytest.mark.parametrize(
    ("service", "code", "name"),
    [
        ("ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"),
        ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs"),
        ("sagemaker", "L-00000000", "ml.m5.large for notebook instance usage"),
        ("sagemaker", "L-00000001", "Number of HyperPod clusters allowed per account"),
        ("iam", "L-FE177D64", "Roles per account"),
    ],
)
def test_other_quotas_are_delivered_left_alone(context, service, code, name):
    rules = read_settings(context["remediation"]).quota_increase.quotas
    assert not any(each.covers(service, code, name) for each in rules)


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
        ({"quota_increase": {"quotas": [{}]}}, "quotas[0].service is missing and has no default"),
        ({"quota_increase": {"quotas": {}}}, "remediation.quota_increase.quotas must be a list"),
        (quotas(max=-1), "remediation.quota_increase.quotas[0].max must be from 0"),
        (quotas(maximum=1), "quotas[0].maximum is not a setting; did you mean 'max'?"),
        (quotas(mode="on"), "quotas[0].mode must be one of off, observe, approve, act"),
        (quotas(service="Amazon EC2"), "quotas[0].service is 'Amazon EC2', which is neither"),
        (quotas(service=""), "quotas[0].service is '', which is neither a service code"),
        (
            quotas({"quota": "Ml.* Usage"}, {"quota": "other"}, {"service": "SAGEMAKER"}),
            "quotas[2] would never count: quotas[0] is of the same service and quota",
        ),
        (
            quotas(*({"quota": f"ml.p{i}.48xlarge for training job usage"} for i in range(40))),
            "a Lambda function has room for",
        ),
        (
            {"quota_increase": {"hot_percent": 60, "target_percent": 60}},
            "target_percent is 60, which is not below hot_percent, 60",
        ),
        ({"quota_increase": {"global_region": "Virginia"}}, "global_region is 'Virginia'"),
        ({"quota_increase": {"scan": "hourly"}}, "must be one of report, metrics, off"),
        (spot(role=[]), "remediation.spot_fallback.role is not a setting; did you mean 'roles'?"),
        (spot(roles=["training"]), "remediation.spot_fallback.roles[0] is 'training', which"),
        (spot(roles=[f"{ROLE}ml-*", f"{ROLE}*"]), "spot_fallback.roles[1] is"),
        (spot(roles=[f"{ROLE}*"]), "which any role fits"),
        (spot(roles=[f"{ROLE}**"]), "which any role fits"),
        (spot(roles=[f"{ROLE}*/*"]), "which any role fits"),
        (
            spot(roles=[f"{ROLE}training-of-team-{i}-{'x' * 40}" for i in range(40)]),
            "remediation.spot_fallback takes",
        ),
        (spot(fallback_types=["g5.xlarge"]), "fallback_types[0] is 'g5.xlarge', which does not"),
        (spot(on_demand_units=-1), "spot_fallback.on_demand_units must be from 0 to 1000"),
        (prices({}, {"spot": 0.5}), "spot_fallback.prices[1] is of g5.xlarge, as prices[0] is"),
        (prices({"spot": 1.1}), "prices[0].on_demand is 1.006, below its spot, 1.1"),
        (prices({"on_demand": 0, "spot": 0}), "prices[0].on_demand is 0; leave out a type"),
        (prices({"on_demand": -1}), "prices[0].on_demand must be from 0"),
        (prices({"on_demand": float("nan")}), "prices[0].on_demand must be from 0"),
        (prices({"on_demand": "1.006"}), "prices[0].on_demand must be float or int, not '1.006'"),
        (prices({"on_demand": True}), "prices[0].on_demand must be float or int, not True"),
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


@pytest.mark.parametrize(
    "role",
    ["training", "ml-*", "service-role/*", "*-training", "team/*/training"],
)
def test_roles_may_be_named_by_any_part_of_their_names(role):
    settings = read_settings(spot(roles=[ROLE + role]))
    assert settings.spot_fallback.roles == (ROLE + role,)


def test_prices_may_leave_spots_to_ec2_and_be_the_same_in_both_markets():
    found = read_settings(
        prices({"spot": 0}, {"instance_type": "g5.2xlarge", "on_demand": 2, "spot": 2})
    )
    assert [(each.on_demand, each.spot) for each in found.spot_fallback.prices] == [
        (1.006, 0),
        (2, 2),
    ]


def test_what_is_too_long_is_told_with_what_would_shorten_it():
    roles = [f"{ROLE}training-of-team-{i}-{'x' * 40}" for i in range(40)]
    with pytest.raises(SettingsError) as refusal:
        read_settings(spot(roles=roles))
    assert "let fewer roles say more with patterns" in str(refusal.value)
    assert len(refusal.value.problems) == 1


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
    sizes = [m["BatchSize"] for m in properties("AWS::Lambda::EventSourceMapping")]
    assert sorted(map(str, sizes)) == ["1", "1", "1", "1000"]
    for mapping in properties("AWS::Lambda::EventSourceMapping"):
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert properties("AWS::CloudWatch::Dashboard") == []
    assert "DashboardName" not in template["Outputs"]


def test_a_setting_that_is_a_list_of_settings_shows_each_of_them():
    rows = {row.split("|")[1].strip(): row for row in render_table().splitlines()}
    assert "| none | a list |" in rows["`quota_increase.quotas`"]
    for name in ("service", "quota", "max", "max_growth"):
        assert "| required |" in rows[f"`quota_increase.quotas[].{name}`"]
    assert "| act | off, observe, approve, act |" in rows["`quota_increase.quotas[].mode`"]
    assert "| required | 0 to 10000 |" in rows["`spot_fallback.prices[].on_demand`"]
    assert "| `ml.*`, `p*`, `g*`" in rows["`quota_increase.capacity_types`"]


def test_the_readme_lists_every_setting(root):
    readme = (root / "README.md").read_text()
    assert BEGIN in readme, f"README.md needs the markers {BEGIN} and {END}"
    listed = readme.partition(BEGIN)[2].partition(END)[0].strip()
    assert listed == render_table(), "put in README.md what `python -m infra.settings_table` prints"
