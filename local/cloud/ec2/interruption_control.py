"""What the control interface does to Spot Instances: takes them back, or just says it might."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from moto.ec2.models.instances import Instance

from local.cloud.ec2.control import ec2
from local.cloud.ec2.launches import COUNTED
from local.cloud.fault import REGION, Fault, Rejected, number
from local.cloud.schema import Schema
from local.cloud.world import WORLD

Body = Mapping[str, Any]

SELECTION: Mapping[str, Schema] = {
    "instance_ids": {"type": "array", "items": {"type": "string"}},
    "group": {"type": "string", "description": "an Auto Scaling group's name"},
    "instance_type": {"type": "string"},
    "availability_zone": {
        "type": "string",
        "description": "beside instance_type; every zone when it is left out",
    },
    "count": {
        "type": "integer",
        "minimum": 1,
        "description": "beside group or instance_type: how many, the longest running first; all "
        "when it is left out",
    },
    "region": REGION,
}
RECLAIM: Schema = {
    "type": "object",
    "properties": {
        **SELECTION,
        "rebalance_first_seconds": {
            **number(),
            "description": "sends rebalance recommendations now, the warnings so much later",
        },
    },
    "additionalProperties": False,
}
REBALANCE: Schema = {"type": "object", "properties": SELECTION, "additionalProperties": False}


def post_reclaim(place: Body, query: Body, body: Body) -> dict[str, Any]:
    """Take Spot Instances back."""
    with WORLD.turn():
        backend = ec2(body)
        chosen = _chosen(backend, body)
        for instance in chosen:
            behaviour = backend.request_of(instance).instance_interruption_behavior
            if behaviour != "terminate":
                raise Rejected(
                    409,
                    f"{instance.id} has the interruption behavior {behaviour}; only Spot Instances "
                    "that are terminated when they are interrupted are simulated.",
                )
        first = body.get("rebalance_first_seconds")
        if first is None:
            backend.reclaim(chosen)
        else:
            backend.recommend(chosen)
            WORLD.later(first, partial(backend.reclaim, chosen))
        return {
            "instance_ids": [each.id for each in chosen],
            "terminated_in_seconds": (first or 0) + WORLD.durations.spot_notice,
        }


def post_rebalance(place: Body, query: Body, body: Body) -> dict[str, Any]:
    """Recommend to leave Spot Instances."""
    with WORLD.turn():
        backend = ec2(body)
        chosen = _chosen(backend, body)
        backend.recommend(chosen)
        return {"instance_ids": [each.id for each in chosen]}


def _chosen(backend: Any, body: Body) -> list[Instance]:
    """The Spot Instances that are meant: running, and not taken back already."""
    named = [each for each in ("instance_ids", "group", "instance_type") if each in body]
    if len(named) != 1:
        raise Rejected(400, "body needs one of instance_ids, group and instance_type.")
    if "availability_zone" in body and named != ["instance_type"]:
        raise Rejected(400, "body.availability_zone goes with instance_type alone.")
    if named == ["instance_ids"]:
        if "count" in body:
            raise Rejected(400, "body.count does not go with instance_ids.")
        return _by_id(backend, body["instance_ids"])
    found = [
        each
        for each in _spot(backend)
        if (
            backend.tags[each.id].get("aws:autoscaling:groupName") == body["group"]
            if "group" in body
            else each.instance_type == body["instance_type"]
            and body.get("availability_zone") in (None, each.availability_zone)
        )
    ]
    count = body.get("count", len(found))
    if not found or len(found) < count:
        what = f"{named[0]} {body[named[0]]!r}"
        raise Rejected(409, f"{len(found)} Spot Instances of {what} can be taken back.")
    return found[:count]


def _by_id(backend: Any, wanted: Sequence[str]) -> list[Instance]:
    known = {each.id: each for each in backend.instances()}
    usable = {each.id: each for each in _spot(backend)}
    for each in wanted:
        if each not in known:
            raise Rejected(404, f"There is no instance {each}.")
        if each not in usable:
            raise Rejected(
                409,
                f"{each} is not a Spot Instance that can be taken back: it is On-Demand, ended, "
                "or has been warned already.",
            )
    return [usable[each] for each in dict.fromkeys(wanted)]


def _spot(backend: Any) -> Iterator[Instance]:
    for each in backend.instances():
        if each.lifecycle == "spot" and each.state in COUNTED and not backend.marked(each):
            yield each


INTERRUPTION_FAULTS: Sequence[Fault] = (
    Fault(
        "POST",
        "/ec2/spot/reclaim",
        "EC2 takes Spot Instances back: each gets its interruption warning and is terminated when "
        "the notice (durations.spot_notice) is over. A limited pool loses them for good.",
        post_reclaim,
        RECLAIM,
    ),
    Fault(
        "POST",
        "/ec2/spot/rebalance",
        "EC2 sends rebalance recommendations for Spot Instances, and nothing comes of them.",
        post_rebalance,
        REBALANCE,
    ),
)
