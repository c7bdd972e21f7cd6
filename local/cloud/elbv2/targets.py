"""RegisterTargets, DeregisterTargets and DescribeTargetHealth."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2.models.instances import Instance
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from local.cloud.seam import Refusal, operation

Target = tuple[str, int]
"""Its ID and its port: one target may be registered with several ports (botocore service model,
`RegisterTargets`)."""
ENDED = ("shutting-down", "terminated")


class Targets(ELBv2Backend):
    """What is registered in the target groups of one account and Region.

    A target takes no time to become healthy and none to drain. Elastic Load Balancing takes an
    instance that is terminated out by itself; an IP address stays.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.registered: dict[str, list[Target]] = {}

    @operation
    def register_targets(  # type: ignore[override]
        self, target_group_arn: str, targets: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Register all targets or, when one is refused, none; again is no error."""
        group = self._group(target_group_arn)
        wanted = [_target(group, each) for each in targets]
        if group.target_type == "instance":
            self._check_instances(group, [id for id, _ in wanted])
        elif group.target_type == "ip":
            _check_addresses(group, [id for id, _ in wanted])
        else:
            raise Refusal(
                "UnsupportedByPocketAccount",
                f"The pocket account does not simulate targets of the type {group.target_type}.",
            )
        known = self.registered.setdefault(target_group_arn, [])
        known += [each for each in dict.fromkeys(wanted) if each not in known]
        return {}

    @operation
    def deregister_targets(  # type: ignore[override]
        self, target_group_arn: str, targets: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Take targets out; one that is not in there is no error (botocore service model,
        `DeregisterTargets`)."""
        group = self._group(target_group_arn)
        out = [_target(group, each) for each in targets]
        known = self.registered.get(target_group_arn, [])
        self.registered[target_group_arn] = [each for each in known if each not in out]
        return {}

    @operation
    def describe_target_health(  # type: ignore[override]
        self, target_group_arn: str, targets: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Those asked for, or all that are registered. Reasons: botocore service model,
        `TargetHealth`."""
        group = self._group(target_group_arn)
        known = [each for each in self.registered.get(target_group_arn, ()) if self._stays(each)]
        asked = [_target(group, each) for each in targets] or known
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": id, "Port": port},
                    "HealthCheckPort": str(port),
                    "TargetHealth": self._health(group, (id, port), known),
                }
                for id, port in asked
            ]
        }

    def _group(self, arn: str) -> FakeTargetGroup:
        group = self.target_groups.get(arn)
        if group is None:
            raise TargetGroupNotFoundError
        return group

    def _instance(self, id: str) -> Instance | None:
        found: Instance | None = self.ec2_backend.get_instance_by_id(id)
        return found

    def _stays(self, target: Target) -> bool:
        instance = self._instance(target[0])
        return instance is None or instance.state != "terminated"

    def _health(
        self, group: FakeTargetGroup, target: Target, known: Sequence[Target]
    ) -> dict[str, str]:
        instance = self._instance(target[0])
        if target not in known:
            return {"State": "unused", "Reason": "Target.NotRegistered"}
        if instance is not None and instance.state in ENDED:
            return {"State": "draining", "Reason": "Target.DeregistrationInProgress"}
        if instance is not None and instance.state != "running":
            return {"State": "unused", "Reason": "Target.InvalidState"}
        if not group.load_balancer_arns:
            return {"State": "unused", "Reason": "Target.NotInUse"}
        return {"State": "healthy"}

    def _check_instances(self, group: FakeTargetGroup, ids: Sequence[str]) -> None:
        """Texts: github.com/ansible/ansible/issues/30962 (no instance's ID),
        github.com/kubernetes-sigs/aws-load-balancer-controller/issues/272 (unknown),
        github.com/hashicorp/terraform-provider-aws/issues/8537 (not running); another VPC: botocore
        service model, `InvalidTargetException`."""
        for id in ids:
            if not id.startswith("i-"):
                raise Refusal("ValidationError", f"Instance ID '{id}' is not valid")
        found = {id: self._instance(id) for id in ids}
        if unknown := [id for id, instance in found.items() if instance is None]:
            raise Refusal(
                "InvalidTarget", f"The following instances do not exist: {_quoted(unknown)}"
            )
        instances = [each for each in found.values() if each is not None]
        if idle := [each.id for each in instances if each.state != "running"]:
            raise Refusal(
                "InvalidTarget",
                "The following targets are not in a running state and cannot be registered: "
                f"{_quoted(idle)}",
            )
        if any(each.vpc_id != group.vpc_id for each in instances):
            raise Refusal(
                "InvalidTarget",
                "The specified target does not exist, is not in the same VPC as the target group, "
                "or has an unsupported instance type.",
            )


def _target(group: FakeTargetGroup, described: Mapping[str, Any]) -> Target:
    return described["Id"], int(described.get("Port") or group.port)


def _check_addresses(group: FakeTargetGroup, ids: Sequence[str]) -> None:
    """Text: github.com/ansible-collections/community.aws/issues/1441."""
    version = "IPv6" if group.ip_address_type == "ipv6" else "IPv4"
    parse = ipaddress.IPv6Address if version == "IPv6" else ipaddress.IPv4Address
    for id in ids:
        try:
            parse(id)
        except ValueError:
            raise Refusal(
                "ValidationError", f"The IP address '{id}' is not a valid {version} address"
            ) from None


def _quoted(ids: Sequence[str]) -> str:
    return ", ".join(f"'{each}'" for each in ids)
