"""What CloudTrail recorded of a training job's creation: the part of the request that SageMaker
itself never tells.

Event history is there without a trail, holds an account's management events of a Region for 90 days
(CloudTrail user guide, "Working with CloudTrail Event history"), and CreateTrainingJob among them
with all that was asked (SageMaker developer guide, "Logging Amazon SageMaker AI API calls using AWS
CloudTrail"; a real record: github.com/fotso94/medzen-platform, tests/fixtures/aws).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from functions.spot_fallback.clone import EMPTY, RECORDED
from functions.spot_fallback.progress import Job

KEPT = timedelta(days=90)
DELIVERY = timedelta(minutes=15)
"""After this a record that is not there will not come. AWS speaks of 5 minutes on average, not
guaranteed (CloudTrail user guide, "Getting and viewing your CloudTrail log files"); users wait up
to 15."""
AROUND = timedelta(minutes=1)
"""How far the record's time, of when the request was completed on a host of SageMaker's (CloudTrail
user guide, "CloudTrail record contents"), may be from the job's. Another job that had this name must
have ended and been deleted before: that takes longer."""
PAGE = 50
MOST_PAGES = 10
"""A page may take seconds in a busy Region, and a look has few of them."""
THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "OperationNotPermittedException",
        "UnsupportedOperationException",
    }
)
"""Asking again does not help (CloudTrail API reference, "Common Errors" and LookupEvents)."""

logger = Logger(child=True)


@dataclass(frozen=True)
class Recorded:
    """What the job's record tells: members of CreateTrainingJob, of `RECORDED` those asked for."""

    members: Mapping[str, Any]


@dataclass(frozen=True)
class Unread:
    """Nothing is known of them. later: whether asking later may help."""

    why: str
    later: bool = False


@dataclass(frozen=True)
class Creation:
    """A job that was created. arn, name: empty where the record has none. members: None where it
    leaves out what was asked."""

    at: datetime
    arn: str
    name: str
    members: Mapping[str, Any] | None

    def is_of(self, job: Job) -> bool:
        named: str = job["TrainingJobName"]
        arn: str = job["TrainingJobArn"]
        same = self.arn.lower() == arn.lower() if self.arn else self.name == named
        return same and abs(self.at - job["CreationTime"]) <= AROUND


class Creations:
    """client: gives a boto3 client by name. Lives for one invocation: what a page tells of other
    jobs is kept, for jobs that were submitted together lose Spot together, and lookups are limited
    to two a second for the whole account."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._known: list[Creation] = []

    def of(self, job: Job, now: datetime) -> Recorded | Unread:
        """What the record of the job's own creation tells.

        Raises ClientError and BotoCoreError, but where CloudTrail refuses for lack of rights, is
        asked too often, or does not answer: all of these are told as Unread.
        """
        name, age = job["TrainingJobName"], now - job["CreationTime"]
        if age > KEPT:
            return Unread(f"{name} is older than CloudTrail's Event history")
        found = self._find(job)
        if found is None:
            try:
                found = self._look_up(job)
            except (BotoCoreError, ClientError) as error:
                unread = _read(error)
                if unread is None:
                    raise
                return unread
        if found is None:
            return Unread(
                f"CloudTrail's Event history has no record of the creation of {name}",
                later=age < DELIVERY,
            )
        if found.members is None:
            return Unread(f"CloudTrail's record of the creation of {name} lacks what was asked")
        return Recorded(found.members)

    def _find(self, job: Job) -> Creation | None:
        return next((each for each in self._known if each.is_of(job)), None)

    def _look_up(self, job: Job) -> Creation | None:
        """Read pages, the latest events first, until one tells of the job.

        One attribute is allowed besides the times; which resources CloudTrail sees in an event is
        not documented for SageMaker, so it is looked up by its name.
        """
        lookup = self._client("cloudtrail").get_paginator("lookup_events")
        pages = lookup.paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateTrainingJob"}],
            StartTime=job["CreationTime"] - AROUND,
            EndTime=job["CreationTime"] + AROUND,
            PaginationConfig={"PageSize": PAGE},
        )
        for page in islice(pages, MOST_PAGES):
            self._known += [each for each in map(creation, page["Events"]) if each is not None]
            if found := self._find(job):
                return found
        return None


def creation(event: Mapping[str, Any]) -> Creation | None:
    """What an event of LookupEvents tells; None of a call that was refused, or of another service.

    Names begin with a small letter in a record, and what is larger than CloudTrail keeps is
    replaced by `omitted` (CloudTrail user guide, "CloudTrail record contents").
    """
    try:
        record = json.loads(event["CloudTrailEvent"])
    except ValueError:
        logger.warning("a record of CloudTrail is no JSON", event=event.get("EventId"))
        return None
    if record.get("errorCode") or not record.get("eventSource", "").startswith("sagemaker."):
        return None
    asked = record.get("requestParameters") or {}
    return Creation(
        at=event["EventTime"],
        arn=(record.get("responseElements") or {}).get("trainingJobArn", ""),
        name=asked.get("trainingJobName", ""),
        members=None if not asked or asked.get("omitted") else _members(asked),
    )


def _members(asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Those of `RECORDED`, which are structures all; None if one is not, and so is not told."""
    named = {name: asked.get(name[:1].lower() + name[1:]) for name in RECORDED}
    told = {name: value for name, value in named.items() if value not in EMPTY}
    if not all(isinstance(value, Mapping) for value in told.values()):
        return None
    return {name: _capital(value) for name, value in told.items()}


def _capital(value: Any) -> Any:
    """A structure with the names that requests have; no member of `RECORDED` has a map in it."""
    if not isinstance(value, Mapping):
        return value
    return {name[:1].upper() + name[1:]: _capital(each) for name, each in value.items()}


def _read(error: BotoCoreError | ClientError) -> Unread | None:
    """What it means that a lookup failed; None where that is a mistake of ours."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return Unread(f"CloudTrail does not let its Event history be read: {error}")
        failed = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        if failed or code in THROTTLED:
            return Unread(f"CloudTrail answers no lookup for now: {error}", later=True)
    if isinstance(error, HTTPClientError | ConnectionError):
        return Unread(f"CloudTrail does not answer: {error}", later=True)
    return None
