"""Events that leave the simulated cloud, gathered: a storm has thousands of them within seconds."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

log = logging.getLogger(__name__)

TOGETHER = 100
"""Events in one request at most: while their rules are matched, ministack answers others slowly."""

Envelope = Mapping[str, Any]


class Gathering:
    """Sends what comes while earlier events are on their way together, in the order it came.

    put: sends several events at once; what it raises is logged, and those events are lost.
    """

    def __init__(self, put: Callable[[Sequence[Envelope]], object]) -> None:
        self._put = put
        self._waiting: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
        threading.Thread(target=self._send_all, name="events", daemon=True).start()

    def send(self, envelope: Envelope) -> None:
        """Returns at once."""
        self._waiting.put(envelope)

    def _send_all(self) -> None:
        while True:
            together = [self._waiting.get()]
            while len(together) < TOGETHER and not self._waiting.empty():
                together.append(self._waiting.get())
            try:
                self._put(together)
            except Exception:
                log.exception("%s events are lost; they are not sent again", len(together))
