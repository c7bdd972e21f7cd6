"""How many events about quotas and capacity are read rightly, as `remediation explain` tells it.

The corpus: texts as people met them (`source`), the same in other words, numbers and families, and
traps (`note`). What is expected was written by hand from AWS's documents and lists.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.figures import Figure, Measurement

CORPUS = Path(__file__).parent / "corpus" / "messages.json"
EXPLAIN = (str(Path(sys.executable).with_name("remediation")), "explain", "--json")
WRONG_AT_MOST = 0.01


def measure(say: Callable[[str], None]) -> Measurement:
    """All of the corpus through one run of the command line, each answer compared."""
    corpus = json.loads(CORPUS.read_text())
    started = perf_counter()
    said = explained([each["event"] for each in corpus])
    seconds = perf_counter() - started
    kinds = Counter(kind(each["expected"]) for each in corpus)
    misread = 0
    for number, (each, answer) in enumerate(zip(corpus, said, strict=True)):
        if wrong := differences(each["expected"], answer):
            misread += 1
            say(f"event {number} misread: {'; '.join(wrong)}")
    wrong_codes = sum(is_wrong_code(e["expected"], s) for e, s in zip(corpus, said, strict=True))
    return Measurement(
        figures=[
            Figure(
                "Quota and capacity events misread, share",
                misread / len(corpus),
                goal=WRONG_AT_MOST,
            ),
            Figure("Quota codes told that are wrong", wrong_codes, goal=0),
        ],
        parts=[
            Figure("events", len(corpus)),
            *(Figure(f"events of {name}", count) for name, count in sorted(kinds.items())),
            Figure(
                "events whose text a public page shows", sum("source" in each for each in corpus)
            ),
            Figure("quota codes told", sum(s["quota_code"] is not None for s in said)),
            Figure("explaining all, in one process", seconds, "s"),
        ],
        settings={"corpus": "benchmarks/corpus/messages.json", "region": "us-east-1"},
        limits=(
            "The corpus is what could be found and thought of: AWS writes texts that are not in it.",
            "A quota without a code here is one whose code is looked up in the account by its name.",
        ),
    )


def kind(expected: Mapping[str, Any]) -> str:
    """What an event is about."""
    if "refusal" in expected:
        return "neither, or not to be acted on"
    return "capacity" if "instance_type" in expected else "a quota"


def differences(expected: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Where an explanation differs from what is expected, in words; none if it is right.

    An expected `refusal` is its code, `readings` how many things the event says, `percent` that of
    the first.
    """
    refusal = (said["refusal"] or {}).get("code")
    readings = said.get("readings", [])
    found = {
        **said,
        "refusal": refusal,
        "readings": len(readings),
        "percent": readings[0].get("percent") if readings else None,
    }
    wanted = {"refusal": None, "quota_code": None, "instance_type": None, "readings": 1, **expected}
    if wanted["refusal"]:
        wanted["readings"] = 0
    return [
        f"{key} is {found[key]!r}, not {value!r}"
        for key, value in wanted.items()
        if found[key] != value
    ]


def is_wrong_code(expected: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether a quota code was told that is not the event's."""
    return said["quota_code"] not in (None, expected.get("quota_code"))


def explained(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the installed command says of each event, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, event in enumerate(events):
            path = Path(folder) / f"{number:04}.json"
            path.write_text(json.dumps(envelope(number, event)))
            paths.append(str(path))
        run = subprocess.run([*EXPLAIN, *paths], check=True, capture_output=True, text=True)
    answers: list[dict[str, Any]] = json.loads(run.stdout)
    return answers


def envelope(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as EventBridge brings it (EventBridge user guide, "Events in EventBridge")."""
    return {
        "version": "0",
        "id": f"6f0c2a51-3b7e-4d19-9c84-{number:012x}",
        "account": "123456789012",
        "time": "2026-03-02T11:59:59Z",
        "region": "us-east-1",
        "resources": [],
        **event,
    }
