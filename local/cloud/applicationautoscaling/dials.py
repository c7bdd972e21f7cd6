"""What Application Auto Scaling turns: the capacity of a resource of another service.

Each service is read and written through its own backend, so that its rules, quotas and durations
hold. A dimension whose service is not connected cannot be registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from moto.backends import get_backend

from local.cloud.seam import Refusal


@dataclass(frozen=True)
class Reading:
    """The capacity that the target service is told to have, whether it can be told another one now,
    and why that capacity did not come about, if so."""

    desired: int
    scalable: bool
    failure: str = ""


class Dial(Protocol):
    """The capacity of one resource. Both methods run inside a turn."""

    def read(self) -> Reading | None:
        """What the service says, or None when it has no such resource."""

    def write(self, capacity: int) -> None:
        """Tell the service; raises `Refusal` when it refuses."""


Opener = Callable[[str, str, str], Dial]
"""Opens the dial of (account id, Region, resource id); the resource id fits the dimension."""

_openers: dict[str, Opener] = {}

FUNCTIONS = "lambda:function:ProvisionedConcurrency"


def connect(dimension: str, opener: Opener) -> None:
    """Let resources of a scalable dimension be registered; takes the place of an earlier opener."""
    _openers[dimension] = opener


@contextmanager
def without(dimension: str) -> Iterator[None]:
    """Leave a dimension unconnected while the context lasts: its service is not in this process."""
    opener = _openers.pop(dimension, None)
    try:
        yield
    finally:
        if opener is not None:
            _openers[dimension] = opener


def dial(dimension: str, account_id: str, region: str, resource_id: str) -> Dial:
    """The dial of a resource, or the refusal of a dimension that nothing is connected to."""
    if dimension not in _openers:
        raise Refusal(
            "UnsupportedByPocketAccount", f"The pocket account does not simulate {dimension}."
        )
    return _openers[dimension](account_id, region, resource_id)


@dataclass(frozen=True)
class InstanceCount:
    """`sagemaker:variant:DesiredInstanceCount`."""

    account_id: str
    region: str
    resource_id: str

    def read(self) -> Reading | None:
        found = _variant(self)
        return found and Reading(found[1].desired_count, found[0].status == "InService")

    def write(self, capacity: int) -> None:
        _, endpoint, _, variant = self.resource_id.split("/")
        wish = {"VariantName": variant, "DesiredInstanceCount": capacity}
        _sagemaker(self).update_endpoint_weights_and_capacities(endpoint, [wish])


@dataclass(frozen=True)
class ServerlessConcurrency:
    """`sagemaker:variant:DesiredProvisionedConcurrency`."""

    account_id: str
    region: str
    resource_id: str

    def read(self) -> Reading | None:
        found = _variant(self)
        if found is None or found[1].desired_serverless is None:
            return None
        return Reading(found[1].desired_serverless.provisioned, found[0].status == "InService")

    def write(self, capacity: int) -> None:
        _, endpoint, _, variant = self.resource_id.split("/")
        _sagemaker(self).provision(endpoint, variant, capacity)


@dataclass(frozen=True)
class FunctionConcurrency:
    """`lambda:function:ProvisionedConcurrency`, of the Lambda in this process."""

    account_id: str
    region: str
    resource_id: str

    def read(self) -> Reading | None:
        api, place = self._place()
        try:
            told = api.get_provisioned_concurrency_config(*place)
        except Refusal as refusal:
            none = refusal.code == "ProvisionedConcurrencyConfigNotFoundException"
            return Reading(0, scalable=True) if none else None
        return Reading(
            told["RequestedProvisionedConcurrentExecutions"],
            told["Status"] != "IN_PROGRESS",
            told.get("StatusReason", "") if told["Status"] == "FAILED" else "",
        )

    def write(self, capacity: int) -> None:
        """None is what Lambda calls no configuration: its least is 1."""
        api, place = self._place()
        if capacity:
            api.put_provisioned_concurrency_config(*place, capacity)
        else:
            api.delete_provisioned_concurrency_config(*place)

    def _place(self) -> tuple[Any, tuple[str, str]]:
        _, name, qualifier = self.resource_id.split(":")
        stores: Any = get_backend("lambda")
        return stores[self.account_id][self.region], (name, qualifier)


def _sagemaker(place: InstanceCount | ServerlessConcurrency) -> Any:
    stores: Any = get_backend("sagemaker")
    return stores[place.account_id][place.region]


def _variant(place: InstanceCount | ServerlessConcurrency) -> tuple[Any, Any] | None:
    _, endpoint_name, _, variant_name = place.resource_id.split("/")
    endpoint = _sagemaker(place).endpoints.get(endpoint_name.lower())
    for variant in endpoint.variants if endpoint else ():
        if variant.name == variant_name:
            return endpoint, variant
    return None


connect("sagemaker:variant:DesiredInstanceCount", InstanceCount)
connect("sagemaker:variant:DesiredProvisionedConcurrency", ServerlessConcurrency)
connect(FUNCTIONS, FunctionConcurrency)
