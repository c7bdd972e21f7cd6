"""What the traffic shift handler costs until its first look could make its first call."""

from __future__ import annotations

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()

from functions.core.clients import client  # noqa: E402
from functions.core.environment import Environment  # noqa: E402
from functions.traffic_shift.handler import TrafficShift, handler  # noqa: E402

TrafficShift(Environment.from_env(), "arn:aws:lambda:us-east-1:000000000000:function:shift")
for service in ("dynamodb", "events", "sns", "ssm"):
    client(service)

took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
assert callable(handler)
print(json.dumps(took))
