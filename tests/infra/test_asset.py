"""The Lambda asset: everything the functions need, and nothing that floats."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from infra.asset import SERVICES, write_asset


@pytest.fixture(scope="module")
def asset(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("asset")
    write_asset(directory)
    return directory


def run_in(asset: Path, code: str, environment: dict[str, str]) -> None:
    """Run `code` with the asset and the standard library and nothing else, as Lambda would."""
    program = f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(asset)!r})\n"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program + code],
        env={"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", **environment},
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def environment_of(function: dict[str, Any]) -> dict[str, str]:
    """A function's environment as deployed; what only CloudFormation knows is made up."""

    def resolve(value: Any) -> str:
        match value:
            case str():
                return value
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(map(resolve, parts))
            case _:
                return "deployed-name"

    variables = function["Properties"]["Environment"]["Variables"]
    return {name: resolve(value) for name, value in variables.items()}


def test_every_handler_imports_from_the_asset_alone(asset, resources):
    for function in resources("AWS::Lambda::Function").values():
        module, _, name = function["Properties"]["Handler"].rpartition(".")
        run_in(asset, f"from {module} import {name}", environment_of(function))


def test_every_service_in_use_has_its_model(asset):
    run_in(asset, f"import boto3\nfor name in {SERVICES!r}: boto3.client(name)", {})


def test_each_model_is_there_in_one_version_the_newest(asset):
    newest = Loader()
    for library in ("botocore", "boto3"):
        data = asset / library / "data"
        for service in (each for each in data.iterdir() if each.is_dir()):
            (version,) = (each.name for each in service.iterdir())
            assert version == newest.determine_latest_version(service.name, "service-2")


def test_no_function_uses_a_service_without_its_model(root):
    used = {
        name
        for source in (root / "functions").rglob("*.py")
        for name in re.findall(
            r"""(?:client|resource)\(\s*["']([a-z0-9-]+)["']""", source.read_text()
        )
    }
    assert used <= set(SERVICES)


def test_the_sdk_speaks_the_version_that_was_locked(asset):
    import botocore

    run_in(asset, f"import botocore; assert botocore.__version__ == {botocore.__version__!r}", {})


def test_the_asset_holds_no_bytecode_and_nothing_compiled_for_one_machine(asset):
    zones = asset / "tzdata" / "zoneinfo"  # the same files on every machine, most without an ending
    files = [file for file in asset.rglob("*") if file.is_file() and zones not in file.parents]
    endings = {file.suffix for file in files}
    assert endings == {".py", ".json", ".gz", ".pem"}


def test_the_asset_holds_nothing_of_the_rest_of_the_project(asset):
    assert {"local", "cli", "infra", "tests"}.isdisjoint(entry.name for entry in asset.iterdir())


def test_the_asset_is_small(asset, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "asset"), "zip", asset)
    assert Path(archive).stat().st_size <= 5 * 1024 * 1024


def test_time_zones_come_with_the_asset(asset):
    """The image of a runtime need not have any (Python library reference, `zoneinfo`)."""
    run_in(
        asset,
        "import zoneinfo; zoneinfo.reset_tzpath(to=()); zoneinfo.ZoneInfo('Australia/Lord_Howe')",
        {},
    )
