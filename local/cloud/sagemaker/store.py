"""What every SageMaker resource has: a unique name, an ARN, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from moto.core.base_backend import BaseBackend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource

from local.cloud.sagemaker.jobs import TrainingJob
from local.cloud.sagemaker.resources import Endpoint, EndpointConfig, Model, Resource
from local.cloud.seam import Refusal, operation

Named = TypeVar("Named", bound=Resource)
Tags = Sequence[Mapping[str, str]]


class Store(BaseBackend, TaggableResourcesMixin):
    """The resources of one account and Region by lower-case name, and the operations on tags.

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
        self.jobs: dict[str, TrainingJob] = {}

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
            "training-job": self.jobs,
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

    def find_job(self, name: str) -> TrainingJob:
        """The training job of that name, or AWS's refusal: ValidationException, although the model
        lists ResourceNotFound (github.com/boto/boto3/issues/2808; the text:
        github.com/aws/amazon-sagemaker-examples/issues/2360)."""
        if name.lower() not in self.jobs:
            raise Refusal("ValidationException", "Requested resource not found.")
        return self.jobs[name.lower()]

    def _tagged(self, arn: str) -> Resource:
        kinds: Mapping[str, tuple[Mapping[str, Resource], str]] = {
            "endpoint": (self.endpoints, "endpoint"),
            "endpoint-config": (self.configs, "endpoint configuration"),
            "model": (self.models, "model"),
        }
        kind, _, name = arn.split(":", 5)[5].partition("/")
        if kind == "training-job":
            return self.find_job(name if self.arn_of(kind, name) == arn.lower() else "")
        if kind not in kinds:
            raise Refusal(
                "UnsupportedByPocketAccount", f"The pocket account has no {kind}, so no {arn}."
            )
        resources, shown = kinds[kind]
        if self.arn_of(kind, name) != arn.lower():
            raise Refusal("ValidationException", f'Could not find {shown} "{arn}".')
        return self.find(kind, name, resources, shown)


def as_map(tags: Tags) -> dict[str, str]:
    """API tags as a dict."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A dict of tags as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
