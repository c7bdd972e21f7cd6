"""boto3 clients with explicit time-outs and retries, one of each service and function instance.

The budget: attempts times time-outs stay well below the function's own time-out, so that a slow
service ends in a clean error with the claim released, not in a killed function.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="ml-capacity-remediation",
)


@cache
def client(service: str) -> Any:
    """The client of `service`, e.g. "sagemaker"; AWS's own environment variables decide the rest."""
    return boto3.client(service, config=CONFIG)  # type: ignore[call-overload]
