"""Spot requests: asked for, waiting for capacity, fulfilled, cancelled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Instance
from moto.ec2.utils import convert_tag_spec, random_spot_request_id

from local.cloud.ec2.launches import Launches
from local.cloud.ec2.lookups import matching
from local.cloud.ec2.moments import now, utc
from local.cloud.ec2.orders import Order
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

MESSAGES: Mapping[str, str] = {
    "pending-evaluation": "Your Spot request has been submitted for review, and is pending "
    "evaluation.",
    "pending-fulfillment": "Your Spot request is pending fulfillment.",
    "fulfilled": "Your Spot request is fulfilled.",
    "capacity-not-available": "There is no Spot capacity available that matches your request.",
    "limit-exceeded": "Max spot instance count exceeded",
    "schedule-expired": "Your Spot request has expired.",
    "canceled-before-fulfillment": "Your Spot request is canceled before it was fulfilled.",
    "request-canceled-and-instance-running": "Your Spot request is canceled, but your instance "
    "is still running.",
    "instance-terminated-by-user": "Your Spot Instance was terminated by user.",
    "marked-for-termination": "Your Spot Instance is marked for termination.",
    "instance-terminated-no-capacity": "Your Spot Instance was terminated because there is no "
    "Spot capacity available.",
}
"""The codes of EC2 user guide, "Get the status of a Spot Instance request"."""


@dataclass(eq=False)
class SpotRequest(TaggedEC2Resource):
    """One Spot request. moto lists, filters and describes it by its attributes."""

    ec2_backend: Launches = field(repr=False)
    order: Order
    type: str = "one-time"
    valid_until: datetime | None = None
    state: str = "open"
    code: str = "pending-evaluation"
    instance: Instance | None = None
    id: str = field(default_factory=random_spot_request_id)
    create_time: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)

    product_description = "Linux/UNIX"

    @property
    def spot_instance_request_id(self) -> str:
        return self.id

    @property
    def spot_price(self) -> str | None:
        return self.order.spot.get("MaxPrice")

    @property
    def instance_interruption_behavior(self) -> str:
        return str(self.order.spot.get("InstanceInterruptionBehavior", "terminate"))

    @property
    def instance_id(self) -> str | None:
        return None if self.instance is None else str(self.instance.id)

    @property
    def launched_availability_zone(self) -> str | None:
        return None if self.instance is None else self.instance.availability_zone

    @property
    def status(self) -> dict[str, Any]:
        return {
            "Code": self.code,
            "Message": MESSAGES[self.code],
            "UpdateTime": self.updated,
        }

    @property
    def status_code(self) -> str:
        """As a filter names it."""
        return self.code

    @property
    def launch_specification(self) -> dict[str, Any]:
        parts = self.order.parts
        kept = ("ImageId", "InstanceType", "KeyName", "SubnetId", "Placement", "EbsOptimized")
        return {name: parts[name] for name in kept if name in parts}

    def become(self, state: str, code: str) -> None:
        """Take a state and a status code."""
        self.state, self.code, self.updated = state, code, now()


class SpotRequests(Launches):
    """The Spot requests of one account and Region."""

    @operation
    def request_spot_instances(  # type: ignore[override]
        self,
        launch_specification: Mapping[str, Any] | None = None,
        instance_count: int = 1,
        type: str = "one-time",
        spot_price: str | None = None,
        valid_until: datetime | None = None,
        instance_interruption_behavior: str = "terminate",
        tag_specifications: Sequence[Mapping[str, Any]] = (),
        client_token: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Ask for Spot Instances; each request waits until AWS has capacity. What is over the
        quota is refused at once: open requests count (EC2 user guide, "Spot Instance quotas")."""
        if launch_specification is None:
            raise Refusal(
                "MissingParameter", "The request must contain the parameter LaunchSpecification"
            )
        if dry_run:
            raise Refusal(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set."
            )
        options = {"InstanceInterruptionBehavior": instance_interruption_behavior}
        if spot_price is not None:
            options["MaxPrice"] = spot_price
        market = {"MarketType": "spot", "SpotOptions": options}
        order = self.orders.read({**launch_specification, "InstanceMarketOptions": market})
        self._allowed(order, instance_count)
        tags = convert_tag_spec([dict(each) for each in tag_specifications]).get(
            "spot-instances-request", {}
        )
        requests = []
        for _ in range(instance_count):
            request = SpotRequest(self, order, type, valid_until)
            self._register(request, tags)
            self._evaluate_later(request)
            requests.append(request)
        return {"SpotInstanceRequests": [_described(each) for each in requests]}

    @operation
    def cancel_spot_instance_requests(  # type: ignore[override]
        self, spot_instance_request_ids: Sequence[str], dry_run: bool = False
    ) -> dict[str, Any]:
        """Cancel requests; their instances run on."""
        found = self.describe_spot_instance_requests(None, spot_instance_request_ids)
        for request in found:
            if request.state == "open":
                request.become("cancelled", "canceled-before-fulfillment")
            elif request.state == "active":
                request.become("cancelled", "request-canceled-and-instance-running")
        return {
            "CancelledSpotInstanceRequests": [
                {"SpotInstanceRequestId": each.id, "State": each.state} for each in found
            ]
        }

    def describe_spot_instance_requests(  # type: ignore[override]
        self, filters: Any = None, spot_instance_ids: Sequence[str] | None = None
    ) -> list[SpotRequest]:
        """What moto's DescribeSpotInstanceRequests shows."""
        for each in spot_instance_ids or ():
            if each not in self._requests:
                raise Refusal(
                    "InvalidSpotInstanceRequestID.NotFound",
                    f"The spot instance request ID '{each}' does not exist",
                )
        found = [self._requests[each] for each in spot_instance_ids or self._requests]
        return matching(filters, found)

    def bought(self, order: Order, instances: Sequence[Instance]) -> None:
        """Instances were launched as Spot Instances: each has a request, fulfilled at once."""
        for instance in instances:
            request = SpotRequest(self, order, order.spot.get("SpotInstanceType", "one-time"))
            self._register(request, order.tags("spot-instances-request"))
            self._fulfil(request, instance)

    def check_stoppable(self, instance: Instance) -> None:
        """Refuse to stop a Spot Instance that nothing would start again (EC2 user guide, "Stop a
        Spot Instance")."""
        request = self.request_of(instance)
        if request is not None and request.type == "one-time":
            raise Refusal(
                "UnsupportedOperation",
                f"You can't stop the Spot Instance '{instance.id}' because it is associated with a "
                "one-time Spot Instance request. You can only stop Spot Instances associated with "
                "persistent Spot Instance requests.",
            )

    def lost(self, instance: Instance, code: str = "instance-terminated-by-user") -> None:
        """An instance was terminated, `code` says why: a one-time request is closed, a persistent
        one opens again (EC2 user guide, "State changes for a Spot request")."""
        request = self.request_of(instance)
        if request is None or request.state != "active":
            return
        if request.type == "one-time":
            request.become("closed", code)
        else:
            request.instance = None
            request.become("open", "pending-evaluation")
            self._evaluate_later(request)

    def request_of(self, instance: Instance) -> SpotRequest | None:
        """The Spot request that an instance was launched for."""
        request = self._requests.get(getattr(instance, "spot_instance_request_id", ""))
        return request if request is not None and request.instance is instance else None

    def open_spot_requests(self) -> Iterator[str]:
        for request in self._requests.values():
            if request.state == "open" and request.code != "pending-fulfillment":
                yield request.order.instance_type

    @property
    def _requests(self) -> dict[str, SpotRequest]:
        """Where moto keeps Spot requests: ours are in there, and nothing else."""
        kept: Any = self.spot_instance_requests
        requests: dict[str, SpotRequest] = kept
        return requests

    def _register(self, request: SpotRequest, tags: Mapping[str, str]) -> None:
        self._requests[request.id] = request
        request.add_tags(dict(tags))

    def _evaluate_later(self, request: SpotRequest) -> None:
        WORLD.later(WORLD.durations.spot_evaluation, lambda: self._evaluate(request))

    def _evaluate(self, request: SpotRequest) -> None:
        if request.state != "open":
            return
        if request.valid_until is not None and utc(request.valid_until) <= now():
            request.become("cancelled", "schedule-expired")
            return
        request.become("open", "pending-fulfillment")
        try:
            [instance] = self.launch(request.order, 1, 1).instances
        except ServiceException as refusal:
            over = refusal.code == "MaxSpotInstanceCountExceeded"
            request.become("open", "limit-exceeded" if over else "capacity-not-available")
            self._evaluate_later(request)
        else:
            self._fulfil(request, instance)

    def _fulfil(self, request: SpotRequest, instance: Instance) -> None:
        """Sample of the event: EC2 user guide, "Get the status of a Spot Instance request"."""
        request.instance = instance
        request.become("active", "fulfilled")
        instance.spot_instance_request_id = request.id  # type: ignore[attr-defined]
        region = self.region_name
        WORLD.emit(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "EC2 Spot Instance Request Fulfillment",
                "source": "aws.ec2",
                "account": self.account_id,
                "time": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": region,
                "resources": [f"arn:aws:ec2:{region}:{self.account_id}:instance/{instance.id}"],
                "detail": {
                    "spot-instance-request-id": request.id,
                    "instance-id": instance.id,
                },
            }
        )


def _described(request: SpotRequest) -> dict[str, Any]:
    described = {
        "SpotInstanceRequestId": request.id,
        "State": request.state,
        "Status": request.status,
        "Type": request.type,
        "CreateTime": request.create_time,
        "ProductDescription": request.product_description,
        "InstanceInterruptionBehavior": request.instance_interruption_behavior,
        "LaunchSpecification": request.launch_specification,
        "Tags": [{"Key": each["key"], "Value": each["value"]} for each in request.get_tags()],
    }
    if request.spot_price is not None:
        described["SpotPrice"] = request.spot_price
    return described
