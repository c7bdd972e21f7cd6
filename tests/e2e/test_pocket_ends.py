"""When the pocket account ends, however it ends, nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.pocket import Pocket
from tests.e2e.probe import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


class TestEnding:
    def test_nothing_is_left_when_the_account_is_killed(self) -> None:
        with Pocket() as account:
            group = launcher_of(account.process.pid)
            assert alive(group)
            os.kill(account.process.pid, signal.SIGKILL)
            eventually(lambda: not alive(group))

    def test_nothing_is_left_when_whoever_started_it_is_killed(self) -> None:
        code = (
            "import sys\nfrom local.pocket import Pocket\n"
            "account = Pocket()\nprint(account.process.pid, flush=True)\nsys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as starter:
            assert starter.stdout is not None
            server = int(starter.stdout.readline())
            launcher = launcher_of(server)
            starter.kill()
            eventually(lambda: not alive(server) and not alive(launcher))


def launcher_of(server: int) -> int:
    """The process the account's process started: it leads the group of everything else."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    (launcher,) = (int(child) for child in children)
    return launcher


def alive(group: int) -> bool:
    """Whether any process of a group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
