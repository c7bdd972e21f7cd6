"""What Application Auto Scaling turns: the capacity of a resource of another service.

Each service is read and written through its own backend, so that its rules, quotas and durations
hold. A dimension whose service is not connected cannot be registered. A service may live in another
process, which may need this one to answer: it is asked only while no turn lasts (`Distance`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from moto.backends import get_backend

from local.cloud.seam import Refusal
from local.cloud.world import WORLD

Found = TypeVar("Found")


@dataclass(frozen=True)
class Reading:
    """The capacity that the target service is told to have, whether it can be told another one now,
    and why that capacity did not come about, if so."""

    desired: int
    scalable: bool
    failure: str = ""

    @classmethod
    def of_function(cls, told: Mapping[str, Any]) -> Reading:
        """What an answer of Lambda's GetProvisionedConcurrencyConfig says."""
        return cls(
            told["RequestedProvisionedConcurrentExecutions"],
            told["Status"] != "IN_PROGRESS",
            told.get("StatusReason", "") if told["Status"] == "FAILED" else "",
        )


class Dial(Protocol):
    """The capacity of one resource. Both methods run inside a turn, or outside of every turn when
    its service is in another process."""

    def read(self) -> Reading | None:
        """What the service says, or None when it has no such resource."""

    def write(self, capacity: int) -> None:
        """Tell the service; raises `Refusal` when it refuses."""


Opener = Callable[[str, str, str], Dial]
"""Opens the dial of (account id, Region, resource id); the resource id fits the dimension."""


class Distance(Protocol):
    """The way to a service in another process."""

    def send(self, errand: Callable[[], None]) -> None:
        """Run an errand soon, one after the other, outside of every turn; it does not raise."""

    def seen(self, region: str, resource_id: str) -> bool:
        """Whether the resource stood when it was last looked for, which was right before the turn
        that asks."""


_openers: dict[str, Opener] = {}
_distances: dict[str, Distance] = {}

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


@contextmanager
def through(dimension: str, opener: Opener, distance: Distance) -> Iterator[None]:
    """Connect a dimension to a service in another process while the context lasts."""
    with without(dimension):
        _openers[dimension], _distances[dimension] = opener, distance
        try:
            yield
        finally:
            del _openers[dimension], _distances[dimension]


def ask(dimension: str, act: Callable[[], Found], then: Callable[[Found], None]) -> None:
    """Ask a dimension's service, and go on with the answer in a turn: in this one, or in a later one
    when the service is in another process."""
    distance = _distances.get(dimension)
    if distance is None:
        then(act())
        return

    def errand() -> None:
        answer = act()
        with WORLD.turn():
            then(answer)

    distance.send(errand)


def standing(dimension: str, region: str, resource_id: str, opened: Dial) -> bool:
    """Whether there is such a resource."""
    distance = _distances.get(dimension)
    return distance.seen(region, resource_id) if distance else opened.read() is not None


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
        return Reading.of_function(told)

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
