"""Cloud Custodian as it is published, in an environment of its own, run against a pocket account."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import install
from local.account import ROOT, scrubbed
from local.pocket import Account

VERSION = "0.9.53"
ENVIRONMENT = ROOT / ".local" / "custodian-env"
PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = PEERS / "custodian-requirements.txt"
POLICIES = PEERS / "custodian-policies.yml"
# botocore's first retry mode does not know Service Quotas' refusals for their rate, which come with
# HTTP 400 (github.com/boto/botocore/pull/2328): in it, a burst of requests ends the policy's run.
RETRIES: Mapping[str, str] = {"AWS_RETRY_MODE": "standard"}


class CustodianFailed(RuntimeError):
    """A policy's run ended badly; the message carries what it said."""


class Custodian:
    """Runs policies under an access key of its own, without a cache between them."""

    def __init__(self, account: Account) -> None:
        install.environment(ENVIRONMENT, REQUIREMENTS)
        self._account = account

    def run(self, policy: str, access_key: str) -> list[dict[str, Any]]:
        """The resources that a policy of POLICIES matched, its actions done. Raises CustodianFailed."""
        output = self._account.state / "custodian"
        done = subprocess.run(
            [
                *(str(ENVIRONMENT / "bin" / "custodian"), "run"),
                *("--policies", policy, "--region", self._account.env["AWS_REGION"]),
                *("--cache-period", "0", "--output-dir", str(output), str(POLICIES)),
            ],
            env={
                **scrubbed(os.environ),
                **self._account.env,
                **RETRIES,
                "AWS_ACCESS_KEY_ID": access_key,
                "HOME": str(self._account.state),
            },
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CustodianFailed(f"{policy} ended with {done.returncode}:\n{done.stderr}")
        matched: list[dict[str, Any]] = json.loads((output / policy / "resources.json").read_text())
        return matched
