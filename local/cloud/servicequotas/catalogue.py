"""The quotas that exist: the built-in ones, or those that someone put in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from local.cloud.servicequotas.ec2_quotas import ec2_quotas
from local.cloud.servicequotas.other_quotas import other_services
from local.cloud.servicequotas.quotas import Service
from local.cloud.servicequotas.sagemaker_quotas import sagemaker_quotas


@dataclass(frozen=True)
class Catalogue:
    """All integrated services by code, in the order they are listed."""

    services: Mapping[str, Service]

    @classmethod
    def of(cls, services: Iterable[Service]) -> Catalogue:
        """The catalogue of these services."""
        listed = list(services)
        by_code = {service.code: service for service in listed}
        if len(by_code) < len(listed):
            raise ValueError("Two services share a code.")
        return cls(by_code)


@cache
def built_in() -> Catalogue:
    """The catalogue of an account that nobody gave another one."""
    services = [
        *other_services(),
        Service.of("ec2", "Amazon Elastic Compute Cloud (Amazon EC2)", ec2_quotas()),
        Service.of("sagemaker", "Amazon SageMaker", sagemaker_quotas()),
    ]
    return Catalogue.of(sorted(services, key=lambda service: service.code))
