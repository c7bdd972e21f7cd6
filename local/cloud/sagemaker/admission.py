"""What SageMaker refuses of a training job before it exists, and what it can run on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.cloud.sagemaker.algorithms import OVERRIDES_METRICS, is_built_in
from local.cloud.sagemaker.jobs import Fleet, Market
from local.cloud.seam import Refusal

DAY = 24 * 60 * 60
LONGEST_RUN = 28 * DAY
_ACCELERATED = re.compile(r"ml\.(p|g|trn)\d")


def check(request: Mapping[str, Any]) -> None:
    """Refuse a CreateTrainingJob that SageMaker would refuse.

    Sources. The two texts on MaxWaitTimeInSeconds: github.com/Kenza-AI/sagify/issues/111, and the
    developer guide's model-managed-spot-training for the rule; a job with a RetryStrategy may
    have one without Spot (github.com/aws/sagemaker-python-sdk/pull/2316). InstanceGroups:
    aws/sagemaker-python-sdk/pull/5564; channels: aws/sagemaker-python-sdk/issues/6089. What
    InstancePreferences exclude: botocore service model, `ResourceConfig`, `InstancePreference`,
    and the developer guide's train-instance-preferences; AWS's own words for these are not known.
    Warm pools and Spot: developer guide, train-warm-pools. 28 days: botocore service model,
    `StoppingCondition`.
    """
    for problem in _problems(request):
        raise Refusal("ValidationException", problem)


def fleets_of(request: Mapping[str, Any]) -> Sequence[Fleet]:
    """What the job may run on, in order of preference."""
    config = request["ResourceConfig"]
    market: Market = "spot" if request["EnableManagedSpotTraining"] else "on-demand"
    plan = "TrainingPlanArn" in config
    if preferences := config.get("InstancePreferences"):
        # The job's plan is that of the entry whose type it has; which type, no plan here says.
        return [
            Fleet(
                {each["InstanceType"]: each.get("InstanceCount", config.get("InstanceCount"))},
                "training-plan" if "TrainingPlanArns" in each or (plan and not rank) else market,
            )
            for rank, each in enumerate(preferences)
        ]
    counts: dict[str, int] = {}
    for group in config.get("InstanceGroups") or [config]:
        instance_type = group["InstanceType"]
        counts[instance_type] = counts.get(instance_type, 0) + group["InstanceCount"]
    return [Fleet(counts, "training-plan" if plan else market)]


def accelerated(fleets: Sequence[Fleet]) -> bool:
    """Whether any of the instance types is an accelerated one (botocore service model,
    `StoppingCondition`: "ml.p, ml.g, and ml.trn families")."""
    return any(_ACCELERATED.match(each) for fleet in fleets for each in fleet.instances)


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    algorithm = request.get("AlgorithmSpecification")
    if algorithm is None:
        yield "AlgorithmSpecification is required."
    elif not algorithm.keys() & {"TrainingImage", "AlgorithmName"}:
        yield "Either TrainingImage or AlgorithmName must be specified."
    elif "MetricDefinitions" in algorithm and is_built_in(algorithm):
        yield OVERRIDES_METRICS
    if "ResourceConfig" not in request:
        yield "ResourceConfig is required."
    yield from _stopping(request)
    spot = request["EnableManagedSpotTraining"]
    config = request["ResourceConfig"]
    if spot and config.get("KeepAlivePeriodInSeconds"):
        yield "KeepAlivePeriodInSeconds is not supported with EnableManagedSpotTraining."
    if "InstancePreferences" in config:
        yield from _preferences(config, spot)
    elif config.get("InstanceGroups"):
        yield from _groups(config, request.get("InputDataConfig", ()))
    elif not config.keys() >= {"InstanceType", "InstanceCount"}:
        yield "InstanceType and InstanceCount must be specified."
    elif config["InstanceCount"] < 1:
        yield "InstanceCount must be at least 1."


def _stopping(request: Mapping[str, Any]) -> Iterator[str]:
    condition = request["StoppingCondition"]
    runtime, wait = condition["MaxRuntimeInSeconds"], condition.get("MaxWaitTimeInSeconds")
    if runtime > LONGEST_RUN:
        yield f"Invalid MaxRuntimeInSeconds. It must be at most {LONGEST_RUN}"
    if request["EnableManagedSpotTraining"]:
        if wait is None or wait < runtime:
            yield (
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal "
                "to MaxRuntimeInSeconds"
            )
    elif wait is not None and "RetryStrategy" not in request:
        yield (
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is "
            "set to true"
        )


def _preferences(config: Mapping[str, Any], spot: bool) -> Iterator[str]:
    preferences = config["InstancePreferences"]
    others = {"InstanceType", "InstanceGroups", "InstancePlacementConfig"} & config.keys()
    for other in sorted(others):
        yield f"InstancePreferences cannot be specified with {other}."
    if spot:
        yield "InstancePreferences cannot be specified with EnableManagedSpotTraining."
    types = [each["InstanceType"] for each in preferences]
    if len(set(types)) < len(types):
        yield "An instance type can appear only once in InstancePreferences."
    counts = [each["InstanceCount"] for each in preferences if "InstanceCount" in each]
    if "InstanceCount" in config:
        counts.append(config["InstanceCount"])
    if len(counts) != (1 if "InstanceCount" in config else len(preferences)):
        yield "InstanceCount must be specified in ResourceConfig or in every InstancePreference."
    if min(counts, default=1) < 1:
        yield "InstanceCount must be at least 1."
    if "TrainingPlanArn" in config and any("TrainingPlanArns" in each for each in preferences):
        yield "TrainingPlanArn cannot be specified with TrainingPlanArns of InstancePreferences."


def _groups(config: Mapping[str, Any], channels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if {"InstanceType", "InstanceCount"} & config.keys():
        yield "InstanceType or InstanceCount cannot be specified with InstanceGroups"
    if any(group["InstanceCount"] < 1 for group in config["InstanceGroups"]):
        yield "InstanceCount must be at least 1."
    assigned = [
        bool(each["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames"))
        for each in channels
    ]
    if any(assigned) and not all(assigned):
        shown = [
            ", ".join(
                each["ChannelName"]
                for each, has in zip(channels, assigned, strict=True)
                if has is wanted
            )
            for wanted in (True, False)
        ]
        yield (
            f"Some channels have assigned instance groups: [{shown[0]}] while others not: "
            f"[{shown[1]}]"
        )
