"""Scaling activities, and the events that tell of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from local.cloud.autoscaling.group import Group, moment
from local.cloud.world import WORLD

Way = Literal["Launch", "Terminate"]


@dataclass(eq=False)
class Activity:
    """One launch, termination or detachment, or a launch that failed. way: which way the instance
    went, into the group or out of it."""

    group: Group
    way: Way
    description: str
    cause: str
    details: Mapping[str, str]
    instance_id: str = ""
    status: str = "InProgress"
    message: str = ""
    progress: int = 50
    ended: float | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=WORLD.clock)

    def shown(self) -> dict[str, Any]:
        """The activity in DescribeScalingActivities."""
        described = {
            "ActivityId": self.id,
            "AutoScalingGroupName": self.group.name,
            "AutoScalingGroupARN": self.group.arn,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": moment(self.started),
            "StatusCode": self.status,
            "Progress": self.progress,
            "Details": json.dumps(self.details, separators=(",", ":")),
        }
        if self.message:
            described["StatusMessage"] = self.message
        if self.ended is not None:
            described["EndTime"] = moment(self.ended)
        return described

    def succeed(self) -> None:
        """It is done: send `EC2 Instance Launch Successful` or `.. Terminate Successful`."""
        self._end("Successful")

    def fail(self, message: str) -> None:
        """It failed: send `EC2 Instance Launch Unsuccessful`."""
        self.message = message
        self._end("Failed")

    def cease(self) -> None:
        """It is done, and nothing is told."""
        self.status, self.progress, self.ended = "Successful", 100, WORLD.clock()

    def cancel(self) -> None:
        """What it began is over before it was done; nothing is told."""
        self.status, self.progress, self.ended = "Cancelled", 100, WORLD.clock()

    def _end(self, status: str) -> None:
        self.status, self.progress, self.ended = status, 100, WORLD.clock()
        self._announce(status)

    def _announce(self, status: str) -> None:
        """Shape: the samples of the EC2 Auto Scaling user guide, "Amazon EC2 Auto Scaling event
        reference", where a successful launch still bears the status InProgress, and the recorded
        failure of docs.rs/crate/aws_lambda_events (example-autoscaling-event-launch-unsuccessful).
        """
        _, _, _, region, account, _ = self.group.arn.split(":", 5)
        resources = [self.group.arn]
        if self.instance_id:
            resources.append(f"arn:aws:ec2:{region}:{account}:instance/{self.instance_id}")
        outside, inside = ("EC2", "AutoScalingGroup")
        origin, destination = (outside, inside) if self.way == "Launch" else (inside, outside)
        outcome = "Unsuccessful" if status == "Failed" else "Successful"
        WORLD.emit(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": f"EC2 Instance {self.way} {outcome}",
                "source": "aws.autoscaling",
                "account": account,
                "time": iso(WORLD.clock()),
                "region": region,
                "resources": resources,
                "detail": {
                    "StatusCode": "Failed" if status == "Failed" else "InProgress",
                    "Description": self.description,
                    "AutoScalingGroupName": self.group.name,
                    "ActivityId": self.id,
                    "Details": dict(self.details),
                    "RequestId": self.id,
                    "StatusMessage": self.message,
                    "EndTime": iso(WORLD.clock()),
                    "EC2InstanceId": self.instance_id,
                    "StartTime": iso(self.started),
                    "Cause": self.cause,
                    "Origin": origin,
                    "Destination": destination,
                },
            }
        )


def iso(seconds: float) -> str:
    """A moment as causes and events write it."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
