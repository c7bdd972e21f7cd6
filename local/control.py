"""The part of the control interface that is about the whole account: events in, calls seen."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from socket import socket
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from local.calls import CallLog
from local.cloud.control import create_app
from local.cloud.fault import Fault, Rejected

PutEvent = Callable[[dict[str, Any]], list[str]]
Members = Mapping[str, str]

# https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
ENVELOPE = {
    "type": "object",
    "properties": {
        "version": {"enum": ["0"]},
        "id": {"type": "string"},
        "detail-type": {"type": "string"},
        "source": {"type": "string"},
        "account": {"type": "string", "description": "12 digits"},
        "time": {"type": "string", "description": "ISO 8601, with a time zone"},
        "region": {"type": "string"},
        "resources": {"type": "array", "description": "ARNs"},
        "detail": {"type": "object"},
    },
    "required": [
        *("version", "id", "detail-type", "source", "account"),
        *("time", "region", "resources", "detail"),
    ],
    "additionalProperties": False,
}
FILTERS = {
    "type": "object",
    "properties": {
        "caller": {
            "type": "string",
            "description": "a function's name, a role's name or ARN, or an access key",
        },
        "service": {"type": "string", "description": "the name the call was signed for"},
        "since": {"type": "string", "description": "ISO 8601 or epoch seconds"},
    },
    "additionalProperties": False,
}


def faults(calls: CallLog, put_event: PutEvent) -> Sequence[Fault]:
    """`POST /events`, `GET /calls` and `DELETE /calls`."""

    def events(place: Members, query: Members, body: dict[str, Any]) -> dict[str, Any]:
        if not re.fullmatch(r"\d{12}", body["account"]):
            raise Rejected(400, f"account is 12 digits, not {body['account']!r}")
        if not all(isinstance(arn, str) for arn in body["resources"]):
            raise Rejected(400, f"resources are ARNs, not {body['resources']!r}")
        if _moment(body["time"]) is None:
            raise Rejected(400, f"time is ISO 8601 with a time zone, not {body['time']!r}")
        return {"matched_rules": put_event(body)}

    def listed(place: Members, query: Members, body: Any) -> list[dict[str, Any]]:
        since = None
        if "since" in query:
            text = query["since"]
            epoch = re.fullmatch(r"\d+(\.\d+)?", text) is not None
            since = float(text) if epoch else _moment(text)
            if since is None:
                raise Rejected(400, f"since is ISO 8601 or epoch seconds, not {text!r}")
        found = calls.select(query.get("caller"), query.get("service"), since)
        return [call.as_json() for call in found]

    def forgotten(place: Members, query: Members, body: Any) -> dict[str, Any]:
        calls.clear()
        return {}

    return (
        Fault(
            "POST",
            "/events",
            "Puts a full event on the default bus as an AWS service does, aws.* sources included,"
            " and answers the names of the rules it matched.",
            events,
            ENVELOPE,
        ),
        Fault(
            "GET",
            "/calls",
            "Lists the AWS calls that passed the account's URL, oldest first.",
            listed,
            query=FILTERS,
        ),
        Fault("DELETE", "/calls", "Forgets the calls listed until now.", forgotten),
    )


@contextmanager
def serve(door: socket, extra: Sequence[Fault]) -> Iterator[None]:
    """Serves the control interface on a listening socket while the context lasts."""
    host, port = door.getsockname()
    server = make_server(
        host,
        port,
        create_app(extra),
        threaded=True,
        request_handler=_Quiet,
        fd=door.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, name="control", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Who drives the account knows what it asked for."""


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
