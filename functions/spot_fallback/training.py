"""What AWS says of training jobs on Spot, and the two writes that take one to On-Demand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ParamValidationError

from functions.core.decision import Dial, Refuse
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Changed, Gone, Impossible, Sighting
from functions.core.signals import Place
from functions.spot_fallback.clone import RECORDED, clone, heir_name, without_metrics
from functions.spot_fallback.creation import Creations, Recorded
from functions.spot_fallback.jobs import LATE
from functions.spot_fallback.observation import Heir, JobSeen
from functions.spot_fallback.progress import (
    MAX_WAIT,
    WITHOUT_INSTANCES,
    Job,
    fleet,
    short_of_capacity,
    waits_for_instances,
)
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.reading import ORIGINAL_TAG

JOB_ARN = re.compile(r"arn:[\w-]+:sagemaker:[\w-]+:\d{12}:training-job/([a-zA-Z0-9-]{1,63})")
LEVER = "spot-fallback"
ARNS_A_CALL = 100
QUOTA_LOOK = 300
"""Seconds until a refusal for want of quota is tried again; raising one takes minutes at least."""
ENDED_LOOK = 10
"""Seconds until a job is looked at again that ended by itself right before it was to be stopped."""
RECORD_LOOK = 60
"""Seconds until the record of a job's creation is looked up again."""
BUILT_IN_METRICS = "override the metric definitions"
"""In AWS's refusal of MetricDefinitions with the image of a built-in algorithm, which
DescribeTrainingJob itself gives back (github.com/awslabs/mlspace, its tests). Only this text tells
such an image from a customer's: registries and repositories are AWS's to add to."""

logger = Logger(child=True)


class TrainingJobs:
    """client: gives a boto3 client by name. place: of this function, whose jobs are its.

    more_types: types that an heir may be given besides its own, for their prices.
    """

    irreversible = (
        "a stopped training job cannot be started again, and the job that took over from it has "
        "its work; stop that one yourself if it is not wanted"
    )

    def __init__(
        self,
        client: Callable[[str], Any],
        rates: RateCard,
        place: Place,
        more_types: Sequence[str] = (),
    ) -> None:
        self._sagemaker = client("sagemaker")
        self._tagging = client("resourcegroupstaggingapi")
        self._rates = rates
        self._place = place
        self._more_types = tuple(more_types)
        self._creations = Creations(client)
        self._now = datetime.min.replace(tzinfo=UTC)

    # where to look

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the job's tag lets us go. Raises Gone."""
        return of_tag(self._tags(self._describe(_name(target))), LEVER)

    def sweep(self, now: datetime) -> list[Sighting]:
        """Jobs that seek instances or ended for want of them lately; an heir's stand for the job
        that it took over from."""
        jobs = {job["TrainingJobArn"]: job["TrainingJobName"] for job in self._worth_a_look(now)}
        targets = [
            self._arn(tags.get(ORIGINAL_TAG) or jobs[arn])
            for arn, tags in self._tags_of(list(jobs))
            if not isinstance(of_tag(tags, LEVER), Refuse)
        ]
        note = {"at": now.isoformat()}
        return [Sighting(target, "waiting", note) for target in dict.fromkeys(targets)]

    def _worth_a_look(self, now: datetime) -> Iterator[Mapping[str, Any]]:
        """Summaries of the jobs without instances, and of those that ended lately for want of some.

        The first listing sets no MaxResults: with it the page is taken first and filtered then,
        which reads all jobs there ever were (botocore service model, `ListTrainingJobs`).
        """
        listing = self._sagemaker.get_paginator("list_training_jobs")
        for page in listing.paginate(StatusEquals="InProgress"):
            for job in page["TrainingJobSummaries"]:
                if job.get("SecondaryStatus", "Starting") in WITHOUT_INSTANCES:
                    yield job
        for page in listing.paginate(
            LastModifiedTimeAfter=now - LATE, PaginationConfig={"PageSize": 100}
        ):
            for job in page["TrainingJobSummaries"]:
                out_of_time = job.get("SecondaryStatus") == MAX_WAIT
                if job["TrainingJobStatus"] == "Failed" or out_of_time:
                    yield job

    def _tags_of(self, arns: Sequence[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
        for start in range(0, len(arns), ARNS_A_CALL):
            answer = self._tagging.get_resources(ResourceARNList=arns[start : start + ARNS_A_CALL])
            for each in answer["ResourceTagMappingList"]:
                yield each["ResourceARN"], _as_map(each["Tags"])

    def _arn(self, name: str) -> str:
        place = self._place
        return f"arn:{place.partition}:sagemaker:{place.region}:{place.account}:training-job/{name}"

    # what is seen

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> JobSeen:
        """The job, and the heir once there can be one: it is created when the job is over."""
        self._now = now
        job = self._describe(_name(target))
        heir = None if job["TrainingJobStatus"] == "InProgress" else self._heir(job)
        types = [*fleet(job), *(fleet(heir.description) if heir else ()), *self._more_types]
        rates = self._rates.of(types, now)
        return JobSeen(job["TrainingJobArn"], now, job, self._tags(job), heir, rates)

    def _heir(self, job: Job) -> Heir | None:
        name = heir_name(job)
        try:
            heir = self._describe(name)
        except Gone:
            return None
        return Heir(name, heir) if self._takes_over(heir, job) else None

    def _takes_over(self, heir: Job, job: Job) -> bool:
        original: str = job["TrainingJobName"]
        return self._tags(heir).get(ORIGINAL_TAG) == original

    def _describe(self, name: str) -> Job:
        """Raises Gone. AWS answers ValidationException, though the model lists ResourceNotFound
        (github.com/boto/boto3/issues/2808)."""
        try:
            job: Job = self._sagemaker.describe_training_job(TrainingJobName=name)
        except ClientError as error:
            if _is_missing(error):
                raise Gone(f"there is no training job {name} any more") from error
            raise
        return job

    def _tags(self, job: Job) -> dict[str, str]:
        pages = self._sagemaker.get_paginator("list_tags").paginate(
            ResourceArn=job["TrainingJobArn"]
        )
        try:
            return _as_map(tag for page in pages for tag in page["Tags"])
        except ClientError as error:
            if _is_missing(error):
                name = job["TrainingJobName"]
                raise Gone(f"there is no training job {name} any more") from error
            raise

    # what is done

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        """Stop the job, or create its heir: `write` of the latter holds the heir's
        MaxRuntimeInSeconds as `seconds`, `types`, the instance types to try, and `record_by`, until
        when the record of the job's creation may be waited for. What was done without that record
        says so in `unread`.

        SageMaker has no lock on a job: it is described once more right before the call.
        """
        job = self._describe(_name(target))
        if write["heir"] is None:
            self._stop(job)
            return None
        return self._create(job, write)

    def _stop(self, job: Job) -> None:
        name, secondary = job["TrainingJobName"], job["SecondaryStatus"]
        if job["TrainingJobStatus"] != "InProgress":
            raise _stopped_meanwhile(job)
        if not waits_for_instances(job):
            raise Busy(f"{name} has got its instances meanwhile: it is {secondary}")
        try:
            self._sagemaker.stop_training_job(TrainingJobName=name)
        except ClientError as error:
            if _is_missing(error):
                raise Gone(f"there is no training job {name} any more") from error
            if _says(error, "is in status"):  # it ended between the two calls
                raise _stopped_meanwhile(self._describe(name)) from error
            raise

    def _create(self, job: Job, write: Dial) -> Dial:
        name = job["TrainingJobName"]
        if write["heir"] != heir_name(job):
            raise Changed({"stopped": False, "heir": None})  # another job by the same name
        if job["TrainingJobStatus"] not in {"Stopped", "Failed"}:
            raise Busy(f"{name} is not over yet, and two jobs must not share its checkpoints")
        tags = self._tags(job)
        recorded, unread = self._recorded(job, write)
        write = {part: value for part, value in {**write, **unread}.items() if part != "record_by"}
        request = clone(job, tags, write["heir"], write["seconds"], write["types"], recorded)
        try:
            return self._send(job, tags, request, write)
        except ClientError as error:
            code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
            match code:
                case "ResourceInUse":
                    return self._taken(job, write)
                case "ResourceLimitExceeded":
                    raise Busy(text, code="quota", again=QUOTA_LOOK) from error
                case "ValidationException":
                    raise Impossible(
                        "clone-refused",
                        f"SageMaker refuses {write['heir']}: {text}",
                        (f"Begin the work of {name} anew by hand; its checkpoints are kept",),
                    ) from error
                case _:
                    raise

    def _recorded(
        self, job: Job, write: Dial
    ) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, str]]]:
        """What only the record of the job's creation tells, and what to note if that is unknown.

        The job is over, and its work waits: a record is waited for while that costs nothing that
        matters, and is not worth more than the work.
        """
        found = self._creations.of(job, self._now)
        if isinstance(found, Recorded):
            return found.members, {}
        if found.later and self._may_wait(write):
            raise Busy(found.why, code="awaiting-creation-record", again=RECORD_LOOK)
        logger.warning("its heir goes without what only its creation's record tells", why=found.why)
        return {}, {"unread": dict.fromkeys(sorted(RECORDED), found.why)}

    def _may_wait(self, write: Dial) -> bool:
        """Whether the next look at the record still comes in time."""
        if "record_by" not in write:
            return False
        next_look = self._now + timedelta(seconds=RECORD_LOOK)
        return next_look <= datetime.fromisoformat(write["record_by"])

    def _send(
        self, job: Job, tags: Mapping[str, str], request: dict[str, Any], write: Dial
    ) -> Dial:
        """Create the heir; without what this API or this image does not take, where it says so."""
        while True:
            try:
                self._sagemaker.create_training_job(**request)
            except (ClientError, ParamValidationError) as error:
                if write["types"] and "InstancePreferences" in str(error):
                    logger.warning("no list of instance types taken", error=str(error))
                    write = {**write, "types": []}
                    plain = clone(job, tags, write["heir"], write["seconds"])
                    request = {**request, "ResourceConfig": plain["ResourceConfig"]}
                    continue
                algorithm = request.get("AlgorithmSpecification", {})
                if BUILT_IN_METRICS in str(error) and "MetricDefinitions" in algorithm:
                    request = without_metrics(request)
                    continue
                raise
            return write

    def _taken(self, job: Job, write: Dial) -> Dial:
        """A job by the heir's name: ours if its tag says so, created by a look that then died."""
        if self._takes_over(self._describe(write["heir"]), job):
            return write
        raise Impossible(
            "name-taken",
            f"a job {write['heir']} exists, and did not take over from {job['TrainingJobName']}",
            (f"Delete {write['heir']}, or begin the work anew by hand",),
        )


def _name(target: str) -> str:
    found = JOB_ARN.fullmatch(target)
    if found is None:
        raise Gone(f"{target!r:.120} is not the ARN of a training job")
    return found[1]


def _stopped_meanwhile(job: Job) -> Exception:
    """What it means that a job that was to be stopped is no longer under way.

    While it is Stopping nobody can say whether a person or its wait time ended it. Its end tells:
    by event, and the sweep finds one for want of instances. Until then there is nothing to stop. A
    Busy would not do: its write counts as ours once the job is seen stopped, whoever did that.
    """
    name, secondary = job["TrainingJobName"], job["SecondaryStatus"]
    if job["TrainingJobStatus"] == "Stopping":
        return Gone(f"{name} began to stop meanwhile, and not for this: its end will tell why")
    if secondary == MAX_WAIT or short_of_capacity(job):
        return Busy(f"{name} ended by itself meanwhile: {secondary}", again=ENDED_LOOK)
    return Changed({"stopped": True, "heir": None})


def _as_map(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ResourceNotFound" or _says(
        error, "resource not found", "could not find", "does not exist"
    )


def _says(error: ClientError, *texts: str) -> bool:
    message = error.response["Error"].get("Message", "").lower()
    return any(text in message for text in texts)
