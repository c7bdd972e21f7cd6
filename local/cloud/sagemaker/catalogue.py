"""Models, endpoint configurations and tags: what exists at once and never changes its state."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from moto.core.base_backend import BaseBackend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource

from local.cloud.sagemaker.resources import Endpoint, EndpointConfig, Model, Resource, timestamp
from local.cloud.seam import Refusal, operation

Named = TypeVar("Named", bound=Resource)
Tags = Sequence[Mapping[str, str]]

PUBLISH_SECONDS = (10, 30, 60, 120, 180, 240, 300)
"""`MetricsConfig.MetricPublishFrequencyInSeconds` (SageMaker API reference, MetricsConfig)."""

SIMULATED_VARIANT_KEYS = {
    "VariantName",
    "ModelName",
    "InitialInstanceCount",
    "InstanceType",
    "InitialVariantWeight",
    "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "EnableSSMAccess",
    "InferenceAmiVersion",
    "RoutingConfig",
}


class Catalogue(BaseBackend, TaggableResourcesMixin):
    """The operations on models, endpoint configurations and tags.

    Names are unique without regard to case (botocore service model, `CreateEndpoint`: "The name
    is case-insensitive in CreateEndpoint"). "Cannot create already existing .." is AWS's text
    (github.com/aws/amazon-sagemaker-examples/issues/2491 for endpoints,
    github.com/awslabs/spot-tagging-bot-for-digital-assets/issues/2 for configurations), so is
    "Could not find endpoint configuration .." (terraform-provider-aws/issues/40048).
    """

    SERVICE_NAMESPACE = "sagemaker"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.models: dict[str, Model] = {}
        self.configs: dict[str, EndpointConfig] = {}
        self.endpoints: dict[str, Endpoint] = {}

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

    @operation
    def add_tags(self, resource_arn: str, tags: Tags) -> dict[str, Any]:
        """Adds or overwrites (botocore service model, `AddTags`); at most 50 a resource
        (`TagList` max)."""
        resource = self._tagged(resource_arn)
        merged = resource.tags | as_map(tags)
        if len(merged) > 50:
            raise Refusal("ValidationException", f"{resource_arn} cannot have more than 50 tags.")
        resource.tags, resource.ever_tagged = merged, bool(merged) or resource.ever_tagged
        return {"Tags": as_list(merged)}

    @operation
    def list_tags(self, resource_arn: str, max_results: int = 50) -> dict[str, Any]:
        """A resource has at most 50 tags and a page at least 50 places: one page always."""
        return {"Tags": as_list(self._tagged(resource_arn).tags)}

    @operation
    def delete_tags(self, resource_arn: str, tag_keys: Sequence[str]) -> None:
        tags = self._tagged(resource_arn).tags
        for key in tag_keys:
            tags.pop(key, None)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """What the Resource Groups Tagging API sees of SageMaker: each resource that has or ever
        had a tag (its API reference, GetResources)."""
        kinds: Mapping[str, Mapping[str, Resource]] = {
            "endpoint": self.endpoints,
            "endpoint-config": self.configs,
            "model": self.models,
        }
        for kind, resources in kinds.items():
            for resource in resources.values():
                if resource.ever_tagged:
                    yield TaggedResource(
                        arn=resource.arn,
                        tags=dict(resource.tags),
                        resource_type=f"sagemaker:{kind}",
                    )

    def arn_of(self, kind: str, name: str) -> str:
        """The ARN of a resource of this account and Region."""
        place = f"{self.partition}:sagemaker:{self.region_name}:{self.account_id}"
        return f"arn:{place}:{kind}/{name.lower()}"

    def new_arn(self, kind: str, name: str, taken: Mapping[str, Resource], shown: str) -> str:
        """The ARN for a new resource; refused when the name is taken."""
        arn = self.arn_of(kind, name)
        if name.lower() in taken:
            raise Refusal("ValidationException", f'Cannot create already existing {shown} "{arn}".')
        return arn

    def find(self, kind: str, name: str, resources: Mapping[str, Named], shown: str) -> Named:
        """The resource of that name, or AWS's refusal."""
        if name.lower() not in resources:
            arn = self.arn_of(kind, name)
            raise Refusal("ValidationException", f'Could not find {shown} "{arn}".')
        return resources[name.lower()]

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
            for key in ("ModelName", "InstanceType", "InitialInstanceCount"):
                if key not in spec:
                    raise Refusal(
                        "ValidationException", f"Variant {spec['VariantName']} needs {key}."
                    )
            self.find("model", spec["ModelName"], self.models, "model")

    def _tagged(self, arn: str) -> Resource:
        kinds: Mapping[str, tuple[Mapping[str, Resource], str]] = {
            "endpoint": (self.endpoints, "endpoint"),
            "endpoint-config": (self.configs, "endpoint configuration"),
            "model": (self.models, "model"),
        }
        kind, _, name = arn.split(":", 5)[5].partition("/")
        if kind not in kinds:
            raise Refusal(
                "UnsupportedByPocketAccount", f"The pocket account has no {kind}, so no {arn}."
            )
        resources, shown = kinds[kind]
        if self.arn_of(kind, name) != arn.lower():
            raise Refusal("ValidationException", f'Could not find {shown} "{arn}".')
        return self.find(kind, name, resources, shown)


def within(
    resources: Iterable[Named], name: str, before: datetime | None, after: datetime | None
) -> list[Named]:
    """The resources that a list call's filters leave. Filter times are naive UTC; "after" is
    inclusive (botocore service model, `ListEndpoints.CreationTimeAfter`)."""
    return [
        each
        for each in resources
        if name in each.name
        and (before is None or timestamp(each.created).replace(tzinfo=None) < before)
        and (after is None or timestamp(each.created).replace(tzinfo=None) >= after)
    ]


def in_order(resources: Iterable[Named], sort_by: str, sort_order: str) -> list[Named]:
    """The resources by `Name`, `Status` or `CreationTime`; newest first unless told otherwise
    (botocore service model, `ListEndpoints`)."""
    attribute = {"Name": "name", "Status": "status", "CreationTime": "created"}[sort_by]
    return sorted(
        resources,
        key=lambda each: (getattr(each, attribute), each.name),
        reverse=sort_order == "Descending",
    )


def page(
    found: Sequence[Named], token: str | None, size: int
) -> tuple[Sequence[Named], dict[str, str]]:
    """One page of a list call, and the NextToken member when more is left."""
    start = 0
    if token is not None:
        try:
            start = int(base64.b64decode(token, validate=True))
        except (binascii.Error, ValueError):
            raise Refusal("ValidationException", "Invalid pagination token.") from None
    following = start + size
    more = {"NextToken": base64.b64encode(str(following).encode()).decode()}
    return found[start:following], more if following < len(found) else {}


def as_map(tags: Tags) -> dict[str, str]:
    """API tags as a dict."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A dict of tags as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
