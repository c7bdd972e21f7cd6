"""The deployed stack repairs what it may, leaves the rest alone, and needs exactly its rights."""

from __future__ import annotations

import copy
import io
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.demo.account import Hands, Told
from local.demo.acts import endpoints, quota_increase, spot_fallback, traffic_shift
from local.demo.acts.quotas import (
    NODE,
    SECONDS_BETWEEN_READINGS,
    SMALL_NODE,
    Quota,
    launch,
    refused,
    train,
)
from local.demo.acts.traffic_shift import OBSERVED, REPAIRED
from local.demo.play import play
from local.demo.report import write
from local.demo.scene import Act, Scene
from local.demo.view import View
from local.pocket import Pocket
from tests.e2e.probe import ACCOUNT, eventually
from tests.e2e.rights import USED_BY_AWS, called, granted

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.timeout(600),
]

HEARTBEATS = 150.0
REFUSED = Path(__file__).parents[2] / "events" / "quota_increase" / "training_job_refused.json"
STORIES = [*traffic_shift.STORIES, *quota_increase.STORIES, *spot_fallback.STORIES]
NOT_CALLED = {
    "iam:CreateServiceLinkedRole": "AWS uses it, when the first request opens a support case",
    "servicequotas:GetAWSDefaultServiceQuota": "only for a quota that has no applied value",
}
"""What quota increase is granted and a healthy run does not call, and why."""

NO_TWIN = {
    "ec2:CreateTags": "on launch, of what a template tags",
    "ec2:DescribeSpotPriceHistory": "for a type whose Spot price is not among the settings",
    "ec2:RunInstances": "for a twin; a group's update needs it without a call",
    "elasticloadbalancing:DescribeTargetGroups": "for a twin",
    "elasticloadbalancing:DescribeTargetHealth": "for a twin",
    "elasticloadbalancing:RegisterTargets": "for a twin",
    "iam:GetInstanceProfile": "for instances with a role",
    "iam:PassRole": "needed by CreateTrainingJob, which is the call",
    "sagemaker:AddTags": "needed by CreateTrainingJob with tags, which is the call",
    "ssm:GetParameters": "needed by the update of a group whose template takes its image from one",
}
"""What spot fallback is granted and the demo's groups and job do not have it call, and why."""
BY_CHANCE = {"tag:GetResources"}
"""Called only where a sweep, each minute, comes upon the job while it waits."""


@dataclass(frozen=True)
class Run:
    """What is left of a run of the demo: its acts, its scenes by title, and who did it."""

    acts: list[Act]
    hands: Hands
    outputs: Mapping[str, str]

    @property
    def scenes(self) -> dict[str, Scene]:
        return {scene.title: scene for act in self.acts for scene in act.scenes}

    def told(self, target: str, code: str, patience: float = 60.0) -> Told:
        """What the stack tells of a target, once it does."""

        def heard() -> Told | None:
            self.hands.hear()
            return self.hands.heard(target, code)

        found = eventually(heard, patience)
        assert found is not None
        return found

    def verified(self, quota: Quota) -> None:
        """Once a quota's request is granted, the next heartbeat finds it, without waiting for it."""
        self.told(quota.code, "acted")
        eventually(lambda: self._is_granted(quota), 60)
        heartbeat = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
        answer = self.hands.client("lambda").invoke(
            FunctionName=self.hands.function("QuotaIncrease"), Payload=json.dumps(heartbeat)
        )
        assert "FunctionError" not in answer
        self.told(quota.code, "verified")

    @staticmethod
    def _is_granted(quota: Quota) -> bool:
        if not quota.values or time.time() - quota.values[-1][0] >= SECONDS_BETWEEN_READINGS:
            quota.look()
        return quota.value is not None and quota.value >= quota.request["DesiredValue"]

    def incidents(self, remediation: str) -> dict[str, dict[str, Any]]:
        """By the end of their targets' ARNs, as `remediation status` shows them."""
        return {
            each["target"].rsplit("/", 1)[-1]: each
            for each in self.hands.remediation("status")["incidents"]
            if each["remediation"] == remediation
        }


@pytest.fixture(scope="module")
def run(pocket: Pocket, outputs: dict[str, str]) -> Run:
    """The demo's scenes, then a person who lets the stack act again."""
    hands = Hands(pocket)
    hands.listen()
    acts = play(hands, View(Console(file=io.StringIO())))
    hands.remediation("mode", "act")
    return Run(acts, hands, outputs)


@pytest.mark.parametrize("title", STORIES)
def test_the_demos_scene_passes(run: Run, title: str) -> None:
    assert run.scenes[title].passed, run.scenes[title]


def test_the_page_shows_every_scene(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "report.html", run.acts)
    page = (tmp_path / "report.html").read_text()

    assert all(title in page for title in run.scenes)
    charts = sum(bool(scene.charts) for scene in run.scenes.values())
    scatters = sum(scene.scatter is not None for scene in run.scenes.values())
    assert charts > len(traffic_shift.STORIES)
    assert page.count("<svg") == charts + scatters
    assert page.count("<table") == 1 + len(spot_fallback.STORIES)


def test_a_rollback_takes_at_most_six_calls(run: Run) -> None:
    assert run.scenes[REPAIRED].calls is not None
    assert run.scenes[REPAIRED].calls <= 6


def test_a_quota_request_takes_at_most_four_reads_and_the_write(run: Run) -> None:
    calls = run.scenes[quota_increase.RAISED].calls
    assert calls is not None
    assert calls <= 5


def test_what_happened_to_endpoints_is_written_down(run: Run) -> None:
    incidents = run.incidents("traffic_shift")
    repaired = incidents[REPAIRED]

    assert repaired["stage"] == "verified"
    assert [step["stage"] for step in repaired["timeline"]] == ["acting", "acted", "verified"]
    assert incidents.keys() == {REPAIRED, OBSERVED}


def test_what_happened_to_quotas_is_written_down(run: Run) -> None:
    incidents = run.incidents("quota_increase")
    codes = {title: code for title, (_, code, _) in quota_increase.QUOTAS.items()}
    raised = incidents[codes[quota_increase.RAISED]]

    assert raised["stage"] == "verified"
    assert [step["stage"] for step in raised["timeline"]] == ["acting", "acted", "verified"]
    assert raised["evidence"]["refusedCalls"][0]["delta"] == 1
    assert incidents.keys() == {
        codes[quota_increase.RAISED],
        codes[quota_increase.CAPPED],
        NODE,
        SMALL_NODE,
    }


def test_what_happened_to_spot_is_written_down(run: Run) -> None:
    incidents = run.incidents("spot_fallback")
    job, group = incidents[spot_fallback.DEADLINE], incidents[spot_fallback.STORM]

    assert incidents.keys() == spot_fallback.STORIES.keys()
    assert job["stage"] == "verified"
    assert job["tally"]["fallbackDollars"] > 0
    assert group["before"] == {"distribution": group["written"]["distribution"]}
    assert group["tally"]["savedDollars"] > 0


@pytest.mark.parametrize("remediation", ["traffic_shift", "quota_increase", "spot_fallback"])
def test_the_outcomes_are_metrics(run: Run, remediation: str) -> None:
    cloudwatch = run.hands.client("cloudwatch")
    metrics = cloudwatch.list_metrics(Namespace="MlCapacityRemediation")["Metrics"]
    outcomes = [dimensions(each) for each in metrics if each["MetricName"] == "Outcomes"]

    assert {"remediation": remediation, "outcome": "verified"} in outcomes
    assert all(each.keys() == {"remediation", "outcome"} for each in outcomes)


def test_what_remediations_add_up_are_metrics_of_their_own(run: Run) -> None:
    cloudwatch = run.hands.client("cloudwatch")
    metrics = cloudwatch.list_metrics(Namespace="MlCapacityRemediation")["Metrics"]
    sums = {each["MetricName"] for each in metrics if each["MetricName"] != "Outcomes"}

    assert sums == {
        f"{what}{unit}"
        for unit, whats in {
            "Hours": ("Spot", "OnDemand", "Provisioned"),
            "Dollars": ("Spot", "OnDemand", "Saved", "Fallback", "Provisioned"),
        }.items()
        for what in whats
    }
    for each in metrics:
        if each["MetricName"] in sums:
            warm = each["MetricName"].startswith("Provisioned")
            of = "provisioned_concurrency" if warm else "spot_fallback"
            assert dimensions(each) == {"remediation": of}


def test_a_revert_puts_the_traffic_back(run: Run) -> None:
    incident = run.incidents("traffic_shift")[REPAIRED]["id"]

    assert run.hands.remediation("revert", incident)["accepted"]

    run.told(REPAIRED, "reverted", HEARTBEATS)
    assert endpoints.weights(run.hands, REPAIRED) == ("InService", {"blue": 9, "green": 1})


def test_a_thousand_identical_refusals_are_one_request(run: Run, pocket: Pocket) -> None:
    quota = Quota(run.hands, "sagemaker", "L-C2764A80", "ml.p5.4xlarge for training job usage")
    event = refusal(quota.name)
    with ThreadPoolExecutor(4) as pool:
        rules = list(pool.map(pocket.put_event, [event] * 1000))

    assert all(len(matched) == 1 for matched in rules)
    eventually(lambda: not waiting(run, run.outputs["QuotaIncreaseQueueUrl"]), HEARTBEATS)
    run.verified(quota)
    assert [each["DesiredValue"] for each in quota.requests()] == [1.0]


def test_after_them_nothing_is_left_behind(run: Run) -> None:
    found = run.hands.client("sqs").list_queues()["QueueUrls"]
    dead = [url for url in found if "DeadLetters" in url]

    assert len(dead) == sum(name.endswith("FunctionArn") for name in run.outputs)
    assert not any(waiting(run, url) for url in dead)


def test_refused_instances_can_be_launched_once_their_vcpus_are_granted(run: Run) -> None:
    """EC2 counts vCPUs, and its refusal tells neither how many are used nor how many are missing."""
    refused(lambda: launch(run.hands, "g5.48xlarge", 1), "VcpuLimitExceeded")
    quota = Quota(run.hands, "ec2", "L-DB2E81BA", "Running On-Demand G and VT instances")

    run.verified(quota)
    launch(run.hands, "g5.48xlarge", 1)
    assert len(quota.requests()) == 1


def test_a_quota_whose_code_is_not_known_is_found_by_its_name(run: Run) -> None:
    refused(lambda: train(run.hands, "listed", "ml.g5.12xlarge"), "ResourceLimitExceeded")

    run.told(code_of(run, "ml.g5.12xlarge for training job usage"), "acted")


def test_a_job_without_capacity_is_answered_with_training_plans(run: Run) -> None:
    control, instance_type = run.hands.account.control, quota_increase.P4D
    reserved = f"Number of {instance_type} instances in reserved capacity across training plans"
    path = f"/servicequotas/quotas/sagemaker/{code_of(run, f'{reserved} per Region')}/value"
    control("PUT", path, {"value": 8})
    control("PUT", "/durations", {"capacity_patience": 1})
    short = {"instance_type": instance_type, "market": "on-demand", "instances": 0}
    control("PUT", "/sagemaker/capacity", short)
    train(run.hands, "waits-in-vain", instance_type)

    offers = run.told(instance_type, "capacity-short").detail["evidence"]["offers"]
    assert {offer["kind"] for offer in offers} == {"Training Plan"}


def test_traffic_shift_is_granted_what_it_calls_and_nothing_else(run: Run) -> None:
    # The mute rules are asked for once a signal's own word on them is 2 minutes old.
    last = "cloudwatch:ListAlarmMuteRules"
    eventually(lambda: last in called(run.hands, "TrafficShift"), HEARTBEATS)

    assert called(run.hands, "TrafficShift") == granted(run.hands, "TrafficShift") - USED_BY_AWS


def test_quota_increase_is_granted_what_it_calls_and_little_else(run: Run) -> None:
    # The first heartbeat starts a report on all quotas, and the second reads it.
    last = "servicequotas:GetQuotaUtilizationReport"
    eventually(lambda: last in called(run.hands, "QuotaIncrease"), HEARTBEATS)

    calls, rights = called(run.hands, "QuotaIncrease"), granted(run.hands, "QuotaIncrease")
    assert calls <= rights
    assert rights - calls - USED_BY_AWS == NOT_CALLED.keys()


def test_spot_fallback_is_granted_what_it_calls_and_little_else(run: Run) -> None:
    calls, rights = called(run.hands, "SpotFallback"), granted(run.hands, "SpotFallback")
    assert calls <= rights
    assert rights - calls - USED_BY_AWS - BY_CHANCE == NO_TWIN.keys()
    assert rights >= BY_CHANCE


def test_the_operator_is_granted_what_it_calls_and_nothing_else(run: Run) -> None:
    calls, rights = called(run.hands, "Operator"), granted(run.hands, "Operator")
    assert calls - USED_BY_AWS == rights - USED_BY_AWS
    assert "sqs:SendMessage" in calls


def dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def refusal(name: str) -> dict[str, Any]:
    """A training job on one instance that was refused just now, for a quota of 0."""
    made: dict[str, Any] = copy.deepcopy(json.loads(REFUSED.read_text()))
    made |= {"account": ACCOUNT, "time": datetime.now(UTC).isoformat()}
    made["detail"]["recipientAccountId"] = ACCOUNT
    made["detail"]["errorMessage"] = (
        f"The account-level service limit '{name}' is 0 Instances, with current utilization of 0 "
        "Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
        "increase for this quota."
    )
    return made


def waiting(run: Run, queue_url: str) -> int:
    """Messages that a queue holds, those under way included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = run.hands.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


def code_of(run: Run, name: str) -> str:
    """The code of a quota of SageMaker, as a user finds it."""
    pages = run.hands.client("service-quotas").get_paginator("list_service_quotas")
    quotas = (quota for page in pages.paginate(ServiceCode="sagemaker") for quota in page["Quotas"])
    return next(quota["QuotaCode"] for quota in quotas if quota["QuotaName"] == name)
