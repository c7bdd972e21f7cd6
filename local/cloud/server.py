"""The simulated services as an HTTP server on loopback."""

from __future__ import annotations

import io
import logging
import os
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.moto_server import werkzeug_app
from werkzeug.serving import BaseWSGIServer, make_server

from local.cloud import install
from local.cloud.applicationautoscaling.dials import FUNCTIONS, without
from local.cloud.applicationautoscaling.elsewhere import Client, Elsewhere
from local.cloud.seam import require
from local.cloud.world import WORLD, Delivery

TICK = 0.05
"""Seconds between two looks at what is due: without calls nothing else would look."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def serve(
    port: int = 0, account_id: str = "000000000000", functions: Client | None = None
) -> Iterator[Address]:
    """Serve the account `account_id` on 127.0.0.1 (on a free port for 0) while the context lasts.

    Lambda is not served: `functions` gives a client of the one that the account has, whose aliases
    can then be scalable targets.

    All servers of a process share one state; have one a process. While it lasts, time passes by
    itself and what the services send is delivered by a thread of its own: a slow or failing sink
    neither delays nor fails a call, its failure is logged.
    """
    install()
    require(werkzeug_app, "DomainDispatcherApplication", "MotoRequestHandler", "create_backend_app")
    elsewhere = Elsewhere(functions) if functions else None
    server = make_server(
        "127.0.0.1", port, _application(elsewhere), threaded=True, request_handler=_quiet_handler()
    )
    scaled = elsewhere.connected() if elsewhere else without(FUNCTIONS)
    outside = os.environ.get("MOTO_ACCOUNT_ID")
    os.environ["MOTO_ACCOUNT_ID"] = account_id
    try:
        with scaled, _delivery(), _ticking(), _serving(server):
            yield Address("127.0.0.1", server.server_port)
    finally:
        if outside is None:
            del os.environ["MOTO_ACCOUNT_ID"]
        else:
            os.environ["MOTO_ACCOUNT_ID"] = outside


def _application(elsewhere: Elsewhere | None) -> Any:
    class PocketApplication(werkzeug_app.DomainDispatcherApplication):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            # The body comes first: a slow sender must not hold the lock.
            if "HTTP_TRANSFER_ENCODING" not in environ:
                length = int(environ.get("CONTENT_LENGTH") or 0)
                body = environ["wsgi.input"].read(length)
                environ["wsgi.input"] = io.BytesIO(body)
                if elsewhere is not None:
                    operation = environ.get("HTTP_X_AMZ_TARGET", "")
                    elsewhere.before(operation, environ.get("HTTP_AUTHORIZATION", ""), body)
            with WORLD.turn():
                answer: Iterable[bytes] = super().__call__(environ, start_response)
                return answer

    return PocketApplication(werkzeug_app.create_backend_app)


def _quiet_handler() -> Any:
    class QuietHandler(werkzeug_app.MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """The front door records calls; a second record here helps nobody."""

    return QuietHandler


@contextmanager
def _delivery() -> Iterator[None]:
    waiting: queue.SimpleQueue[Sequence[Delivery] | None] = queue.SimpleQueue()

    def run() -> None:
        while (leaving := waiting.get()) is not None:
            for delivery in leaving:
                for sink in list(WORLD.sinks):
                    try:
                        delivery(sink)
                    except Exception:
                        log.exception("A sink of the simulated services failed; it is not retried")

    thread = threading.Thread(target=run, name="cloud-delivery", daemon=True)
    thread.start()
    before, WORLD.deliver = WORLD.deliver, waiting.put
    try:
        yield
    finally:
        WORLD.deliver = before
        waiting.put(None)
        thread.join()


@contextmanager
def _ticking() -> Iterator[None]:
    over = threading.Event()

    def run() -> None:
        while not over.wait(TICK):
            try:
                with WORLD.turn():
                    pass
            except Exception:
                log.exception("Something that fell due in the simulated services failed")

    thread = threading.Thread(target=run, name="cloud-ticker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _serving(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(
        target=server.serve_forever, args=(TICK,), name="cloud-server", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
