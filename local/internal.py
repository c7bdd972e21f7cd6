"""What the launcher tells us over loopback, holders of access keys and AWS services' metrics, and asks."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from local.account import ACCOUNT_ID
from local.calls import Identity
from local.cloud import WORLD
from local.cloud.awslambda import conditions
from local.cloud.cloudwatch import record

log = logging.getLogger(__name__)


def application(identities: dict[str, Identity]) -> web.Application:
    """The internal interface; metrics may be in any namespace, `AWS/` ones included."""

    async def identity(request: web.Request) -> web.Response:
        told = await request.json()
        identities[told["access_key"]] = Identity(told["function"], told["role"])
        return web.json_response({})

    async def metrics(request: web.Request) -> web.Response:
        told = await request.json()
        await asyncio.to_thread(_record, told["data"])
        return web.json_response({})

    async def lambda_conditions(request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response(
            await asyncio.to_thread(_conditions, asked["account"], asked["region"])
        )

    internal = web.Application(client_max_size=32 * 2**20)
    internal.router.add_post("/identities", identity)
    internal.router.add_post("/metrics", metrics)
    internal.router.add_post("/lambda", lambda_conditions)
    return internal


def _conditions(account_id: str, region: str) -> dict[str, Any]:
    with WORLD.turn():
        return conditions(account_id, region)


def _record(data: list[dict[str, Any]]) -> None:
    with WORLD.turn():
        for datum in data:
            try:
                record(
                    ACCOUNT_ID,
                    datum["region"],
                    datum["namespace"],
                    datum["name"],
                    datum["dimensions"],
                    values=datum["values"],
                    counts=datum.get("counts"),
                    timestamp=datum["timestamp"],
                    unit=datum["unit"],
                    resolution=datum["resolution"],
                )
            except ValueError as error:
                # CloudWatch leaves out what it cannot store; the others of the batch are good.
                log.error("a metric is not stored: %s (%s)", error, datum)
