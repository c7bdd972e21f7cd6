"""The Describe operations, and the tags of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.autoscaling.group import Group
from local.cloud.autoscaling.groups import Groups
from local.cloud.autoscaling.policy import invalid
from local.cloud.cloudwatch.pages import page
from local.cloud.seam import operation

Filters = Sequence[Mapping[str, Any]]
Tags = Sequence[Mapping[str, Any]]
MOST_NAMED = 50


class Descriptions(Groups):
    """What groups there are, what is in them and what they did."""

    @operation
    def describe_auto_scaling_groups(
        self,
        auto_scaling_group_names: Sequence[str] = (),
        include_instances: bool = True,
        next_token: str | None = None,
        max_records: int = 50,
        filters: Filters = (),
    ) -> dict[str, Any]:
        """Groups by name and filter; names nobody bears are passed over. Limit and text:
        github.com/boto/botocore/issues/1444."""
        if len(auto_scaling_group_names) > MOST_NAMED:
            raise invalid("The number of group names that may be passed in is limited to 50")
        found = [
            group
            for name, group in sorted(self.groups.items())
            if (not auto_scaling_group_names or name in auto_scaling_group_names)
            and all(_matches(group, each) for each in filters)
        ]
        shown, token = _page(found, next_token, max_records)
        return {"AutoScalingGroups": [each.shown(include_instances) for each in shown], **token}

    @operation
    def describe_auto_scaling_instances(
        self,
        instance_ids: Sequence[str] = (),
        next_token: str | None = None,
        max_records: int = 50,
    ) -> dict[str, Any]:
        """Instances of any group; IDs of no group's instance are passed over. Limit and text:
        github.com/hjacobs/kube-aws-autoscaler/issues/40."""
        if len(instance_ids) > MOST_NAMED:
            raise invalid("The number of instance ids that may be passed in is limited to 50")
        wanted = instance_ids or sorted(self.member_of)
        found = [self.member_of[each] for each in wanted if each in self.member_of]
        shown, token = _page(found, next_token, max_records, most=50)
        described = [
            {**member.shown(), "AutoScalingGroupName": group.name} for group, member in shown
        ]
        return {"AutoScalingInstances": described, **token}

    @operation
    def describe_scaling_activities(
        self,
        activity_ids: Sequence[str] = (),
        auto_scaling_group_name: str | None = None,
        include_deleted_groups: bool = False,
        max_records: int = 100,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """Activities, the newest first."""
        if auto_scaling_group_name is not None and not include_deleted_groups:
            self.group(auto_scaling_group_name)
        found = [
            each
            for each in reversed(self.activities)
            if (not activity_ids or each.id in activity_ids)
            and auto_scaling_group_name in (None, each.group.name)
            and (include_deleted_groups or self.groups.get(each.group.name) is each.group)
        ]
        shown, token = _page(found, next_token, max_records)
        return {"Activities": [each.shown() for each in shown], **token}

    @operation
    def describe_tags(
        self, filters: Filters = (), next_token: str | None = None, max_records: int = 50
    ) -> dict[str, Any]:
        """Tags of groups (botocore service model, `DescribeTags`: the four filters)."""
        known = {
            "auto-scaling-group": "ResourceId",
            "key": "Key",
            "value": "Value",
            "propagate-at-launch": "PropagateAtLaunch",
        }
        for each in filters:
            if each["Name"] not in known:
                raise invalid(f"Filter type {each['Name']} is not correct. Allowed Filter types are: {' '.join(known)}")  # fmt: skip
        found = [
            tag
            for _, group in sorted(self.groups.items())
            for _, tag in sorted(group.tags.items())
            if all(_written(tag[known[each["Name"]]]) in each["Values"] for each in filters)
        ]
        shown, token = _page(found, next_token, max_records)
        return {"Tags": shown, **token}

    @operation
    def create_or_update_tags(self, tags: Tags) -> None:
        """Give groups tags; nothing is done when one of them is not there."""
        groups = [self._tagged(each) for each in tags]
        for group, tag in zip(groups, tags, strict=True):
            self.tag(group, [tag])

    @operation
    def delete_tags(self, tags: Tags) -> None:
        """Take tags away: those whose value is the one given, if one is given."""
        groups = [self._tagged(each) for each in tags]
        for group, tag in zip(groups, tags, strict=True):
            here = group.tags.get(tag["Key"])
            if here is not None and tag.get("Value", here["Value"]) == here["Value"]:
                del group.tags[tag["Key"]]

    def _tagged(self, tag: Mapping[str, Any]) -> Group:
        if tag.get("ResourceType", "auto-scaling-group") != "auto-scaling-group":
            raise invalid(f"Invalid resource type: {tag['ResourceType']}")
        return self.group(tag.get("ResourceId", ""))


def _matches(group: Group, wanted: Mapping[str, Any]) -> bool:
    """Filters `tag-key`, `tag-value` and `tag:<key>` (botocore service model, `Filter`)."""
    name, values = wanted["Name"], wanted.get("Values", ())
    if name == "tag-key":
        return any(key in values for key in group.tags)
    if name == "tag-value":
        return any(tag["Value"] in values for tag in group.tags.values())
    if name.startswith("tag:"):
        tag = group.tags.get(name.removeprefix("tag:"))
        return tag is not None and tag["Value"] in values
    raise invalid(
        f"Filter type {name} is not correct. Allowed Filter types are: tag-key tag-value tag:<key>"
    )


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _page(
    items: Sequence[Any], token: str | None, size: int, most: int = 100
) -> tuple[Sequence[Any], dict[str, str]]:
    """A page of at most `most`, and the token of the next as part of the answer."""
    if not 1 <= size <= most:
        raise invalid(
            f"1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy "
            f"constraint: Member must have value between 1 and {most}"
        )
    shown, following = page(items, token, size, "InvalidNextToken")
    return shown, {} if following is None else {"NextToken": following}
