"""What moto looks up for each instance, found by its ID alone.

moto matches every tag and every image that there is against a pattern, each time: with a thousand
instances a single DescribeInstances takes seconds.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

WILDCARDS = frozenset("*?[\\")


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
