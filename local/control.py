"""The control interface: what happened in the pocket account, and what shall happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from local import envelope
from local.calls import CallLog

PutEvent = Callable[[dict[str, Any]], list[str]]

FAULTS: list[dict[str, Any]] = [
    {
        "method": "POST",
        "path": "/events",
        "schema": envelope.SCHEMA,
        "effect": "Puts the event on the default bus as the AWS service itself would, aws.* sources"
        " included, and answers the names of the rules it matched.",
    },
    {
        "method": "GET",
        "path": "/calls",
        "schema": {
            "query": {
                "caller": "a function's name, a role's name or ARN, or an access key",
                "service": "the name the call was signed for",
                "since": "ISO 8601 time or epoch seconds",
            }
        },
        "effect": "Lists the AWS calls that passed the account's URL, oldest first.",
    },
    {
        "method": "DELETE",
        "path": "/calls",
        "schema": None,
        "effect": "Forgets the listed calls.",
    },
]


def application(calls: CallLog, put_event: PutEvent) -> web.Application:
    """The interface's own part; every refusal is a JSON object with an `error`."""

    async def index(_: web.Request) -> web.Response:
        return web.json_response(FAULTS)

    async def events(request: web.Request) -> web.Response:
        try:
            event = envelope.check(json.loads(await request.text()))
        except ValueError as error:
            return _refusal(400, str(error))
        return web.json_response({"matched_rules": await asyncio.to_thread(put_event, event)})

    async def listed(request: web.Request) -> web.Response:
        unknown = sorted(request.query.keys() - {"caller", "service", "since"})
        if unknown:
            return _refusal(400, f"there is no filter {', '.join(unknown)}")
        try:
            since = _moment(request.query["since"]) if "since" in request.query else None
        except ValueError:
            return _refusal(400, "since is an ISO 8601 time or epoch seconds")
        found = calls.select(request.query.get("caller"), request.query.get("service"), since)
        return web.json_response([call.as_json() for call in found])

    async def forgotten(_: web.Request) -> web.Response:
        calls.clear()
        return web.json_response({})

    control = web.Application(client_max_size=2**20, middlewares=[_explain])
    control.router.add_get("/", index)
    control.router.add_post("/events", events)
    control.router.add_get("/calls", listed)
    control.router.add_delete("/calls", forgotten)
    return control


@web.middleware
async def _explain(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
        return answer
    except web.HTTPClientError as error:
        return _refusal(
            error.status,
            f"{request.method} {request.path}: {error.reason}. GET / lists what there is",
        )


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
