"""Event history: what CloudTrail keeps of an account's calls in one Region, and how it is looked up.

It keeps what changes something; reads, which AWS keeps as well, are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend

from local.cloud.world import WORLD

KEPT_SECONDS = 90 * 24 * 60 * 60
"""Event history holds the past 90 days (CloudTrail user guide, "Working with CloudTrail Event
history")."""
MOST = 10_000
"""Our own bound: the oldest give way."""
PER_SECOND = 2
"""Lookups a second, of an account in a Region (CloudTrail API reference, LookupEvents)."""


@dataclass(frozen=True)
class Kept:
    """An event. number: counts up in its history. time, seen_from: epoch seconds of when it
    happened, and from when on a lookup finds it."""

    number: int
    time: float
    seen_from: float
    record: Mapping[str, Any]

    def has(self, attribute: str, value: str) -> bool:
        """Whether a lookup by one of its attributes is for it."""
        return self.attributes().get(attribute) == value

    def attributes(self) -> dict[str, str]:
        """What a lookup may be by, named as there and in `Event` of its answer."""
        record = self.record
        shown = {
            "EventId": record["eventID"],
            "EventName": record["eventName"],
            "ReadOnly": "true" if record["readOnly"] else "false",
            "AccessKeyId": record["userIdentity"].get("accessKeyId"),
            "EventSource": record["eventSource"],
            "Username": _username(record["userIdentity"]),
        }
        return {name: value for name, value in shown.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """`Event` of LookupEvents' answer."""
        return {
            **self.attributes(),
            "EventTime": datetime.fromtimestamp(self.time, UTC),
            "Resources": [],
            "CloudTrailEvent": json.dumps(self.record),
        }


class EventHistory(BaseBackend):
    """One account's Event history in one Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._kept: deque[Kept] = deque(maxlen=MOST)
        self._numbers = count(1)
        self._served: deque[float] = deque(maxlen=PER_SECOND)

    def keep(self, record: Mapping[str, Any]) -> None:
        """Keep an event that happens now; lookups find it once its delivery took its time."""
        time = float(int(WORLD.clock()))
        seen_from = WORLD.clock() + WORLD.durations.event_history
        self._kept.append(Kept(next(self._numbers), time, seen_from, record))

    def serves(self) -> bool:
        """Whether a lookup may be served now. One that is not does not count."""
        now = WORLD.clock()
        if len(self._served) == PER_SECOND and now - self._served[0] < 1:
            return False
        self._served.append(now)
        return True

    def found(
        self, start: float, end: float, wanted: Mapping[str, str], below: int | None, most: int
    ) -> tuple[Sequence[Kept], bool]:
        """Up to `most` events from `start` to `end`, the newest first, and whether there are more.

        wanted: attributes with their value. below: only events with a lesser number, for what
        happens between two pages must not move the second.
        """
        now = WORLD.clock()

        def fitting() -> Iterator[Kept]:
            for each in reversed(self._kept):
                if below is not None and each.number >= below:
                    continue
                if each.seen_from > now or each.time < now - KEPT_SECONDS:
                    continue
                if start <= each.time <= end and all(each.has(*pair) for pair in wanted.items()):
                    yield each

        events = list(islice(fitting(), most + 1))
        return events[:most], len(events) > most


def keep(account_id: str, region: str, record: Mapping[str, Any]) -> None:
    """Keep an event in the history of its account and Region."""
    stores: Any = get_backend("cloudtrail")
    stores[account_id][region].keep(record)


def mark(*asked: Any) -> str:
    """What tells the parameters of one lookup from another's, for its token."""
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def _username(identity: Mapping[str, Any]) -> str | None:
    """A user's name, or of a role its session's."""
    if "userName" in identity:
        return str(identity["userName"])
    _, _, session = str(identity.get("principalId", "")).partition(":")
    return session or None
