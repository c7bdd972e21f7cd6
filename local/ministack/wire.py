"""What the launcher tells the pocket process, who holds which access key and metrics, and asks it."""

from __future__ import annotations

import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from typing import Any

log = logging.getLogger("local.ministack")

# A batch of this many data is posted at once; the rest waits for the next post.
BATCH = 500


class Wire:
    """A line to the pocket process's internal interface."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._metrics: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._drain, name="metrics", daemon=True).start()

    def identity(self, access_key: str, function_name: str, role_arn: str) -> None:
        """Tells who holds an access key, before the function that uses it starts."""
        self._post(
            "/identities",
            {"access_key": access_key, "function": function_name, "role": role_arn},
        )

    def lambda_conditions(self, account: str, region: str) -> dict[str, Any]:
        """Asks what Lambda's rules depend on now, as `local.lambda_rules.Conditions` takes it."""
        told: dict[str, Any] = json.loads(
            self._post("/lambda", {"account": account, "region": region})
        )
        return told

    def metric(self, datum: dict[str, Any]) -> None:
        """Queues one datum; posting happens on a thread of its own so that no invocation waits."""
        self._metrics.put(datum)

    def _drain(self) -> None:
        while True:
            batch = [self._metrics.get()]
            while len(batch) < BATCH and not self._metrics.empty():
                batch.append(self._metrics.get())
            try:
                self._post("/metrics", {"data": batch})
            except OSError as error:
                reason = (
                    error.read().decode() if isinstance(error, urllib.error.HTTPError) else error
                )
                log.error("%d metric data were not stored: %s", len(batch), reason)

    def _post(self, path: str, body: dict[str, Any]) -> bytes:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=10) as answer:
            read: bytes = answer.read()
            return read
