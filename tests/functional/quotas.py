"""The scene of quota increase: rules that opt quotas in, refused calls, and what AWS makes of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.quota_increase.handler import handler as quota_increase
from local.cloud.control import create_app
from tests.functional.world import ACCOUNT, REGION, Stage

EVENTS = Path(__file__).parents[2] / "events" / "quota_increase"
P4D_TRAINING = "L-09B4A649"
P4D = f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:sagemaker/{P4D_TRAINING}"
RULES: list[dict[str, Any]] = [
    {"service": "sagemaker", "quota": "ml.* usage", "max": 16, "max_growth": 8},
    {"service": "ec2", "quota": "Running On-Demand P instances", "max": 768, "max_growth": 384},
    {"service": "ec2", "quota": "*Spot Instance Requests", "max": 768, "max_growth": 384},
    {
        "service": "ec2",
        "quota": "Running On-Demand G and VT instances",
        "max": 768,
        "max_growth": 384,
    },
    {"service": "lambda", "quota": "Concurrent executions", "max": 5000, "max_growth": 2000},
]
READS = {
    "GetServiceQuota",
    "GetAWSDefaultServiceQuota",
    "ListRequestedServiceQuotaChangeHistory",
    "ListServiceQuotas",
    "ListAWSDefaultServiceQuotas",
    "ListServices",
    "StartQuotaUtilizationReport",
    "GetQuotaUtilizationReport",
    "GetMetricData",
    "DescribeInstanceTypes",
    "DescribeInstanceTypeOfferings",
    "DescribeCapacityBlockOfferings",
    "SearchTrainingPlanOfferings",
}


def settings(**different: Any) -> str:
    """LEVER_SETTINGS with the rules above; `different` overrides any setting."""
    return json.dumps({"quotas": RULES, **different})


def begin(stage: Stage, mode: str = "act") -> None:
    stage.handler = quota_increase
    stage.mode(mode)
    stage.pretend_swept("quota_increase")


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def refusal(
    limit: float = 0, use: float = 0, delta: float = 1, quota: str = "", **detail: Any
) -> dict[str, Any]:
    """A CreateTrainingJob that was refused just now."""
    made = copy.deepcopy(event("training_job_refused"))
    made["time"] = datetime.now(UTC).isoformat()
    name = quota or "ml.p4d.24xlarge for training job usage"
    made["detail"]["errorMessage"] = (
        f"The account-level service limit '{name}' is {limit:g} Instances, with current "
        f"utilization of {use:g} Instances and a request delta of {delta:g} Instances. Please use "
        "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not "
        "available, contact AWS support to request an increase for this quota."
    )
    made["detail"] |= detail
    return made


def now(name: str) -> dict[str, Any]:
    """A recorded event as if it came just now."""
    return {**event(name), "time": datetime.now(UTC).isoformat()}


def control(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request of the pocket account's control interface."""
    answer = create_app().test_client().open(path, method=method, json=body or {})
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.get_json()


def requests(stage: Stage) -> list[dict[str, Any]]:
    """Every increase that anybody requested here, oldest first."""
    found = stage.client("service-quotas").list_requested_service_quota_change_history(
        QuotaRequestedAtLevel="ALL"
    )["RequestedQuotas"]
    return sorted(found, key=lambda each: each["Created"])


def asked(stage: Stage) -> list[tuple[str, float]]:
    """Quota code and value of each request that the function made."""
    return [
        (call.parameters["QuotaCode"], call.parameters["DesiredValue"])
        for call in stage.made("RequestServiceQuotaIncrease")
    ]


def reads(stage: Stage) -> int:
    return sum(call.operation in READS for call in stage.calls)
