"""Spot Instances that EC2 takes back: recommended to be left, warned, terminated."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from moto.ec2.models.instances import Instance

from local.cloud.ec2.happenings import tell
from local.cloud.ec2.launches import COUNTED, pool_of
from local.cloud.ec2.moments import now
from local.cloud.ec2.spot import SpotRequests
from local.cloud.world import WORLD

TAKEN_BACK = "instance-terminated-no-capacity"
TAKEN = "Server.SpotInstanceTermination"


class Interruptions(SpotRequests):
    """What EC2 does to the Spot Instances of one account and Region when it needs them."""

    def recommend(self, instances: Sequence[Instance]) -> None:
        """Say that instances are at an elevated risk; nothing need come of it (EC2 user guide,
        "EC2 instance rebalance recommendations")."""
        for instance in instances:
            if instance.state in COUNTED:
                detail = {"instance-id": instance.id}
                self._announce("EC2 Instance Rebalance Recommendation", instance, detail)
                tell(self.account_id, self.region_name, instance, "at-risk")

    def reclaim(self, instances: Sequence[Instance]) -> None:
        """Warn of the interruption and carry it out when the notice is over (EC2 user guide,
        "Spot Instance interruption notices"). The request of one that will be terminated has the
        end's code at once, though it still runs ("State changes for a Spot request")."""
        for instance in instances:
            if instance.state not in COUNTED or self.marked(instance):
                continue
            request = self.request_of(instance)
            if request is not None:
                closed = "closed" if request.type == "one-time" else request.state
                request.become(closed, TAKEN_BACK)
            detail = {"instance-id": instance.id, "instance-action": "terminate"}
            self._announce("EC2 Spot Instance Interruption Warning", instance, detail)
            tell(self.account_id, self.region_name, instance, "at-risk")
            WORLD.later(WORLD.durations.spot_notice, partial(self._take, instance))

    def marked(self, instance: Instance) -> bool:
        """Whether an instance has been warned."""
        request = self.request_of(instance)
        return request is not None and request.code == TAKEN_BACK

    def _take(self, instance: Instance) -> None:
        """Its capacity goes with it: where a pool is limited, it cannot be launched again."""
        if instance.state not in COUNTED:
            return
        self.capacity.shrink(pool_of(instance))
        self.lost(instance, TAKEN_BACK)
        self.end(instance, TAKEN, f"{TAKEN}: Spot instance termination")

    def _announce(self, detail_type: str, instance: Instance, detail: Mapping[str, Any]) -> None:
        place = f"{self.region_name}:{self.account_id}"
        if WORLD.switches.interruption_arn_names_zone:
            place = str(instance.availability_zone)
        WORLD.emit(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": detail_type,
                "source": "aws.ec2",
                "account": self.account_id,
                "time": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self.region_name,
                "resources": [f"arn:aws:ec2:{place}:instance/{instance.id}"],
                "detail": detail,
            }
        )
