"""The way back: traffic of a failing variant to the healthy ones, as much as they can carry.

Pure: what is decided follows from the observation and the incident alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from functions.core.alarms import Metric, MetricAlarm, metrics_of_event
from functions.core.decision import Decision, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.core.signals import Signal
from functions.traffic_shift.observation import (
    PERIODS,
    Load,
    Observation,
    Rules,
    Variant,
    Watch,
    names,
)
from functions.traffic_shift.steps import grows, put_back, stands, step

ENDPOINT_NAMESPACES = frozenset({"AWS/SageMaker", "/aws/sagemaker/Endpoints"})
ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""Pattern of EndpointName in the botocore model of SageMaker, 2017-07-24."""
ENDPOINT_ARN = re.compile(rf"arn:[\w-]+:sagemaker:[\w-]+:\d{{12}}:endpoint/{ENDPOINT_NAME.pattern}")
FAILURE_METRICS = frozenset(
    {
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "InvocationModelErrors",
        "ModelLatency",
        "OverheadLatency",
    }
)
"""Metrics of AWS/SageMaker that tell of errors or latency (SageMaker developer guide, "Amazon
SageMaker AI metrics in Amazon CloudWatch"); Invocations may stand beside them in metric math."""


def endpoints_of(signal: Signal) -> frozenset[str] | Refuse:
    """Names of the endpoints that an alarm's signal speaks of; none for a composite alarm.

    From an event only what fails users counts; an alarm's direct action always does.
    """
    metrics = metrics_of_event(signal.detail["configuration"], signal.alarm_arn)
    alarm = signal.detail["alarmName"]
    named = endpoints_in(metrics)
    if not named and "alarmRule" in signal.detail["configuration"]:
        return named
    if not named:
        return Refuse("not-an-endpoint", f"{alarm} watches no SageMaker endpoint")
    if strange := [name for name in named if not ENDPOINT_NAME.fullmatch(name)]:
        return Refuse("bad-endpoint-name", f"{strange[0]!r:.80} cannot be an endpoint's name")
    if not signal.direct and not {m.name for m in metrics} & FAILURE_METRICS:
        return Refuse("not-failures", f"{alarm} tells of neither errors nor latency")
    return named


def endpoints_in(metrics: Iterable[Metric]) -> frozenset[str]:
    """Names of this account's endpoints in the dimensions of an alarm's metrics."""
    return frozenset(
        m.dimensions["EndpointName"]
        for m in metrics
        if m.namespace in ENDPOINT_NAMESPACES and "EndpointName" in m.dimensions and not m.account
    )


def endpoint_arn(alarm_arn: str, name: str) -> str:
    """ARN of an endpoint in the account and Region of an alarm on it."""
    _, partition, _, region, account, *_ = alarm_arn.split(":")
    return f"arn:{partition}:sagemaker:{region}:{account}:endpoint/{name}"


class Health(Enum):
    WELL = "well"
    SICK = "sick"
    UNKNOWN = "unknown"


def relevant(alarm: MetricAlarm, direct: bool) -> bool:
    """Whether an alarm speaks of a variant that fails its users.

    Errors and latency do, when more of them is worse; CPU or low traffic does not, unless the
    alarm names this function as its own action.
    """
    if direct:
        return True
    read = {m.name for m in alarm.metrics if m.namespace == "AWS/SageMaker"}
    return (
        alarm.rises and bool(read & FAILURE_METRICS) and read <= FAILURE_METRICS | {"Invocations"}
    )


def decide(seen: Observation, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the endpoint now. incident: the open one, if any."""
    if incident is not None and incident.written is not None and incident.goal is not None:
        return _go_on(seen, incident, rules)
    alarming = [w for w in seen.watches if w.alarm.state == "ALARM"]
    failing = [w for w in alarming if relevant(w.alarm, w.direct)]
    if not failing:
        if alarming:
            return Settled("its alarms tell of neither errors nor latency of a variant")
        return Settled("no alarm on it is in ALARM any more")
    speaking = [w for w in failing if w.muted_by is None]
    if not speaking:
        return Refuse("muted", f"{failing[0].alarm.name} is muted by {failing[0].muted_by}")
    if refusal := _cannot_act(seen, speaking):
        return refusal
    sick = frozenset().union(*(w.named for w in speaking))
    weights = {v.name: v.desired_weight for v in seen.variants}
    if not any(weights[name] for name in sick):
        return Settled(f"{names(sick)} serves no traffic")
    health = {
        v.name: judge(v, speaking, seen.loads[v.name], rules)
        for v in seen.variants
        if v.name not in sick
    }
    evidence = _evidence(seen, speaking, health)
    well = [name for name, state in health.items() if state is Health.WELL]
    if not well:
        return _nowhere_to_go(sick, health, evidence, rules)
    moved = _moved(weights, sick, well)
    goal = {name: {**value, "weight": moved[name]} for name, value in seen.dial.items()}
    return step(seen, goal, seen.dial, evidence, rules, _why(speaking, sick, well))


def judge(variant: Variant, watches: Sequence[Watch], load: Load, rules: Rules) -> Health:
    """A variant's health by the alarms' own metric, statistic and threshold on it.

    Sick when as many of the last 3 closed periods breach as the alarm itself asks for, three at
    most. Without enough requests, or without the metric, nothing is known; only an alarm that
    itself takes missing data for good says with its silence that all is well.
    """
    if load.requests < rules.minimum_requests:
        return Health.UNKNOWN
    if variant.count is not None and load.busiest is None:
        return Health.UNKNOWN
    states = set()
    for watch in watches:
        alarm, values = watch.alarm, watch.values.get(variant.name, ())
        if alarm.threshold is None or (not values and alarm.missing != "notBreaching"):
            states.add(Health.UNKNOWN)
        elif alarm.breaches(values) >= min(alarm.datapoints, PERIODS):
            states.add(Health.SICK)
        else:
            states.add(Health.WELL)
    for worst in (Health.SICK, Health.UNKNOWN):
        if worst in states:
            return worst
    return Health.WELL


def _cannot_act(seen: Observation, speaking: Sequence[Watch]) -> Refuse | None:
    known = {v.name for v in seen.variants}
    if seen.status != "InService":
        return Refuse("not-in-service", f"{seen.endpoint} is {seen.status}, which allows no change")
    if len(known) == 1:
        return Refuse("single-variant", f"{seen.endpoint} has one variant, so nowhere to move to")
    for watch in speaking:
        if len(endpoints_in(watch.alarm.metrics)) > 1:
            return Refuse(
                "several-endpoints",
                f"{watch.alarm.name} watches several endpoints; which of them fails is unknown",
                page=True,
            )
        if any("METRICS(" in text for text in watch.alarm.expressions.values()):
            return Refuse(
                "metrics-function",
                f"{watch.alarm.name} uses METRICS(), which cannot be asked of one variant",
                page=True,
            )
        if not watch.named:
            return Refuse(
                "no-variant-named",
                f"{watch.alarm.name} has no VariantName dimension, so which variant fails is unknown",
                page=True,
            )
        if len(watch.named) > 1:
            return Refuse(
                "several-variants",
                f"{watch.alarm.name} compares {names(watch.named)}; which one fails is unknown",
                page=True,
            )
        if gone := watch.named - known:
            return Refuse("variant-gone", f"{seen.endpoint} has no variant {names(gone)}")
    return None


def _nowhere_to_go(
    sick: frozenset[str],
    health: Mapping[str, Health],
    evidence: Mapping[str, Any],
    rules: Rules,
) -> Refuse:
    others = names(health)
    if not health:
        reason = f"every variant fails: {names(sick)}"
        return Refuse("other-sick", reason, page=True, evidence=evidence)
    if Health.SICK in health.values():
        reason = f"{others} fails like {names(sick)}: not a failure of one variant"
        return Refuse("other-sick", reason, page=True, evidence=evidence)
    reason = (
        f"whether {others} is healthy is unknown: fewer than {rules.minimum_requests} requests "
        f"in the last {PERIODS} closed periods, or no data of the alarm's metric"
    )
    return Refuse("other-unknown", reason, page=True, evidence=evidence)


def _moved(
    weights: Mapping[str, float], sick: frozenset[str], well: Sequence[str]
) -> dict[str, float]:
    """The weights with the sick variants' part given to the healthy ones, in proportion.

    The sum stays, so every other variant keeps its share: SageMaker routes by weight over sum.
    """
    moving = sum(weights[name] for name in sick)
    base = sum(weights[name] for name in well)
    part = {name: weights[name] / base if base else 1 / len(well) for name in well}
    return {
        name: 0.0 if name in sick else weight + moving * part.get(name, 0.0)
        for name, weight in weights.items()
    }


def _go_on(seen: Observation, incident: Incident, rules: Rules) -> Decision:
    """The next step of an action under way, or its end."""
    assert incident.goal is not None
    assert incident.before is not None
    if seen.status in ("Failed", "OutOfService", "UpdateRollbackFailed"):
        reason = f"{seen.endpoint} is {seen.status} after the change"
        return Refuse("endpoint-failed", reason, page=True, evidence=incident.evidence)
    if seen.status != "InService":
        return Wait(f"{seen.endpoint} is {seen.status}")
    if incident.reverted_by:
        return put_back(seen, incident.goal, incident)
    gaining = frozenset(n for n in incident.goal if grows(incident.goal, incident.before, n))
    for watch in seen.watches:
        failing = watch.alarm.state == "ALARM" and relevant(watch.alarm, watch.direct)
        if failing and watch.named & gaining and not stands(seen.dial, incident.goal):
            reason = f"{names(gaining)} began to fail while taking over; the rest stays"
            evidence = {**incident.evidence, "stoppedBy": watch.alarm.name}
            return Refuse("other-sick", reason, page=True, evidence=evidence)
    why = f"{names(gaining)} takes over step by step"
    decision = step(seen, incident.goal, incident.before, incident.evidence, rules, why)
    fails = any(w.alarm.state == "ALARM" and relevant(w.alarm, w.direct) for w in seen.watches)
    if isinstance(decision, Refuse | Wait) and not fails:
        reason = "nothing fails any more: what was moved stays, the rest was not needed"
        return Settled(reason, incident.evidence)
    return decision


def _why(watches: Sequence[Watch], sick: frozenset[str], well: Sequence[str]) -> str:
    alarms = ", ".join(w.alarm.name for w in watches)
    return f"{names(sick)} fails ({alarms} in ALARM), {names(well)} is well"


def _evidence(
    seen: Observation, watches: Sequence[Watch], health: Mapping[str, Health]
) -> dict[str, Any]:
    return {
        "alarms": {
            w.alarm.name: {
                "comparison": w.alarm.comparison,
                "threshold": w.alarm.threshold,
                "values": {name: list(values) for name, values in w.values.items()},
            }
            for w in watches
        },
        "requests": {name: load.requests for name, load in seen.loads.items()},
        "perMinute": {name: load.per_minute for name, load in seen.loads.items()},
        "busiestPerInstance": {name: load.busiest for name, load in seen.loads.items()},
        "health": {name: state.value for name, state in health.items()},
    }
