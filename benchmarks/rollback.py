"""From an alarm's change of state to the call that changes the weights, through the real stack."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.deployed import Deployed
from benchmarks.figures import Figure, Measurement
from benchmarks.scene import Scene, wait_for
from local.pocket import Account, Pocket

ROLLBACKS = 8
SECONDS_GOAL, WARM_GOAL, CALLS_GOAL = 5.0, 1.0, 6
WEIGHT_CHANGE = "UpdateEndpointWeightsAndCapacities"
# By the name a call is signed for.
KINDS = {
    "sagemaker": "levers",
    "monitoring": "levers",
    "application-autoscaling": "levers",
    "autoscaling": "levers",
    "dynamodb": "ledger",
    "ssm": "switch",
    "events": "telling",
    "sns": "telling",
}
# "At 1,769 MB, a function has the equivalent of one vCPU", in proportion below: Lambda developer
# guide, "Configure Lambda function memory".
CPU_AT_256_MB = 256 / 1769
LIMITS = (
    "The pocket account delivers events and polls the queue in its own time, not in AWS's, and calls"
    " cross a loopback, not a network: what carries over is the number of calls, made one after the"
    " other, and the function's CPU time.",
    "A function of 256 MB has 256/1769 of a CPU on Lambda, here a whole one: the CPU time at 256 MB"
    " is computed, for a CPU as quick as this one.",
    "The alarm's state is set by SetAlarmState while its metric fails, so the alarm's own"
    " evaluation, up to a period of the metric, comes before these figures.",
    "One endpoint at a time, the heartbeat stopped; the direct path with the rule off, so that"
    " each figure is of one signal.",
    "The look that verifies, a minute later, is a second invocation: its calls are among the parts.",
)


@dataclass(frozen=True)
class Rollback:
    """One alarm, answered. seconds: to the weight change; function, calling: in the function, and
    between its first call and the end of its last. calls: how many, by kind and by operation."""

    seconds: float
    function: float
    calling: float
    kinds: Mapping[str, int]
    operations: Mapping[str, int]


def measure(say: Callable[[str], None]) -> Measurement:
    """Rollbacks of fresh endpoints, one at a time: one cold, then both paths of a signal warm."""
    with Pocket() as account:
        say("deploying the stack")
        stack = _Stack(account)
        stack.stop_heartbeat()
        queued = [f"queued-{i}" for i in range(ROLLBACKS)]
        direct = [f"direct-{i}" for i in range(ROLLBACKS)]
        say("waiting for a minute of failing requests")
        stack.scene.build(["cold", *queued, *direct])
        say("rolling back: event, rule, queue, function")
        cold = stack.roll_back("cold")
        cpu_before = stack.cpu_seconds()
        by_queue = [stack.roll_back(name) for name in queued]
        cpu = (stack.cpu_seconds() - cpu_before) / len(by_queue)
        verifying = stack.verify("cold")
        say("rolling back: alarm, function")
        stack.disable_rules()
        by_action = [stack.roll_back(name, [stack.function_arn]) for name in direct]
    warm = [*by_queue, *by_action]
    most = max(warm, key=lambda each: each.kinds["levers"])
    return Measurement(
        figures=[
            Figure(
                "Alarm to weight change by rule and queue, slowest",
                max(each.seconds for each in by_queue),
                "s",
                SECONDS_GOAL,
            ),
            Figure(
                "Alarm to weight change by the alarm's own action, slowest",
                max(each.seconds for each in by_action),
                "s",
                SECONDS_GOAL,
            ),
            Figure(
                "Warm function from start to end, slowest",
                max(each.function for each in warm),
                "s",
                WARM_GOAL,
            ),
            Figure(
                "SageMaker, CloudWatch and scaling calls of the look that acts",
                most.kinds["levers"],
                goal=CALLS_GOAL,
            ),
        ],
        parts=[
            Figure("by rule and queue, median", median(e.seconds for e in by_queue), "s"),
            Figure("by the alarm's action, median", median(e.seconds for e in by_action), "s"),
            Figure("warm function, median", median(e.function for e in warm), "s"),
            Figure("first call to end of last, median", median(e.calling for e in warm), "s"),
            Figure("CPU time of the warm function, mean", cpu, "s"),
            Figure("CPU time at 256 MB, computed", cpu / CPU_AT_256_MB, "s"),
            Figure("cold, by rule and queue", cold.seconds, "s"),
            *(
                Figure(f"calls: {kind}", most.kinds[kind])
                for kind in ("levers", "ledger", "switch", "telling", "other")
                if most.kinds[kind]
            ),
            *(Figure(name, count) for name, count in most.operations.items()),
            Figure("calls of the verifying look: levers", verifying["levers"]),
            Figure("calls of the verifying look: all", verifying.total()),
        ],
        settings={
            "rollbacks_by_queue": ROLLBACKS,
            "rollbacks_direct": ROLLBACKS,
            "endpoints": "two variants, 90/10, 600 requests a minute, green fails 30 %",
        },
        limits=LIMITS,
    )


def kinds(calls: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Calls counted by what they are for; a service that no kind names is "other"."""
    return Counter(KINDS.get(call["service"], "other") for call in calls)


class _Stack(Deployed):
    """The deployed traffic shift, and endpoints for it to roll back."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "TrafficShiftFunctionArn")
        self.scene = Scene(account)

    def disable_rules(self) -> None:
        """So that an alarm reaches the function by its action alone."""
        events = self.account.client("events")
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])

    def cpu_seconds(self) -> float:
        """CPU time that the function's processes on this machine have used so far (proc(5), stat)."""
        ours = (f"AWS_LAMBDA_FUNCTION_NAME={self.function}", f"={self.account.endpoint_url}")
        ticks = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_text(errors="replace")
                stat = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # It ended, or is another user's: not ours.
                continue
            if all(each in environment for each in ours):
                ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def roll_back(self, endpoint: str, actions: Iterable[str] = ()) -> Rollback:
        """Puts the endpoint's alarm into ALARM and waits until the function has answered."""
        reports = len(self.reports())
        changed = self.scene.alarm(endpoint, list(actions))
        since = changed.isoformat()
        wait_for(f"weight change of {endpoint}", lambda: self._weight_change(since))
        [took] = wait_for("REPORT line", lambda: self.reports()[reports:] or None)
        calls = self.account.calls(caller=self.function, since=since)
        if self.scene.weights(endpoint)["green"] != 0:
            raise AssertionError(f"{endpoint} was not rolled back: {calls}")
        [written] = [call for call in calls if call["operation"] == WEIGHT_CHANGE]
        last = calls[-1]
        end = _moment(last).timestamp() + last["milliseconds"] / 1000
        return Rollback(
            seconds=(_moment(written) - changed).total_seconds(),
            function=took,
            calling=end - _moment(calls[0]).timestamp(),
            kinds=kinds(calls),
            operations=Counter(f"{call['service']} {call['operation']}" for call in calls),
        )

    def verify(self, endpoint: str) -> Counter[str]:
        """The calls of the look that finds the rollback done."""
        self.scene.await_service(endpoint)
        described = self.account.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        self.account.control("DELETE", "/calls")
        look = {
            "source": "ml-capacity-remediation",
            "detail-type": "Operator Intent",
            "detail": {"target": described["EndpointArn"]},
        }
        answer = self.account.client("lambda").invoke(
            FunctionName=self.function_arn, Payload=json.dumps(look)
        )
        [outcome] = json.loads(answer["Payload"].read())["outcomes"]
        if outcome["code"] != "verified":
            raise AssertionError(f"{endpoint} was not verified: {outcome}")
        return kinds(self.account.calls(caller=self.function))

    def _weight_change(self, since: str) -> bool | None:
        calls = self.account.calls(caller=self.function, service="sagemaker", since=since)
        return True if any(call["operation"] == WEIGHT_CHANGE for call in calls) else None


def _moment(call: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(call["time"])
