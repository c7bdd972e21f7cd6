"""Training jobs: the operations on them, over what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.cloud.sagemaker.admission import DAY, check, fleets_of
from local.cloud.sagemaker.jobs import TERMINAL, TrainingJob
from local.cloud.sagemaker.limits import admit, training_claims
from local.cloud.sagemaker.listing import in_order, page, within
from local.cloud.sagemaker.resources import timestamp
from local.cloud.sagemaker.runs import TrainingRuns
from local.cloud.sagemaker.store import Tags, as_map
from local.cloud.seam import Refusal, operation

Members = Mapping[str, Any]


class TrainingJobs(TrainingRuns):
    """The operations on training jobs."""

    @operation
    def create_training_job(
        self,
        training_job_name: str,
        role_arn: str,
        output_data_config: Members,
        hyper_parameters: Mapping[str, str] | None = None,
        algorithm_specification: Members | None = None,
        input_data_config: Sequence[Members] | None = None,
        resource_config: Members | None = None,
        vpc_config: Members | None = None,
        stopping_condition: Members | None = None,
        tags: Tags = (),
        enable_network_isolation: bool = False,
        enable_inter_container_traffic_encryption: bool = False,
        enable_managed_spot_training: bool = False,
        checkpoint_config: Members | None = None,
        debug_hook_config: Members | None = None,
        debug_rule_configurations: Sequence[Members] | None = None,
        tensor_board_output_config: Members | None = None,
        experiment_config: Members | None = None,
        profiler_config: Members | None = None,
        profiler_rule_configurations: Sequence[Members] | None = None,
        environment: Mapping[str, str] | None = None,
        retry_strategy: Members | None = None,
        remote_debug_config: Members | None = None,
        infra_check_config: Members | None = None,
        session_chaining_config: Members | None = None,
        mlflow_config: Members | None = None,
        model_package_config: Members | None = None,
    ) -> dict[str, Any]:
        """Names are unique; the text of the refusal: github.com/SuperCowPowers/workbench/
        issues/384. Tags and SessionChainingConfig are not among what DescribeTrainingJob gives
        back (botocore service model); serverless jobs have no instances and are not simulated."""
        request = {
            "RoleArn": role_arn,
            "OutputDataConfig": output_data_config,
            "HyperParameters": hyper_parameters,
            "AlgorithmSpecification": algorithm_specification,
            "InputDataConfig": input_data_config,
            "ResourceConfig": resource_config,
            "VpcConfig": vpc_config,
            # One day by default (botocore service model, `StoppingCondition`).
            "StoppingCondition": {"MaxRuntimeInSeconds": DAY, **(stopping_condition or {})},
            "EnableNetworkIsolation": enable_network_isolation,
            "EnableInterContainerTrafficEncryption": enable_inter_container_traffic_encryption,
            "EnableManagedSpotTraining": enable_managed_spot_training,
            "CheckpointConfig": checkpoint_config,
            "DebugHookConfig": debug_hook_config,
            "DebugRuleConfigurations": debug_rule_configurations,
            "TensorBoardOutputConfig": tensor_board_output_config,
            "ExperimentConfig": experiment_config,
            "ProfilerConfig": profiler_config,
            "ProfilerRuleConfigurations": profiler_rule_configurations,
            "Environment": environment,
            "RetryStrategy": retry_strategy,
            "RemoteDebugConfig": remote_debug_config,
            "InfraCheckConfig": infra_check_config,
            "MlflowConfig": mlflow_config,
            "ModelPackageConfig": model_package_config,
        }
        given = {name: value for name, value in request.items() if value is not None}
        check(given)
        arn = self.arn_of("training-job", training_job_name)
        if training_job_name.lower() in self.jobs:
            raise Refusal(
                "ResourceInUse",
                "Training job names must be unique within an AWS account and region, and a "
                f"training job with this name already exists ({arn})",
            )
        fleets = fleets_of(given)
        admit(self, training_claims(fleets))
        job = TrainingJob(
            name=training_job_name,
            arn=arn,
            tags=as_map(tags),
            request=given,
            fleets=fleets,
            work=self.work_for((checkpoint_config or {}).get("S3Uri")),
        )
        self.launch(job)
        return {"TrainingJobArn": arn}

    @operation
    def describe_training_job(self, training_job_name: str) -> dict[str, Any]:
        return self.find_job(training_job_name).description()

    @operation
    def stop_training_job(self, training_job_name: str) -> None:
        """Refused once the job is over (the text: github.com/awslabs/benchmark-ai/issues/928);
        while it is stopping a second call changes nothing."""
        job = self.find_job(training_job_name)
        if job.status in TERMINAL:
            raise Refusal(
                "ValidationException",
                f"The request was rejected because the training job is in status {job.status}.",
            )
        if job.status == "InProgress":
            self.stop(job, "Stopped")

    @operation
    def list_training_jobs(
        self,
        next_token: str | None = None,
        max_results: int | None = None,
        creation_time_after: datetime | None = None,
        creation_time_before: datetime | None = None,
        last_modified_time_after: datetime | None = None,
        last_modified_time_before: datetime | None = None,
        name_contains: str = "",
        status_equals: str | None = None,
        sort_by: str = "CreationTime",
        sort_order: str = "Ascending",
    ) -> dict[str, Any]:
        """With both MaxResults and StatusEquals a page is taken first and filtered then, so it
        may be short or empty (botocore service model, `ListTrainingJobs`)."""

        def of_status(jobs: Sequence[TrainingJob]) -> list[TrainingJob]:
            return [each for each in jobs if status_equals in (None, each.status)]

        found = [
            each
            for each in within(
                self.jobs.values(), name_contains, creation_time_before, creation_time_after
            )
            if _modified_within(each, last_modified_time_before, last_modified_time_after)
        ]
        ordered = in_order(found, sort_by, sort_order)
        if max_results is None:
            jobs, token = page(of_status(ordered), next_token, 10)
        else:
            jobs, token = page(ordered, next_token, max_results)
        return {"TrainingJobSummaries": [each.summary() for each in of_status(jobs)], **token}


def _modified_within(job: TrainingJob, before: datetime | None, after: datetime | None) -> bool:
    modified = timestamp(job.modified).replace(tzinfo=None)
    return (before is None or modified < before) and (after is None or modified >= after)
