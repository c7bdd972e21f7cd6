"""Wires traffic shift: signals to targets, and the rooms to the one order of `core`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from functions.core.clients import client
from functions.core.decision import Decision, Dial, Refuse
from functions.core.environment import Environment
from functions.core.incident import Incident
from functions.core.intake import Context, remediate
from functions.core.mode import TAG_PREFIX, Mode, of_tag
from functions.core.remediation import Gone, Sighting
from functions.core.settings import parse
from functions.core.signals import BadSignal, Kind, Signal
from functions.traffic_shift import decision, steps
from functions.traffic_shift.aws import Cause, Endpoints
from functions.traffic_shift.observation import Observation, Rules
from functions.traffic_shift.settings import TrafficShiftSettings

MODES = [mode.word for mode in Mode if mode is not Mode.OFF]

logger = Logger()


class TrafficShift:
    """Traffic of a SageMaker endpoint's failing variant, back to the healthy ones."""

    name = "traffic_shift"
    lever = "traffic-shift"
    pace = 0

    def __init__(self, environment: Environment, function: str) -> None:
        own = parse(TrafficShiftSettings, environment.lever, "LEVER_SETTINGS")
        self.rules = Rules(own.minimum_requests, environment.settings.limits.instances_added)
        self.endpoints = Endpoints(
            client("sagemaker"), client("cloudwatch"), client("resourcegroupstaggingapi"), function
        )

    def irreversible(self, target: str) -> str:
        return ""

    def prepare(self, signals: Sequence[Signal]) -> None:
        pass

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        if signal.kind is not Kind.ALARM:
            raise BadSignal("unknown-signal", f"{signal.subject:.80} moves no traffic")
        named = decision.endpoints_of(signal)
        if isinstance(named, Refuse):
            return named
        alarm = signal.detail["alarmName"]
        if not named:
            children = self.endpoints.children(alarm)
            named = decision.endpoints_in(m for child in children for m in child.metrics)
        mute = signal.detail.get("muteDetail") or {}
        note = {"seen_at": signal.time.isoformat(), "muted_by": mute.get("mutedByArn")}
        return _sightings(signal.alarm_arn, named, alarm, note)

    def sweep(self, now: datetime) -> Sequence[Sighting]:
        tagged = {arn.lower() for arn in self.endpoints.tagged(TAG_PREFIX + self.lever, MODES)}
        if not tagged:
            return []
        metric, composite = self.endpoints.alarms_in_alarm()
        seen = [(a.name, a.arn, decision.endpoints_in(a.metrics)) for a in metric]
        for name, arn in composite:
            below = (m for child in self.endpoints.children(name) for m in child.metrics)
            seen.append((name, arn, decision.endpoints_in(below)))
        found = [s for name, arn, named in seen for s in _sightings(arn, named, name, {})]
        return [s for s in found if s.target.lower() in tagged]

    def opt_in(self, target: str) -> Mode | Refuse:
        if not decision.ENDPOINT_ARN.fullmatch(target):
            raise Gone(f"{target!r:.120} is not the ARN of a SageMaker endpoint")
        return of_tag(self.endpoints.tags(target), self.lever)

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> Observation:
        alarms = [
            Cause(alarm, note.get("muted_by"), datetime.fromisoformat(note["seen_at"]))
            if "seen_at" in note
            else Cause(alarm)
            for alarm, note in causes.items()
        ]
        return self.endpoints.observe(_name(target), alarms, now)

    def decide(self, observation: Observation, incident: Incident | None) -> Decision:
        return decision.decide(observation, incident, self.rules)

    def tally(self, observation: Observation, incident: Incident) -> Mapping[str, float]:
        return {}

    def stands(self, dial: Dial, written: Dial) -> bool:
        return steps.stands(dial, written)

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        self.endpoints.write(_name(target), seen, write)


def _name(target: str) -> str:
    return target.rsplit("/", 1)[-1]


def _sightings(
    alarm_arn: str, named: Iterable[str], alarm: str, note: Mapping[str, Any]
) -> list[Sighting]:
    return [Sighting(decision.endpoint_arn(alarm_arn, name), alarm, note) for name in sorted(named)]


@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Context) -> dict[str, Any]:
    """Entry point of the deployed function."""
    environment = Environment.from_env()
    return remediate(
        event, context, TrafficShift(environment, context.invoked_function_arn), environment
    )
