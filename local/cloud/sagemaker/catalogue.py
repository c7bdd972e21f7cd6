"""Models and endpoint configurations: what exists at once and never changes its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.cloud.sagemaker.listing import in_order, page, within
from local.cloud.sagemaker.resources import EndpointConfig, Model, timestamp
from local.cloud.sagemaker.serverless import variant_problems
from local.cloud.sagemaker.store import Store, Tags, as_map
from local.cloud.seam import Refusal, operation

PUBLISH_SECONDS = (10, 30, 60, 120, 180, 240, 300)
"""`MetricsConfig.MetricPublishFrequencyInSeconds` (SageMaker API reference, MetricsConfig)."""

SIMULATED_VARIANT_KEYS = {
    "VariantName",
    "ModelName",
    "InitialInstanceCount",
    "InstanceType",
    "InitialVariantWeight",
    "ServerlessConfig",
    "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "EnableSSMAccess",
    "InferenceAmiVersion",
    "RoutingConfig",
}


class Catalogue(Store):
    """The operations on models and endpoint configurations."""

    @operation
    def create_model(
        self,
        model_name: str,
        primary_container: Mapping[str, Any] | None = None,
        containers: Sequence[Mapping[str, Any]] | None = None,
        execution_role_arn: str | None = None,
        vpc_config: Mapping[str, Any] | None = None,
        enable_network_isolation: bool | None = None,
        tags: Tags = (),
    ) -> dict[str, Any]:
        arn = self.new_arn("model", model_name, self.models, "model")
        request = {
            "PrimaryContainer": primary_container,
            "Containers": containers,
            "ExecutionRoleArn": execution_role_arn,
            "VpcConfig": vpc_config,
            "EnableNetworkIsolation": enable_network_isolation,
        }
        given = {name: value for name, value in request.items() if value is not None}
        model = Model(name=model_name, arn=arn, tags=as_map(tags), request=given)
        self.models[model_name.lower()] = model
        return {"ModelArn": arn}

    @operation
    def describe_model(self, model_name: str) -> dict[str, Any]:
        model = self.find("model", model_name, self.models, "model")
        return {
            **model.request,
            "ModelName": model.name,
            "ModelArn": model.arn,
            "CreationTime": timestamp(model.created),
        }

    @operation
    def list_models(
        self,
        sort_by: str = "CreationTime",
        sort_order: str = "Descending",
        next_token: str | None = None,
        max_results: int = 100,
        name_contains: str = "",
        creation_time_before: datetime | None = None,
        creation_time_after: datetime | None = None,
    ) -> dict[str, Any]:
        found = within(
            self.models.values(), name_contains, creation_time_before, creation_time_after
        )
        models, token = page(in_order(found, sort_by, sort_order), next_token, max_results)
        summaries = [
            {
                "ModelName": each.name,
                "ModelArn": each.arn,
                "CreationTime": timestamp(each.created),
            }
            for each in models
        ]
        return {"Models": summaries, **token}

    @operation
    def delete_model(self, model_name: str) -> None:
        self.find("model", model_name, self.models, "model")
        del self.models[model_name.lower()]

    @operation
    def create_endpoint_config(
        self,
        endpoint_config_name: str,
        production_variants: Sequence[Mapping[str, Any]],
        kms_key_id: str | None = None,
        metrics_config: Mapping[str, Any] | None = None,
        tags: Tags = (),
    ) -> dict[str, Any]:
        arn = self.new_arn(
            "endpoint-config",
            endpoint_config_name,
            self.configs,
            "endpoint configuration",
        )
        self._check_variants(production_variants)
        frequency = (metrics_config or {}).get("MetricPublishFrequencyInSeconds", 60)
        if frequency not in PUBLISH_SECONDS:
            raise Refusal(
                "ValidationException",
                f"MetricPublishFrequencyInSeconds {frequency} is not one of {PUBLISH_SECONDS}.",
            )
        config = EndpointConfig(
            name=endpoint_config_name,
            arn=arn,
            tags=as_map(tags),
            variants=production_variants,
            kms_key_id=kms_key_id,
            metrics_config=metrics_config,
        )
        self.configs[endpoint_config_name.lower()] = config
        return {"EndpointConfigArn": arn}

    @operation
    def describe_endpoint_config(self, endpoint_config_name: str) -> dict[str, Any]:
        config = self.find_config(endpoint_config_name)
        answer: dict[str, Any] = {
            "EndpointConfigName": config.name,
            "EndpointConfigArn": config.arn,
            "ProductionVariants": [dict(spec) for spec in config.variants],
            "CreationTime": timestamp(config.created),
        }
        if config.kms_key_id is not None:
            answer["KmsKeyId"] = config.kms_key_id
        if config.metrics_config is not None:
            answer["MetricsConfig"] = dict(config.metrics_config)
        return answer

    @operation
    def list_endpoint_configs(
        self,
        sort_by: str = "CreationTime",
        sort_order: str = "Descending",
        next_token: str | None = None,
        max_results: int = 100,
        name_contains: str = "",
        creation_time_before: datetime | None = None,
        creation_time_after: datetime | None = None,
    ) -> dict[str, Any]:
        found = within(
            self.configs.values(), name_contains, creation_time_before, creation_time_after
        )
        configs, token = page(in_order(found, sort_by, sort_order), next_token, max_results)
        summaries = [
            {
                "EndpointConfigName": each.name,
                "EndpointConfigArn": each.arn,
                "CreationTime": timestamp(each.created),
            }
            for each in configs
        ]
        return {"EndpointConfigs": summaries, **token}

    @operation
    def delete_endpoint_config(self, endpoint_config_name: str) -> None:
        """The endpoints made from it live on (botocore service model, `DeleteEndpointConfig`)."""
        self.find_config(endpoint_config_name)
        del self.configs[endpoint_config_name.lower()]

    def find_config(self, name: str) -> EndpointConfig:
        """The endpoint configuration of that name, or AWS's refusal."""
        return self.find("endpoint-config", name, self.configs, "endpoint configuration")

    def _check_variants(self, variants: Sequence[Mapping[str, Any]]) -> None:
        names = [spec["VariantName"] for spec in variants]
        if len(set(names)) < len(names):
            raise Refusal("ValidationException", f"Variant names must be unique, got {names}.")
        for spec in variants:
            if strange := spec.keys() - SIMULATED_VARIANT_KEYS:
                raise Refusal(
                    "UnsupportedByPocketAccount",
                    f"The pocket account does not simulate {', '.join(sorted(strange))} of a "
                    "production variant.",
                )
            needed = ["ModelName"]
            if "ServerlessConfig" not in spec:
                needed += ["InstanceType", "InitialInstanceCount"]
            for key in needed:
                if key not in spec:
                    raise Refusal(
                        "ValidationException", f"Variant {spec['VariantName']} needs {key}."
                    )
            self.find("model", spec["ModelName"], self.models, "model")
        for problem in variant_problems(variants):
            raise Refusal("ValidationException", problem)
