"""The checkout's own pocket account, left running between commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable

from local import install
from local.account import ADDRESSES, LOCK, LOG, Addresses, write_exports
from local.backend import DidNotStart
from local.locks import exclusive, free_within
from local.pocket import LOCAL, Account, ControlRefused, await_addresses, start

STATE = LOCAL / "pocket"
EXPORTS = LOCAL / "env"
DEPLOYED = STATE / "deployed"
END_SECONDS = 15.0

Say = Callable[[str], None]


def up(say: Say) -> Account:
    """The running account with the stack deployed; what is already done is not done again."""
    with exclusive(LOCAL / "up.lock"):
        account = _running()
        if account is not None and DEPLOYED.exists():
            write_exports(EXPORTS, account.env)
            say(f"already up at {account.endpoint_url}")
            return account
        install.ministack()
        install.cdk()
        if account is None:
            say("starting")
            account = _start()
            say(f"listening at {account.endpoint_url}")
        account.bootstrap()
        say("bootstrapped; deploying")
        account.deploy()
        DEPLOYED.touch()
        write_exports(EXPORTS, account.env)
        say(f"deployed; clients: source {EXPORTS.relative_to(LOCAL.parent)}")
        return account


def down(say: Say) -> None:
    """Ends the account and removes what it kept; nothing to do when there is none."""
    with exclusive(LOCAL / "up.lock"):
        ended = _end()
        EXPORTS.unlink(missing_ok=True)
        say("ended" if ended else "was not running")


def running() -> Account | None:
    """The checkout's account, when `up` has finished and it still answers."""
    return _running() if DEPLOYED.exists() else None


def _running() -> Account | None:
    if not _alive():
        return None
    try:
        ready = json.loads((STATE / ADDRESSES).read_text())
        account = Account(Addresses(ready["endpoint_url"], ready["control_url"]), STATE)
        account.control("GET", "/")
    except (OSError, ValueError, ControlRefused):
        # It holds the lock but does not answer: it is replaced.
        return None
    return account


def _start() -> Account:
    _end()
    STATE.mkdir(parents=True)
    with open(STATE / LOG, "w") as log:
        process = start(STATE, log, detached=True)
    try:
        addresses = await_addresses(process, STATE)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return Account(addresses, STATE)


def _end() -> bool:
    """Ends the process that holds the state's lock, and removes the state a crash left."""
    alive = _alive()
    if alive:
        try:
            pid = int(json.loads((STATE / ADDRESSES).read_text())["pid"])
        except (OSError, ValueError) as error:
            raise DidNotStart(
                f"a pocket account is starting, or hangs, in {STATE}; end the process that holds"
                f" {STATE / LOCK} and try again"
            ) from error
        os.kill(pid, signal.SIGTERM)
        if not free_within(STATE / LOCK, END_SECONDS):
            os.kill(pid, signal.SIGKILL)
            free_within(STATE / LOCK, END_SECONDS)
    shutil.rmtree(STATE, ignore_errors=True)
    return alive


def _alive() -> bool:
    return not free_within(STATE / LOCK, 0)
