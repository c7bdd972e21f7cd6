"""Scaling policies: put, described, deleted, and what their alarms set off."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.backends import get_backend

from local.cloud.applicationautoscaling import tracking
from local.cloud.applicationautoscaling.dials import Reading
from local.cloud.applicationautoscaling.dimensions import Dimension, TrackedMetric
from local.cloud.applicationautoscaling.pages import page
from local.cloud.applicationautoscaling.records import Key, Policy, ScalableTarget, timestamp
from local.cloud.applicationautoscaling.targets import Targets
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD


class Policies(Targets):
    """The operations on target tracking policies, which act through CloudWatch alarms of this
    account: without datapoints an alarm has no state, so nothing scales (user guide,
    target-tracking-scaling-policy-overview). Step scaling is not simulated."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.policies: dict[str, Policy] = {}
        self._asked: set[tuple[Key, str]] = set()

    @operation
    def put_scaling_policy(
        self,
        policy_name: str,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
        policy_type: str | None = None,
        step_scaling_policy_configuration: Mapping[str, Any] | None = None,
        target_tracking_scaling_policy_configuration: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        target = self.find_target(service_namespace, resource_id, scalable_dimension)
        policy = self._find(target, policy_name)
        _check_type(target.dimension, policy_type, exists=policy is not None)
        if step_scaling_policy_configuration is not None:
            raise Refusal("ValidationException", _MIXED)
        configuration = target_tracking_scaling_policy_configuration
        if policy is None:
            if configuration is None:
                raise Refusal("ValidationException", _NO_CONFIGURATION)
            metric = _metric(target, configuration)
            policy = self._new(target, policy_name, dict(configuration))
            self.policies[policy.arn] = policy
        elif configuration is not None:
            metric = _metric(target, configuration)
            policy.configuration = dict(configuration)
        else:
            metric = _metric(target, policy.configuration)
        self._put_alarms(policy, metric)
        return {"PolicyARN": policy.arn, "Alarms": self._alarms(policy)}

    @operation
    def describe_scaling_policies(
        self,
        service_namespace: str,
        policy_names: Sequence[str] = (),
        resource_id: str | None = None,
        scalable_dimension: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """Ten a page at most (botocore service model)."""
        ids = [] if resource_id is None else [resource_id]
        targets = self.chosen(service_namespace, ids, scalable_dimension)
        found = [
            each.target.place()
            | {
                "PolicyARN": each.arn,
                "PolicyName": each.name,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": each.configuration,
                "Alarms": self._alarms(each),
                "CreationTime": timestamp(each.created),
            }
            for each in self.policies.values()
            if each.target in targets and (not policy_names or each.name in policy_names)
        ]
        return page("ScalingPolicies", found, 10, max_results, next_token)

    @operation
    def delete_scaling_policy(
        self, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
    ) -> None:
        """Its alarms go with it (user guide, "Delete a target tracking scaling policy")."""
        key = (service_namespace, resource_id, scalable_dimension)
        target = self.targets.get(key)
        policy = target and self._find(target, policy_name)
        if not policy:
            raise Refusal(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: {service_namespace}, resource ID: "
                f"{resource_id}, scalable dimension: {scalable_dimension}, policy name: "
                f"{policy_name}",
            )
        self._delete(policy)

    def forget(self, target: ScalableTarget) -> None:
        super().forget(target)
        for policy in self._of(target):
            self._delete(policy)

    def triggered(self, policy_arn: str, alarm_name: str) -> None:
        """An alarm has invoked a policy. What to do is decided when every alarm that is due at this
        moment has been evaluated, since a target's policies decide together."""
        policy = self.policies.get(policy_arn)
        if policy is None:
            return
        decide = self._scale_out if alarm_name == policy.alarm_high else self._scale_in
        asked = (policy.target.key, decide.__name__)
        if asked not in self._asked:
            self._asked.add(asked)

            def act() -> None:
                self._asked.discard(asked)
                decide(policy.target)

            WORLD.later(0, act)

    def _scale_out(self, target: ScalableTarget) -> None:
        """The policy that calls for most decides (botocore service model, `PutScalingPolicy`)."""
        asking = {
            each.name: (found[-1], each.value)
            for each in self._of(target)
            if (found := self._judged(each.alarm_high))
        }
        if not asking or target.suspended["DynamicScalingOutSuspended"]:
            return
        policy = self._find(target, max(asking, key=lambda name: _excess(*asking[name])))
        assert policy is not None
        cause = _cause(policy, policy.alarm_high)

        def decide(current: int) -> None:
            if current >= target.high:
                bound = {"MaxCapacity": target.high}
                self.did_not_scale(target, cause, "AlreadyAtMaxCapacity", bound)
                return
            cooling = WORLD.clock() < target.out.until
            base = target.out.base if cooling else None
            wanted = tracking.outwards(current, list(asking.values()), base)
            capacity = max(target.low, min(wanted, target.high))
            if capacity > current:

                def finish() -> None:
                    target.out.until = WORLD.clock() + policy.cooldown("ScaleOutCooldown")
                    target.out.base = current
                    # A scale-out ends the cooldown of a scale-in (user guide, as above).
                    target.into.until = 0.0

                self.move(target, capacity, cause, finish)
            elif not cooling:
                held = {"CurrentCapacity": current}
                self.did_not_scale(target, cause, "AlreadyAtDesiredCapacity", held)

        self._scalable(target, cause, decide)

    def _scale_in(self, target: ScalableTarget) -> None:
        """Only when all policies whose scale-in is enabled agree (user guide, as above, "Multiple
        scaling policies")."""
        agreeing = [each for each in self._of(target) if each.scales_in]
        found = [self._judged(each.alarm_low) for each in agreeing]
        if (
            not agreeing
            or not all(found)
            or WORLD.clock() < target.into.until
            or target.suspended["DynamicScalingInSuspended"]
        ):
            return
        readings = [(max(points), each.value) for points, each in zip(found, agreeing, strict=True)]
        excesses = [_excess(*reading) for reading in readings]
        policy = agreeing[excesses.index(max(excesses))]
        cause = _cause(policy, policy.alarm_low)

        def decide(current: int) -> None:
            if current <= target.low:
                bound = {"MinCapacity": target.low}
                self.did_not_scale(target, cause, "AlreadyAtMinCapacity", bound)
                return
            wanted = tracking.inwards(current, readings)
            capacity = max(target.low, min(wanted, target.high))
            if capacity < current:

                def finish() -> None:
                    target.into.until = WORLD.clock() + policy.cooldown("ScaleInCooldown")

                self.move(target, capacity, cause, finish)
            else:
                held = {"CurrentCapacity": current}
                self.did_not_scale(target, cause, "AutoScalingAnticipatedFlapping", held)

        self._scalable(target, cause, decide)

    def _scalable(self, target: ScalableTarget, cause: str, decide: Callable[[int], None]) -> None:
        """Decide by the target's capacity, unless it cannot be told another one now."""

        def read(reading: Reading | None) -> None:
            if reading is None or not self.stands(target):
                return
            if reading.scalable:
                decide(reading.desired)
                return
            held = {"CurrentCapacity": reading.desired}
            self.did_not_scale(target, cause, "TargetServicePutResourceAsUnscalable", held)

        self.read(target, read)

    # Alarms

    def _put_alarms(self, policy: Policy, metric: Mapping[str, Any]) -> None:
        """Periods, datapoints and names as users see them, e.g. in
        github.com/aws/aws-cdk/issues/23088. An update keeps the alarms and their state."""
        common = {
            **metric,
            "period": 60,
            "alarm_actions": [policy.arn],
            "alarm_description": (
                f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}."
            ),
        }
        self._cloudwatch().put_metric_alarm(
            alarm_name=policy.alarm_high,
            comparison_operator="GreaterThanThreshold",
            threshold=policy.value,
            evaluation_periods=tracking.HIGH_DATAPOINTS,
            **common,
        )
        self._cloudwatch().put_metric_alarm(
            alarm_name=policy.alarm_low,
            comparison_operator="LessThanThreshold",
            threshold=policy.value * tracking.LOW_SHARE,
            evaluation_periods=tracking.LOW_DATAPOINTS,
            **common,
        )

    def _alarms(self, policy: Policy) -> list[dict[str, str]]:
        alarms = self._cloudwatch().watch.alarms
        return [
            {"AlarmName": name, "AlarmARN": alarms[name].arn}
            for name in (policy.alarm_high, policy.alarm_low)
            if name in alarms
        ]

    def _judged(self, alarm_name: str) -> tuple[float, ...]:
        """The datapoints of an alarm that is in ALARM; none of another."""
        alarm = self._cloudwatch().watch.alarms.get(alarm_name)
        return alarm.judged if alarm and alarm.state.value == "ALARM" else ()

    def _cloudwatch(self) -> Any:
        stores: Any = get_backend("cloudwatch")
        return stores[self.account_id][self.region_name]

    # Policies

    def _of(self, target: ScalableTarget) -> list[Policy]:
        return [each for each in self.policies.values() if each.target is target]

    def _find(self, target: ScalableTarget, name: str) -> Policy | None:
        return next((each for each in self._of(target) if each.name == name), None)

    def _new(self, target: ScalableTarget, name: str, configuration: dict[str, Any]) -> Policy:
        arn = self._arn(
            "autoscaling",
            f"scalingPolicy:{uuid.uuid4()}:resource/{target.dimension.namespace}/"
            f"{target.resource_id}:policyName/{name}",
        )
        high, low = (
            f"TargetTracking-{target.resource_id}-Alarm{side}-{uuid.uuid4()}"
            for side in ("High", "Low")
        )
        return Policy(name, arn, target, configuration, WORLD.clock(), high, low)

    def _delete(self, policy: Policy) -> None:
        del self.policies[policy.arn]
        alarms = self._cloudwatch().watch.alarms
        names = [name for name in (policy.alarm_high, policy.alarm_low) if name in alarms]
        self._cloudwatch().delete_alarms(alarm_names=names)


def _cause(policy: Policy, alarm_name: str) -> str:
    return f"monitor alarm {alarm_name} in state ALARM triggered policy {policy.name}"


def _excess(metric: float, target: float) -> float:
    return metric / target


def _check_type(dimension: Dimension, policy_type: str | None, *, exists: bool) -> None:
    """botocore service model, `PutScalingPolicy.PolicyType`. The texts are not known."""
    match policy_type:
        case None if not exists:
            raise Refusal("ValidationException", "PolicyType must be specified for a new policy.")
        case "PredictiveScaling":
            raise Refusal(
                "ValidationException",
                f"Predictive scaling is not supported for the {dimension.namespace} namespace.",
            )
        case "StepScaling" if not dimension.steps:
            raise Refusal(
                "ValidationException",
                f"Step scaling is not supported for the {dimension.namespace} namespace.",
            )
        case "StepScaling":
            raise Refusal(
                "UnsupportedByPocketAccount", "The pocket account does not simulate step scaling."
            )
        case _:
            return


def _metric(target: ScalableTarget, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The metric a configuration tracks, as arguments of `put_metric_alarm`; or its refusal."""
    if configuration["TargetValue"] <= 0:
        raise Refusal("ValidationException", "TargetValue must be greater than 0.")
    predefined = configuration.get("PredefinedMetricSpecification")
    customized = configuration.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise Refusal("ValidationException", _ONE_METRIC)
    if customized is not None:
        return _customized(customized)
    assert predefined is not None
    if "ResourceLabel" in predefined:
        raise Refusal("ValidationException", _NO_LABEL)
    metric = _predefined(target.dimension, predefined["PredefinedMetricType"])
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "statistic": metric.statistic,
        "dimensions": target.dimension.metric_dimensions(target.resource_id),
    }


def _predefined(dimension: Dimension, kind: str) -> TrackedMetric:
    if kind not in dimension.tracks:
        raise Refusal(
            "ValidationException",
            f"Scalable dimension {dimension.name} only supports the following predefined metric "
            f"types: {', '.join(dimension.tracks)}",
        )
    metric = dimension.tracks[kind]
    if metric is None:
        raise Refusal("UnsupportedByPocketAccount", f"The pocket account does not publish {kind}.")
    return metric


def _customized(specification: Mapping[str, Any]) -> dict[str, Any]:
    if "Metrics" in specification:
        raise Refusal(
            "UnsupportedByPocketAccount",
            "The pocket account does not simulate target tracking on metric math.",
        )
    for name in ("MetricName", "Namespace", "Statistic"):
        if name not in specification:
            raise Refusal("ValidationException", f"A customized metric needs {name}.")
    return {
        "namespace": specification["Namespace"],
        "metric_name": specification["MetricName"],
        "statistic": specification["Statistic"],
        "dimensions": list(specification.get("Dimensions", ())),
        "unit": specification.get("Unit"),
    }


# AWS's own wording of these is not known; the rules are the service model's.
_MIXED = "StepScalingPolicyConfiguration cannot be given with PolicyType TargetTrackingScaling."
_NO_CONFIGURATION = (
    "TargetTrackingScalingPolicyConfiguration must be specified for a new target tracking policy."
)
_ONE_METRIC = (
    "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be "
    "specified."
)
_NO_LABEL = "ResourceLabel is only supported for ALBRequestCountPerTarget."
