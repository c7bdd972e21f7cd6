"""Wires spot fallback: signals to groups, training jobs and instances, and the rooms to the one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from functions.core.clients import client
from functions.core.decision import Decision, Dial, Refuse
from functions.core.environment import Environment
from functions.core.incident import Incident
from functions.core.intake import Context, remediate
from functions.core.mode import Mode
from functions.core.remediation import Gone, Sighting
from functions.core.settings import parse
from functions.core.signals import BadSignal, Kind, Place, Signal
from functions.spot_fallback import decision
from functions.spot_fallback.aws import Groups
from functions.spot_fallback.observation import Rules, Seen
from functions.spot_fallback.rates import RateCard
from functions.spot_fallback.reading import LEVER_TAG, AtRisk, JobChanged, Launched, Warned, read
from functions.spot_fallback.settings import SpotFallbackSettings
from functions.spot_fallback.training import TrainingJobs
from functions.spot_fallback.twins import Instances

logger = Logger()


class Capacity(Protocol):
    """One kind of target that Spot can be taken from. irreversible: why what is done to it cannot
    be undone; empty if it can."""

    irreversible: str

    def opt_in(self, target: str) -> Mode | Refuse: ...

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> Seen: ...

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None: ...

    def sweep(self, now: datetime) -> Sequence[Sighting]: ...


class SpotFallback:
    """Capacity that Spot takes away, On-Demand for exactly as long as it is missing."""

    name = "spot_fallback"
    pace = decision.PACE

    def __init__(self, environment: Environment, here: Place) -> None:
        own = parse(SpotFallbackSettings, environment.lever, "LEVER_SETTINGS")
        self.settings, self.here = own, here
        rates = RateCard(own.prices, client("ec2"))
        self.groups, self.instances = Groups(client, rates), Instances(client, rates)
        self.kinds: Mapping[str, Capacity] = {
            "autoScalingGroup": self.groups,
            "training-job": TrainingJobs(client, rates, here, own.fallback_types),
            "instance": self.instances,
        }
        self.group_of: Mapping[str, str] = {}
        self.tagged: frozenset[str] = frozenset()
        self.tagged_instances: frozenset[str] = frozenset()
        self.rules = Rules(
            roles=own.roles,
            on_demand_units=own.on_demand_units,
            on_demand_dollars_per_hour=own.on_demand_dollars_per_hour,
            hold=timedelta(seconds=own.hold_seconds),
            flips_per_hour=own.flips_per_hour,
            patience=timedelta(minutes=own.patience_minutes),
            changeover=timedelta(minutes=own.changeover_minutes),
            unsaved=timedelta(minutes=own.unsaved_minutes),
            unchecked=timedelta(minutes=own.unchecked_minutes),
            reaction=timedelta(minutes=own.sweep_minutes + 1),
            fallback_types=own.fallback_types,
        )

    def irreversible(self, target: str) -> str:
        return self._kind(target).irreversible

    def prepare(self, signals: Sequence[Signal]) -> None:
        """What events do not tell, of a batch together: the groups of instances, which of those
        in none have the tag, and which groups do: every launch of every group in the account is
        heard of, and every warning, those of instances included that a group has let go of."""
        instances, warned, launches = [], [], False
        for signal in signals:
            try:
                reading = read(signal)
            except BadSignal:
                continue  # refused by name when it is sighted
            if isinstance(reading, Warned | AtRisk):
                instances.append(reading.instance)
            if isinstance(reading, Warned):
                warned.append(reading.instance)
            launches = launches or isinstance(reading, Launched)
        self.tagged = self.groups.names_tagged() if launches else frozenset()
        self.group_of = self.groups.names_of(list(dict.fromkeys(instances)))
        alone = [id for id in dict.fromkeys(warned) if id not in self.group_of]
        self.tagged_instances = self.instances.tagged(alone)

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        if signal.kind is not Kind.EVENT:
            raise BadSignal("unknown-signal", f"{signal.subject:.80} tells nothing of Spot")
        note = {"at": signal.time.isoformat()}
        match read(signal):
            case Warned(instance) if instance in self.group_of:
                target = self._group(self.group_of[instance])
                return [Sighting(target, f"warned {instance}", note)]
            case Warned(instance) if instance not in self.tagged_instances:
                return Refuse(
                    "not-opted-in", f"{instance} is in no group, and has no tag {LEVER_TAG}"
                )
            case Warned(instance):
                return [Sighting(self._arn("ec2", f"instance/{instance}"), "warned", note)]
            case AtRisk(instance) if instance in self.group_of:
                target = self._group(self.group_of[instance])
                return [Sighting(target, f"at-risk {instance}", note)]
            case AtRisk(instance):
                return Refuse(
                    "only-a-risk",
                    f"{instance} is at risk, which in itself is no reason to replace it",
                )
            case Launched(group) if group not in self.tagged:
                return []
            case Launched(group, ""):
                return [Sighting(self._group(group), "launched", note)]
            case Launched(group, failure):
                said = {**note, "text": failure[:500]}
                return [Sighting(self._group(group), "launch-failed", said)]
            case JobChanged(spot=False):
                return Refuse("not-on-spot", "the training job does not train on Spot")
            case JobChanged(name):
                return [Sighting(self._arn("sagemaker", f"training-job/{name}"), "state", note)]

    def sweep(self, now: datetime) -> Sequence[Sighting]:
        return [sighting for kind in self.kinds.values() for sighting in kind.sweep(now)]

    def opt_in(self, target: str) -> Mode | Refuse:
        return self._kind(target).opt_in(target)

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Seen:
        return self._kind(target).observe(target, causes, now)

    def decide(self, observation: Seen, incident: Incident | None) -> Decision:
        return decision.decide(observation, incident, self.rules)

    def tally(self, observation: Seen, incident: Incident) -> Mapping[str, float]:
        return decision.tally(observation, incident)

    def stands(self, dial: Dial, written: Dial) -> bool:
        return decision.stands(dial, written)

    def act(self, target: str, seen: Dial, write: Dial) -> Dial | None:
        return self._kind(target).act(target, seen, write)

    def _kind(self, target: str) -> Capacity:
        resource = target.split(":", 5)[-1]
        kind = self.kinds.get(resource.split(":", 1)[0].split("/", 1)[0])
        if kind is None:
            raise Gone(
                f"{target!r:.120} is the ARN of neither a group, a training job nor an instance"
            )
        return kind

    def _group(self, name: str) -> str:
        """A group's ARN; the ID in it, which events do not tell, stays open."""
        return self._arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{name}")

    def _arn(self, service: str, resource: str) -> str:
        here = self.here
        return f"arn:{here.partition}:{service}:{here.region}:{here.account}:{resource}"


@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Context) -> dict[str, Any]:
    """Entry point of the deployed function."""
    environment = Environment.from_env()
    here = Place.of_arn(context.invoked_function_arn)
    remediation = SpotFallback(environment, here)
    sweeping = replace(environment, sweep_seconds=remediation.settings.sweep_minutes * 60)
    return remediate(event, context, remediation, sweeping)
