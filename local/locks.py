"""Locks that end with their holder: the kernel frees them, however the holder ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock of a file, which is made if need be; waits for who holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_within(path: Path, seconds: float) -> bool:
    """Whether nobody holds the lock, or lets go of it in that time; a missing file is free."""
    deadline = time.monotonic() + seconds
    if not path.exists():
        return True
    with open(path) as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
            # flock has no time-out of its own.
            time.sleep(0.02)
