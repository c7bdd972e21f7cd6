"""What a handler that does nothing costs, with the same boto3 and the clients of a look."""

from __future__ import annotations

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
CLIENTS = [
    boto3.client("sagemaker", config=CONFIG),
    boto3.client("cloudwatch", config=CONFIG),
    boto3.client("resourcegroupstaggingapi", config=CONFIG),
    boto3.client("dynamodb", config=CONFIG),
    boto3.client("events", config=CONFIG),
    boto3.client("sns", config=CONFIG),
    boto3.client("ssm", config=CONFIG),
]


def handler(event: object, context: object) -> None:
    """Does nothing."""


print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
