"""Which account the pocket is, and what its clients need to know of it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT_ID = "000000000000"
REGION = "us-east-1"

# What an account keeps in its state folder: a lock held while it lives, where it is, what it says.
LOCK, ADDRESSES, LOG = "lock", "addresses.json", "log"


@dataclass(frozen=True)
class Addresses:
    """Where a running pocket account is reached."""

    endpoint_url: str
    control_url: str


def client_environment(addresses: Addresses, root: Path = ROOT) -> dict[str, str]:
    """The variables with which any AWS client, in any process, talks to the pocket account.

    The access key is the checkout's own: the CDK CLI remembers accounts by access key.
    """
    digest = hashlib.sha256(str(root).encode()).hexdigest()
    return {
        "AWS_ENDPOINT_URL": addresses.endpoint_url,
        "AWS_ACCESS_KEY_ID": f"AKIA{digest[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": digest[16:56],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCOUNT_ID": ACCOUNT_ID,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POCKET_CONTROL_URL": addresses.control_url,
    }


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without anything that would point an AWS client elsewhere."""
    return {key: value for key, value in environment.items() if not key.startswith("AWS_")}


def write_exports(path: Path, variables: Mapping[str, str]) -> None:
    """Writes shell `export` lines; whoever reads the file sees all of it or the former one."""
    lines = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(lines)
    partial.replace(path)
