"""The stack deployed into the pocket account by the CDK command line itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.account import ACCOUNT_ID, REGION, ROOT, scrubbed
from local.install import CDK, node_bin

STACK = "MlCapacityRemediation"


class DeploymentFailed(Exception):
    """The CDK command line refused; the message carries its output."""


def bootstrap(client_environment: Mapping[str, str], state: Path) -> None:
    """`cdk bootstrap`: the bucket and roles every CDK deployment needs."""
    # Outside the project the CLI has no app to synthesise first.
    _cdk(["bootstrap", f"aws://{ACCOUNT_ID}/{REGION}"], client_environment, state, state)


def deploy(
    client_environment: Mapping[str, str],
    state: Path,
    *,
    stack: str = STACK,
    project: Path = ROOT,
    context: Mapping[str, str] | None = None,
) -> None:
    """`cdk deploy` of the project's stack; raises DeploymentFailed with the CLI's own words."""
    given = [f"--context={key}={value}" for key, value in (context or {}).items()]
    options = ["--require-approval=never", "--progress=events", f"--output={state / 'cdk.out'}"]
    _cdk(["deploy", *options, *given, stack], client_environment, state, project)


def _cdk(
    arguments: Sequence[str], client_environment: Mapping[str, str], state: Path, project: Path
) -> None:
    home = state / "home"
    home.mkdir(parents=True, exist_ok=True)
    path = (str(node_bin()), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    environment = {
        **scrubbed(os.environ),
        **client_environment,
        # The CLI remembers accounts in its home, and reads profiles from it.
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        # The library, unpacked once for every deployment of the checkout.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".local" / "jsii-cache"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "true",
    }
    command = [str(CDK), *arguments, "--no-notices", "--no-color", "--ci"]
    done = subprocess.run(
        command,
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise DeploymentFailed(
            f"`cdk {' '.join(arguments)}` failed ({done.returncode}):\n{done.stdout}"
        )
