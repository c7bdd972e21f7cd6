"""Starts ministack with its extensions, and ends with everything it started when its parent does.

Run by the interpreter of `.local/ministack-env` in a process group of its own, with the write end of
its standard input held by the parent; its settings come in the environment (`local/backend.py`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

from local.ministack.seams import SeamGone, verify

# Exit codes the parent can tell apart.
EXIT_SEAM_GONE = 3


def main() -> None:
    """Serves until the parent is gone; exits with EXIT_SEAM_GONE, naming the seam, if one is."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        verify()
    except SeamGone as error:
        print(f"the launcher refuses to start: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_SEAM_GONE)
    _serve()


def _end_with_parent() -> None:
    # Nothing is ever written to the pipe: it ends when the parent does, however that happens.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _serve() -> None:
    import ministack.app
    from hypercorn.asyncio import serve  # type: ignore[import-not-found]
    from hypercorn.config import Config  # type: ignore[import-not-found]

    from local.ministack import (
        cloudformation,
        concurrency,
        entry,
        events,
        identities,
        invocation,
        mappings,
        metrics,
        queues,
        refusals,
        topics,
    )
    from local.ministack.wire import Wire

    account, region = os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]
    wire = Wire(os.environ["POCKET_INTERNAL_URL"])
    queues.install()
    mappings.install()
    topics.install()
    invocation.install()
    events.install()
    refusals.install()
    identities.install(wire)
    metrics.install(wire)
    functions = concurrency.install(wire)
    cloudformation.install(os.environ["AWS_ENDPOINT_URL"], region)

    config = Config()
    config.bind = [f"fd://{os.environ['POCKET_LISTEN_FD']}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    application = entry.wrap(ministack.app.app, account, region, functions)
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main()
