"""Keeping a group at its desired capacity and its division between On-Demand and Spot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from moto.ec2.models.instances import Instance

from local.cloud.autoscaling.activities import Activity, iso
from local.cloud.autoscaling.group import Group, Member, Reason
from local.cloud.autoscaling.launches import NAME_TAG, Launches
from local.cloud.ec2.catalogue import MARKETS, Market
from local.cloud.ec2.happenings import Happening
from local.cloud.ec2.orders import find_version
from local.cloud.world import WORLD

USER = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")


class Balance(Launches):
    """What groups do on their own."""

    def changed(self, group: Group) -> None:
        """Somebody changed what a group is to be: it tries anew, whatever failed before."""
        group.patient_until = 0.0
        self.wake(group)

    def wake(self, group: Group, seconds: float = 0.0) -> None:
        """Let a group look at itself `seconds` from now, or sooner if it does so anyway."""
        due = WORLD.clock() + seconds
        if group.wakes is None or due < group.wakes:
            group.wakes = due
            WORLD.later(seconds, partial(self._woken, group, due))

    def heard(self, instance: Instance, happening: Happening) -> None:
        """Something happened to an instance of EC2.

        A group finds out by its health check that an instance is gone; of one at risk it takes
        notice with Capacity Rebalancing alone, if the instance is not protected (EC2 Auto Scaling
        user guide, "Capacity Rebalancing in Auto Scaling to replace at-risk Spot Instances").
        """
        if instance.id not in self.member_of:
            return
        group, member = self.member_of[instance.id]
        if happening == "ended":
            WORLD.later(WORLD.durations.asg_health_check, partial(self._found_ended, group, member))
        elif group.settings["CapacityRebalance"] and not member.protected:
            member.leaving = "at-risk"
            self.wake(group)

    def in_service(self, group: Group, launched: Sequence[tuple[Member, Activity]]) -> None:
        for member, activity in launched:
            if member.state == "Pending" and member.instance.state == "running":
                member.state = "InService"
                activity.succeed()
            else:
                activity.cancel()
        self.wake(group)

    def terminate(self, group: Group, members: Sequence[Member], cause: str) -> list[Activity]:
        """Take instances out of a group and terminate them."""
        activities = []
        for member in members:
            member.state = "Terminating"
            if member.instance.state not in ("terminated", "shutting-down"):
                self.ec2.end(member.instance, *USER)
                self.ec2.lost(member.instance)
            activity = Activity(
                group,
                "Terminate",
                f"Terminating EC2 instance: {member.instance.id}",
                f"At {iso(WORLD.clock())} {cause}",
                {
                    "Subnet ID": str(member.instance.subnet_id),
                    "Availability Zone": member.zone,
                },
                member.instance.id,
            )
            self.activities.append(activity)
            activities.append(activity)
        WORLD.later(
            WORLD.durations.instance_stop, partial(self._gone, group, list(members), activities)
        )
        return activities

    def detach(self, group: Group, member: Member, cause: str) -> Activity:
        """Let an instance go on its own way. The tag with the group's name goes, and no event
        tells of it (EC2 Auto Scaling user guide, "Tag Auto Scaling groups and instances", and its
        event reference, which lists launches and terminations)."""
        group.members.remove(member)
        del self.member_of[member.instance.id]
        self.ec2.delete_tags([member.instance.id], {NAME_TAG: None})
        activity = Activity(
            group,
            "Terminate",
            f"Detaching EC2 instance: {member.instance.id}",
            f"At {iso(WORLD.clock())} {cause}",
            {"Subnet ID": str(member.instance.subnet_id), "Availability Zone": member.zone},
            member.instance.id,
        )
        self.activities.append(activity)
        return activity

    def _woken(self, group: Group, due: float) -> None:
        if group.wakes != due:
            return
        group.wakes = None
        if self.groups.get(group.name) is group and not group.deleting:
            self._settle(group)

    def _settle(self, group: Group) -> None:
        """Bring a group one step closer to what it is to be; it wakes again while it is not."""
        self._reprieve(group)
        missing = group.desired - len(group.staying())
        if missing > 0:
            if not self._patient(group) and self._fill_up(group, missing) < missing:
                self._wait(group)
        elif missing < 0:
            self._scale_in(group, -missing)
        else:
            self._replace(group)
        self._let_go(group)

    def _wait(self, group: Group) -> None:
        """A launch failed: the next try is later."""
        group.patient_until = WORLD.clock() + WORLD.durations.asg_retry
        self.wake(group, WORLD.durations.asg_retry)

    def _patient(self, group: Group) -> bool:
        left = group.patient_until - WORLD.clock()
        if left > 0:
            self.wake(group, left)
        return left > 0

    def _plain_market(self, group: Group) -> Market:
        """The market of a group without a policy is its launch template's."""
        if group.template is None:
            return "on-demand"
        named = {"LaunchTemplateId": group.template["LaunchTemplateId"]}
        version = find_version(self.ec2, named, group.template.get("Version", "$Default"))
        options = version.data.get("InstanceMarketOptions", {})
        return "spot" if options.get("MarketType") == "spot" else "on-demand"

    def _fill_up(self, group: Group, missing: int) -> int:
        lacking = group.lacks(self._plain_market(group))
        launched = 0
        for market in MARKETS:
            count = min(missing, max(0, lacking[market]))
            missing -= count
            if count:
                launched += self.launch(group, market, count)
        return launched

    def _scale_in(self, group: Group, surplus: int) -> None:
        """What is too much of a market goes first, then the zone that has most, there the oldest
        (EC2 Auto Scaling user guide, "Default termination policy", without its look at launch
        templates and billing hours). Protected instances stay."""
        excess = {
            market: -count for market, count in group.lacks(self._plain_market(group)).items()
        }
        candidates = [each for each in group.staying() if not each.protected]
        zones = Counter(each.zone for each in group.staying())
        chosen: list[Member] = []
        while candidates and len(chosen) < surplus:
            worst = min(
                candidates,
                key=lambda each: (-excess[each.market], -zones[each.zone], each.launched),
            )
            candidates.remove(worst)
            chosen.append(worst)
            excess[worst.market] -= 1
            zones[worst.zone] -= 1
        if chosen:
            here = len(group.staying())
            shrunk = (
                "an instance was taken out of service in response to a difference between desired "
                f"and actual capacity, shrinking the capacity from {here} to {here - len(chosen)}."
            )
            self.terminate(group, chosen, "  ".join([*group.causes, shrunk]))
            group.causes.clear()

    def _replace(self, group: Group) -> None:
        """Replace one instance of a group that is full: launch the new one, and mark the old.

        Changed purchase options replace what runs gradually, new before old (botocore service
        model, `UpdateAutoScalingGroup`), the newest first, and not within the very call that
        changes them.
        """
        if self._patient(group) or any(each.leaving != "at-risk" for each in group.leaving()):
            return
        staying = group.staying()
        if any(each.state != "InService" for each in staying):
            return
        found = self._next_replacement(group, staying)
        if found is None:
            refresh = group.refresh
            if refresh is not None:
                refresh.status, refresh.ended = "Successful", WORLD.clock()
                self.wake(group)
            return
        old, market, reason = found
        if self.launch(group, market, 1):
            old.leaving = reason
        else:
            self._wait(group)

    def _next_replacement(
        self, group: Group, staying: Sequence[Member]
    ) -> tuple[Member, Market, Reason] | None:
        refresh = group.refresh
        if refresh is not None:
            refresh.waiting = [each for each in refresh.waiting if each in staying]
            if not refresh.waiting:
                return None
            old = refresh.waiting[0]
            return old, old.market, "refresh"
        if group.policy is None:
            return None
        if (left := group.divides_from - WORLD.clock()) > 0:
            self.wake(group, left)
            return None
        for market, lacking in group.lacks("on-demand").items():
            if lacking > 0:
                others = [each for each in staying if each.market != market]
                return max(others, key=lambda each: each.launched), market, "distribution"
        return None

    def _reprieve(self, group: Group) -> None:
        """Let an instance stay whose replacement is gone or is needed elsewhere."""
        marked = [each for each in group.leaving() if each.leaving != "at-risk"]
        for member in marked[max(0, len(group.staying()) + len(marked) - group.desired) :]:
            member.leaving = None

    def _let_go(self, group: Group) -> None:
        """Terminate the instances whose place others have taken."""
        serving = [each for each in group.staying() if each.state == "InService"]
        leaving = group.leaving()
        surplus = max(0, len(serving) + len(leaving) - group.desired)
        for member in leaving[:surplus]:
            self.terminate(group, [member], _reason(member))
            self.wake(group, WORLD.durations.asg_step)

    def _found_ended(self, group: Group, member: Member) -> None:
        if member.state == "Terminating" or member not in group.members:
            return  # it is leaving anyway, or was detached before anybody noticed
        if self.groups.get(group.name) is not group:
            return
        member.health = "Unhealthy"
        self.terminate(
            group,
            [member],
            "an instance was taken out of service in response to an EC2 health check indicating "
            "it has been terminated or stopped.",
        )
        self.wake(group)

    def _gone(
        self, group: Group, members: Sequence[Member], activities: Sequence[Activity]
    ) -> None:
        for member, activity in zip(members, activities, strict=True):
            group.members.remove(member)
            self.member_of.pop(member.instance.id, None)
            activity.succeed()
        if group.deleting and not group.members:
            self.groups.pop(group.name, None)


def _reason(member: Member) -> str:
    """Why an instance left that another has replaced; the wording is ours."""
    why = {
        "at-risk": "an EC2 instance rebalance recommendation or interruption notice",
        "distribution": "a change of the group's instances distribution",
        "refresh": "an instance refresh",
    }
    assert member.leaving is not None
    return f"an instance was taken out of service in response to {why[member.leaving]}."
