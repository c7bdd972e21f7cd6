"""A pocket account as an object: started, used and gone.

`with Pocket() as pocket:` for demos and tests: it lives in a child process that ends with this one,
however this one ends. `python -m local up` keeps one running instead (`local/daemon.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlencode

import boto3

from local import deployment, install
from local.account import LOG, ROOT, Addresses, client_environment, scrubbed
from local.backend import DidNotStart
from local.locks import exclusive, free_within

LOCAL = ROOT / ".local"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlRefused(Exception):
    """The control interface refused; the message is its reason."""


class Account:
    """A running pocket account, seen from outside."""

    def __init__(self, addresses: Addresses, state: Path) -> None:
        self.endpoint_url = addresses.endpoint_url
        self.control_url = addresses.control_url
        self.state = state
        self.env = client_environment(addresses)

    def client(self, service: str) -> Any:
        """A boto3 client of the account."""
        # Every service's client has a type of its own; callers choose by a name.
        session: Any = boto3.Session()
        return session.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.env["AWS_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )

    def bootstrap(self) -> None:
        """Prepares the account for CDK deployments."""
        install.cdk()
        deployment.bootstrap(self.env, self.state)

    def deploy(self, **options: Any) -> None:
        """Deploys the project's stack, or the one that `options` of `deployment.deploy` name."""
        install.cdk()
        deployment.deploy(self.env, self.state, **options)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """One request of the control interface; raises ControlRefused with its reason."""
        request = urllib.request.Request(
            self.control_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with _direct.open(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise ControlRefused(f"{method} {path}: {error.read().decode()}") from error

    def put_event(self, envelope: Mapping[str, Any]) -> list[str]:
        """Puts an event on the default bus as an AWS service does; the names of matched rules."""
        matched: list[str] = self.control("POST", "/events", envelope)["matched_rules"]
        return matched

    def calls(self, **filters: str) -> list[dict[str, Any]]:
        """The recorded calls, by `caller`, `service` and `since`."""
        found: list[dict[str, Any]] = self.control("GET", f"/calls?{urlencode(filters)}")
        return found

    def set_traffic(self, endpoint: str, **traffic: Any) -> Any:
        """Sends traffic to a SageMaker endpoint; the fields are the control interface's."""
        return self.control("PUT", f"/sagemaker/endpoints/{endpoint}/traffic", traffic)


class Pocket(Account):
    """A pocket account of its own, alive as long as the context, and never longer than we are."""

    def __init__(self) -> None:
        install.ministack()
        state, self._held = _own_state()
        self._log = open(state / LOG, "w")  # noqa: SIM115 - the child writes into it
        self.process = start(state, self._log, detached=False)
        try:
            super().__init__(await_addresses(self.process, state), state)
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        if error is None or isinstance(error, KeyboardInterrupt):
            shutil.rmtree(self.state, ignore_errors=True)

    def _end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait()
        self._log.close()
        self._held.close()


def _own_state() -> tuple[Path, IO[str]]:
    """A state folder and the lock that says it is in use; those that nobody uses are removed."""
    with exclusive(LOCAL / "pockets.lock"):
        for former in LOCAL.glob("pocket-*"):
            if free_within(former / "in-use", 0):
                shutil.rmtree(former, ignore_errors=True)
        state = Path(tempfile.mkdtemp(prefix="pocket-", dir=LOCAL))
        held = open(state / "in-use", "w")  # noqa: SIM115 - held as long as the account lives
        fcntl.flock(held, fcntl.LOCK_EX)
        return state, held


def start(state: Path, log: Any, *, detached: bool) -> subprocess.Popen[str]:
    """Starts the account's process in a session of its own, so that Ctrl-C is ours to answer."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "local", "serve", str(state)),
            *(() if detached else ("--until-stdin-ends",)),
        ],
        cwd=ROOT,
        env=scrubbed(os.environ),
        stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )


def await_addresses(process: subprocess.Popen[str], state: Path) -> Addresses:
    """Blocks until the account's process says where it is; raises DidNotStart when it ends."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise DidNotStart(
            f"the pocket account did not start (exit code {process.returncode});"
            f" its log, {state / 'log'}, ends with:\n{_tail(state / 'log')}"
        )
    ready = json.loads(line)
    return Addresses(ready["endpoint_url"], ready["control_url"])


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
