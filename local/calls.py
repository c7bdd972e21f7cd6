"""The calls that passed the front door, kept for whoever wants to know what was called by whom."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

KEPT = 50_000


@dataclass(frozen=True)
class Identity:
    """Who holds an access key: a deployed function (or an AWS service) and the role it runs as."""

    name: str
    role_arn: str | None = None


@dataclass(frozen=True)
class Call:
    """One answered AWS call. `time` is when it arrived, in epoch seconds; `service` is the name the
    request was signed for; `error` is the error code of a refused call; `trace` is the trace header
    it came with, alike for all calls of one invocation of a function; `parameters` what it asked for,
    in protocols that send it flat."""

    time: float
    access_key: str
    identity: Identity | None
    service: str
    operation: str
    status: int
    error: str | None
    milliseconds: float
    trace: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The call as the control interface shows it; `caller` is the function's name or the key."""
        moment = datetime.fromtimestamp(self.time, UTC)
        return {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "caller": self.identity.name if self.identity else self.access_key,
            "role": self.identity.role_arn if self.identity else None,
            "access_key": self.access_key,
            "service": self.service,
            "operation": self.operation,
            "status": self.status,
            "error": self.error,
            "milliseconds": round(self.milliseconds, 1),
            "trace": self.trace,
            "parameters": dict(self.parameters),
        }

    def made_by(self, caller: str) -> bool:
        """Whether the caller is named so: by function, role (name or ARN) or access key."""
        role = self.identity.role_arn if self.identity else None
        names = {self.access_key, role, role.rsplit("/", 1)[-1] if role else None}
        return caller in names or (self.identity is not None and caller == self.identity.name)


class CallLog:
    """The last calls, oldest first; older ones than `kept` are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._calls: deque[Call] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Records a call."""
        with self._lock:
            self._calls.append(call)

    def select(
        self, caller: str | None = None, service: str | None = None, since: float | None = None
    ) -> list[Call]:
        """The recorded calls of a caller, to a service, from a moment (epoch seconds) on."""
        with self._lock:
            calls = list(self._calls)
        return [
            call
            for call in calls
            if (caller is None or call.made_by(caller))
            and (service is None or call.service == service)
            and (since is None or call.time >= since)
        ]

    def clear(self) -> None:
        """Forgets every call."""
        with self._lock:
            self._calls.clear()
