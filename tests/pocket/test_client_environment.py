"""`.local/env` is all a client needs, and points nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path

from local.account import Addresses, client_environment, scrubbed, write_exports

ADDRESSES = Addresses("http://127.0.0.1:1234", "http://127.0.0.1:1235")


def test_it_names_endpoint_region_account_credentials_and_control() -> None:
    variables = client_environment(ADDRESSES)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1234"
    assert variables["POCKET_CONTROL_URL"] == "http://127.0.0.1:1235"
    assert variables["AWS_ACCOUNT_ID"] == "000000000000"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert len(variables["AWS_ACCESS_KEY_ID"]) == 20


def test_a_shell_reads_the_file_back(tmp_path: Path) -> None:
    exports = tmp_path / "local" / "env"
    write_exports(exports, {"AWS_SECRET_ACCESS_KEY": "with 'quotes' and $signs"})
    read = subprocess.run(
        ["sh", "-c", f'. "{exports}"; printenv AWS_SECRET_ACCESS_KEY'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout == "with 'quotes' and $signs\n"


def test_checkouts_have_keys_of_their_own() -> None:
    here, there = (client_environment(ADDRESSES, Path(root)) for root in ("/a", "/b"))
    assert here["AWS_ACCESS_KEY_ID"] != there["AWS_ACCESS_KEY_ID"]


def test_nothing_of_the_callers_account_is_left() -> None:
    assert scrubbed({"AWS_PROFILE": "prod", "AWS_SESSION_TOKEN": "x", "PATH": "/bin"}) == {
        "PATH": "/bin"
    }
