"""What SageMaker hosting keeps: models, endpoint configurations, endpoints and their variants."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.cloud.sagemaker.serverless import Serverless
from local.cloud.world import WORLD

if TYPE_CHECKING:
    from local.cloud.traffic import Traffic

Spec = Mapping[str, Any]
"""A production variant as CreateEndpointConfig received it."""


@dataclass(kw_only=True)
class Resource:
    """What every named SageMaker resource has. Times are epoch seconds.

    The ARN holds the name in lower case while the name keeps its case (event sample in the
    SageMaker developer guide, automating-sagemaker-with-eventbridge: endpoint "MyEndpoint",
    ARN ".../myendpoint"; likewise github.com/aws/amazon-sagemaker-examples/issues/293).
    """

    name: str
    arn: str
    tags: dict[str, str]
    created: float = field(default_factory=lambda: WORLD.clock())
    ever_tagged: bool = False

    def __post_init__(self) -> None:
        self.ever_tagged = bool(self.tags)


@dataclass(kw_only=True)
class Model(Resource):
    """A model: `request` holds what CreateModel received and DescribeModel gives back."""

    request: Mapping[str, Any]


@dataclass(kw_only=True)
class EndpointConfig(Resource):
    """An endpoint configuration; immutable on AWS, so on change users make another."""

    variants: Sequence[Spec]
    kms_key_id: str | None = None
    metrics_config: Mapping[str, Any] | None = None


@dataclass
class Variant:
    """A production variant as an endpoint runs it: what serves now, and what it moves to."""

    spec: Spec
    current_weight: float
    desired_weight: float
    current_count: int
    desired_count: int
    current_serverless: Serverless | None = None
    desired_serverless: Serverless | None = None
    warm: tuple[int, float] = (0, 0.0)
    """How many resources on demand a serverless variant has, and until when they stay up."""

    @classmethod
    def launched(cls, spec: Spec) -> Variant:
        """The variant as its configuration starts it. An absent weight is 1.0 (botocore service
        model, `ProductionVariant.InitialVariantWeight`); 0 is a weight like any other. A serverless
        variant has no instances."""
        weight = spec.get("InitialVariantWeight", 1.0)
        if "ServerlessConfig" in spec:
            size = Serverless.of(spec["ServerlessConfig"])
            return cls(spec, weight, weight, 0, 0, size, size)
        count = spec["InitialInstanceCount"]
        return cls(spec, weight, weight, count, count)

    @property
    def name(self) -> str:
        return str(self.spec["VariantName"])

    def arrive(self) -> None:
        """What was desired is now what serves."""
        self.current_weight, self.current_count = self.desired_weight, self.desired_count
        self.current_serverless = self.desired_serverless

    def give_up(self) -> None:
        """What serves is what is desired again."""
        self.desired_weight, self.desired_count = self.current_weight, self.current_count
        self.desired_serverless = self.current_serverless

    def summary(self) -> dict[str, Any]:
        """`ProductionVariantSummary` of DescribeEndpoint."""
        shown: dict[str, Any] = {
            "VariantName": self.name,
            "CurrentWeight": shown_weight(self.current_weight),
            "DesiredWeight": shown_weight(self.desired_weight),
        }
        if self.current_serverless and self.desired_serverless:
            return shown | {
                "CurrentServerlessConfig": self.current_serverless.summary(),
                "DesiredServerlessConfig": self.desired_serverless.summary(),
            }
        return shown | {
            "CurrentInstanceCount": self.current_count,
            "DesiredInstanceCount": self.desired_count,
        }

    def pending_summary(self) -> dict[str, Any]:
        """`PendingProductionVariantSummary` of DescribeEndpoint."""
        shown: dict[str, Any] = {
            "VariantName": self.name,
            "DesiredWeight": shown_weight(self.desired_weight),
        }
        if self.desired_serverless:
            return shown | {"DesiredServerlessConfig": self.desired_serverless.summary()}
        return shown | {
            "DesiredInstanceCount": self.desired_count,
            "InstanceType": self.spec["InstanceType"],
        }


@dataclass(frozen=True)
class Deployment:
    """An UpdateEndpoint under way: the configuration and the variants that will take over."""

    config: EndpointConfig
    variants: Sequence[Variant]
    started: float

    def summary(self) -> dict[str, Any]:
        """`PendingDeploymentSummary` of DescribeEndpoint."""
        return {
            "EndpointConfigName": self.config.name,
            "StartTime": timestamp(self.started),
            "ProductionVariants": [variant.pending_summary() for variant in self.variants],
        }


@dataclass(frozen=True)
class Mishap:
    """How an endpoint's next update ends instead of well: rolled back, or failed with a reason."""

    rolls_back: bool
    reason: str = ""


@dataclass(kw_only=True)
class Endpoint(Resource):
    """An endpoint. `status` is one of the API's words (`Creating`, `InService`, ..)."""

    config: EndpointConfig
    variants: Sequence[Variant]
    status: str = "Creating"
    modified: float = field(default_factory=lambda: WORLD.clock())
    deployment: Deployment | None = None
    failure_reason: str | None = None
    mishap: Mishap | None = None
    traffic: Traffic | None = None

    def description(self) -> dict[str, Any]:
        """DescribeEndpoint. While the endpoint is being created nothing serves, and no variants
        are described; while it is updated the old ones are."""
        answer: dict[str, Any] = {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config.name,
            "EndpointStatus": self.status,
            "CreationTime": timestamp(self.created),
            "LastModifiedTime": timestamp(self.modified),
        }
        if self.status != "Creating":
            answer["ProductionVariants"] = [variant.summary() for variant in self.variants]
        if self.failure_reason is not None:
            answer["FailureReason"] = self.failure_reason
        if self.deployment:
            answer["PendingDeploymentSummary"] = self.deployment.summary()
        if self.config.metrics_config is not None:
            answer["MetricsConfig"] = dict(self.config.metrics_config)
        return answer


def timestamp(moment: float) -> datetime:
    """An API timestamp for epoch seconds."""
    return datetime.fromtimestamp(moment, UTC)


def shown_weight(weight: float) -> float:
    """A weight as SageMaker describes it."""
    if not WORLD.switches.single_precision_weights:
        return weight
    shown: float = struct.unpack("f", struct.pack("f", weight))[0]
    return shown
