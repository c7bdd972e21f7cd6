"""What is seen of an alias, with whatever a test is about put in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Dial, Settled
from functions.core.incident import Incident, Stage
from functions.provisioned_concurrency.decision import decide, tally
from functions.provisioned_concurrency.observation import (
    Minute,
    Owner,
    Room,
    Rules,
    Seen,
    Service,
    Status,
    Wish,
)
from functions.provisioned_concurrency.schedule import parse
from functions.provisioned_concurrency.settings import Prices

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""
NIGHT = NOON + timedelta(hours=10)
RULES = Rules(
    maximum=100,
    dollars_per_hour=50,
    changes_per_hour=12,
    unreserved_minimum=100,
    lead=timedelta(minutes=3),
    spill=0.02,
    spilled=2,
    headroom=0.1,
    hold=timedelta(minutes=10),
)
OFFICE = Wish(parse("mon-fri@08:00-18:00=20"))
ALWAYS = Wish(None, 5, 60)
"""Without a schedule: five at least."""
TARGET = "arn:aws:lambda:us-east-1:123456789012:function:shop:live"


def minute(ago: int, concurrent: float = 0, spilled: float = 0, now: datetime = NOON) -> Minute:
    """The minute that began so many minutes ago; invocations last a second."""
    invocations = concurrent * 60
    provisioned = concurrent if not spilled else concurrent - spilled / 60
    return Minute(now - timedelta(minutes=ago), concurrent, provisioned, invocations, spilled, 1.0)


def steady(concurrent: float, now: datetime = NOON, minutes: int = 15) -> tuple[Minute, ...]:
    """Traffic that was the same for a quarter of an hour."""
    return tuple(minute(ago, concurrent, now=now) for ago in range(minutes, 0, -1))


def bursting(concurrent: float, spilled: float, before: float, now: datetime = NOON) -> Any:
    """The same, until the last minute."""
    return (*steady(before, now)[:-1], minute(1, concurrent, spilled, now))


def alias(level: int = 0, now: datetime = NOON, **different: Any) -> Seen:
    """shop:live with a level that has long been ready, idle, in an account with room."""
    owner: Owner | None = different.get("owner")
    seen = Seen(
        target=TARGET,
        name="shop:live",
        service=Service.LAMBDA,
        now=now,
        wish=OFFICE,
        obstacle=None,
        requested=level,
        available=level,
        status=Status.READY if level else Status.NONE,
        status_reason="",
        changed_at=now - timedelta(hours=2) if level else None,
        owner=owner,
        room=Room(unreserved=1000, limit=1000),
        minutes=steady(0, now),
        lead=None,
        memory_gb=1.0,
        prices=Prices().lambda_x86,
    )
    return replace(seen, **different)


def variant(level: int, **different: Any) -> Seen:
    """A serverless variant with a level."""
    mine: dict[str, Any] = {
        "service": Service.SAGEMAKER,
        "name": "chat/AllTraffic",
        "room": Room(max_concurrency=50),
    }
    return alias(level, **(mine | different))


def written(
    *levels: int, ago: Sequence[float], owned: bool = False, now: datetime = NOON
) -> Incident:
    """An incident in which the level went so, the first of them before us; minutes ago of each write.
    The last one was seen ready a minute after."""

    def dial(level: int) -> Dial:
        if owned:
            return {"provisioned": 0, "minimum": level}
        return {"provisioned": level, "minimum": None}

    acts = tuple(
        {"at": (now - timedelta(minutes=each)).isoformat(), "written": dial(level)}
        for level, each in zip(levels[1:], ago, strict=True)
    )
    opened = Incident.opened("provisioned_concurrency", TARGET, now - timedelta(hours=3))
    return replace(
        opened,
        stage=Stage.ACTED,
        before=dial(levels[0]),
        written=dial(levels[-1]),
        goal=dial(levels[-1]),
        attempts=len(acts),
        acts=acts,
        tally={"_ready_at": (now - timedelta(minutes=ago[-1] - 1)).timestamp()},
    )


def level_of(decision: Decision) -> int:
    """The level that an action writes."""
    assert isinstance(decision, Act), decision
    dial = decision.write
    return int(dial["provisioned"] if dial["minimum"] is None else dial["minimum"])


def follow(seen: Seen, incident: Incident | None, rules: Rules) -> tuple[Decision, Incident | None]:
    """One look, and the incident as `core` leaves it behind."""
    decision = decide(seen, incident, rules)
    if isinstance(decision, Settled):
        return decision, None
    found = incident or Incident.opened("provisioned_concurrency", seen.target, seen.now)
    found = replace(found, tally=tally(seen, found))
    if isinstance(decision, Act):
        act = {"at": seen.now.isoformat(), "written": decision.write}
        found = replace(
            found,
            stage=Stage.ACTED,
            before=found.before if found.attempts else seen.dial,
            written=decision.write,
            goal=decision.goal,
            attempts=found.attempts + 1,
            acts=(*found.acts, act)[-50:],
        )
    return decision, found
