"""A lock says who lives, and frees itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.locks import exclusive, free_within

HOLD = """
import sys, fcntl
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_until_its_holder_dies_however_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not free_within(path, 0)
        holder.kill()
        assert free_within(path, 10)


def test_a_lock_nobody_made_is_free(tmp_path: Path) -> None:
    assert free_within(tmp_path / "lock", 0)


def test_a_held_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with exclusive(path):
        assert not free_within(path, 0)
    assert free_within(path, 0)
