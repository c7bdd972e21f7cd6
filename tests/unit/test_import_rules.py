"""Who may import whom: the contracts in pyproject.toml hold, and they bite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("functions", "infra", "local", "cli")


def lint(where: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    env = {**os.environ, "PYTHONPATH": str(where)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=where,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rules_hold() -> None:
    kept = lint(ROOT)

    assert kept.returncode == 0, kept.stdout + kept.stderr


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("functions/core/guards.py", "import functions.traffic_shift.steps", "no remediation by"),
        ("functions/core/guards.py", "import functions.quota_increase.usage", "no remediation by"),
        ("functions/core/guards.py", "import functions.spot_fallback.money", "no remediation by"),
        ("functions/provisioned_concurrency/schedule.py", "import time", "is pure"),
        ("functions/spot_fallback/groups.py", "import functions.spot_fallback.aws", "is pure"),
        ("functions/spot_fallback/progress.py", "import time", "is pure"),
        ("functions/traffic_shift/decision.py", "import boto3", "is pure"),
        ("functions/quota_increase/decision.py", "import time", "is pure"),
        ("functions/quota_increase/usage.py", "import functions.quota_increase.aws", "is pure"),
        ("functions/traffic_shift/decision.py", "import time", "is pure"),
        ("functions/traffic_shift/steps.py", "import random", "is pure"),
        ("functions/traffic_shift/steps.py", "import functions.traffic_shift.aws", "is pure"),
        ("functions/core/decision.py", "import os", "is pure"),
        ("functions/core/look.py", "import local.cloud.world", "the functions and the pocket"),
        ("local/cloud/world.py", "import functions.core.settings", "the pocket account and the"),
        ("infra/stack.py", "import functions.core.mode", "imports no function's code"),
    ],
)
def test_a_rule_that_is_broken_is_noticed(
    tmp_path: Path, module: str, line: str, rule: str
) -> None:
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as broken:
        broken.write(f"\n{line}\n")

    found = lint(tmp_path)

    assert found.returncode != 0
    assert [said for said in found.stdout.splitlines() if rule in said and "BROKEN" in said]
