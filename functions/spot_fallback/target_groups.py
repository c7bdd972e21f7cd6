"""The target groups of a VPC, what they hold, and a target put into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from functions.core.remediation import Busy

KNOWN = timedelta(seconds=30)
"""How long what a VPC's target groups hold is taken to stand: what is taken away together served
together, and each of a storm would ask each group again."""
NOT_RUNNING_YET = 5
"""Seconds until ELB is asked again to take an instance that EC2 says runs."""


class TargetGroups:
    """client: gives the boto3 client of a service. Lives for one invocation."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._known: dict[str, tuple[datetime, list[Mapping[str, Any]]]] = {}

    def of(self, vpc: str, now: datetime) -> Sequence[Mapping[str, Any]]:
        """All targets of the groups that an instance of the VPC may be in, as {"TargetGroupArn",
        "Port", "Id"}; up to half a minute old.

        A group does not say where a target is registered, only what it holds, so each is asked:
        DescribeTargetGroups, a page for 400, and one DescribeTargetHealth for each group.
        """
        if vpc in self._known:
            read, found = self._known[vpc]
            if now - read < KNOWN:
                return found
        found = self._read(vpc)
        self._known[vpc] = (now, found)
        return found

    def register(self, targets: Sequence[Mapping[str, Any]]) -> None:
        """Each group by itself: one that refuses does not keep a target out of the others. Raises
        Busy and ClientError."""
        self._known.clear()
        refused: list[ClientError] = []
        for arn in dict.fromkeys(each["TargetGroupArn"] for each in targets):
            mine = [
                {"Id": each["Id"], "Port": each["Port"]}
                for each in targets
                if each["TargetGroupArn"] == arn
            ]
            try:
                self._client("elbv2").register_targets(TargetGroupArn=arn, Targets=mine)
            except ClientError as error:
                if _is_gone(error):
                    continue  # deleted meanwhile: there is nothing to be in
                refused.append(error)
        if refused and all("not in a running state" in str(each) for each in refused):
            said = f"ELB does not see it run yet: {refused[0]}"
            raise Busy(said, again=NOT_RUNNING_YET) from refused[0]
        if refused:
            raise refused[0]

    def _read(self, vpc: str) -> list[Mapping[str, Any]]:
        elb = self._client("elbv2")
        pages = elb.get_paginator("describe_target_groups").paginate()
        arns = [
            each["TargetGroupArn"]
            for page in pages
            for each in page["TargetGroups"]
            if each.get("VpcId") == vpc and each.get("TargetType") in ("instance", "ip")
        ]
        found: list[Mapping[str, Any]] = []
        for arn in arns:
            try:
                answer = elb.describe_target_health(TargetGroupArn=arn)
            except ClientError as error:
                if _is_gone(error):
                    continue  # deleted meanwhile
                raise
            found += [
                {"TargetGroupArn": arn, "Port": each["Target"]["Port"], "Id": each["Target"]["Id"]}
                for each in answer["TargetHealthDescriptions"]
            ]
        return found


def registered(
    description: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The targets that are the instance, by ID or by one of its addresses."""
    own = {description["InstanceId"], description.get("PrivateIpAddress")}
    for interface in description.get("NetworkInterfaces", ()):
        own |= {each["PrivateIpAddress"] for each in interface.get("PrivateIpAddresses", ())}
    mine = [each for each in targets if each["Id"] in own]
    return tuple(sorted(mine, key=lambda each: (each["TargetGroupArn"], each["Port"], each["Id"])))


def _is_gone(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "TargetGroupNotFound"
