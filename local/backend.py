"""ministack as a child process that cannot outlive us."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.account import ACCOUNT_ID, REGION, ROOT
from local.install import MINISTACK, MINISTACK_PYTHON

START_SECONDS = 60.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class DidNotStart(Exception):
    """A part of the pocket account did not come up; the message says where to look."""


class Ministack:
    """The launcher's process and its internal entries.

    It leads a process group of its own and ends it when the pipe on its standard input closes,
    which the kernel does for us however we end.
    """

    def __init__(
        self, listening: socket.socket, endpoint_url: str, internal_url: str, state: Path, log: Any
    ) -> None:
        host, port = listening.getsockname()
        self.url = f"http://{host}:{port}"
        self._log = log
        (state / "tmp").mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [str(MINISTACK_PYTHON), "-m", "local.ministack.launcher"],
            cwd=ROOT,
            env=_environment(listening, endpoint_url, internal_url, state),
            pass_fds=(listening.fileno(),),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        # From here on the socket is the child's alone: a dead child refuses connections.
        listening.close()

    def wait_until_ready(self) -> None:
        """Returns when ministack answers; raises DidNotStart when it ended or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self._post("ready", {}, timeout=deadline - time.monotonic())
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None:
                    break
        self.stop()
        raise DidNotStart(
            f"ministack did not start (exit code {self.process.returncode}); see {self._log.name}"
        )

    def put_event(self, envelope: dict[str, Any]) -> list[str]:
        """Puts an event on the default bus as an AWS service does; the names of matched rules."""
        [matched] = self.put_events([envelope])
        return matched

    def put_events(self, envelopes: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """The same for several, in one request; the names of the rules that each matched."""
        told = {"envelopes": [dict(each) for each in envelopes]}
        matched: list[list[str]] = self._post("events", told)["matched_rules"]
        return matched

    def invoke_for_alarm(self, function_arn: str, payload: dict[str, Any]) -> None:
        """Invokes a function as an alarm's action; a refusal is in the launcher's log."""
        self._post("invocations", {"function_arn": function_arn, "payload": payload})

    def set_traffic(
        self, name: str, qualifier: str, demand: Mapping[str, Any] | None
    ) -> str | None:
        """Lets invocations reach a function's qualifier, or ends them; why not, if it is refused."""
        told = {"name": name, "qualifier": qualifier, "demand": demand}
        refused: str | None = self._post("traffic", told)["refused"]
        return refused

    def stop(self) -> None:
        """Ends the launcher with everything it started, and waits for its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _post(self, entry: str, body: dict[str, Any], timeout: float = 30) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/_pocket/{entry}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with _direct.open(request, timeout=timeout) as answer:
            answered: dict[str, Any] = json.loads(answer.read())
            return answered


def _environment(
    listening: socket.socket, endpoint_url: str, internal_url: str, state: Path
) -> dict[str, str]:
    """Everything the launcher may know: nothing of ours reaches a function through it."""
    return {
        "PATH": os.pathsep.join((str(MINISTACK / "bin"), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(state / "tmp"),
        "TMPDIR": str(state / "tmp"),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "POCKET_LISTEN_FD": str(listening.fileno()),
        "POCKET_INTERNAL_URL": internal_url,
        # The front door's, so that every URL ministack hands out leads through it.
        "AWS_ENDPOINT_URL": endpoint_url,
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": endpoint_url.rsplit(":", 1)[-1],
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": str(state / "tmp" / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "INFO",
    }
