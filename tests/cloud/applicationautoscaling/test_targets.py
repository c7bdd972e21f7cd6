"""Scalable targets: botocore model, RegisterScalableTarget and DeregisterScalableTarget."""

from __future__ import annotations

from typing import Any

import pytest
from moto.backends import get_backend

from local.cloud import WORLD
from local.cloud.applicationautoscaling import Reading, dials
from local.cloud.sagemaker.control import find_endpoint
from local.cloud.sagemaker.resources import Mishap
from tests.cloud.applicationautoscaling.conftest import (
    ACCOUNT,
    CONCURRENCY,
    FUNCTION,
    INSTANCES,
    activities,
    instances,
    register,
    track,
)
from tests.cloud.conftest import Account
from tests.cloud.hosting import configure, refused, stand_up, variant

ROLES = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role"


def targets(scaling: Any, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.describe_scalable_targets(
        **{"ServiceNamespace": "sagemaker", **more}
    )["ScalableTargets"]
    return found


def test_a_target_is_described_with_its_service_linked_role(scaling: Any, sagemaker: Any) -> None:
    """User guide, service-linked roles: SageMaker's is AWSServiceRoleForApplication
    AutoScaling_SageMakerEndpoint, whatever role is passed."""
    arn = register(scaling, RoleARN="arn:aws:iam::123456789012:role/mine")["ScalableTargetARN"]
    [told] = targets(scaling)
    assert told.pop("CreationTime")
    assert told == INSTANCES | {
        "MinCapacity": 1,
        "MaxCapacity": 10,
        "RoleARN": f"{ROLES}/sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "ScalableTargetARN": arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }


@pytest.mark.parametrize("given", [{"MinCapacity": 1}, {"MaxCapacity": 1}])
def test_a_new_target_needs_both_bounds(
    scaling: Any, sagemaker: Any, given: dict[str, int]
) -> None:
    code, _ = refused(scaling.register_scalable_target, **INSTANCES, **given)
    assert code == "ValidationException"
    assert targets(scaling) == []


def test_the_maximum_is_not_below_the_minimum(scaling: Any, sagemaker: Any) -> None:
    wrong = ("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    assert refused(register, scaling=scaling, low=3, high=2) == wrong
    register(scaling, 2, 3)
    assert refused(scaling.register_scalable_target, **INSTANCES, MinCapacity=4) == wrong
    assert targets(scaling)[0]["MinCapacity"] == 2


def test_the_minimum_is_not_below_none(scaling: Any, sagemaker: Any) -> None:
    assert refused(register, scaling=scaling, low=-1)[0] == "ValidationException"


def test_activities_are_told_for_six_weeks(account: Account, scaling: Any, sagemaker: Any) -> None:
    """botocore model, DescribeScalingActivities."""
    register(scaling, 4, 9)
    account.wait(WORLD.durations.scaling_reaction)
    stores: Any = get_backend("applicationautoscaling")
    [activity] = stores[ACCOUNT]["us-east-1"].activities
    # Waiting would play every minute of six weeks.
    for weeks, told in ((5.9, 1), (6.1, 0)):
        activity.started = WORLD.clock() - weeks * 7 * 86_400
        assert len(activities(scaling)) == told


def test_what_an_update_does_not_name_stays(scaling: Any, sagemaker: Any) -> None:
    register(scaling, SuspendedState={"DynamicScalingInSuspended": True})
    scaling.register_scalable_target(
        **INSTANCES, MinCapacity=2, SuspendedState={"ScheduledScalingSuspended": True}
    )
    [told] = targets(scaling)
    assert (told["MinCapacity"], told["MaxCapacity"]) == (2, 10)
    assert told["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }


@pytest.mark.parametrize(
    ("low", "high", "cause", "count"),
    [
        (4, 9, "minimum capacity was set to 4", 4),
        (1, 1, "maximum capacity was set to 1", 1),
    ],
)
def test_registering_brings_the_capacity_into_the_bounds(
    account: Account, scaling: Any, sagemaker: Any, low: int, high: int, cause: str, count: int
) -> None:
    """Cause and texts: user guide, scaling activities."""
    register(scaling, low, high)
    account.wait(WORLD.durations.scaling_reaction)
    assert instances(sagemaker) == count
    [told] = activities(scaling)
    assert told["Cause"] == cause
    assert told["Description"] == f"Setting desired instance count to {count}."
    assert told["StatusCode"] == "InProgress"
    account.wait(WORLD.durations.instance_launch + WORLD.durations.scaling_reaction)
    [told] = activities(scaling)
    assert told["StatusCode"] == "Successful"
    assert told["StatusMessage"] == (
        f"Successfully set desired instance count to {count}. Change successfully fulfilled by "
        "sagemaker."
    )


def test_an_update_that_names_no_bound_brings_the_capacity_back_too(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """ "even if you don't include the MinCapacity or MaxCapacity request parameters"."""
    register(scaling, 2, 4)
    account.wait(WORLD.durations.scaling_reaction)
    wish = {"VariantName": "blue", "DesiredInstanceCount": 6}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[wish]
    )
    account.wait(WORLD.durations.instance_launch + 60)
    assert instances(sagemaker) == 6
    scaling.register_scalable_target(**INSTANCES)
    account.wait(WORLD.durations.scaling_reaction)
    assert instances(sagemaker) == 4


def test_a_resource_that_is_not_active_is_left_as_it_is(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """ "If the specified resource is not active in the target service, this operation does not
    change the resource's current capacity"."""
    WORLD.durations.endpoint_update = 90
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="config")
    register(scaling, 4, 9)
    account.wait(200)
    assert instances(sagemaker) == 2
    assert activities(scaling) == []


def test_a_service_that_refuses_makes_the_activity_fail(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """SageMaker developer guide, endpoint-scaling-query-history: a quota in the way."""
    register(scaling, 501, 600)
    account.wait(WORLD.durations.scaling_reaction)
    [told] = activities(scaling)
    assert told["StatusCode"] == "Failed"
    assert told["StatusMessage"].startswith(
        "Failed to set desired instance count to 501. Reason: The account-level service limit "
        "'ml.m5.large for endpoint usage' is 500 Instances"
    )
    assert instances(sagemaker) == 2


def test_a_change_that_is_rolled_back_is_unfulfilled(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """botocore model, ScalingActivity.StatusCode: Unfulfilled."""
    with WORLD.turn():
        find_endpoint("shop").mishap = Mishap(rolls_back=True)
    register(scaling, 4, 9)
    account.wait(60)
    assert activities(scaling)[0]["StatusCode"] == "Unfulfilled"


def test_what_hangs_on_a_target_goes_with_it(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """Deregistering deletes policies and scheduled actions; nothing is scaled any more."""
    register(scaling)
    track(scaling, 100)
    scaling.put_scheduled_action(
        **INSTANCES,
        ScheduledActionName="morning",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 5},
    )
    scaling.deregister_scalable_target(**INSTANCES)
    assert targets(scaling) == []
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert refused(scaling.deregister_scalable_target, **INSTANCES) == (
        "ObjectNotFoundException",
        "No scalable target registered for service namespace: sagemaker, resource ID: "
        "endpoint/shop/variant/blue, scalable dimension: sagemaker:variant:DesiredInstanceCount",
    )
    register(scaling)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    described = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")
    assert described["ScheduledActions"] == []
    account.wait(300)
    assert instances(sagemaker) == 2


def test_the_targets_of_an_endpoint_go_with_it(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """SageMaker developer guide, endpoint-delete-with-scaling: "deregisters those models as
    scalable targets without notifying you"."""
    register(scaling)
    track(scaling, 100)
    sagemaker.delete_endpoint(EndpointName="shop")
    assert targets(scaling) == []
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize("changed", [{"InstanceType": "ml.m5.xlarge"}, {"VariantName": "green"}])
def test_a_scaled_variant_keeps_its_instance_type_and_stays(
    account: Account, scaling: Any, sagemaker: Any, changed: dict[str, str]
) -> None:
    """SageMaker developer guide, endpoint-scaling-update: such an update fails until the variant is
    deregistered; one that only changes the model does not."""
    configure(sagemaker, [variant("blue") | changed], "other")
    configure(sagemaker, [variant("blue")], "same")
    register(scaling)
    other = {"EndpointName": "shop", "EndpointConfigName": "other"}
    code, message = refused(sagemaker.update_endpoint, **other)
    assert code == "ValidationException"
    assert message.startswith('The variant(s) "[blue]" must be deregistered as a scalable target')
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="same")
    account.wait(WORLD.durations.endpoint_update)
    scaling.deregister_scalable_target(**INSTANCES)
    sagemaker.update_endpoint(**other)


@pytest.mark.parametrize(
    "place",
    [
        {"ResourceId": "endpoint/shop"},
        {"ServiceNamespace": "lambda"},
        {**FUNCTION, "ResourceId": "function:shop:$LATEST"},
        {**FUNCTION, "ResourceId": "function:shop"},
    ],
)
def test_ids_that_do_not_fit_the_dimension_are_refused(
    scaling: Any, sagemaker: Any, place: dict[str, str]
) -> None:
    """Text: github.com/pulumi/pulumi-aws/issues/822. Lambda: "not $LATEST"."""
    assert refused(register, scaling=scaling, **place) == (
        "ValidationException",
        "Unsupported service namespace, resource type or scalable dimension",
    )


def test_what_does_not_exist_is_not_registered(scaling: Any, sagemaker: Any) -> None:
    for place in ({"ResourceId": "endpoint/shop/variant/green"}, CONCURRENCY):
        assert refused(register, scaling=scaling, **place)[0] == "ValidationException"


@pytest.mark.parametrize(
    "place",
    [
        {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/a/b",
            "ScalableDimension": "ecs:service:DesiredCount",
        },
        FUNCTION,
    ],
)
def test_a_service_that_is_not_connected_is_refused_under_a_code_of_our_own(
    scaling: Any, sagemaker: Any, place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(dials._openers, FUNCTION["ScalableDimension"], raising=False)
    assert refused(register, scaling=scaling, **place)[0] == "UnsupportedByPocketAccount"


def test_targets_are_filtered_and_paged(account: Account, scaling: Any, sagemaker: Any) -> None:
    """botocore model, DescribeScalableTargets: 50 a page; a dimension needs a resource id."""
    configure(sagemaker, [variant("blue")], "small")
    sagemaker.create_endpoint(EndpointName="other", EndpointConfigName="small")
    account.wait(WORLD.durations.endpoint_create)
    register(scaling)
    other = register(scaling, ResourceId="endpoint/other/variant/blue")["ScalableTargetARN"]
    first = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", MaxResults=1)
    rest = targets(scaling, MaxResults=1, NextToken=first["NextToken"])
    assert [each["ScalableTargetARN"] for each in rest] == [other]
    [found] = targets(scaling, ResourceIds=["endpoint/other/variant/blue"])
    assert found["ScalableTargetARN"] == other
    dimension = {"ScalableDimension": INSTANCES["ScalableDimension"]}
    call = scaling.describe_scalable_targets
    assert refused(call, ServiceNamespace="sagemaker", **dimension)[0] == "ValidationException"
    wrong = {"ServiceNamespace": "sagemaker", "NextToken": "nonsense"}
    assert refused(call, **wrong)[0] == "InvalidNextTokenException"
    assert targets(scaling, ServiceNamespace="lambda") == []


def test_tags_are_given_once_and_then_by_their_own_operations(scaling: Any, sagemaker: Any) -> None:
    """Text: github.com/terraform-aws-modules/terraform-aws-rds-aurora/pull/420."""
    arn = register(scaling, Tags={"team": "search"})["ScalableTargetARN"]
    code, message = refused(register, scaling=scaling, Tags={"team": "ads"})
    assert code == "ValidationException"
    assert message.startswith("The scalable target that you tried to tag already exists.")
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "test"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test"}
    many = {f"key{number}": "" for number in range(50)}
    code, _ = refused(scaling.tag_resource, ResourceARN=arn, Tags=many)
    assert code == "TooManyTagsException"
    code, _ = refused(scaling.list_tags_for_resource, ResourceARN=arn + "0")
    assert code == "ResourceNotFoundException"


class Alias:
    """A dial of Lambda's that does what it is told."""

    def __init__(self) -> None:
        self.value, self.scalable = 3, True

    def read(self) -> Reading:
        return Reading(self.value, self.scalable)

    def write(self, capacity: int) -> None:
        self.value = capacity


def test_another_services_dial_can_be_connected(
    account: Account, scaling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias, dimension = Alias(), FUNCTION["ScalableDimension"]
    monkeypatch.setitem(dials._openers, dimension, lambda *place: alias)
    register(scaling, 5, 9, **FUNCTION)
    account.wait(WORLD.durations.scaling_reaction)
    assert alias.value == 5
    [told] = targets(scaling, ServiceNamespace="lambda")
    assert told["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency")


def test_provisioned_concurrency_can_be_scaled_down_to_none(account: Account, scaling: Any) -> None:
    """RegisterScalableTarget: the least MinCapacity of serverless concurrency is 0."""
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 20, "ProvisionedConcurrency": 4}
    blue = {"VariantName": "blue", "ModelName": "model", "ServerlessConfig": config}
    sagemaker = stand_up(account, [blue])
    register(scaling, 0, 0, **CONCURRENCY)
    account.wait(60)
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert "ProvisionedConcurrency" not in told["CurrentServerlessConfig"]
    register(scaling, 2, 8, **CONCURRENCY)
    account.wait(60)
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert told["CurrentServerlessConfig"]["ProvisionedConcurrency"] == 2
