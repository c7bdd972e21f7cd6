"""How a steady load spreads over a serverless variant: pure.

Metrics: SageMaker developer guide, monitoring-cloudwatch, "Serverless endpoint metrics". Requests at
once are the arrival rate times how long each takes (Little's law). What provisioned concurrency does
not hold goes to resources on demand, what exceeds the most concurrency is throttled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local.cloud.sagemaker.serverless import Serverless

KEPT_WARM = 600.0
"""Seconds that resources on demand stay up without a request. AWS does not publish it."""


@dataclass(frozen=True)
class Load:
    """So many requests in so many seconds, each of which takes `latency_ms`."""

    requests: int
    seconds: float
    latency_ms: float

    @property
    def concurrency(self) -> float:
        """How many run at once, on average."""
        return self.requests / self.seconds * self.latency_ms / 1000

    def throttled(self, size: Serverless) -> float:
        """The share of the requests that exceeds MaxConcurrency."""
        return _beyond(self.concurrency, size.most)

    def spilled(self, size: Serverless) -> float:
        """The share of the admitted requests that provisioned concurrency does not hold."""
        return _beyond(min(self.concurrency, size.most), size.provisioned)

    def on_demand(self, size: Serverless) -> int:
        """How many resources on demand the variant needs."""
        return math.ceil(round(min(self.concurrency, size.most) - size.provisioned, 6))

    def seen(self, requests: int, most: int) -> dict[float, int]:
        """How many of `requests` find how many running, themselves included, at most `most`.
        Requests are whole: 2.5 at once are 2 for one half of them and 3 for the other."""
        low = math.floor(self.concurrency)
        of_high = round(requests * (self.concurrency - low))
        found: dict[float, int] = {}
        for running, count in ((low, requests - of_high), (low + 1, of_high)):
            shown = float(max(1, min(running, most)))
            found[shown] = found.get(shown, 0) + count
        return found


def _beyond(concurrency: float, bound: int) -> float:
    return max(0.0, concurrency - bound) / concurrency if concurrency else 0.0
