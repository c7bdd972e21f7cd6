"""The glance of each heartbeat: every opted-in target, in as few calls as tell whether it needs a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.decision import Refuse
from functions.core.remediation import Gone, Sighting
from functions.core.telling import count
from functions.provisioned_concurrency.aliases import Aliases
from functions.provisioned_concurrency.aws import Standing, Surroundings, tagged
from functions.provisioned_concurrency.decision import glance
from functions.provisioned_concurrency.demand import spilling
from functions.provisioned_concurrency.levels import ahead, base, planned
from functions.provisioned_concurrency.metrics import GLANCE, GLANCED, traffic
from functions.provisioned_concurrency.observation import Glance, Minute, Rules, Service
from functions.provisioned_concurrency.variants import Variants

logger = Logger(child=True)

FRESH = timedelta(seconds=45)
"""For which it stays known how targets stand: at the echo of a heartbeat only their traffic is read."""


@dataclass
class Known:
    """How this function instance saw all targets stand last, and when."""

    standings: Sequence[Standing] = ()
    at: datetime | None = None


KNOWN = Known()


class Sweep:
    """tagging: a boto3 client of the Resource Groups Tagging API."""

    def __init__(
        self,
        tagging: Any,
        around: Surroundings,
        aliases: Aliases,
        variants: Variants,
        rules: Rules,
    ) -> None:
        self._tagging = tagging
        self._around = around
        self._aliases = aliases
        self._variants = variants
        self._rules = rules

    def sightings(self, now: datetime) -> list[Sighting]:
        """Every opted-in target that needs a look, and why.

        Calls: GetResources for every 100 resources; for each function those of `Aliases.standings`,
        for each endpoint DescribeEndpoint; none of these where it is known how all stand.
        GetMetricData once for all that have something provisioned (250 targets a call);
        DescribeScalableTargets for those that do not stand where they are to, which matters only
        where nobody else keeps them there (50 a call and service).

        What cannot be read of one resource, or of the traffic, is left to the next heartbeat, and
        harms no other: the schedule needs no metrics, and a minute stays in sight for three.
        """
        standings = self._standings(now)
        minutes = self._minutes(standings, now)
        leads = self._around.leads.all()

        def glanced(standing: Standing) -> Glance:
            return Glance(
                target=standing.target,
                service=standing.service,
                now=now,
                wish=standing.wish,
                level=standing.level,
                owned=standing.owned,
                failed=standing.failed,
                minutes=minutes.get(standing.target, ()),
                lead=leads.get(standing.target),
            )

        seen = {each.target: glanced(each) for each in standings}
        astray = [
            each for each in standings if glance(seen[each.target], self._rules) == "schedule"
        ]
        for each in self._owned(astray):
            seen[each.target] = glanced(each)
        return [
            Sighting(target, why, _note(each, self._rules))
            for target, each in seen.items()
            if (why := glance(each, self._rules))
        ]

    def _standings(self, now: datetime) -> Sequence[Standing]:
        if KNOWN.at is None or now - KNOWN.at >= FRESH:
            KNOWN.standings, KNOWN.at = list(self._read()), now
        return KNOWN.standings

    def _read(self) -> Iterable[Standing]:
        for arn, tags in sorted(tagged(self._tagging).items()):
            read = self._variants.standings if ":sagemaker:" in arn else self._aliases.standings
            try:
                yield from read(arn, tags)
            except Gone as gone:  # its tags outlive a resource for a while
                logger.info("opted in, but gone", resource=arn, reason=str(gone))
            except (ClientError, BotoCoreError):
                logger.exception("not glanced at", resource=arn)
                count(self._around.name, "glance-failed")

    def _minutes(
        self, standings: Iterable[Standing], now: datetime
    ) -> Mapping[str, tuple[Minute, ...]]:
        meters = {each.target: each.meter for each in standings if each.meter is not None}
        if not meters:
            return {}
        try:
            return traffic(self._around.cloudwatch, meters, now, GLANCE, GLANCED)
        except (ClientError, BotoCoreError):
            logger.exception("traffic not glanced at", targets=len(meters))
            count(self._around.name, "glance-failed")
            return {}

    def _owned(self, standings: Iterable[Standing]) -> Iterable[Standing]:
        """Those of them whose dial a scalable target owns, at the floor that it keeps to."""
        by_service: dict[Service, list[Standing]] = {}
        for each in standings:
            by_service.setdefault(each.service, []).append(each)
        for service, some in by_service.items():
            owners = self._around.owners.of(service, [each.resource for each in some])
            for each in some:
                if each.resource in owners:
                    yield replace(each, level=owners[each.resource].minimum, owned=True)


def _note(seen: Glance, rules: Rules) -> Mapping[str, Any]:
    """How a target stands and what is asked of it: as long as that is the same, a look that was
    refused is not taken again before it is due.

    `spilled` is told by powers of two, so that traffic which only wavers brings no look; and not of a
    target at its maximum, which no traffic moves.
    """
    if isinstance(seen.wish, Refuse):
        return {"refused": seen.wish.code}
    floor = base(seen.wish, seen.owned, seen.level, None)
    wanted = planned(seen.wish, floor, seen.now, seen.now + ahead(seen.lead, rules))
    most = rules.maximum if seen.wish.maximum is None else seen.wish.maximum
    minute = spilling(seen.minutes, rules) if seen.level < most else None
    spilled = int(minute.spilled).bit_length() if minute is not None else 0
    return {"level": seen.level, "wanted": wanted, "spilled": spilled}
