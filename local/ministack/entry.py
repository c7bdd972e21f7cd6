"""The launcher's own HTTP entries, in front of ministack's application on the same socket."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region

from local.lambda_rules import Refused
from local.ministack import events, invocation, policies
from local.ministack.concurrency import StrictLambda
from local.ministack.permission import NotDelivered

log = logging.getLogger("local.ministack")

# No bucket can be called this: names start with a letter or digit.
PREFIX = "/_pocket/"

Application = Callable[[Any, Any, Any], Awaitable[None]]


def wrap(
    application: Application, account: str, region: str, functions: StrictLambda
) -> Application:
    """ministack's application with the entries `ready`, `events`, `invocations`, `traffic` and
    `policies` before it."""

    def put_events(body: dict[str, Any]) -> dict[str, Any]:
        matched = [events.put_event(each, account, region) for each in body["envelopes"]]
        return {"matched_rules": matched}

    def invoke(body: dict[str, Any]) -> dict[str, Any]:
        try:
            invocation.invoke_for_alarm(
                body["payload"]["alarmArn"], body["function_arn"], body["payload"]
            )
        except NotDelivered as refusal:
            log.error(
                "alarm action not performed, as on AWS: %s. Add a permission for %s to the function.",
                refusal,
                invocation.ALARMS,
            )
            return {"delivered": False, "reason": str(refusal)}
        return {"delivered": True}

    def traffic(body: dict[str, Any]) -> dict[str, Any]:
        set_request_account_id(account)
        set_request_region(region)
        try:
            functions.set_traffic(body["name"], body["qualifier"], body["demand"])
        except Refused as refusal:
            return {"refused": refusal.message}
        return {"refused": None}

    entries: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "ready": lambda _: {"ready": True},
        "events": put_events,
        "invocations": invoke,
        "traffic": traffic,
        "policies": lambda body: {"documents": policies.documents(account, body["role"])},
    }

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        act = entries.get(scope["path"].removeprefix(PREFIX))
        if act is None:
            await _answer(send, 404, {"error": f"there is no entry {scope['path']}"})
            return
        body = await _body(receive)
        context = contextvars.copy_context()
        answer = await asyncio.to_thread(context.run, act, json.loads(body or b"{}"))
        await _answer(send, 200, answer)

    return wrapped


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _answer(send: Any, status: int, answer: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
