"""What a cold start costs: our handler against a bare one, fresh processes of the built asset."""

from __future__ import annotations

import compileall
import random
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.figures import Figure, Measurement
from benchmarks.processes import built_asset, run_probe
from benchmarks.samples import Ratio, median_ratio

ROUNDS = 25
SEED = 20260302
GOAL = 1.25
CLIENTS = "sagemaker, cloudwatch, resourcegroupstaggingapi, dynamodb, events, sns, ssm"
LIMITS = (
    "Inside the process: the interpreter's own start, Lambda's sandbox and download are not in it.",
    "This machine's Python and CPU; Lambda runs 3.14 on arm64, with a share of a CPU that grows"
    " with memory. The ratio carries over, the seconds do not.",
    "As deployed: the asset holds no bytecode and Lambda's folder is read-only, so each cold start"
    " compiles what it imports. That holds for both sides, since both bring the locked boto3; a"
    " bare handler on the boto3 of Lambda's runtime may find it compiled, and beats ours by more.",
)


def measure(say: Callable[[str], None]) -> Measurement:
    """Rounds in which every variant runs once, in an order that is drawn anew."""
    with built_asset() as asset, built_asset() as compiled:
        compileall.compile_dir(compiled, quiet=2)
        variants = {
            "ours": ("our_handler", asset),
            "bare": ("bare_handler", asset),
            "steps": ("our_handler_in_steps", asset),
            "ours, compiled": ("our_handler", compiled),
            "bare, compiled": ("bare_handler", compiled),
        }
        for variant in variants.values():  # The first reads of the files are the disk's, not ours.
            run_probe(*variant)
        say(f"{ROUNDS} rounds of {len(variants)} fresh processes")
        order, draw, rounds = list(variants), random.Random(SEED), []
        for _ in range(ROUNDS):
            draw.shuffle(order)
            rounds.append({name: run_probe(*variants[name]) for name in order})
    return report(rounds)


def report(rounds: list[dict[str, Any]]) -> Measurement:
    """The figures that the rounds give."""

    def times(variant: str, clock: str) -> list[float]:
        return [each[variant][clock] for each in rounds]

    def ratio(ours: str, bare: str, clock: str) -> Ratio:
        return median_ratio(times(ours, clock), times(bare, clock), seed=SEED)

    def milliseconds(name: str, variant: str, clock: str) -> Figure:
        return Figure(name, 1000 * median(times(variant, clock)), "ms")

    wall, cpu = ratio("ours", "bare", "wall"), ratio("ours", "bare", "cpu")
    return Measurement(
        figures=[
            Figure("Handler import and clients, times a bare handler's", wall.value, "x", GOAL),
            Figure("the same in CPU time", cpu.value, "x", GOAL),
        ],
        parts=[
            *_interval("95 % interval", wall),
            *_interval("in CPU time, 95 % interval", cpu),
            milliseconds("our handler with its clients", "ours", "wall"),
            milliseconds("bare handler with the same clients", "bare", "wall"),
            milliseconds("CPU time: our handler with its clients", "ours", "cpu"),
            milliseconds("CPU time: bare handler with the same clients", "bare", "cpu"),
            *(milliseconds(f"CPU time: {step}", "steps", step) for step in rounds[0]["steps"]),
            milliseconds("CPU time with bytecode: our handler", "ours, compiled", "cpu"),
            milliseconds("CPU time with bytecode: bare handler", "bare, compiled", "cpu"),
            Figure(
                "with bytecode: ratio of CPU time",
                ratio("ours, compiled", "bare, compiled", "cpu").value,
                "x",
            ),
        ],
        settings={"rounds": ROUNDS, "seed": SEED, "clients": CLIENTS},
        limits=LIMITS,
    )


def _interval(name: str, ratio: Ratio) -> list[Figure]:
    return [Figure(f"{name}, from", ratio.low, "x"), Figure(f"{name}, to", ratio.high, "x")]
