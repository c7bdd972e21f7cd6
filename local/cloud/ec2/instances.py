"""RunInstances, StartInstances, StopInstances and TerminateInstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from moto.ec2.exceptions import OperationDisableApiStopNotPermitted, OperationNotPermitted4
from moto.ec2.models.instances import Instance, Reservation

from local.cloud.ec2.idempotency import Tokens
from local.cloud.ec2.launches import PENDING, STOPPED, STOPPING, boot, set_state
from local.cloud.ec2.templates import Templates
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

Tags = Sequence[Mapping[str, Any]]
DRY_RUN = "Request would have succeeded, but DryRun flag is set."


class Instances(Templates):
    """Instances, from launch to end."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tokens = Tokens()

    @operation
    def run_instances(  # type: ignore[override]
        self,
        min_count: int,
        max_count: int,
        image_id: str | None = None,
        instance_type: str | None = None,
        subnet_id: str | None = None,
        placement: Mapping[str, Any] | None = None,
        launch_template: Mapping[str, Any] | None = None,
        instance_market_options: Mapping[str, Any] | None = None,
        client_token: str = "",
        key_name: str | None = None,
        security_group_ids: Sequence[str] | None = None,
        security_groups: Sequence[str] | None = None,
        network_interfaces: Sequence[Mapping[str, Any]] | None = None,
        block_device_mappings: Sequence[Mapping[str, Any]] | None = None,
        iam_instance_profile: Mapping[str, Any] | None = None,
        user_data: str | None = None,
        tag_specifications: Tags | None = None,
        monitoring: Mapping[str, Any] | None = None,
        ebs_optimized: bool | None = None,
        disable_api_termination: bool | None = None,
        disable_api_stop: bool | None = None,
        instance_initiated_shutdown_behavior: str | None = None,
        metadata_options: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Reservation:
        """Launch instances. With a client token a request that succeeded is done once (EC2 API
        developer guide, "Ensuring idempotency in Amazon EC2 API requests")."""
        asked = {
            "ImageId": image_id,
            "InstanceType": instance_type,
            "SubnetId": subnet_id,
            "Placement": placement,
            "LaunchTemplate": launch_template,
            "InstanceMarketOptions": instance_market_options,
            "KeyName": key_name,
            "SecurityGroupIds": security_group_ids,
            "SecurityGroups": security_groups,
            "NetworkInterfaces": network_interfaces,
            "BlockDeviceMappings": block_device_mappings,
            "IamInstanceProfile": iam_instance_profile,
            "UserData": user_data,
            "TagSpecifications": tag_specifications,
            "Monitoring": monitoring,
            "EbsOptimized": ebs_optimized,
            "DisableApiTermination": disable_api_termination,
            "DisableApiStop": disable_api_stop,
            "InstanceInitiatedShutdownBehavior": instance_initiated_shutdown_behavior,
            "MetadataOptions": metadata_options,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        counts = (min_count, max_count)
        _check_counts(*counts)
        if dry_run:
            raise Refusal("DryRunOperation", DRY_RUN)
        zone = (placement or {}).get("AvailabilityZone", "")
        key = f"RunInstances {zone} {client_token}" if client_token else None
        earlier: Reservation | None = self.tokens.earlier(key, [given, counts])
        if earlier is not None:
            if all(each.state == "terminated" for each in earlier.instances):
                raise Refusal(
                    "IdempotentInstanceTerminated",
                    "The client token you have provided is associated with a terminated instance. "
                    "Please use a different client token.",
                )
            return earlier
        order = self.orders.read(given)
        reservation = self.launch(order, *counts, client_token=client_token)
        if order.market == "spot":
            self.bought(order, reservation.instances)
        self.tokens.keep(key, reservation)
        return reservation

    @operation
    def start_instances(  # type: ignore[override]
        self, instance_ids: Sequence[str], dry_run: bool = False
    ) -> dict[str, Any]:
        """Start stopped instances; quota and capacity are asked as for a launch (EC2 user guide,
        "Troubleshoot instance launch issues")."""
        found = self._found(instance_ids, dry_run)
        for instance in found:
            if instance.state not in ("stopped", "running", "pending"):
                raise _wrong_state(instance, "started")
        before = [_state(each) for each in found]
        starting: list[Instance] = []
        try:
            for instance in found:
                if instance.state == "stopped":
                    self.check_start(instance)
                    set_state(instance, PENDING)
                    starting.append(instance)
        except Refusal:
            for instance in starting:
                set_state(instance, STOPPED)
            raise
        for instance in starting:
            instance.start()
            boot(instance)
        changes = [_change(*each) for each in zip(found, before, strict=True)]
        return {"StartingInstances": changes}

    @operation
    def stop_instances(  # type: ignore[override]
        self, instance_ids: Sequence[str], force: bool = False, dry_run: bool = False
    ) -> dict[str, Any]:
        """Stop running instances. Text of the first refusal:
        github.com/cloud-custodian/cloud-custodian/pull/6014."""
        found = self._found(instance_ids, dry_run)
        for instance in found:
            if instance.disable_api_stop:
                raise OperationDisableApiStopNotPermitted(instance.id)
            if instance.state == "pending":
                raise Refusal(
                    "IncorrectInstanceState",
                    f"Instance '{instance.id}' cannot be stopped as it has never reached the "
                    "'running' state.",
                )
            if instance.state in ("terminated", "shutting-down"):
                raise _wrong_state(instance, "stopped")
            self.check_stoppable(instance)
        changes = []
        for instance in found:
            before = _state(instance)
            if instance.state == "running":
                set_state(instance, STOPPING)
                WORLD.later(WORLD.durations.instance_stop, partial(_stopped, instance))
            changes.append(_change(instance, before))
        return {"StoppingInstances": changes}

    @operation
    def terminate_instances(  # type: ignore[override]
        self,
        instance_ids: Sequence[str],
        force: bool = False,
        skip_os_shutdown: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Terminate instances in any state; a terminated one stays so."""
        found = self._found(instance_ids, dry_run)
        for instance in found:
            if instance.disable_api_termination:
                raise OperationNotPermitted4(instance.id)
        changes = []
        for instance in found:
            before = _state(instance)
            if instance.state not in ("terminated", "shutting-down"):
                self.end(
                    instance,
                    "Client.UserInitiatedShutdown",
                    "Client.UserInitiatedShutdown: User initiated shutdown",
                )
                self.lost(instance)
            changes.append(_change(instance, before))
        return {"TerminatingInstances": changes}

    def _found(self, instance_ids: Sequence[str], dry_run: bool) -> list[Instance]:
        if not instance_ids:
            raise Refusal("InvalidParameterCombination", "No instances specified")
        for each in instance_ids:
            if not each.startswith("i-"):
                raise Refusal("InvalidInstanceID.Malformed", f'Invalid id: "{each}"')
        found: list[Instance] = self.get_multi_instances_by_id(list(instance_ids))
        if dry_run:
            raise Refusal("DryRunOperation", DRY_RUN)
        return found


def _check_counts(minimum: int, maximum: int) -> None:
    for name, value in (("minCount", minimum), ("maxCount", maximum)):
        if value < 1:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({value}) for parameter {name} is invalid. Minimum value is 1.",
            )
    if minimum > maximum:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({minimum}) for parameter minCount is invalid. It must be less than or equal "
            f"to maxCount ({maximum}).",
        )


def _stopped(instance: Instance) -> None:
    if instance.state == "stopping":
        instance.stop()
        set_state(instance, STOPPED)


def _state(instance: Instance) -> dict[str, Any]:
    return {"Code": instance.state_code, "Name": instance.state}


def _change(instance: Instance, before: dict[str, Any]) -> dict[str, Any]:
    return {
        "InstanceId": instance.id,
        "PreviousState": before,
        "CurrentState": _state(instance),
    }


def _wrong_state(instance: Instance, what: str) -> Refusal:
    return Refusal(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {what}.",
    )
