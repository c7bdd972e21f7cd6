"""The On-Demand job that takes over from one on Spot, made from what AWS tells of that. Pure.

Every member of CreateTrainingJob and of DescribeTrainingJob (botocore service model of SageMaker)
stands in exactly one of the sets below; a test holds them against the model. A member that the
model gains is not guessed at: the test fails until somebody has said what becomes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from functions.spot_fallback.progress import Job
from functions.spot_fallback.reading import ORIGINAL_TAG

KEPT = frozenset(
    {
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "EnableInterContainerTrafficEncryption",
        "EnableNetworkIsolation",
        "Environment",
        "ExperimentConfig",
        "HyperParameters",
        "InfraCheckConfig",
        "InputDataConfig",
        "MlflowConfig",
        "ModelPackageConfig",
        "OutputDataConfig",
        "ProfilerConfig",
        "ProfilerRuleConfigurations",
        "RemoteDebugConfig",
        "RetryStrategy",
        "RoleArn",
        "ServerlessJobConfig",
        "TensorBoardOutputConfig",
        "VpcConfig",
    }
)
CHANGED = frozenset(
    {"TrainingJobName", "EnableManagedSpotTraining", "ResourceConfig", "StoppingCondition"}
)
ADDED = frozenset({"Tags"})
"""Not described, but ListTags tells it."""
RECORDED = frozenset({"SessionChainingConfig"})
"""Only in the request, which no call of SageMaker tells; CloudTrail's record of it does."""
DESCRIBED_ONLY = frozenset(
    {
        "AutoMLJobArn",
        "BillableTimeInSeconds",
        "BillableTokenCount",
        "CreationTime",
        "DebugRuleEvaluationStatuses",
        "FailureReason",
        "FinalMetricDataList",
        "LabelingJobArn",
        "LastModifiedTime",
        "MlflowDetails",
        "ModelArtifacts",
        "OutputModelPackageArn",
        "ProfilerRuleEvaluationStatuses",
        "ProfilingStatus",
        "ProgressInfo",
        "SecondaryStatus",
        "SecondaryStatusTransitions",
        "TrainingEndTime",
        "TrainingJobArn",
        "TrainingJobStatus",
        "TrainingStartTime",
        "TrainingTimeInSeconds",
        "TuningJobArn",
        "WarmPoolStatus",
    }
)
SELECTED = frozenset({"SelectedInstanceType", "SelectedInstanceCount"})
"""Of ResourceConfig: read-only (same model, `ResourceConfig`)."""
EMPTY: tuple[Any, ...] = (None, "", [], {})
"""What stands for a member that was not asked for: InputDataConfig is described as [] then, and an
empty one is refused (same model, its least length)."""
FORBID_A_LIST = ("InstanceGroups", "InstancePlacementConfig", "TrainingPlanArn")
"""Parts of ResourceConfig that a list of instance types cannot stand beside, or, as a training
plan, must not: the plan holds one type only (same model, `ResourceConfig`, `InstancePreference`)."""
MOST_TYPES = 5
MOST_TAGS = 50


def heir_name(job: Job) -> str:
    """The heir's name, always the same for the same job, so that it is created once.

    At most 63 characters, letters, digits and hyphens (same model, `TrainingJobName`). A name can
    be used again after DeleteTrainingJob; the time of creation tells such jobs apart.
    """
    born = job["CreationTime"].timestamp()
    told = hashlib.sha256(f"{job['TrainingJobArn']} {born:.0f}".encode()).hexdigest()[:8]
    return f"{job['TrainingJobName'][:44]}-od-{told}"


def kept_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that may be given again: keys of AWS's own may not."""
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}


def types_to_try(job: Job, more: Sequence[str]) -> tuple[str, ...]:
    """The instance types to ask for in one request, its own first; empty: its own alone."""
    config = job.get("ResourceConfig", {})
    own = config.get("InstanceType")
    if own is None or any(config.get(part) for part in FORBID_A_LIST):
        return ()
    types = tuple(dict.fromkeys((own, *more)))[:MOST_TYPES]
    return types if len(types) > 1 else ()


def clone(
    job: Job,
    tags: Mapping[str, str],
    name: str,
    seconds: int,
    types: Sequence[str] = (),
    recorded: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """CreateTrainingJob's request for the heir.

    tags: of ListTags. seconds: its MaxRuntimeInSeconds. types: as of `types_to_try`. recorded: members
    of `RECORDED` that the job itself was created with, as far as they are known. Checkpoints stay
    where they are: that is how the heir goes on. Debugger's and the profiler's outputs need no other
    path, as they lie below the job's own name in it (SageMaker developer guide, "Configure the
    DebuggerHookConfig API to save tensors"). MaxWaitTimeInSeconds is "only supported when
    EnableManagedSpotTraining is set to true" (github.com/Kenza-AI/sagify/issues/111).
    """
    request = {part: job[part] for part in KEPT if job.get(part) not in EMPTY}
    request |= {part: recorded[part] for part in RECORDED & recorded.keys()}
    request["TrainingJobName"] = name
    request["EnableManagedSpotTraining"] = False
    if "ResourceConfig" in job:
        config = {
            part: value for part, value in job["ResourceConfig"].items() if part not in SELECTED
        }
        if types:
            del config["InstanceType"]
            config["InstancePreferences"] = [{"InstanceType": each} for each in types]
        request["ResourceConfig"] = config
    stopping = dict(job.get("StoppingCondition", {}))
    stopping.pop("MaxWaitTimeInSeconds", None)
    request["StoppingCondition"] = {**stopping, "MaxRuntimeInSeconds": seconds}
    given = kept_tags(tags) | {ORIGINAL_TAG: job["TrainingJobName"]}
    request["Tags"] = [{"Key": key, "Value": value} for key, value in given.items()]
    return request


def without_metrics(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request without MetricDefinitions: a built-in algorithm's are described, and refused."""
    algorithm = dict(request.get("AlgorithmSpecification", {}))
    algorithm.pop("MetricDefinitions", None)
    return {**request, "AlgorithmSpecification": algorithm}
