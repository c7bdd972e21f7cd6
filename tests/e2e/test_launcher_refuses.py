"""The launcher does not start on a ministack that is not the one it was written for."""

from __future__ import annotations

import subprocess

import pytest

from local import install
from local.account import ROOT
from local.ministack.launcher import EXIT_SEAM_GONE

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]

WITHOUT_DISPATCH = """
from ministack.services import eventbridge
del eventbridge._dispatch_event
from local.ministack import launcher
launcher.main()
"""


def test_a_missing_name_stops_it_and_is_named() -> None:
    install.ministack()
    with subprocess.Popen(
        [str(install.MINISTACK_PYTHON), "-c", WITHOUT_DISPATCH],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as launcher:
        assert launcher.stderr is not None
        told = launcher.stderr.read()
        assert launcher.wait() == EXIT_SEAM_GONE
    assert "ministack.services.eventbridge._dispatch_event" in told
