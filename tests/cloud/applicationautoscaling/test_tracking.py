"""Target tracking: user guide, target-tracking-scaling-policy-overview; botocore model,
PutScalingPolicy and TargetTrackingScalingPolicyConfiguration."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import WORLD
from local.cloud.applicationautoscaling import Reading, dials, tracking
from tests.cloud.applicationautoscaling.conftest import (
    CONCURRENCY,
    FUNCTION,
    INSTANCES,
    PER_INSTANCE,
    UTILIZATION,
    activities,
    instances,
    load,
    publish,
    reasons,
    register,
    track,
)
from tests.cloud.conftest import Account
from tests.cloud.hosting import refused, stand_up


def _configuration(value: float, metric: Any = None) -> dict[str, Any]:
    """What puts another target tracking configuration into a request."""
    tracked = {"PredefinedMetricType": PER_INSTANCE} if metric is None else metric
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": tracked}
    return {"TargetTrackingScalingPolicyConfiguration": configuration}


LAST = INSTANCES["ScalableDimension"]


@pytest.fixture
def tracked(account: Account, scaling: Any, sagemaker: Any) -> Any:
    """SageMaker, whose two instances shall get 100 invocations a minute each. Once a test's minutes are
    over, what they call for has happened: alarms are evaluated a second after each full minute."""
    register(scaling)
    track(scaling, 100)
    account.wait(62 - WORLD.clock() % 60)
    return sagemaker


@pytest.mark.parametrize(
    ("capacity", "metric", "target", "wanted"),
    [(2, 80, 50, 4), (3, 1.1, 1.1, 3), (3, 1, 0.7, 5), (4, 10, 50, 1)],
)
def test_capacity_follows_the_metric_and_is_rounded_up(
    capacity: int, metric: float, target: float, wanted: int
) -> None:
    assert tracking.proportional(capacity, metric, target) == wanted


def test_a_policy_brings_two_alarms(account: Account, scaling: Any, tracked: Any) -> None:
    """Names as in users' lists, TargetTracking-endpoint/..-AlarmHigh-..; 3 datapoints of a minute
    above the target, 15 below 90 % of it."""
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {each["AlarmName"]: each["AlarmArn"] for each in alarms} == {
        each["AlarmName"]: each["AlarmARN"] for each in policy["Alarms"]
    }
    high, low = sorted(alarms, key=lambda alarm: str(alarm["AlarmName"]))
    assert high["AlarmName"].startswith("TargetTracking-endpoint/shop/variant/blue-AlarmHigh-")
    assert low["AlarmName"].startswith("TargetTracking-endpoint/shop/variant/blue-AlarmLow-")
    for alarm, periods, threshold in ((high, 3, 100), (low, 15, 90)):
        assert alarm["EvaluationPeriods"] == periods
        assert alarm["Period"] == 60
        assert alarm["Threshold"] == threshold
        assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SageMaker", "Sum")
        assert alarm["MetricName"] == "InvocationsPerInstance"
        assert alarm["AlarmActions"] == [policy["PolicyARN"]]


def test_three_minutes_above_the_target_scale_out(
    account: Account, scaling: Any, tracked: Any
) -> None:
    load(account, 180, 2)
    assert instances(tracked) == 2
    load(account, 180, 1)
    assert instances(tracked) == 4
    [told] = activities(scaling)
    assert told["Cause"].endswith(" in state ALARM triggered policy policy")
    assert told["Cause"].startswith("monitor alarm TargetTracking-endpoint/shop/variant/blue-")
    account.wait(30)
    assert activities(scaling)[0]["StatusCode"] == "Successful"


def test_fifteen_minutes_below_nine_tenths_of_it_scale_in(
    account: Account, scaling: Any, tracked: Any
) -> None:
    load(account, 40, 14)
    assert instances(tracked) == 2
    load(account, 40, 1)
    assert instances(tracked) == 1


def test_between_nine_tenths_and_the_target_nothing_happens(
    account: Account, scaling: Any, tracked: Any
) -> None:
    load(account, 95, 20)
    assert instances(tracked) == 2
    assert activities(scaling, IncludeNotScaledActivities=True) == []


def test_without_datapoints_nothing_scales_in(account: Account, scaling: Any, tracked: Any) -> None:
    """ "cannot scale until new data points": the alarms stay in INSUFFICIENT_DATA."""
    account.wait(3600)
    assert instances(tracked) == 2
    states = {
        alarm["StateValue"]
        for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    assert states == {"INSUFFICIENT_DATA"}


def test_a_scale_in_that_would_call_for_a_scale_out_is_left(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """NotScaledReason AutoScalingAnticipatedFlapping."""
    load(account, 80, 20)
    assert instances(tracked) == 2
    assert reasons(scaling) == ["AutoScalingAnticipatedFlapping"]
    assert activities(scaling) == []


def test_the_bounds_hold(account: Account, scaling: Any, tracked: Any) -> None:
    """NotScaledReason AlreadyAtMaxCapacity and AlreadyAtMinCapacity."""
    load(account, 900, 3)
    assert instances(tracked) == 10
    load(account, 900, 4)
    assert reasons(scaling) == ["AlreadyAtMaxCapacity"]
    [told] = [
        each
        for each in activities(scaling, IncludeNotScaledActivities=True)
        if "NotScaledReasons" in each
    ]
    assert told["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 10}]
    assert told["StatusCode"] == "Failed"
    load(account, 1, 30)
    assert instances(tracked) == 1
    load(account, 1, 2)
    assert reasons(scaling)[0] == "AlreadyAtMinCapacity"


def test_while_the_endpoint_updates_nothing_is_scaled(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """NotScaledReason TargetServicePutResourceAsUnscalable; tried again while the alarm lasts."""
    WORLD.durations.endpoint_update = 210
    tracked.update_endpoint(
        EndpointName="shop", EndpointConfigName="config", RetainAllVariantProperties=True
    )
    load(account, 180, 3)
    assert instances(tracked) == 2
    assert reasons(scaling) == ["TargetServicePutResourceAsUnscalable"]
    load(account, 180, 1)
    assert instances(tracked) == 4


def test_a_cooldown_holds_the_next_scale_out_back_unless_it_is_larger(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """ "won't increase the desired capacity again unless either a larger scale out is triggered or
    the cooldown period ends"; 300 seconds by default for endpoint variants."""
    load(account, 200, 3)
    assert instances(tracked) == 4
    load(account, 120, 3)
    assert instances(tracked) == 4
    load(account, 200, 1)
    assert instances(tracked) == 6


def test_after_the_cooldown_it_scales_out_again(
    account: Account, scaling: Any, tracked: Any
) -> None:
    load(account, 200, 3)
    load(account, 120, 5)
    assert instances(tracked) == 4
    load(account, 120, 1)
    assert instances(tracked) == 5


def test_a_cooldown_holds_the_next_scale_in_back(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """ScaleInCooldown: between the end of one scale-in and the next."""
    load(account, 400, 3)
    assert instances(tracked) == 8
    load(account, 75, 15)
    assert instances(tracked) == 6
    load(account, 75, 5)
    assert instances(tracked) == 6
    load(account, 75, 1)
    assert instances(tracked) == 5


def test_a_scale_out_ends_the_cooldown_of_a_scale_in(
    account: Account, scaling: Any, tracked: Any
) -> None:
    track(scaling, 100, ScaleOutCooldown=0, ScaleInCooldown=7200)
    load(account, 40, 15)
    assert instances(tracked) == 1
    load(account, 180, 3)
    assert instances(tracked) == 2
    load(account, 40, 15)
    assert instances(tracked) == 1


def test_a_cooldown_of_its_own_is_honoured(account: Account, scaling: Any, tracked: Any) -> None:
    track(scaling, 100, ScaleOutCooldown=0)
    load(account, 200, 3)
    assert instances(tracked) == 4
    load(account, 120, 1)
    assert instances(tracked) == 5


def test_a_suspended_direction_is_not_scaled(account: Account, scaling: Any, tracked: Any) -> None:
    """botocore model, SuspendedState."""
    register(scaling, SuspendedState={"DynamicScalingOutSuspended": True})
    load(account, 200, 5)
    assert instances(tracked) == 2
    register(scaling, SuspendedState={"DynamicScalingInSuspended": True})
    load(account, 10, 20)
    assert instances(tracked) == 2
    register(
        scaling,
        SuspendedState={"DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": False},
    )
    load(account, 10, 1)
    assert instances(tracked) == 1


def test_an_alarm_whose_actions_are_disabled_scales_nothing(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """CloudWatch User Guide: neither when its state changes nor while it lasts."""
    cloudwatch = account.client("cloudwatch")
    alarms = [each["AlarmName"] for each in cloudwatch.describe_alarms()["MetricAlarms"]]
    cloudwatch.disable_alarm_actions(AlarmNames=alarms)
    load(account, 200, 5)
    assert instances(tracked) == 2
    cloudwatch.enable_alarm_actions(AlarmNames=alarms)
    load(account, 200, 1)
    assert instances(tracked) == 4


def test_scale_in_can_be_disabled(account: Account, scaling: Any, tracked: Any) -> None:
    """DisableScaleIn: the policy removes nothing."""
    track(scaling, 100, DisableScaleIn=True)
    load(account, 10, 20)
    assert instances(tracked) == 2


def test_policies_scale_in_only_when_all_agree(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """Overview, "Multiple scaling policies"."""
    track(scaling, 25, PolicyName="other")
    load(account, 24, 20)
    assert instances(tracked) == 2
    load(account, 10, 16)
    assert instances(tracked) == 1


def test_policies_scale_out_when_any_calls_for_it_by_the_largest(
    account: Account, scaling: Any, tracked: Any
) -> None:
    track(scaling, 50, PolicyName="other")
    load(account, 150, 3)
    assert instances(tracked) == 6
    [told] = activities(scaling, IncludeNotScaledActivities=True)
    assert told["Cause"].endswith("triggered policy other")


def test_a_value_outside_the_bounds_is_brought_back_by_the_next_scaling(
    account: Account, scaling: Any, tracked: Any
) -> None:
    """A person's count above the maximum stays until a scale-in, then the maximum holds."""
    register(scaling, 1, 4)
    account.wait(60)
    wish = {"VariantName": "blue", "DesiredInstanceCount": 8}
    tracked.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[wish]
    )
    load(account, 80, 14)
    assert instances(tracked) == 8
    load(account, 80, 1)
    assert instances(tracked) == 4


def test_a_policy_that_is_put_again_keeps_its_alarms(
    account: Account, scaling: Any, tracked: Any
) -> None:
    before = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]
    load(account, 180, 2)
    track(scaling, 120)
    after = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]
    assert after["PolicyARN"] == before["PolicyARN"]
    assert after["Alarms"] == before["Alarms"]
    assert after["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 120
    load(account, 180, 1)
    assert instances(tracked) == 3


def test_a_deleted_policy_takes_its_alarms_along(
    account: Account, scaling: Any, tracked: Any
) -> None:
    scaling.delete_scaling_policy(PolicyName="policy", **INSTANCES)
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    load(account, 500, 5)
    assert instances(tracked) == 2
    assert refused(scaling.delete_scaling_policy, PolicyName="policy", **INSTANCES) == (
        "ObjectNotFoundException",
        "No scaling policy found for service namespace: sagemaker, resource ID: "
        f"endpoint/shop/variant/blue, scalable dimension: {LAST}, policy name: policy",
    )


def test_a_policy_needs_a_registered_target(scaling: Any, sagemaker: Any) -> None:
    """Text: github.com/ansible/ansible/issues/40237."""
    assert refused(track, scaling=scaling, value=1) == (
        "ObjectNotFoundException",
        "No scalable target registered for service namespace: sagemaker, resource ID: "
        f"endpoint/shop/variant/blue, scalable dimension: {LAST}",
    )


def test_a_dimension_takes_only_its_own_metrics(account: Account, scaling: Any) -> None:
    """Text: github.com/aws/aws-cdk/issues/29065."""
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 20, "ProvisionedConcurrency": 4}
    blue = {"VariantName": "blue", "ModelName": "model", "ServerlessConfig": config}
    stand_up(account, [blue])
    register(scaling, 1, 10, **CONCURRENCY)
    assert refused(track, scaling=scaling, value=0.7, metric=PER_INSTANCE, **CONCURRENCY) == (
        "ValidationException",
        "Scalable dimension sagemaker:variant:DesiredProvisionedConcurrency only supports the "
        "following predefined metric types: SageMakerVariantProvisionedConcurrencyUtilization",
    )


def test_provisioned_concurrency_tracks_its_utilization(account: Account, scaling: Any) -> None:
    """SageMaker developer guide, serverless-endpoints-autoscale."""
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 20, "ProvisionedConcurrency": 4}
    blue = {"VariantName": "blue", "ModelName": "model", "ServerlessConfig": config}
    sagemaker = stand_up(account, [blue])
    register(scaling, 1, 20, **CONCURRENCY)
    track(scaling, 0.7, UTILIZATION, **CONCURRENCY)
    account.wait(62 - WORLD.clock() % 60)
    for _ in range(3):
        publish("ServerlessProvisionedConcurrencyUtilization", 1.0)
        account.wait(60)
    account.wait(10)
    [told] = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert told["CurrentServerlessConfig"]["ProvisionedConcurrency"] == 6


LABEL = {"PredefinedMetricType": PER_INSTANCE, "ResourceLabel": "app/a/b"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_configuration(0), "ValidationException"),
        (_configuration(1, LABEL), "ValidationException"),
        ({"PolicyType": "PredictiveScaling"}, "ValidationException"),
        ({"PolicyType": "StepScaling"}, "UnsupportedByPocketAccount"),
        ({"PolicyType": None}, "ValidationException"),
        ({"TargetTrackingScalingPolicyConfiguration": None}, "ValidationException"),
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1}}, "ValidationException"),
    ],
)
def test_policies_that_are_refused(
    scaling: Any, sagemaker: Any, change: dict[str, Any], code: str
) -> None:
    """botocore model, PutScalingPolicy: PredictiveScaling is ECS's alone, a type and a
    configuration with one metric are required at first."""
    register(scaling)
    metric = {"PredefinedMetricType": PER_INSTANCE}
    request = {
        **INSTANCES,
        "PolicyName": "policy",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 1,
            "PredefinedMetricSpecification": metric,
        },
        **change,
    }
    given = {name: value for name, value in request.items() if value is not None}
    assert refused(scaling.put_scaling_policy, **given)[0] == code
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


def test_lambda_takes_no_step_scaling(
    account: Account, scaling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore model, PutScalingPolicy: StepScaling, "Not supported for .. Lambda"."""

    class Alias:
        def read(self) -> Reading:
            return Reading(3, True)

    monkeypatch.setitem(dials._openers, FUNCTION["ScalableDimension"], lambda *place: Alias())
    register(scaling, 1, 10, **FUNCTION)
    code, message = refused(
        scaling.put_scaling_policy, **FUNCTION, PolicyName="policy", PolicyType="StepScaling"
    )
    assert (code, "lambda" in message) == ("ValidationException", True)


def test_a_metric_of_ones_own_can_be_tracked(
    account: Account, scaling: Any, sagemaker: Any
) -> None:
    """botocore model, CustomizedMetricSpecification."""
    register(scaling)
    scaling.put_scaling_policy(
        **INSTANCES,
        PolicyName="policy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5,
            "CustomizedMetricSpecification": {
                "Namespace": "Shop",
                "MetricName": "Queue",
                "Statistic": "Average",
            },
        },
    )
    cloudwatch = account.client("cloudwatch")
    account.wait(62 - WORLD.clock() % 60)
    for _ in range(3):
        cloudwatch.put_metric_data(
            Namespace="Shop", MetricData=[{"MetricName": "Queue", "Value": 10}]
        )
        account.wait(60)
    assert instances(sagemaker) == 4
