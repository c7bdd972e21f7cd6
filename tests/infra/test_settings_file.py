"""A deployment may have settings of its own, in a file over those of cdk.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.core.settings import SettingsError
from infra.settings import read_settings
from infra.settings_file import over

ROOT = Path(__file__).parents[2]


def written(tmp_path: Path, settings: object) -> str:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(settings))
    return str(path)


def test_what_the_file_names_takes_the_place_of_what_cdk_json_says(tmp_path):
    context = {
        "core": {"sweep_minutes": 5, "limits": {"instances_added": 2, "actions_per_hour": 9}}
    }
    own = written(tmp_path, {"core": {"limits": {"instances_added": 7}}})

    settings = read_settings(over(context, own)).core

    assert settings.limits.instances_added == 7
    assert settings.limits.actions_per_hour == 9
    assert settings.sweep_minutes == 5


def test_a_list_is_taken_whole(tmp_path):
    context = {"spot_fallback": {"fallback_types": ["ml.g5.xlarge", "ml.g6.xlarge"]}}
    own = written(tmp_path, {"spot_fallback": {"fallback_types": ["ml.p5.48xlarge"]}})

    assert over(context, own) == {"spot_fallback": {"fallback_types": ["ml.p5.48xlarge"]}}


def test_without_a_file_cdk_json_holds():
    assert over({"core": {}}, None) == {"core": {}}
    assert over(None, None) is None


def test_a_file_may_be_all_there_is(tmp_path):
    assert over(None, written(tmp_path, {"core": {}})) == {"core": {}}


@pytest.mark.parametrize("content", [None, "{"])
def test_a_file_that_is_missing_or_no_json_is_named(tmp_path, content):
    path = tmp_path / "own.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SettingsError, match=r"own\.json"):
        over({}, path)


def test_the_app_refuses_a_value_of_the_file_as_one_of_cdk_json(tmp_path):
    own = written(tmp_path, {"core": {"cooldown_seconds": -1}})
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], "settings": own}
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "remediation.core.cooldown_seconds must be from 0" in done.stderr
