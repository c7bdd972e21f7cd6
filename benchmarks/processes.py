"""The built asset, and fresh processes that have it and the standard library and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.install import node_bin

PROBES = Path(__file__).parent / "probes"

# What the stack and Lambda would set; nothing here is called.
ENVIRONMENT: Mapping[str, str] = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": os.devnull,
    "LEDGER_TABLE": "ledger",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:notifications",
    "MODE_PARAMETER": "/ml-capacity-remediation/mode",
    "SETTINGS": "{}",
    "LEVER_SETTINGS": "{}",
    "POWERTOOLS_SERVICE_NAME": "traffic_shift",
    "POWERTOOLS_METRICS_NAMESPACE": "MlCapacityRemediation",
}


class ProbeFailed(RuntimeError):
    """A probe ended badly; the message carries what it said."""


@contextmanager
def built_asset() -> Iterator[Path]:
    """A folder with the asset as the stack deploys it, gone afterwards."""
    # jsii starts `node` as soon as the CDK is imported: the locked one, whatever the PATH holds.
    os.environ["PATH"] = f"{node_bin()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    from infra.asset import write_asset

    with tempfile.TemporaryDirectory() as folder:
        write_asset(Path(folder))
        yield Path(folder)


def run_probe(name: str, asset: Path, environment: Mapping[str, str] = ENVIRONMENT) -> Any:
    """The JSON that a probe printed last. -I, -S: no site-packages. -B: no bytecode is written."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(PROBES / f"{name}.py"), str(asset)],
        env=dict(environment),
        cwd=os.sep,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ProbeFailed(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
