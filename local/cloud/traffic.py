"""Requests that reach an endpoint, and the CloudWatch metrics SageMaker makes of them.

No request is sent one by one: each interval's requests are counted, split and published when the
interval ends. Everything is deterministic; fractions are carried over, so nothing gets lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.cloud.sagemaker.executions import KEPT_WARM, Load
from local.cloud.sagemaker.resources import Endpoint, Variant
from local.cloud.sagemaker.serverless import Serverless
from local.cloud.world import WORLD

SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack"}
OVERHEAD_MICROSECONDS = 2000.0
_MICRO = "Microseconds"


class Recorder(Protocol):
    """Stores one metric datum: each of `values` was seen as often as `counts` says."""

    def __call__(
        self,
        account_id: str,
        region: str,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        values: Sequence[float],
        counts: Sequence[float],
        timestamp: float,
        unit: str,
        resolution: int,
    ) -> None: ...


@dataclass(frozen=True)
class Behaviour:
    """How a variant answers: the share of its requests that fail with a 5XX, how long the model
    takes, how many requests a minute each of its instances bears (None: any number; what exceeds it
    fails with a 5XX), and how long a serverless variant needs to start what is not yet up."""

    error_rate: float = 0.0
    latency_ms: float = 50.0
    capacity_per_instance: float | None = None
    setup_ms: float = 5000.0


@dataclass(frozen=True)
class History:
    """Traffic that was there before: `minutes` of it, up to now. Without weights it was split by
    those in force now."""

    minutes: int
    requests_per_minute: float
    weights: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Plan:
    """What clients send to an endpoint, and how its variants (by name) answer."""

    requests_per_minute: float
    variants: Mapping[str, Behaviour] = field(default_factory=dict)
    history: History | None = None


@dataclass
class Split:
    """Divides counts of requests by weight: a variant's share is its weight over the sum of all
    weights (botocore service model, `ProductionVariant.InitialVariantWeight`).

    The totals are exact in every interval, each share is exact in the long run.
    """

    _weights: Mapping[str, float] = field(default_factory=dict)
    _owed: dict[str, float] = field(default_factory=dict)

    def divide(self, requests: int, weights: Mapping[str, float]) -> dict[str, int]:
        """How many of `requests` each variant gets; nobody gets any when no weight is positive."""
        receiving = {name: weight for name, weight in weights.items() if weight > 0}
        if receiving != self._weights:
            self._weights, self._owed = receiving, dict.fromkeys(receiving, 0.0)
        if not receiving:
            return {}
        whole = sum(receiving.values())
        for name, weight in receiving.items():
            self._owed[name] += requests * weight / whole
        given = {name: max(0, math.floor(owed)) for name, owed in self._owed.items()}
        while (missing := requests - sum(given.values())) != 0:
            step = 1 if missing > 0 else -1
            able = [name for name in given if given[name] + step >= 0]
            given[max(able, key=lambda name: step * (self._owed[name] - given[name]))] += step
        for name, count in given.items():
            self._owed[name] -= count
        return given


class Traffic:
    """A plan at work on an endpoint. It publishes as long as it is the endpoint's traffic.

    Metrics, dimensions and units: SageMaker developer guide, monitoring-cloudwatch, "endpoint
    invocation metrics". They are published each minute, or at the configuration's
    MetricPublishFrequencyInSeconds when enhanced metrics are on (botocore service model,
    `MetricsConfig`); below a minute they are high-resolution metrics.
    """

    def __init__(self, endpoint: Endpoint, plan: Plan, record: Recorder) -> None:
        self.endpoint, self.plan, self._record = endpoint, plan, record
        self._since = WORLD.clock()
        self._split = Split()
        self._fractions: dict[str, float] = {}

    def start(self) -> None:
        """Take the place of the endpoint's present traffic; write the history, if there is one."""
        if self.endpoint.traffic:
            self.endpoint.traffic.settle()
        self.endpoint.traffic = self
        if history := self.plan.history:
            now = WORLD.clock()
            weights = self._weights() if history.weights is None else history.weights
            moment = now - 60 * history.minutes
            while moment < now:
                following = min(now, self._boundary_after(moment))
                self._publish(moment, following, history.requests_per_minute, weights)
                moment = following
        self._schedule()

    def settle(self) -> None:
        """Publish what came in so far, by what serves until now. Must be called before what
        serves changes."""
        now = WORLD.clock()
        if self.endpoint.status in SERVING and now > self._since:
            self._publish(self._since, now, self.plan.requests_per_minute, self._weights())
        self._since = now

    def _schedule(self) -> None:
        now = WORLD.clock()

        def publish() -> None:
            if self.endpoint.traffic is self:
                self.settle()
                self._schedule()

        WORLD.later(self._boundary_after(now) - now, publish)

    def _boundary_after(self, moment: float) -> float:
        return (moment // self._frequency() + 1) * self._frequency()

    def _frequency(self) -> int:
        metrics = self.endpoint.config.metrics_config or {}
        if not metrics.get("EnableEnhancedMetrics", False):
            return 60
        return int(metrics.get("MetricPublishFrequencyInSeconds", 60))

    def _weights(self) -> dict[str, float]:
        return {variant.name: variant.current_weight for variant in self.endpoint.variants}

    def _publish(
        self, start: float, end: float, per_minute: float, weights: Mapping[str, float]
    ) -> None:
        requests = self._whole("", per_minute * (end - start) / 60)
        shares = self._split.divide(requests, weights)
        for variant in self.endpoint.variants:
            if count := shares.get(variant.name, 0):
                if variant.current_serverless:
                    size = variant.current_serverless
                    self._publish_serverless(variant, size, count, start, end - start)
                else:
                    self._publish_variant(variant, count, start, end - start)

    def _publish_variant(
        self, variant: Variant, requests: int, start: float, seconds: float
    ) -> None:
        behaviour = self.plan.variants.get(variant.name, Behaviour())
        reached = requests
        if behaviour.capacity_per_instance is not None:
            bearable = behaviour.capacity_per_instance * variant.current_count * seconds / 60
            reached = min(requests, round(bearable))
        failed = requests - reached + self._whole(variant.name, reached * behaviour.error_rate)
        self._publish_outcomes(variant, start, requests, failed)
        # 1/numberOfInstances for each request (SageMaker API reference, ScalingPolicyMetric).
        each = 1 / max(1, variant.current_count)
        self._datum(variant, start, "InvocationsPerInstance", {each: requests})
        latency = {behaviour.latency_ms * 1000: reached}
        self._datum(variant, start, "ModelLatency", latency, _MICRO)
        overhead = {OVERHEAD_MICROSECONDS: reached}
        self._datum(variant, start, "OverheadLatency", overhead, _MICRO)

    def _publish_serverless(
        self, variant: Variant, size: Serverless, requests: int, start: float, seconds: float
    ) -> None:
        """What is throttled counts as a 4XX. Each request is a datum; without requests there is
        none, and without spillover no spillover invocation (same page)."""
        behaviour = self.plan.variants.get(variant.name, Behaviour())
        load = Load(requests, seconds, behaviour.latency_ms)
        throttled = self._whole(f"{variant.name} throttled", requests * load.throttled(size))
        served = max(0, requests - throttled)
        spilled = min(served, self._whole(f"{variant.name} spilled", served * load.spilled(size)))
        failed = min(served, self._whole(variant.name, served * behaviour.error_rate))
        self._publish_outcomes(variant, start, requests, failed, throttled)
        self._datum(variant, start, "ModelLatency", {behaviour.latency_ms * 1000: served}, _MICRO)
        cold = min(spilled, self._started(variant, load.on_demand(size), start, seconds))
        setup = behaviour.setup_ms * 1000
        self._datum(variant, start, "ModelSetupTime", {setup: cold}, _MICRO)
        overhead = {OVERHEAD_MICROSECONDS: served - cold, OVERHEAD_MICROSECONDS + setup: cold}
        self._datum(variant, start, "OverheadLatency", overhead, _MICRO)
        running = load.seen(served, size.most)
        used = {each / size.most: count for each, count in running.items()}
        self._datum(variant, start, "ServerlessConcurrentExecutionsUtilization", used)
        if not size.provisioned:
            return
        running = load.seen(served - spilled, size.provisioned)
        used = {each / size.provisioned: count for each, count in running.items()}
        name = "ServerlessProvisionedConcurrency"
        self._datum(variant, start, f"{name}Executions", running, "Count")
        self._datum(variant, start, f"{name}Utilization", used)
        self._datum(variant, start, f"{name}Invocations", {1.0: served - spilled}, "Count")
        self._datum(variant, start, f"{name}SpilloverInvocations", {1.0: spilled}, "Count")

    def _started(self, variant: Variant, needed: int, start: float, seconds: float) -> int:
        """How many resources on demand had to be started for `needed` of them."""
        warm, until = variant.warm
        if start > until:
            warm = 0
        if needed > 0:
            variant.warm = max(warm, needed), start + seconds + KEPT_WARM
        return max(0, needed - warm)

    def _publish_outcomes(
        self, variant: Variant, start: float, requests: int, failed: int, throttled: int = 0
    ) -> None:
        outcomes = {1.0: failed, 0.0: requests - failed}
        refusals = {1.0: throttled, 0.0: requests - throttled}
        self._datum(variant, start, "Invocations", {1.0: requests})
        self._datum(variant, start, "Invocation4XXErrors", refusals)
        self._datum(variant, start, "Invocation5XXErrors", outcomes)
        self._datum(variant, start, "InvocationModelErrors", outcomes)

    def _datum(
        self,
        variant: Variant,
        start: float,
        name: str,
        seen: Mapping[float, int],
        unit: str = "None",
    ) -> None:
        observed = {value: count for value, count in seen.items() if count}
        if not observed:
            return
        _, _, _, region, account_id, _ = self.endpoint.arn.split(":")
        self._record(
            account_id,
            region,
            "AWS/SageMaker",
            name,
            {"EndpointName": self.endpoint.name, "VariantName": variant.name},
            values=list(observed),
            counts=[float(count) for count in observed.values()],
            timestamp=start,
            unit=unit,
            resolution=1 if self._frequency() < 60 else 60,
        )

    def _whole(self, what: str, amount: float) -> int:
        """The whole part of `amount` and of what was carried over; the rest is carried on."""
        # Rounded far below one request, so that 0.1 added ten times is one.
        owed = round(self._fractions.get(what, 0.0) + amount, 6)
        self._fractions[what] = owed - math.floor(owed)
        return math.floor(owed)
