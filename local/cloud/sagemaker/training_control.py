"""What the control interface does to training jobs: work, interruptions, ML capacity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local.cloud.fault import IN_REGION, REGION, Fault, Rejected
from local.cloud.sagemaker.capacity import in_use
from local.cloud.sagemaker.jobs import Market, TrainingJob, Work
from local.cloud.schema import Schema
from local.cloud.world import WORLD

_POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0}
WORK: Schema = {
    "type": "object",
    "properties": {"seconds": _POSITIVE, "checkpoint_every_seconds": _POSITIVE},
    "required": ["seconds"],
    "additionalProperties": False,
}
DEFAULT_WORK: Schema = {**WORK, "properties": {**WORK["properties"], "region": REGION}}
CAPACITY: Schema = {
    "type": "object",
    "properties": {
        "instance_type": {"type": "string"},
        "market": {"enum": list(get_args(Market))},
        "instances": {"description": "a whole number, those in use included; null for any number"},
        "region": REGION,
    },
    "required": ["instance_type", "market", "instances"],
    "additionalProperties": False,
}


def put_work(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Say how much there is to train in a job, and in every later one that shares its
    checkpoints."""
    with WORLD.turn():
        backend, job = _find(place["name"])
        backend.set_work(job, _work(body))
        return _shown_work(backend, job)


def get_work(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """A job's work, how much of it is done, and how much of that its checkpoints hold."""
    with WORLD.turn():
        return _shown_work(*_find(place["name"]))


def put_default_work(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Say how much there is to train in jobs of which nothing else was said."""
    with WORLD.turn():
        work = _work(body)
        backend_in(body).default_work = work
        return {
            "seconds": work.seconds,
            "checkpoint_every_seconds": work.checkpoint_every_seconds,
        }


def interrupt(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Reclaim a Spot job's instances."""
    with WORLD.turn():
        backend, job = _find(place["name"])
        if not job.spot:
            raise Rejected(409, f"{job.name} does not run on Spot, so AWS does not interrupt it.")
        if job.boarded is None or job.secondary not in {"Downloading", "Training"}:
            raise Rejected(409, f"{job.name} is {job.secondary}; it has no instances to lose.")
        backend.interrupt(job)
        return {"secondary_status": job.secondary}


def put_capacity(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Limit a pool; jobs that wait for what it has now are launched."""
    instances = body["instances"]
    if instances is not None and (
        not isinstance(instances, int) or isinstance(instances, bool) or instances < 0
    ):
        raise Rejected(400, f"body.instances must be a whole number or null, not {instances!r}")
    with WORLD.turn():
        backend = backend_in(body)
        backend.capacity.limit((body["instance_type"], body["market"]), instances)
        backend.serve_waiting()
        return _shown_capacity(backend)


def get_capacity(
    place: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, Any]:
    """The pools that were limited."""
    with WORLD.turn():
        return _shown_capacity(backend_in(query))


def _find(name: str) -> tuple[Any, TrainingJob]:
    """The training job of that name and its backend, in whatever account and Region it is."""
    stores: Any = get_backend("sagemaker")
    found = [
        (backend, backend.jobs[name.lower()])
        for _, _, backend in stores.iter_backends()
        if name.lower() in backend.jobs
    ]
    if not found:
        raise Rejected(
            404, f"There is no training job {name!r}. Create it with CreateTrainingJob first."
        )
    if len(found) > 1:
        arns = ", ".join(job.arn for _, job in found)
        raise Rejected(409, f"The name {name!r} is used more than once: {arns}.")
    return found[0]


def backend_in(where: Mapping[str, Any]) -> Any:
    """SageMaker of this account in the Region that is named, us-east-1 when none is."""
    stores: Any = get_backend("sagemaker")
    account = stores[os.environ.get("MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT_ID)]
    region = where.get("region", "us-east-1")
    try:
        return account[region]
    except KeyError:
        raise Rejected(400, f"SageMaker is not in a Region {region!r}.") from None


def _work(body: Mapping[str, Any]) -> Work:
    return Work(**{name: value for name, value in body.items() if name != "region"})


def _shown_work(backend: Any, job: TrainingJob) -> dict[str, Any]:
    uri = job.checkpoint_uri
    return {
        "seconds": job.work.seconds,
        "checkpoint_every_seconds": job.work.checkpoint_every_seconds,
        "done_seconds": job.done(),
        "checkpointed_seconds": 0.0 if uri is None else backend.checkpointed(uri),
    }


def _shown_capacity(backend: Any) -> dict[str, Any]:
    return {
        "pools": [
            {
                "instance_type": pool[0],
                "market": pool[1],
                "instances": instances,
                "in_use": in_use(pool, backend.jobs.values()),
            }
            for pool, instances in backend.capacity.limits().items()
        ]
    }


_WORK_PATH = "/sagemaker/training-jobs/<name>/work"

TRAINING_FAULTS: Sequence[Fault] = (
    Fault(
        "PUT",
        _WORK_PATH,
        "The job completes after so many seconds of training; where it has a CheckpointConfig it "
        "writes a checkpoint each so many of them, from which it and every job with the same "
        "S3Uri go on.",
        put_work,
        WORK,
    ),
    Fault("GET", _WORK_PATH, "Shows the job's work, and how much of it is done.", get_work),
    Fault(
        "PUT",
        "/sagemaker/training-work",
        "New training jobs have this work, unless they share the checkpoints of a job of which "
        "something else was said. Until then it is 60 seconds with a checkpoint every 10.",
        put_default_work,
        DEFAULT_WORK,
    ),
    Fault(
        "POST",
        "/sagemaker/training-jobs/<name>/interrupt",
        "AWS reclaims the managed spot job's instances: Interrupted, then Starting again as soon "
        "as there is capacity. What no checkpoint holds is lost.",
        interrupt,
    ),
    Fault(
        "PUT",
        "/sagemaker/capacity",
        "AWS has so many instances of the type for training jobs in this market. A job launches "
        "when all of its instances are there; who runs already keeps them.",
        put_capacity,
        CAPACITY,
    ),
    Fault(
        "GET",
        "/sagemaker/capacity",
        "Shows the capacity that was limited, and how much of it is in use.",
        get_capacity,
        query=IN_REGION,
    ),
)
