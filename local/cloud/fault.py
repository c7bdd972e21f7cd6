"""One thing that the control interface does to the simulated world, as a row of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.schema import Schema

REGION: Schema = {"type": "string", "description": "us-east-1 when it is left out"}
IN_REGION: Schema = {
    "type": "object",
    "properties": {"region": REGION},
    "additionalProperties": False,
}
NOTHING: Schema = {"type": "object", "properties": {}, "additionalProperties": False}


class Rejected(Exception):
    """A control call that cannot be done: the HTTP status (4xx) and the reason to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Fault:
    """One thing the control interface does.

    `path` may hold Flask placeholders (`<name>`). `act` gets the placeholders, the query
    parameters and the body, all validated, and answers something JSON can show; it takes its own
    turn of the world, and may raise `Rejected`.
    """

    method: str
    path: str
    effect: str
    act: Callable[[Mapping[str, str], Mapping[str, str], Any], Any] = field(repr=False)
    body: Schema = field(default_factory=lambda: NOTHING)
    query: Schema = field(default_factory=lambda: NOTHING)

    def listing(self) -> dict[str, Any]:
        """The entry of `GET /`."""
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "schema": self.body,
            "effect": self.effect,
        }


def number(minimum: float = 0) -> Schema:
    """Schema of a number that is at least `minimum`."""
    return {"type": "number", "minimum": minimum}
