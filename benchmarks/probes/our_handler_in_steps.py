"""The same as our_handler, a step at a time: each part's CPU time, in the order they are paid."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

sys.path.insert(0, sys.argv[1])
steps: dict[str, float] = {}
last = time.process_time()


def done(step: str) -> None:
    """Books the CPU time since the last step."""
    global last
    steps[step] = time.process_time() - last
    last = time.process_time()


for step, module in (
    ("boto3 and botocore", "boto3"),
    ("Powertools: Logger, Metrics, Tracer", "aws_lambda_powertools"),
    ("functions/core", "functions.core.intake"),
    ("functions/traffic_shift", "functions.traffic_shift.handler"),
):
    import_module(module)
    done(step)

from functions.core.clients import client  # noqa: E402
from functions.core.environment import Environment  # noqa: E402
from functions.traffic_shift.handler import TrafficShift  # noqa: E402

environment = Environment.from_env()
done("settings read")
for service in (
    "sagemaker",
    "cloudwatch",
    "resourcegroupstaggingapi",
    "dynamodb",
    "events",
    "sns",
    "ssm",
):
    client(service)
    done(f"client {service}")
TrafficShift(environment, "arn:aws:lambda:us-east-1:000000000000:function:shift")
done("remediation put together")
print(json.dumps(steps))
