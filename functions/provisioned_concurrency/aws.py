"""What aliases and serverless variants have in common: how they are found, measured and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Dial, Refuse
from functions.core.memory import Memory
from functions.core.mode import TAG_PREFIX
from functions.core.remediation import Busy, Changed
from functions.core.telling import count
from functions.provisioned_concurrency import lead
from functions.provisioned_concurrency.decision import stands
from functions.provisioned_concurrency.metrics import LOOK, Meter, traffic
from functions.provisioned_concurrency.observation import (
    Minute,
    Owner,
    Service,
    Status,
    Wish,
)
from functions.provisioned_concurrency.owners import Owners
from functions.provisioned_concurrency.settings import ProvisionedConcurrencySettings
from functions.provisioned_concurrency.wishes import LEVER

logger = Logger(child=True)

OPTED_IN = ["observe", "approve", "act"]
TYPES = ["lambda:function", "sagemaker:endpoint"]
FULL = 300
"""Seconds until a level is tried again for which there is no room."""
LEAD = "lead#"
"""What the name of a remembered document begins with; the target follows."""


@dataclass(frozen=True)
class Standing:
    """What a glance reads of one target. resource: its ID at Application Auto Scaling. level: what
    is asked for, or the floor of the scalable target that owned says there is. meter: where its
    traffic is told, None where nothing is provisioned."""

    target: str
    resource: str
    service: Service
    wish: Wish | Refuse
    level: int
    failed: bool
    meter: Meter | None
    owned: bool = False


class Leads:
    """How long allocation took on each target, as far as it was measured."""

    def __init__(self, memory: Memory, clock: Callable[[], datetime]) -> None:
        self._memory = memory
        self._clock = clock

    def begun(self, target: str, floor: int) -> None:
        """A rise was just asked for; from now on it is measured. floor: as of `lead.begun`."""
        document = self._recall(target)
        now = self._clock()
        self._memory.remember(LEAD + target, lead.begun(document, now.timestamp(), floor), now)

    def of(
        self, target: str, status: Status, requested: int, owner: Owner | None, now: datetime
    ) -> timedelta | None:
        """The lead of a target that is seen in a status; what that tells of it is kept."""
        document = self._recall(target)
        floor = owner.minimum if owner else 0
        after = lead.seen(document, status, now.timestamp(), requested, floor)
        if after != document:
            self._memory.remember(LEAD + target, after, now)
        return lead.lead(after)

    def all(self) -> dict[str, timedelta | None]:
        """The lead of every target that has any, in one query."""
        found = self._memory.recall_all(LEAD)
        return {each.name.removeprefix(LEAD): lead.lead(each.document) for each in found}

    def _recall(self, target: str) -> Mapping[str, Any]:
        found = self._memory.recall(LEAD + target)
        return found.document if found else lead.NOTHING


@dataclass(frozen=True)
class Surroundings:
    """What both adapters ask beside their own service. name: the remediation's. cloudwatch: a boto3
    client."""

    name: str
    cloudwatch: Any
    owners: Owners
    leads: Leads
    settings: ProvisionedConcurrencySettings

    def minutes(self, meter: Meter, now: datetime) -> tuple[Minute, ...]:
        """The newest minutes of a target; none where CloudWatch refuses: a schedule is kept without
        them, and nothing falls for want of them."""
        try:
            return traffic(self.cloudwatch, {"": meter}, now, LOOK)[""]
        except (ClientError, BotoCoreError):
            logger.exception("traffic not read", dimensions=dict(meter.dimensions))
            count(self.name, "traffic-unread")
            return ()

    def written(self, target: str, requested: int, write: Dial) -> None:
        """Measure from now on how long a rise lasts that AWS just took. requested: the level that was
        asked for before. The write is done: where its time cannot be kept, it is not measured."""
        floor = write["minimum"]
        if (write["provisioned"] if floor is None else floor) <= requested:
            return
        try:
            self.leads.begun(target, floor or 0)
        except (ClientError, BotoCoreError):
            logger.exception("lead not measured", target=target)
            count(self.name, "lead-unmeasured")

    def owner(self, service: Service, resource: str) -> Owner | None:
        return self.owners.of(service, [resource]).get(resource)


def tagged(tagging: Any) -> dict[str, Mapping[str, str]]:
    """The tags of every function and endpoint that is opted in, by ARN; a call for every 100."""
    pages = tagging.get_paginator("get_resources").paginate(
        ResourcesPerPage=100,
        ResourceTypeFilters=TYPES,
        TagFilters=[{"Key": TAG_PREFIX + LEVER, "Values": OPTED_IN}],
    )
    return {
        found["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in found["Tags"]}
        for page in pages
        for found in page["ResourceTagMappingList"]
    }


def dial(requested: int, owner: Owner | None) -> dict[str, Any]:
    """As of `Seen.dial`."""
    return {"provisioned": requested, "minimum": None if owner is None else owner.minimum}


def require_unmoved(stood: Dial, seen: Dial, status: Status, name: str) -> None:
    """Whether a write may go ahead. There is no lock on provisioned concurrency: it is read once more
    right before. Raises Changed and Busy."""
    if not stands(stood, seen):
        raise Changed(stood)
    if status is Status.IN_PROGRESS:
        raise Busy(f"{name} is still being allocated what was asked for last")


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def text_of(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))
