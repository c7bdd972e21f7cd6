"""The account's time, as EC2 shows and reads it."""

from __future__ import annotations

from datetime import UTC, datetime

from local.cloud.world import WORLD


def now() -> datetime:
    """The moment it is."""
    return datetime.fromtimestamp(WORLD.clock(), UTC)


def utc(moment: datetime) -> datetime:
    """A moment of a request: moto reads it without its time zone, which is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
