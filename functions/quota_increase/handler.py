"""Wires quota increase: signals to quotas and instance types, and the rooms to the one order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from aws_lambda_powertools import Logger

from functions.core.clients import client
from functions.core.decision import Decision, Dial, Refuse, Wait
from functions.core.environment import Environment
from functions.core.incident import Incident
from functions.core.intake import Context, remediate
from functions.core.memory import Memory
from functions.core.mode import Mode
from functions.core.remediation import Gone, Sighting
from functions.core.settings import parse
from functions.core.signals import BadSignal, Place, Signal
from functions.quota_increase import decision, offers
from functions.quota_increase.aws import Quotas
from functions.quota_increase.capacity import Capacity
from functions.quota_increase.catalogue import Catalogue
from functions.quota_increase.observation import QuotaSeen, ShortageSeen
from functions.quota_increase.reading import read
from functions.quota_increase.readings import (
    CapacityShort,
    NearLimit,
    Reading,
    Refused,
    UsageAlarm,
)
from functions.quota_increase.scan import Scan
from functions.quota_increase.settings import QuotaIncreaseSettings, QuotaRule

QUOTA_ARN = re.compile(r"arn:[\w-]+:servicequotas:[\w-]+:\d{12}:([\w.-]+)/([\w-]+)")
TYPE_ARN = re.compile(r"arn:[\w-]+:(ec2|sagemaker):[\w-]+:\d{12}:instance-type/([\w.-]+)")

MOST_TYPES = 8
"""Instance types that one event is followed for; a fleet that runs short may name sixty."""

logger = Logger()


class QuotaIncrease:
    """A quota that is refused or nearly used up, raised by what is needed."""

    name = "quota_increase"
    pace = 0

    def __init__(self, environment: Environment, here: Place) -> None:
        own = parse(QuotaIncreaseSettings, environment.lever, "LEVER_SETTINGS")
        self.settings, self.here = own, here
        service_quotas = client("service-quotas")
        memory = Memory(client("dynamodb"), environment.ledger_table, self.name)
        self.quotas = Quotas(client)
        self.catalogue = Catalogue(service_quotas, memory, lambda: datetime.now(UTC))
        self.scan = Scan(
            service_quotas, self.quotas, self.catalogue, memory, own.quotas, own.hot_percent
        )
        self.capacity = Capacity(client, own.offer_hours)
        self.rules = decision.Rules(
            region=here.region,
            hot_percent=own.hot_percent,
            target_percent=own.target_percent,
            after_denial=timedelta(days=own.after_denial_days),
            global_region=own.global_region,
        )

    # where to look

    def irreversible(self, target: str) -> str:
        return (
            "a quota request cannot be taken back, Service Quotas has no call for that; a quota "
            "that was raised costs nothing by itself"
        )

    def prepare(self, signals: Sequence[Signal]) -> None:
        pass

    def sight(self, signal: Signal) -> Sequence[Sighting] | Refuse:
        readings = read(signal)
        if isinstance(readings, Refuse):
            return readings
        at = signal.time.replace(second=0, microsecond=0).isoformat()
        found: list[Sighting] = []
        passed: list[Refuse] = []
        unreadable: list[BadSignal] = []
        for reading in _followed(readings):
            try:
                sighted = self._sightings(reading, signal.subject, at)
            except BadSignal as bad:
                logger.warning("part of a signal not followed", code=bad.code, reason=bad.reason)
                unreadable.append(bad)
                continue
            if isinstance(sighted, Refuse):
                passed.append(sighted)
            else:
                found += sighted
        if unreadable and not found:
            raise unreadable[0]
        return passed[0] if passed and not found else found

    def _sightings(self, reading: Reading, subject: str, at: str) -> list[Sighting] | Refuse:
        if isinstance(reading, Refused | NearLimit) and not any(
            rule.serves(reading.service) for rule in self.settings.quotas
        ):
            return Refuse(
                "not-opted-in", f"no rule of quota_increase.quotas speaks of {reading.service}"
            )
        match reading:
            case CapacityShort() if not self._answers(reading.instance_type):
                return Refuse(
                    "not-opted-in",
                    f"no pattern of quota_increase.capacity_types fits {reading.instance_type}",
                )
            case CapacityShort():
                note = {
                    "at": at,
                    "zone": reading.zone,
                    "hints": list(reading.az_hints),
                    "instances": reading.instances,
                }
                arn = self._arn(reading.service, f"instance-type/{reading.instance_type}")
                return [Sighting(arn, f"short {reading.zone}".strip(), note)]
            case Refused():
                note = {
                    "at": at,
                    "limit": reading.limit,
                    "utilization": reading.utilization,
                    "delta": reading.delta,
                    "instance_type": reading.instance_type,
                    "instances": reading.instances,
                }
                what = f"{reading.instances} {reading.instance_type}".strip()
                cause = f"refused {what}, {reading.utilization} + {reading.delta}"
                return [Sighting(self._quota(reading), cause, note)]
            case NearLimit():
                percent = reading.percent
                if percent is None and reading.limit and reading.utilization is not None:
                    percent = 100 * reading.utilization / reading.limit
                note = {"at": at, "limit": reading.limit, "percent": percent}
                return [Sighting(self._quota(reading), "near", note)]
            case UsageAlarm():
                services = self.scan.services()
                measured = self.catalogue.measured_by(services, reading.metrics)
                if not measured:
                    return Refuse(
                        "unknown-metric",
                        f"{subject} watches the usage metric of no quota of "
                        f"{', '.join(services[:5]) or 'a service that a rule names'}",
                    )
                note = {"at": at, "limit": None, "percent": None}
                arns = [self._arn("servicequotas", f"{q.service}/{q.code}") for q in measured]
                return [Sighting(arn, subject, note) for arn in arns]

    def _quota(self, reading: Refused | NearLimit) -> str:
        """The quota's ARN. Raises BadSignal for a name that Service Quotas does not list."""
        service, name = reading.service, reading.quota_name
        code = reading.quota_code or self.catalogue.code(service, name)
        if code is None:
            raise BadSignal("unknown-quota", f"{service} has no quota named {name!r:.120}")
        return self._arn("servicequotas", f"{service}/{code}")

    def _arn(self, service: str, resource: str) -> str:
        here = self.here
        return f"arn:{here.partition}:{service}:{here.region}:{here.account}:{resource}"

    def sweep(self, now: datetime) -> Sequence[Sighting] | Wait:
        match self.settings.scan:
            case _ if not self.settings.quotas:
                return []
            case "report":
                hot = self.scan.by_report(now)
            case "metrics":
                hot = self.scan.by_metrics(now)
            case _:
                return []
        if isinstance(hot, Wait):
            return hot
        return [
            Sighting(
                self._arn("servicequotas", f"{each.service}/{each.code}"),
                "near",
                {"at": now.isoformat(), "limit": each.limit, "percent": each.percent},
            )
            for each in hot
        ]

    def opt_in(self, target: str) -> Mode | Refuse:
        if found := TYPE_ARN.fullmatch(target):
            if self._answers(found[2]):
                return Mode.OBSERVE  # nothing is ever written for it
            return Refuse(
                "not-opted-in", f"no pattern of quota_increase.capacity_types fits {found[2]}"
            )
        service, code = _quota_of(target)
        rule = self._rule(service, code)
        if rule is None:
            return Refuse("not-opted-in", f"no rule of quota_increase.quotas fits {service}/{code}")
        mode = Mode.of(rule.mode)
        if mode is None or mode is Mode.OFF:
            return Refuse("rule-off", f"the rule of quota_increase.quotas for {code} is off")
        return mode

    def _answers(self, instance_type: str) -> bool:
        return any(fnmatchcase(instance_type, each) for each in self.settings.capacity_types)

    def _rule(self, service: str, code: str) -> QuotaRule | None:
        rules = [rule for rule in self.settings.quotas if rule.serves(service)]
        if not rules:
            return None
        name = self.catalogue.name(service, code) or self.quotas.quota(service, code).name
        return next((rule for rule in rules if rule.covers(service, code, name)), None)

    # observe, decide, act

    def observe(
        self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> QuotaSeen | ShortageSeen:
        if found := TYPE_ARN.fullmatch(target):
            return self.capacity.observe(target, found[1], found[2], list(causes.values()), now)
        service, code = _quota_of(target)
        rule = self._rule(service, code)
        if rule is None:
            raise Gone(f"no rule of quota_increase.quotas fits {service}/{code} any more")
        return self.quotas.observe(target, service, code, list(causes.values()), rule, now)

    def decide(self, observation: QuotaSeen | ShortageSeen, incident: Incident | None) -> Decision:
        match observation:
            case QuotaSeen():
                return decision.decide(observation, incident, self.rules)
            case ShortageSeen():
                return offers.decide(observation)

    def tally(
        self, observation: QuotaSeen | ShortageSeen, incident: Incident
    ) -> Mapping[str, float]:
        return {}

    def stands(self, dial: Dial, written: Dial) -> bool:
        return decision.stands(dial, written)

    def act(self, target: str, seen: Dial, write: Dial) -> Dial:
        return self.quotas.request(*_quota_of(target), write)


def _followed(readings: Sequence[Reading]) -> list[Reading]:
    """Every quota, and as many of the types that are short as a person can use."""
    short = [each for each in readings if isinstance(each, CapacityShort)]
    if left := short[MOST_TYPES:]:
        logger.warning(
            "many types are short at once, some are left", left=[e.instance_type for e in left]
        )
    return [each for each in readings if each not in left]


def _quota_of(target: str) -> tuple[str, str]:
    found = QUOTA_ARN.fullmatch(target)
    if found is None:
        raise Gone(f"{target!r:.120} is the ARN of neither a quota nor an instance type")
    return found[1], found[2]


@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Context) -> dict[str, Any]:
    """Entry point of the deployed function."""
    environment = Environment.from_env()
    here = Place.of_arn(context.invoked_function_arn)
    remediation = QuotaIncrease(environment, here)
    scanning = replace(environment, sweep_seconds=remediation.settings.scan_minutes * 60)
    return remediate(event, context, remediation, scanning)
