"""What moto looks up for each instance, found by its ID alone.

moto matches every tag and every image that there is against a pattern, each time: with a thousand
instances a single DescribeInstances takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.models.instances import Instance
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, generic_filter, get_prefix

WILDCARDS = frozenset("*?[\\")

Found = TypeVar("Found")


def matching(filters: Mapping[str, Sequence[str]] | None, objects: list[Found]) -> list[Found]:
    """What moto's filters let through. Text that is asked for whole, as IDs and states are, is looked
    up instead of matched against a pattern for each value."""
    for name, values in (filters or {}).items():
        whole = isinstance(values, list) and all(WILDCARDS.isdisjoint(each) for each in values)
        wanted = frozenset(values) if whole else frozenset()
        kept: list[Found] = []
        for each in objects:
            value = each.get_filter_value(name) if wanted else None  # type: ignore[attr-defined]
            if isinstance(value, str):
                fits = value in wanted
            else:
                fits = bool(generic_filter({name: values}, [each]))
            if fits:
                kept.append(each)
        objects = kept
    return objects


class Lookups(EC2Backend):
    """moto's EC2, quick at what is asked for by a whole ID."""

    def describe_tags(self, filters: dict[str, list[str]] | None = None) -> list[dict[str, str]]:
        if filters is None or filters.keys() != {"resource-id"}:
            return super().describe_tags(filters)
        ids = filters["resource-id"]
        if len(ids) != 1 or not WILDCARDS.isdisjoint(ids[0]):
            return super().describe_tags(filters)
        [id] = ids
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(id), "")
        return [
            {"resource_id": id, "key": key, "value": value, "resource_type": kind}
            for key, value in (self.tags[id].items() if id in self.tags else ())
        ]

    def get_instance(self, instance_id: str) -> Instance:
        # What is asked for was mostly launched last: a volume is attached to each new one so.
        for reservation in reversed(self.reservations.values()):
            for instance in reversed(reservation.instances):
                if instance.id == instance_id:
                    return instance
        return super().get_instance(instance_id)

    def describe_volumes(
        self, volume_ids: list[str] | None = None, filters: Any = None
    ) -> list[Volume]:
        if not filters and volume_ids and all(each in self.volumes for each in volume_ids):
            return [self.volumes[each] for each in volume_ids]
        return super().describe_volumes(volume_ids, filters)

    def describe_images(
        self,
        ami_ids: list[str] | None = None,
        filters: dict[str, Any] | None = None,
        exec_users: list[str] | None = None,
        owners: list[str] | None = None,
    ) -> list[Ami]:
        wanted = (filters or {}).get("image-id")
        whole = not (ami_ids or exec_users or owners) and filters == {"image-id": wanted}
        if whole and isinstance(wanted, str) and wanted in self.amis:
            return [self.amis[wanted]]
        return super().describe_images(ami_ids, filters, exec_users, owners)
