"""One heartbeat in a function's own process: it sweeps, finds the failing canary, moves traffic."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])


class Context:
    """What Lambda hands to a handler."""

    function_name = "traffic-shift"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:traffic-shift"
    aws_request_id = "benchmark"
    until = time.monotonic() + 60

    def get_remaining_time_in_millis(self) -> int:
        return int((self.until - time.monotonic()) * 1000)


def memory() -> dict[str, float]:
    """This process's own memory, in MB: at its most, and now (proc(5), VmHWM and VmRSS)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return {name: int(status[key].split()[0]) / 1024 for name, key in _KEYS.items()}


_KEYS = {"peak": "VmHWM", "now": "VmRSS"}
started = memory()

from functions.traffic_shift.handler import handler  # noqa: E402

imported = memory()
answer = handler(
    {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"},
    Context(),
)
print(
    json.dumps(
        {
            "codes": [outcome["code"] for outcome in answer["outcomes"]],
            "started": started["now"],
            "imported": imported["now"],
            "peak": memory()["peak"],
        }
    )
)
