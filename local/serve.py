"""The process that is the pocket account: simulated cloud, front door, control, ministack."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aiohttp import ClientSession, web
from botocore.config import Config

from local import control, internal
from local.account import ACCOUNT_ID, ADDRESSES, LOCK, REGION, Addresses
from local.authorization.gate import Gate
from local.authorization.records import AccountRecords
from local.backend import Ministack
from local.calls import CallLog, Identity
from local.cloud import WORLD
from local.cloud.awslambda.traffic_control import traffic_faults
from local.cloud.fault import Rejected
from local.cloud.server import serve as serve_cloud
from local.front_door import Backends, FrontDoor
from local.gathering import Gathering

log = logging.getLogger(__name__)

# Keys under which AWS services themselves call: they have no role in the account.
SERVICE_KEYS = {
    "CLOUDFORMATION": Identity("cloudformation.amazonaws.com"),
    "CLOUDWATCHALARMS": Identity("cloudwatch.amazonaws.com"),
    "APPLICATIONAUTOSCALING": Identity("application-autoscaling.amazonaws.com"),
}

SWITCH = 0.0005
"""Seconds that a thread computes while others wait. Every call passes several threads, here and on
its way through the front door: with Python's 5 ms a long answer would hold up all others."""


def main(state: Path, *, until_stdin_ends: bool) -> None:
    """Serves until SIGTERM or SIGINT, or until standard input ends.

    When ready it prints one JSON line, the addresses, to standard output. `state` is locked
    meanwhile: a locked state is a living account.
    """
    state.mkdir(parents=True, exist_ok=True)
    # A bare descriptor: nothing of ours closes it, so whoever gets the lock knows us gone.
    lock = os.open(state / LOCK, os.O_WRONLY | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", level="INFO"
    )
    sys.setswitchinterval(SWITCH)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    asyncio.run(_serve(state, until_stdin_ends))


async def _serve(state: Path, until_stdin_ends: bool) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, over.set)
    if until_stdin_ends:
        _watch_stdin(loop, over)

    # Every port is known before anything starts: each part is told where the others will be.
    doors = {name: _listening() for name in ("front door", "control", "internal", "ministack")}
    addresses = Addresses(_url(doors["front door"]), _url(doors["control"]))
    async with AsyncExitStack() as stack:
        ministack = Ministack(
            doors["ministack"], addresses.endpoint_url, _url(doors["internal"]), state, sys.stderr
        )
        stack.callback(ministack.stop)
        cloud = stack.enter_context(
            serve_cloud(account_id=ACCOUNT_ID, functions=_functions(addresses))
        )
        calls = CallLog()
        backends = Backends(cloud.url, ministack.url, dict(SERVICE_KEYS))
        WORLD.role_of = lambda key: _role(backends.identities.get(key))
        for name, application in (
            ("front door", FrontDoor(backends, calls, _gate_before(backends)).application()),
            ("internal", internal.application(backends.identities)),
        ):
            await _open(stack, application, doors[name])
        extra = (
            *control.faults(calls, ministack.put_event),
            *traffic_faults(lambda *asked: _set_traffic(ministack, *asked)),
        )
        stack.enter_context(control.serve(doors["control"], extra))
        sink = _Deliveries(ministack, addresses)
        WORLD.sinks.append(sink)
        stack.callback(WORLD.sinks.remove, sink)
        await asyncio.to_thread(ministack.wait_until_ready)
        _announce(state, addresses)
        await _until(over, ministack)


def _role(identity: Identity | None) -> tuple[str, str] | None:
    if identity is None or identity.role_arn is None:
        return None
    return identity.role_arn, identity.name


def _set_traffic(
    ministack: Ministack, name: str, qualifier: str, demand: Mapping[str, Any] | None
) -> None:
    if refused := ministack.set_traffic(name, qualifier, demand):
        raise Rejected(404, refused)


class _Deliveries:
    """What leaves the simulated cloud, delivered in the account."""

    def __init__(self, ministack: Ministack, addresses: Addresses) -> None:
        self._ministack = ministack
        self._endpoint_url = addresses.endpoint_url
        self._topics: Any = None
        self._events = Gathering(ministack.put_events)

    def event(self, envelope: Any) -> None:
        self._events.send(envelope)

    def invoke(self, arn: str, payload: Any) -> None:
        self._ministack.invoke_for_alarm(arn, dict(payload))

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        if self._topics is None:
            self._topics = _client("sns", "CLOUDWATCHALARMS", REGION, self._endpoint_url)
        self._topics.publish(TopicArn=topic_arn, Subject=subject[:100], Message=message)


def _gate_before(backends: Backends) -> Callable[[ClientSession], Gate]:
    """What holds the calls of functions against their roles."""

    def gate(session: ClientSession) -> Gate:
        records = AccountRecords(session, backends.cloud_url, backends.ministack_url)
        return Gate(records, lambda: WORLD.switches.scaling_validates_on_made_up_names)

    return gate


def _functions(addresses: Addresses) -> Callable[[str], Any]:
    """Lambda as Application Auto Scaling calls it, by Region."""

    @cache
    def client(region: str) -> Any:
        return _client("lambda", "APPLICATIONAUTOSCALING", region, addresses.endpoint_url)

    return client


def _client(service: str, access_key: str, region: str, endpoint_url: str) -> Any:
    """A client under which an AWS service calls another one."""
    session: Any = boto3.Session()
    return session.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key="unused",
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
    )


def _announce(state: Path, addresses: Addresses) -> None:
    ready = {
        "pid": os.getpid(),
        "endpoint_url": addresses.endpoint_url,
        "control_url": addresses.control_url,
    }
    (state / ADDRESSES).write_text(json.dumps(ready))
    print(json.dumps(ready), flush=True)
    # Whoever started us has what it waited for and may close its end.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


async def _until(over: asyncio.Event, ministack: Ministack) -> None:
    ended = asyncio.create_task(asyncio.to_thread(ministack.process.wait))
    told = asyncio.create_task(over.wait())
    await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
    if not told.done():
        log.error("ministack ended by itself (%s): the account ends", ministack.process.returncode)
        told.cancel()
    else:
        ministack.stop()
    await ended


def _watch_stdin(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            over.set()

    loop.add_reader(sys.stdin.fileno(), readable)


def _listening() -> socket.socket:
    door = socket.create_server(("127.0.0.1", 0), backlog=512)
    door.setblocking(False)
    return door


def _url(door: socket.socket) -> str:
    host, port = door.getsockname()
    return f"http://{host}:{port}"


async def _open(stack: AsyncExitStack, application: web.Application, door: socket.socket) -> None:
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, door, shutdown_timeout=1).start()
