"""Instance refreshes: every instance of a group is replaced, one after the other."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.autoscaling.descriptions import Descriptions
from local.cloud.autoscaling.group import Group, Refresh, moment
from local.cloud.autoscaling.policy import unsimulated
from local.cloud.cloudwatch.pages import page
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

PREFERENCES = frozenset({"InstanceWarmup", "MaxHealthyPercentage", "MinHealthyPercentage"})


class Refreshes(Descriptions):
    """Rolling refreshes to the launch template that the group has. None is rolled back."""

    @operation
    def start_instance_refresh(
        self,
        auto_scaling_group_name: str,
        strategy: str = "Rolling",
        preferences: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Replace the instances that are in the group now. Whatever the healthy percentage
        allows, a new one is in service before an old one goes."""
        group = self.group(auto_scaling_group_name)
        if group.refresh is not None:
            raise Refusal(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this "
                "Instance Refresh.",
            )
        if strategy != "Rolling":
            raise unsimulated(f"the refresh strategy {strategy}")
        if strange := (preferences or {}).keys() - PREFERENCES:
            raise unsimulated(f"the preferences {', '.join(sorted(strange))}")
        waiting = group.staying()
        refresh = Refresh(
            str(uuid.uuid4()),
            group.name,
            preferences or {},
            WORLD.clock(),
            waiting,
            len(waiting),
        )
        group.refreshes.append(refresh)
        self.changed(group)
        return {"InstanceRefreshId": refresh.id}

    @operation
    def describe_instance_refreshes(
        self,
        auto_scaling_group_name: str,
        instance_refresh_ids: Sequence[str] = (),
        next_token: str | None = None,
        max_records: int = 50,
    ) -> dict[str, Any]:
        """A group's refreshes, the newest first."""
        group = self.group(auto_scaling_group_name)
        found = [
            each
            for each in reversed(group.refreshes)
            if not instance_refresh_ids or each.id in instance_refresh_ids
        ]
        shown, token = page(found, next_token, max_records, "InvalidNextToken")
        answer: dict[str, Any] = {"InstanceRefreshes": [_shown(group, each) for each in shown]}
        return answer if token is None else {**answer, "NextToken": token}


def _shown(group: Group, refresh: Refresh) -> dict[str, Any]:
    left = sum(1 for each in refresh.waiting if each in group.members)
    described = {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": refresh.group_name,
        "Status": refresh.status,
        "StartTime": moment(refresh.started),
        "PercentageComplete": 100 if not refresh.total else 100 - 100 * left // refresh.total,
        "InstancesToUpdate": left,
        "Preferences": refresh.preferences,
    }
    if refresh.ended is not None:
        described["EndTime"] = moment(refresh.ended)
    return described
