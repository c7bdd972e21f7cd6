"""Serverless variants: what they are made of, and what SageMaker refuses of them.

Sources: the bounds are the service model's (`ProductionVariantServerlessConfig`,
`ProductionVariantServerlessUpdateConfig`), the steps of memory and "should be less than or equal to
MaxConcurrency" its words; one variant an endpoint: SageMaker developer guide, serverless-endpoints,
"Feature exclusions". AWS's own texts of these refusals are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

MEMORY_STEP = 1024
INSTANCE_KEYS = (
    "InstanceType",
    "InitialInstanceCount",
    "VolumeSizeInGB",
    "EnableSSMAccess",
    "InferenceAmiVersion",
    "RoutingConfig",
)


@dataclass(frozen=True)
class Serverless:
    """A serverless variant's size: memory in MB, the most concurrent invocations, and how many of
    these are provisioned (0: none)."""

    memory: int
    most: int
    provisioned: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Serverless:
        """The size that a ServerlessConfig asks for."""
        return cls(
            config["MemorySizeInMB"],
            config["MaxConcurrency"],
            config.get("ProvisionedConcurrency", 0),
        )

    def updated(self, change: Mapping[str, int]) -> Serverless:
        """The size after a ServerlessUpdateConfig; what it does not name stays."""
        return replace(
            self,
            most=change.get("MaxConcurrency", self.most),
            provisioned=change.get("ProvisionedConcurrency", self.provisioned),
        )

    def summary(self) -> dict[str, int]:
        """`ProductionVariantServerlessConfig`; without provisioned concurrency that is absent,
        since the model's least value is 1."""
        shown = {"MemorySizeInMB": self.memory, "MaxConcurrency": self.most}
        return shown | ({"ProvisionedConcurrency": self.provisioned} if self.provisioned else {})

    def problem(self) -> str | None:
        """Why SageMaker refuses this size, or None."""
        if self.memory % MEMORY_STEP:
            return (
                f"MemorySizeInMB must be one of 1024, 2048, 3072, 4096, 5120, 6144, not "
                f"{self.memory}."
            )
        if self.provisioned > self.most:
            return (
                f"ProvisionedConcurrency ({self.provisioned}) must be less than or equal to "
                f"MaxConcurrency ({self.most})."
            )
        return None


def variant_problems(specs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Why CreateEndpointConfig refuses these production variants for being serverless."""
    for spec in specs:
        if "ServerlessConfig" not in spec:
            continue
        name = spec["VariantName"]
        if mixed := [key for key in INSTANCE_KEYS if key in spec]:
            yield f"Variant {name} cannot have ServerlessConfig and {', '.join(mixed)}."
        if problem := Serverless.of(spec["ServerlessConfig"]).problem():
            yield problem
        if len(specs) > 1:
            yield "An endpoint with a serverless variant cannot have more than one variant."
