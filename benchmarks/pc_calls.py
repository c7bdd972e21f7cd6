"""What a heartbeat of provisioned concurrency asks of AWS while nothing changes.

`python -m benchmarks.pc_calls KIND TARGETS` plays so many aliases in this process and prints what was
called.
"""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import boto3

from benchmarks.figures import Figure, Measurement
from benchmarks.in_process import Stage, stage
from functions.core.intake import ECHO_SECONDS
from local.account import ACCOUNT_ID, ROOT
from local.cloud.awslambda.traffic_control import set_in_process

COUNTS = (1, 2, 10, 100)
TAG = "ml-remediation:provisioned-concurrency"
ROLE = "shop"
LEVEL, DEMAND = 5, 2
WINDOW = "mon-sun@10:00-20:00=5"
"""Holds at noon, when the play begins."""
SETTLE, MINUTES = 20, 15
"""Minutes before those that are counted, and those. In each the heartbeat comes twice: as the schedule
brings it, and half a minute later as its echo."""
MANY = {"limits": {"actions_per_hour": 1000}}
"""So that all windows of the largest number may begin in one hour."""
LEDGER = {"Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
SWITCH = {"GetParameter"}
ECHO = {"SendMessage"}
OWN = LEDGER | SWITCH | ECHO
REST, KEPT = "at rest", "inside a window"
"""A level that stands already, and one that was raised for the day and is looked after until its end."""
TAGS: Mapping[str, Mapping[str, str]] = {
    REST: {TAG: "act", f"{TAG}:live:min": str(LEVEL)},
    KEPT: {TAG: "act", f"{TAG}:live:schedule": WINDOW},
}
LIMITS = (
    "Aliases of Lambda functions, each of a function of its own and with traffic below its level,"
    " in one process with an account that is played.",
    "The heartbeat comes each minute, and its echo half a minute later, which asks for traffic alone.",
    "The function's own ledger, switch and queue are counted apart: they are nobody else's to share.",
    "A target that is due, or of which a heartbeat sees something amiss, is looked at, which costs"
    " about ten calls more; inside a window that is when its level may change, or once a day.",
)


@dataclass(frozen=True)
class Called:
    """Of all minutes that were counted: operation to calls, by the heartbeats and by their echoes."""

    calls: Mapping[str, int]
    echoes: Mapping[str, int]

    def a_target(self, targets: int) -> float:
        """With each heartbeat."""
        return sum(_of_aws(self.calls).values()) / MINUTES / targets

    def an_echo(self, targets: int) -> float:
        """A target, with each echo."""
        return sum(_of_aws(self.echoes).values()) / MINUTES / targets


def _of_aws(calls: Mapping[str, int]) -> dict[str, int]:
    """Those beside the ledger's, the switch's and the queue's."""
    return {name: count for name, count in calls.items() if name not in OWN}


def measure(say: Callable[[str], None]) -> Measurement:
    """Each number of targets in a process of its own."""
    found: dict[tuple[str, int], Called] = {}
    for targets in COUNTS:
        for kind in TAGS:
            say(f"{targets} targets {kind}, {MINUTES} minutes")
            found[kind, targets] = _in_a_process(kind, targets)
    return Measurement(
        figures=[
            *(
                Figure(
                    f"Calls a target and heartbeat while nothing changes, {kind}, most",
                    max(found[kind, targets].a_target(targets) for targets in COUNTS),
                    goal=3,
                )
                for kind in TAGS
            ),
            Figure(
                "Calls a target and minute, of the heartbeat and its echo, most",
                max(c.a_target(n) + c.an_echo(n) for (_, n), c in found.items()),
            ),
        ],
        parts=list(_parts(found)),
        settings={
            "targets": list(COUNTS),
            "minutes": MINUTES,
            "after_minutes": SETTLE,
            "level": LEVEL,
            "in_flight": DEMAND,
            "window": WINDOW,
        },
        limits=LIMITS,
    )


def _parts(found: Mapping[tuple[str, int], Called]) -> Iterator[Figure]:
    for (kind, targets), called in found.items():
        name = f"{targets} targets {kind}"
        yield Figure(f"{name}: calls a target and heartbeat", called.a_target(targets))
        yield Figure(f"{name}: calls a target and echo", called.an_echo(targets))
        both = Counter(called.calls) + Counter(called.echoes)
        of_ours = both.total() - sum(_of_aws(both).values())
        yield Figure(
            f"{name}: of the ledger, the switch and the queue, a minute", of_ours / MINUTES
        )
        if targets == COUNTS[-1]:
            for operation, count in _of_aws(both).items():
                yield Figure(f"{name}: {operation}, a minute", count / MINUTES)


def _in_a_process(kind: str, targets: int) -> Called:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pc_calls", kind, str(targets)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Called(**json.loads(done.stdout.splitlines()[-1]))  # metrics are printed before


def play(kind: str, targets: int) -> Called:
    """Heartbeats, after some in which what has to change changes."""
    from functions.provisioned_concurrency.handler import handler

    with stage(handler, {}, MANY) as world:
        trust = '{"Version": "2012-10-17", "Statement": []}'
        boto3.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
        queue = boto3.client("sqs").create_queue(QueueName="echo")["QueueUrl"]
        os.environ["ECHO_QUEUE_URL"] = queue
        for number in range(targets):
            _begin(f"f{number}", TAGS[kind], LEVEL if kind == REST else 0)
        for _ in range(SETTLE):
            _minute(world, queue)
        levels = {_level(f"f{number}") for number in range(targets)}
        if levels != {LEVEL}:
            raise AssertionError(f"levels of {sorted(levels)} stand, not {LEVEL}")
        counted = [_minute(world, queue) for _ in range(MINUTES)]
        none: Counter[str] = Counter()
        return Called(
            dict(sum((beat for beat, _ in counted), none)),
            dict(sum((echo for _, echo in counted), none)),
        )


def _minute(world: Stage, queue: str) -> tuple[Counter[str], Counter[str]]:
    """What a heartbeat asks, and what its echo does."""
    world.calls.clear()
    world.heartbeat()
    asked = Counter(name for name, _ in world.calls)
    world.wait(ECHO_SECONDS + 1)
    world.calls.clear()
    found = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    for message in found["Messages"]:
        world.batch([json.loads(message["Body"])])
        boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    world.wait(60 - ECHO_SECONDS - 1)
    return asked, Counter(name for name, _ in world.calls)


def _begin(name: str, tags: Mapping[str, str], level: int) -> None:
    api = boto3.client("lambda")
    api.create_function(
        FunctionName=name,
        Role=f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE}",
        Handler="shop.handler",
        Runtime="python3.14",
        Code={"ZipFile": _archive()},
        MemorySize=2048,
        Publish=True,
        Tags=dict(tags),
    )
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    if level:
        api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=level
        )
    set_in_process(name, "live", {"concurrency": [DEMAND]})


def _level(name: str) -> int:
    held = boto3.client("lambda").get_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live"
    )
    return held["RequestedProvisionedConcurrentExecutions"]


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("shop.py", "def handler(event, context): ...\n")
    return packed.getvalue()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asdict(play(sys.argv[1], int(sys.argv[2])))))
